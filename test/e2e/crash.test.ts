/**
 * Kills a real exemplard under load again and again, at random moments: while it starts, replays, saves a snapshot,
 * scrapes or sends. `npm run crash` does it 50 times; `CRASHES=n` says how often otherwise.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { buildProgram, temporaryDirectory } from '../support/build.js';
import { serveChanging } from '../support/changing-target.js';
import { expose, scrapeConfigs, startLife } from '../support/lives.js';
import type { QueriedSeries } from '../support/prometheus.js';
import { type Receiver, startReceiver } from '../support/remote-write-receiver.js';
import type { ServedTarget } from '../support/target.js';
import { until } from '../support/until.js';

const CRASHES = Number(process.env.CRASHES ?? 5);
const SERIES = 400;
/** Places are saved at least every second; the rest is for a machine that is busy with other tests. */
const MAX_REPEAT_WINDOW_MS = 5_000;

/** When each exemplar was received, answered with success; some requests never are at first, and none while it is down. */
function recordReceived(receiver: Receiver, isDown: () => boolean): Map<string, number[]> {
  const received = new Map<string, number[]>();
  receiver.reply = async ({ series }, index) => {
    await wait(Math.random() * 30);
    if (isDown() || index % 9 === 8) return { status: 503 };
    const nowMs = Date.now();
    for (const { exemplars } of series) {
      for (const { labels } of exemplars) {
        const times = received.get(labels.trace_id!);
        if (times === undefined) received.set(labels.trace_id!, [nowMs]);
        else times.push(nowMs);
      }
    }
    return { status: 204 };
  };
  return received;
}

t.test(`killed ${CRASHES} times, it loses nothing and repeats little`, async (t) => {
  t.setTimeout(CRASHES * 60_000 + 120_000);
  const main = await buildProgram(await temporaryDirectory(t));
  const directory = await temporaryDirectory(t);
  const receiver = await startReceiver();
  t.teardown(() => receiver.close());
  let life = 1;
  const received = recordReceived(receiver, () => life % 2 === 0 && life <= CRASHES);
  const targets = [
    await serveChanging(() => expose('a', SERIES)),
    await serveChanging(() => expose('b', SERIES)),
  ];
  t.teardown(() => Promise.all(targets.map(({ served }) => served.close())));
  const scrapedIds = () => targets.flatMap(({ scraped }) => [...scraped]);
  const configFile = join(directory, 'exemplard.yml');
  writeFileSync(configFile, config(targets, receiver));

  const crashTimesMs: number[] = [];
  for (; life <= CRASHES; life++) {
    const child = startLife(t, main, configFile, directory);
    // A third die while they start, the others when they have scraped.
    if (life % 3 !== 0) {
      await child.url;
      const before = scrapedIds().length;
      await until(() => scrapedIds().length > before, 'a scrape');
    }
    await wait(Math.random() * 1_500);
    child.process.kill('SIGKILL');
    await once(child.process, 'exit');
    crashTimesMs.push(Date.now());
  }

  const last = startLife(t, main, configFile, directory);
  const url = await last.url;
  const scrapedBefore = scrapedIds();
  const missing = () => scrapedBefore.filter((id) => !received.has(id));
  await until(() => missing().length === 0, 'what was scraped to be received').catch(() => {});
  t.ok(scrapedBefore.length > CRASHES * 100, `${scrapedBefore.length} exemplars were scraped`);
  t.same(missing(), [], 'nothing is lost on the way to the receiver');
  t.same(receiver.problems, []);
  t.same(await missingInRings(url, scrapedBefore), [], 'nothing is lost in the rings');

  const repeats = [...received.values()].filter((times) => times.length > 1);
  t.comment(`${repeats.length} of ${received.size} were received more than once`);
  const early = repeats.filter(([firstMs]) => {
    const crashMs = crashTimesMs.find((timeMs) => timeMs >= firstMs!);
    return crashMs === undefined || crashMs - firstMs! > MAX_REPEAT_WINDOW_MS;
  });
  t.equal(early.length, 0, 'only what was sent shortly before a crash is repeated');
  t.notMatch(last.log(), /level=error/);

  last.process.kill('SIGTERM');
  t.same(await once(last.process, 'exit'), [0, null]);
  const again = startLife(t, main, configFile, directory);
  t.same(await missingInRings(await again.url, scrapedBefore), [], 'nothing is lost by a stop');
  again.process.kill('SIGTERM');
  await once(again.process, 'exit');
});

function config(targets: readonly { readonly served: ServedTarget }[], receiver: Receiver): string {
  return `
${scrapeConfigs(targets)}
archive: {type: none}
remote_write:
- url: ${receiver.url}
  queue_config: {batch_send_deadline: 200ms, max_backoff: 100ms, max_samples_per_send: 500, min_shards: 2}
storage: {exemplars: {per_series: 5000}}
# Small, so that snapshots are saved and segments dropped all the time.
journal: {max_bytes: 8MiB}
`;
}

async function missingInRings(url: string, ids: readonly string[]): Promise<string[]> {
  const query = new URLSearchParams({ query: 'crash_total', start: '0', end: '1e11' });
  const response = await fetch(`${url}/api/v1/query_exemplars?${query}`);
  const { data } = (await response.json()) as { data: QueriedSeries[] };
  const held = new Set(data.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id)));
  return ids.filter((id) => !held.has(id));
}
