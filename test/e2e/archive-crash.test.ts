/**
 * Kills exemplard, or the process of the embedded engine alone, at random moments while thousands of exemplars a second
 * are archived. `npm run crash` does it 50 times; `CRASHES=n` says how often otherwise.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { rowsOf } from '../../src/clickhouse/database.js';
import { buildProgram, temporaryDirectory } from '../support/build.js';
import { serveChanging } from '../support/changing-target.js';
import { openChdb, skipWithoutChdb } from '../support/chdb.js';
import { expose, type Life, scrapeConfigs, startLife } from '../support/lives.js';
import { until } from '../support/until.js';

const CRASHES = Number(process.env.CRASHES ?? 6);
/** Half of them show a new exemplar four times a second: a block is full, and inserted, about every second. */
const SERIES = 2_500;

t.test(`killed ${CRASHES} times, the archive has everything, and once`, skipWithoutChdb(), async (t) => {
  t.setTimeout(CRASHES * 60_000 + 180_000);
  const main = await buildProgram(await temporaryDirectory(t));
  const directory = await temporaryDirectory(t);
  const targets = [
    await serveChanging(() => expose('a', SERIES)),
    await serveChanging(() => expose('b', SERIES)),
  ];
  t.teardown(() => Promise.all(targets.map(({ served }) => served.close())));
  const scrapedIds = () => targets.flatMap(({ scraped }) => [...scraped]);
  const configFile = join(directory, 'exemplard.yml');
  writeFileSync(configFile, `${scrapeConfigs(targets)}\nstorage: {exemplars: {per_series: 4}}\n`);

  let life = startLife(t, main, configFile, directory);
  const killed = { exemplard: 0, engine: 0 };
  for (let crash = 0; crash < CRASHES; crash++) {
    await life.url;
    const before = scrapedIds().length;
    await until(() => scrapedIds().length > before, 'a scrape');
    if (crash % 2 === 0) await until(() => enginePid(life) !== undefined, 'the engine');
    await wait(500 + Math.random() * 2_500);
    if (crash % 2 === 0) {
      process.kill(enginePid(life)!, 'SIGKILL');
      killed.engine++;
      continue;
    }
    life.process.kill('SIGKILL');
    await once(life.process, 'exit');
    killed.exemplard++;
    life = startLife(t, main, configFile, directory);
  }
  await life.url;
  const scraped = scrapedIds();
  // What comes after is scraped too, and not looked for.
  await Promise.all(targets.map(({ served }) => served.close()));
  await until(() => pendingRows(life).then((rows) => rows === 0), 'all to be archived', 120_000);
  t.ok(killed.engine > 0 && killed.exemplard > 0, JSON.stringify(killed));
  life.process.kill('SIGTERM');
  t.same(await once(life.process, 'exit'), [0, null], 'it stops in good order');

  const database = openChdb(join(directory, 'data', 'chdb'));
  t.teardown(() => database.close());
  const [counts] = await rowsOf<Record<string, string>>(
    database,
    'SELECT count() AS rows, uniqExact(trace_id) AS ids FROM exemplars FINAL',
  );
  t.ok(scraped.length > CRASHES * 1_000, `${scraped.length} exemplars were scraped`);
  t.equal(counts!.rows, counts!.ids, 'nothing is double');
  const archived = new Set<string>();
  const pages = database.query<{ id: string }>('SELECT trace_id AS id FROM exemplars');
  for await (const page of pages) for (const { id } of page) archived.add(id);
  t.same(scraped.filter((id) => !archived.has(id)).slice(0, 10), [], 'nothing is lost');
});

/** Of the engine that was opened last. */
function enginePid({ log }: Life): number | undefined {
  const pid = [...log().matchAll(/chDB is open" .*pid=(\d+)/g)].at(-1)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

async function pendingRows({ url }: Life): Promise<number> {
  const text = await (await fetch(`${await url}/metrics`)).text();
  return Number(/^exemplard_archive_pending_rows (\d+)/m.exec(text)![1]);
}
