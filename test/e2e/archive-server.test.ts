/** A real exemplard that archives to a ClickHouse server: restarted, reloaded, and without a place to keep anything. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { buildProgram, startNode, temporaryDirectory } from '../support/build.js';
import { serveChanging } from '../support/changing-target.js';
import { ClickHouseFront } from '../support/clickhouse-front.js';
import { engineDirectory, WITHOUT_CHDB } from '../support/databases.js';
import { expose, scrapeConfigs, startLife } from '../support/lives.js';
import { until } from '../support/until.js';

const SERIES = 20;

async function ask(url: string, path: string): Promise<Record<string, unknown>> {
  return (await (await fetch(`${url}/api/v1/${path}`)).json()) as Record<string, unknown>;
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^exemplard_archive_${name} (\\S+)`, 'm').exec(text)?.[1]);
}

/** All exemplars there are, by trace id, as a query over rings and archive shows them. */
async function idsOf(url: string): Promise<Set<string>> {
  const answer = await ask(url, 'query_exemplars?query=crash_total&start=0&end=9999999999');
  t.equal(answer.warnings, undefined);
  const data = answer.data as { exemplars: { labels: { trace_id: string } }[] }[];
  return new Set(data.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id)));
}

t.test('archive: {type: clickhouse}', { ...WITHOUT_CHDB, timeout: 240_000 }, async (t) => {
  const front = await ClickHouseFront.start({ directory: await engineDirectory(t) });
  t.teardown(() => front.close());
  const main = await buildProgram(await temporaryDirectory(t));
  const directory = await temporaryDirectory(t);
  const target = await serveChanging(() => expose('a', SERIES));
  t.teardown(() => target.served.close());
  const configFile = join(directory, 'exemplard.yml');
  const configure = (archive: string) =>
    writeFileSync(
      configFile,
      `${scrapeConfigs([target])}\nstorage: {exemplars: {per_series: 2}}\narchive: {${archive}}\n`,
    );
  const server = `type: clickhouse, url: '${front.url}'`;
  const missing = async (url: string) => {
    const scraped = [...target.scraped];
    const found = await idsOf(url);
    return scraped.filter((id) => !found.has(id));
  };

  configure(server);
  let life = startLife(t, main, configFile, directory);
  t.teardown(() => life.process.kill('SIGKILL'));
  let url = await life.url;
  await until(async () => (await metric(url, 'rows_total')) > 200, 'some to be archived');
  t.same(await missing(url), [], 'rings hold two of a series, and nothing is missing');

  life.process.kill('SIGTERM');
  await new Promise((resolve) => life.process.once('exit', resolve));
  life = startLife(t, main, configFile, directory);
  url = await life.url;
  t.same(await missing(url), [], 'after a restart');

  // SIGHUP: another time to live, then none of the archive, then back.
  const reload = async (archive: string) => {
    const loads = (life.log().match(/configuration (?:is )?(?:re)?loaded|reload/gi) ?? []).length;
    configure(archive);
    life.process.kill('SIGHUP');
    await until(() => (life.log().match(/configuration (?:is )?(?:re)?loaded|reload/gi) ?? []).length > loads, 'the reload'); // biome-ignore format: one statement
  };
  await reload(`${server}, ttl: 3d`);
  await until(() => front.statements.some(({ sql }) => /MODIFY TTL .*259200\)/.test(sql)), 'the TTL to be altered'); // biome-ignore format: one statement
  t.same(await missing(url), [], 'after another TTL');
  await reload('type: none');
  await until(async () => (await metric(url, 'up')) === 0, 'no archive');
  const { data, warnings } = await ask(url, 'query_exemplars?query=crash_total&start=0&end=9999999999&source=archive'); // biome-ignore format: one statement
  t.same([data, warnings], [[], ['archive: there is none']]);
  await reload(server);
  await until(async () => (await metric(url, 'up')) === 1, 'the archive again');
  t.same(await missing(url), [], 'what came while there was none is archived from the journal');
  t.notMatch(life.log(), /level=error/);

  life.process.kill('SIGTERM');
  const code = await new Promise((resolve) => life.process.once('exit', resolve));
  t.equal(code, 0);

  // Without a journal: what is accepted waits in memory, and goes along when the process is told to stop.
  front.statements.length = 0;
  const brief = startInMemory(main, configFile);
  t.teardown(() => brief.process.kill('SIGKILL'));
  url = await brief.url;
  const before = target.scraped.size;
  await until(() => target.scraped.size > before + 50, 'some to be scraped');
  brief.process.kill('SIGTERM');
  t.equal(await new Promise((resolve) => brief.process.once('exit', resolve)), 0);
  const rows = front.statements.filter(({ sql }) => sql.startsWith('INSERT INTO exemplars '));
  const inserted = new Set([...rows.map((one) => one.rows.toString()).join('').matchAll(/"trace_id":"(\w+)"/g)].map(([, id]) => id)); // biome-ignore format: one expression
  t.same(
    [...target.scraped].slice(before).filter((id) => !inserted.has(id)),
    [],
    'nothing is left behind',
  );
});

function startInMemory(main: string, configFile: string) {
  const child = startNode([main, `--config.file=${configFile}`, '--web.listen-address=127.0.0.1:0']);
  let log = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const url = until(() => /listening=(http:\S+)/.test(log), 'exemplard to be ready').then(
    () => /listening=(http:\S+)/.exec(log)![1]!,
  );
  return { process: child, url, log: () => log };
}

t.test('chdb without --storage.path is an error in the log, and no more', { timeout: 120_000 }, async (t) => {
  const target = await serveChanging(() => expose('memory', SERIES));
  t.teardown(() => target.served.close());
  const main = await buildProgram(await temporaryDirectory(t));
  const configFile = join(await temporaryDirectory(t), 'exemplard.yml');
  writeFileSync(configFile, `${scrapeConfigs([target])}\narchive: {type: chdb}\n`);
  const life = startInMemory(main, configFile);
  t.teardown(() => life.process.kill('SIGKILL'));
  const url = await life.url;
  t.match(life.log(), /archive.type chdb needs --storage.path: nothing is archived/);
  await until(async () => (await idsOf(url)).size > 0, 'scraping goes on');
});
