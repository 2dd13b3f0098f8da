import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { buildProgram, startNode, temporaryDirectory } from '../support/build.js';
import { serveChanging } from '../support/changing-target.js';
import { startReceiver } from '../support/remote-write-receiver.js';
import { until } from '../support/until.js';

t.test('a stop in the middle of a reload wins, and ends in time', async (t) => {
  const main = await buildProgram(await temporaryDirectory(t));
  const directory = await temporaryDirectory(t);
  let shown = 0;
  const { served } = await serveChanging(() => {
    const id = (++shown).toString(16).padStart(32, '0');
    return { text: `x_total 1 # {trace_id="${id}"} 1 ${(Date.now() / 1000).toFixed(3)}\n# EOF\n`, ids: [id] };
  });
  t.teardown(() => served.close());
  const receiver = await startReceiver();
  t.teardown(() => receiver.close());
  receiver.reply = () => 'hang';
  const configFile = join(directory, 'exemplard.yml');
  const jobs = `scrape_configs: [{job_name: a, scrape_interval: 100ms, static_configs: [{targets: ['${served.address}']}]}]\n`;
  for (const storage of [[], [`--storage.path=${join(directory, 'data')}`]]) {
    writeFileSync(
      configFile,
      `${jobs}remote_write: [{url: '${receiver.url}', queue_config: {batch_send_deadline: 100ms}}]\n`,
    );
    const child = startNode([
      main,
      `--config.file=${configFile}`,
      '--web.listen-address=127.0.0.1:0',
      ...storage,
    ]);
    t.teardown(() => child.kill('SIGKILL'));
    let log = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    await until(() => /listening=/.test(log), 'exemplard to be ready');
    const before = receiver.requests.length;
    await until(() => receiver.requests.length > before, 'a request that hangs');
    writeFileSync(configFile, jobs);
    child.kill('SIGHUP');
    await wait(300);
    const startMs = performance.now();
    child.kill('SIGTERM');
    t.same(await once(child, 'exit'), [0, null]);
    t.ok(performance.now() - startMs < 9_000, 'within what is waited before a kill');
    t.match(log, /exemplard has stopped/);
    const scrapes = served.requests.length;
    await wait(400);
    t.equal(served.requests.length, scrapes, 'nobody scrapes on');
  }
});

t.test('a file that the configuration includes is read again when it changes', async (t) => {
  const main = await buildProgram(await temporaryDirectory(t));
  const directory = await temporaryDirectory(t);
  const jobs = join(directory, 'jobs.yml');
  const jobFor = (name: string) =>
    `scrape_configs: [{job_name: ${name}, static_configs: [{targets: ['127.0.0.1:1']}]}]\n`;
  writeFileSync(join(directory, 'exemplard.yml'), 'scrape_config_files: ["*bs.yml"]\n');
  writeFileSync(jobs, jobFor('first'));
  const child = startNode([
    main,
    `--config.file=${join(directory, 'exemplard.yml')}`,
    '--web.listen-address=127.0.0.1:0',
  ]);
  t.teardown(() => child.kill('SIGKILL'));
  let log = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  await until(() => /listening=(\S+)/.test(log), 'exemplard to be ready');
  const url = /listening=(\S+)/.exec(log)![1]!.replaceAll('"', '');
  const pools = async () =>
    ((await (await fetch(`${url}/api/v1/scrape_pools`)).json()) as { data: { scrapePools: string[] } }).data
      .scrapePools;
  t.same(await pools(), ['first']);
  writeFileSync(jobs, jobFor('second'));
  await until(async () => (await pools())[0] === 'second', 'the new job');
  writeFileSync(jobs, 'scrape_configs: [{job_nam: third}]');
  await until(() => log.includes('unknown key'), 'a line that says what is wrong');
  t.match(log, /jobs\.yml:1:19: unknown key/);
  t.match(log, /the old one stays/);
  t.same(await pools(), ['second']);
});
