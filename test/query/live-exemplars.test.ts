import t from 'tap';
import { labelsFromRecord, NO_LABELS } from '../../src/model/labels.js';
import { LiveExemplars, type LiveFilter, type LivePage } from '../../src/query/live-exemplars.js';
import { parseSelectors } from '../../src/query/selectors.js';
import { systemClock } from '../../src/util/clock.js';
import { batchOf, manySeries, seriesOf } from '../support/batch.js';

const filterOf = (promql: string, more: Partial<LiveFilter> = {}): LiveFilter => ({
  selectors: parseSelectors(promql),
  minValue: undefined,
  maxValue: undefined,
  externalLabels: NO_LABELS,
  ...more,
});

/** As `batchOf` makes it of a time. */
const id = (timeMs: number) => timeMs.toString(16).padStart(32, '0');

/** Watches, and gives the next page that has anything. */
function watch(live: LiveExemplars, filter: LiveFilter) {
  const gone = new AbortController();
  const pages = live.follow(filter, gone.signal);
  return {
    async next(): Promise<LivePage> {
      for (;;) {
        const { value, done } = await pages.next();
        if (done) throw new Error('no more');
        if (value.json !== undefined || value.skipped > 0) return value;
      }
    },
    begin: () => pages.next(),
    async leave() {
      gone.abort();
      await pages.next();
    },
  };
}

t.test('what is accepted reaches those whom it interests', async (t) => {
  const live = new LiveExemplars(systemClock);
  const watched: boolean[] = [];
  live.onWatched = () => watched.push(live.isWatched);
  const all = watch(live, filterOf('{__name__!=""}', { externalLabels: labelsFromRecord({ cluster: 'k' }) }));
  const some = watch(live, filterOf('a{x=""} or b{x!~"y.*"}', { minValue: 2, maxValue: 3 }));
  await Promise.all([all.begin(), some.begin()]);
  const [a, b] = [seriesOf(1, { __name__: 'a' }), seriesOf(2, { __name__: 'b', x: 'yes' })];
  live.offer(
    batchOf([
      { series: a, timestampMs: 1_500, value: 2 },
      { series: b, timestampMs: 1_600, value: 2 },
      { series: a, timestampMs: 1_700, value: 4, labels: { 'é"': '<b>' } },
      { series: a, timestampMs: 1_800, value: Number.NaN },
    ]),
  );
  t.strictSame(JSON.parse((await all.next()).json!), [
    {
      seriesLabels: { __name__: 'a', cluster: 'k' },
      exemplars: [
        { labels: { trace_id: id(1500) }, value: '2', timestamp: 1.5 },
        { labels: { 'é"': '<b>' }, value: '4', timestamp: 1.7 },
        { labels: { trace_id: id(1800) }, value: 'NaN', timestamp: 1.8 },
      ],
    },
    {
      seriesLabels: { __name__: 'b', cluster: 'k', x: 'yes' },
      exemplars: [{ labels: { trace_id: id(1600) }, value: '2', timestamp: 1.6 }],
    },
  ]);
  t.strictSame(JSON.parse((await some.next()).json!), [
    {
      seriesLabels: { __name__: 'a' },
      exemplars: [{ labels: { trace_id: id(1500) }, value: '2', timestamp: 1.5 }],
    },
  ]);
  await all.leave();
  await some.leave();
  t.strictSame(watched, [true, false], 'said when somebody comes, and when all have gone');
});

t.test('what comes too fast is counted, and takes no memory', async (t) => {
  const live = new LiveExemplars(systemClock);
  const watcher = watch(live, filterOf('requests_total'));
  await watcher.begin();
  const series900 = manySeries(900);
  for (let i = 0; i < 3; i++)
    live.offer(batchOf(series900.map((series) => ({ series, timestampMs: 1_000 + i }))));
  const { json, skipped } = await watcher.next();
  t.equal(skipped, 1_700);
  t.equal(JSON.parse(json!).length, 900);
  await watcher.leave();
});

t.test('twenty may watch', async (t) => {
  const live = new LiveExemplars(systemClock);
  const watchers = Array.from({ length: 20 }, () => watch(live, filterOf('a')));
  for (const watcher of watchers) {
    t.notOk(live.isFull);
    await watcher.begin();
  }
  t.ok(live.isFull);
  await Promise.all(watchers.map((watcher) => watcher.leave()));
  t.notOk(live.isFull);
});
