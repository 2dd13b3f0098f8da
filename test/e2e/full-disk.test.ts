/** A disk that fills under a real exemplard, and has room again: a tmpfs of four megabytes. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { buildProgram, startNode, temporaryDirectory } from '../support/build.js';
import { serveChanging } from '../support/changing-target.js';
import type { QueriedSeries } from '../support/prometheus.js';
import { startReceiver } from '../support/remote-write-receiver.js';
import { until } from '../support/until.js';

function mount(directory: string): string | undefined {
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory]);
  return status === 0 ? undefined : `cannot mount a tmpfs: ${error?.message ?? stderr}`;
}

/** The number of the response, in hex, is the trace id of all its exemplars. */
function trace(number: number): string {
  return number.toString(16).padStart(32, '0');
}

const disk = mkdtempSync(join(tmpdir(), 'exemplard-disk-'));
const cannotMount = mount(disk);
t.teardown(() => {
  spawnSync('umount', ['-l', disk]);
  rmSync(disk, { recursive: true });
});
const skip = cannotMount ?? false;

t.test('a full disk stops neither scraping nor forwarding nor queries', { skip }, async (t) => {
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(3 * 1024 * 1024));

  let responses = 0;
  const { served: target, scraped } = await serveChanging(() => {
    const id = trace(++responses);
    const exemplar = `# {trace_id="${id}"} 1 ${(Date.now() / 1000).toFixed(3)}`;
    const lines = Array.from({ length: 500 }, (_, n) => `full_total{n="${n}"} 1 ${exemplar}`);
    return { text: `# TYPE full counter\n${lines.join('\n')}\n# EOF\n`, ids: [id] };
  });
  t.teardown(() => target.close());
  const receiver = await startReceiver();
  t.teardown(() => receiver.close());
  const directory = await temporaryDirectory(t);
  const configFile = join(directory, 'exemplard.yml');
  writeFileSync(
    configFile,
    `
scrape_configs: [{job_name: full, scrape_interval: 100ms, static_configs: [{targets: ['${target.address}']}]}]
remote_write: [{url: '${receiver.url}', queue_config: {batch_send_deadline: 100ms}}]
storage: {exemplars: {per_series: 10000}}
`,
  );
  const main = await buildProgram(await temporaryDirectory(t));
  const start = async () => {
    const child = startNode([
      main,
      `--config.file=${configFile}`,
      `--storage.path=${join(disk, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
    ]);
    t.teardown(() => child.kill('SIGKILL'));
    let log = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    await until(() => /listening=/.test(log), 'exemplard to be ready');
    const url = /listening=(http:\S+)/.exec(log)![1]!;
    return { child, get: async (path: string) => (await fetch(`${url}${path}`)).text() };
  };
  const traces = async (get: (path: string) => Promise<string>) => {
    const answer = await get('/api/v1/query_exemplars?query=full_total{n="7"}&start=0&end=1e11');
    const { data } = JSON.parse(answer) as { data: QueriedSeries[] };
    return data.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id));
  };

  const { child, get } = await start();
  t.equal(await get('/-/ready'), 'exemplard is Ready.\n');
  await until(
    async () => /cannot be written since .*: ENOSPC/.test(await get('/-/ready')),
    'the disk to be full',
  );
  t.match(await get('/metrics'), /^exemplard_journal_writable 0$/m);
  const enough = scraped.size + 20;
  await until(() => scraped.size >= enough, 'more scrapes');
  const newest = [...scraped].at(-1)!;
  t.ok((await traces(get)).includes(newest), 'answers with what the disk has not');
  const isReceived = (id: string) =>
    receiver.accepted.some(({ series }) =>
      series.some(({ exemplars }) => exemplars.some(({ labels }) => labels.trace_id === id)),
    );
  await until(() => isReceived(newest), 'the receiver to get it');
  const scrapedWhenFull = [...scraped];

  rmSync(ballast);
  await until(
    async () => /^exemplard_journal_writable 1$/m.test(await get('/metrics')),
    'the journal to go on',
  );
  // The archive on the same disk tries again later.
  t.notMatch(await get('/-/ready'), /The journal cannot be written/);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const again = await start();
  const restored = await traces(again.get);
  t.same(
    scrapedWhenFull.filter((id) => !restored.includes(id)),
    [],
  );
});
