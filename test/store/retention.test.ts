import { monitorEventLoopDelay } from 'node:perf_hooks';
import t from 'tap';
import { encodeLabels } from '../../src/model/encoded-labels.js';
import { labelsFromRecord, labelsToRecord } from '../../src/model/labels.js';
import { parseSelector } from '../../src/query/selectors.js';
import { ExemplarStore } from '../../src/store/exemplar-store.js';
import { forecastBasis } from '../../src/store/forecast.js';
import type { GroupRetention } from '../../src/store/group-retention.js';
import { DEFAULT_STORE_OPTIONS, type StoreOptions } from '../../src/store/options.js';
import { type RetentionQuery, retentionGroups, retentionJson } from '../../src/store/retention.js';
import { addRetentionMetrics } from '../../src/store/retention-metrics.js';
import { createRegistry } from '../../src/telemetry/registry.js';
import { systemClock } from '../../src/util/clock.js';
import { TimeSlices } from '../../src/util/time-slices.js';
import { FakeClock } from '../support/fake-clock.js';

const START_MS = 1_763_796_000_000;

function storeOf(options: Partial<StoreOptions> = {}): ExemplarStore {
  return new ExemplarStore({ ...DEFAULT_STORE_OPTIONS, perSeries: 4, ...options });
}

/** Shows an exemplar of `atMs` to the series at `nowMs`. */
function append(store: ExemplarStore, labels: Record<string, string>, atMs: number, nowMs = atMs) {
  const encoded = encodeLabels(labelsFromRecord({ trace_id: atMs.toString(16).padStart(32, '0') }));
  const exemplar = {
    value: 1,
    timestampMs: atMs,
    hasOwnTimestamp: true,
    labels: encoded,
    labelsLength: encoded.length,
    codePoints: 40,
  };
  return store.append(store.seriesOf(labelsFromRecord(labels), nowMs), exemplar, nowMs);
}

/** One exemplar every `everyMs`, the last one at START_MS. */
function appendEvery(store: ExemplarStore, labels: Record<string, string>, everyMs: number, count: number) {
  for (let i = count - 1; i >= 0; i--) append(store, labels, START_MS - i * everyMs);
}

async function groupsOf(
  store: ExemplarStore,
  query: Partial<RetentionQuery> = {},
  nowMs = START_MS,
): Promise<GroupRetention[]> {
  const all: RetentionQuery = {
    selectors: undefined,
    by: { kind: 'total' },
    sort: undefined,
    order: 'asc',
    limit: undefined,
    targetMs: undefined,
  };
  const slices = new TimeSlices(systemClock);
  const groups: GroupRetention[] = [];
  for await (const group of retentionGroups(store, { ...all, ...query }, nowMs, slices)) groups.push(group);
  return groups;
}

const names = (groups: readonly GroupRetention[]) =>
  groups.map(({ labels }) => Object.values(labelsToRecord(labels)).join('/'));

t.test('an empty store has one group in total, and none by anything else', async (t) => {
  const [total, ...others] = await groupsOf(storeOf());
  t.equal(others.length, 0);
  t.match(total, { series: 0, oldest: null, newest: null, windowSeconds: { min: 0, max: 0 } });
  t.match(total?.forecast, { secondsToFull: 0, steadyWindowSeconds: null, perSeriesForTarget: null });
  for (const by of [{ kind: 'label', name: 'job' }, { kind: 'series' }] as const) {
    t.same(await groupsOf(storeOf(), { by }), []);
  }
});

t.test('windows, counts and lifetimes', async (t) => {
  const store = storeOf();
  appendEvery(store, { __name__: 'busy', job: 'shop' }, 1000, 10);
  appendEvery(store, { __name__: 'rare', job: 'shop' }, 60_000, 2);
  append(store, { __name__: 'rare', job: 'shop' }, START_MS);
  append(store, { __name__: 'rare', job: 'shop' }, START_MS - 50 * 60_000, START_MS);
  const [shop] = await groupsOf(store, { by: { kind: 'label', name: 'job' } });
  t.same(shop?.labels, ['job', 'shop']);
  t.match(shop, {
    series: 2,
    fullSeries: 1,
    exemplars: 6,
    slots: 8,
    oldest: (START_MS - 60_000) / 1000,
    newest: START_MS / 1000,
    windowSeconds: { min: 3, p10: 3, p50: 3, p90: 60, max: 60 },
    accepted: 12,
    duplicates: 1,
    rejected: { out_of_order: 1, too_long: 0, future: 0, malformed: 0, blank: 0 },
    overwritten: 6,
    overwrittenUnforwarded: 0,
    lifetimeSeconds: { min: 4, p50: 4, p90: 4 },
  });
});

t.test(
  'a series that lost all to a cap remembers nothing; one that never held any does not count',
  async (t) => {
    const store = storeOf({ maxExemplars: 1 });
    append(store, { __name__: 'a' }, START_MS);
    append(store, { __name__: 'b' }, START_MS + 1000);
    append(store, { __name__: 'refused' }, START_MS + 1e9, START_MS);
    const groups = await groupsOf(store, { by: { kind: 'series' } });
    t.same(names(groups), ['a', 'b', 'refused']);
    const [total] = await groupsOf(store);
    t.match(total, { series: 3, exemplars: 1, windowSeconds: { min: 0, max: 0 }, rejected: { future: 1 } });
  },
);

t.test('groups, selectors, sorts and limits', async (t) => {
  const store = storeOf();
  const series = (name: string, job: string) => ({ __name__: name, job, instance: `${job}:1` });
  appendEvery(store, series('x', 'a'), 1000, 20);
  appendEvery(store, series('x', 'b'), 10_000, 3);
  appendEvery(store, series('y', 'b'), 120_000, 2);
  append(store, { __name__: 'z' }, START_MS);
  const by = (name: string) => ({ kind: 'label', name }) as const;
  t.same(names(await groupsOf(store, { by: by('job') })), ['', 'a', 'b']);
  t.same(names(await groupsOf(store, { by: by('job'), order: 'desc' })), ['b', 'a', '']);
  t.same(names(await groupsOf(store, { by: by('__name__') })), ['x', 'y', 'z']);
  t.same(names(await groupsOf(store, { by: { kind: 'series' }, limit: 2 })), ['x/a:1/a', 'x/b:1/b']);
  const sorted = async (sort: RetentionQuery['sort'], order: 'asc' | 'desc' = 'desc') =>
    names(await groupsOf(store, { by: by('__name__'), sort, order }, START_MS + 600_000)).join('');
  t.equal(await sorted('rate'), 'xyz');
  t.equal(await sorted('overwrites'), 'xyz');
  t.equal(await sorted('exemplars'), 'xyz');
  t.equal(await sorted('window'), 'yxz');
  t.equal(await sorted('window', 'asc'), 'zxy');
  const selected = { selectors: [parseSelector('y'), parseSelector('{job="a"}')], by: by('job') };
  t.same(names(await groupsOf(store, selected)), ['a', 'b']);
  t.match(await groupsOf(store, { selectors: [parseSelector('nothing')] }), [{ series: 0 }]);
});

t.test('the forecast is what comes true', async (t) => {
  const options = { perSeries: 50 };
  const store = storeOf(options);
  const everyMs = 10_000;
  const busy = { __name__: 'busy' };
  appendEvery(store, busy, everyMs, 20);
  const targetMs = 3_600_000;
  const [before] = await groupsOf(store, { targetMs });
  const { secondsToFull, steadyWindowSeconds, perSeriesForTarget } = before!.forecast;
  // 30 more at one in ten seconds; the average lags a little behind the truth.
  t.ok(secondsToFull! > 270 && secondsToFull! < 315, `${secondsToFull}`);
  t.ok(steadyWindowSeconds! > 440 && steadyWindowSeconds! < 515, `${steadyWindowSeconds}`);
  t.ok(perSeriesForTarget! > 345 && perSeriesForTarget! < 400, `${perSeriesForTarget}`);
  for (let i = 1; i <= 30; i++) append(store, busy, START_MS + i * everyMs);
  const [full] = await groupsOf(store, {}, START_MS + 30 * everyMs);
  t.match(full, { fullSeries: 1, windowSeconds: { max: 490 }, forecast: { secondsToFull: 0 } });
  t.match(full?.forecast, { perSeriesForTarget: null, bytesForTarget: null });

  const needed = storeOf({ perSeries: perSeriesForTarget! });
  appendEvery(needed, busy, everyMs, 1000);
  const [kept] = await groupsOf(needed, { targetMs });
  t.ok(kept!.windowSeconds.min >= 3400, `${kept!.windowSeconds.min}`);
});

t.test('where nothing comes in, nothing is forecast but that it stays', async (t) => {
  const store = storeOf();
  append(store, { __name__: 'once' }, START_MS);
  const [silent] = await groupsOf(store, { targetMs: 3_600_000 }, START_MS + 86_400_000);
  t.match(silent?.forecast, { secondsToFull: null, steadyWindowSeconds: null, perSeriesForTarget: 1 });
});

t.test('a cap of the process shares out fairly, and the forecast knows', async (t) => {
  const nowMs = START_MS;
  const caps: [string, Partial<StoreOptions>][] = [
    ['max_exemplars', { perSeries: 100, maxExemplars: 60 }],
    ['max_bytes', { perSeries: 1000, maxBytes: 64 * 1024 }],
  ];
  for (const [name, options] of caps) {
    const store = storeOf(options);
    append(store, { __name__: 'rare' }, nowMs - 100 * 3_600_000);
    for (let i = 2000; i >= 0; i--) {
      append(store, { __name__: 'busy', n: '1' }, nowMs - i * 1000);
      append(store, { __name__: 'busy', n: '2' }, nowMs - i * 1000);
    }
    const [busy] = await groupsOf(store, { selectors: [parseSelector('busy')] }, nowMs);
    const basis = await forecastBasis(store, nowMs, new TimeSlices(systemClock));
    t.ok(
      Math.abs(basis.steadyHeld - busy!.exemplars / 2) <= 2,
      `${name}: ${basis.steadyHeld} of ${busy!.exemplars}`,
    );
    t.ok(basis.steadyHeld < store.options.perSeries, name);
    t.equal(busy!.fullSeries, 0, name);
    // The forecast of what they will remember is what they remember, for they are in that state already.
    const { steadyWindowSeconds, secondsToFull } = busy!.forecast;
    t.ok(
      Math.abs(steadyWindowSeconds! / busy!.windowSeconds.min - 1) < 0.1,
      `${name}: ${steadyWindowSeconds}`,
    );
    t.ok(secondsToFull! <= 2, `${name}: ${secondsToFull}`);
  }
});

t.test('bytesForTarget as max_bytes is enough for the target', async (t) => {
  const store = storeOf({ perSeries: 4 });
  for (let n = 0; n < 20; n++) appendEvery(store, { __name__: 'm', n: String(n) }, 10_000, 300);
  const [{ forecast }] = (await groupsOf(store, { targetMs: 1_800_000 })) as [GroupRetention];
  const needed = storeOf({ perSeries: forecast.perSeriesForTarget!, maxBytes: forecast.bytesForTarget! });
  for (let i = 999; i >= 0; i--) {
    for (let n = 0; n < 20; n++) append(needed, { __name__: 'm', n: String(n) }, START_MS - i * 10_000);
  }
  const [kept] = await groupsOf(needed);
  t.ok(kept!.windowSeconds.min >= 1700, `${kept!.windowSeconds.min}`);
  t.equal(kept!.fullSeries, 20);
});

t.test('the JSON has the keys of the contract in its order', async (t) => {
  const store = storeOf();
  append(store, { __name__: 'a', job: 'shop "1"' }, START_MS);
  const query: RetentionQuery = {
    selectors: undefined,
    by: { kind: 'label', name: 'job' },
    sort: undefined,
    order: 'asc',
    limit: undefined,
    targetMs: 1000,
  };
  let json = '';
  for await (const text of retentionJson(store, query, START_MS + 123, new TimeSlices(systemClock)))
    json += text;
  const answer = JSON.parse(json);
  t.equal(JSON.stringify(answer), json);
  t.equal(answer.timestamp, 1763796000.123);
  t.strictSame(Object.keys(answer), ['timestamp', 'limits', 'bytes', 'groups']);
  t.strictSame(Object.keys(answer.groups[0]), [
    'labels',
    'series',
    'fullSeries',
    'exemplars',
    'slots',
    'oldest',
    'newest',
    'windowSeconds',
    'rate',
    'accepted',
    'duplicates',
    'rejected',
    'overwritten',
    'overwrittenUnforwarded',
    'lifetimeSeconds',
    'forecast',
  ]);
  t.strictSame(answer.groups[0].labels, { job: 'shop "1"' });
  t.strictSame(Object.keys(answer.groups[0].forecast), [
    'secondsToFull',
    'steadyWindowSeconds',
    'perSeriesForTarget',
    'bytesForTarget',
  ]);
});

t.test('metrics by job, worked out at most every five seconds', async (t) => {
  const store = storeOf();
  const clock = new FakeClock(START_MS);
  const registry = createRegistry();
  addRetentionMetrics(registry, store, clock);
  appendEvery(store, { __name__: 'a', job: 'shop' }, 1000, 3);
  const text = await registry.metrics();
  t.match(text, 'exemplard_retention_exemplars{job="shop"} 3\n');
  t.match(text, 'exemplard_retention_window_seconds{job="shop",quantile="0.5"} 2\n');
  t.match(text, `exemplard_retention_oldest_timestamp_seconds{job="shop"} ${START_MS / 1000 - 2}\n`);
  t.match(text, /exemplard_retention_accepted_per_second\{job="shop",over="1h"\} 1\.\d+/);
  append(store, { __name__: 'a', job: 'shop' }, START_MS + 1000);
  t.match(await registry.metrics(), 'exemplard_retention_exemplars{job="shop"} 3\n');
  await clock.advance(5000);
  t.match(await registry.metrics(), 'exemplard_retention_exemplars{job="shop"} 4\n');
});

t.test('metrics of the forecast, and of the target where there is one', async (t) => {
  const store = storeOf();
  const clock = new FakeClock(START_MS);
  appendEvery(store, { __name__: 'a', job: 'shop' }, 1000, 3);
  const figures = async (targetMs: number | undefined) => {
    const registry = createRegistry();
    addRetentionMetrics(registry, store, clock, () => targetMs);
    const text = await registry.metrics();
    return Object.fromEntries(
      [...text.matchAll(/^exemplard_retention_(\w+)\{job="shop"\} (\S+)$/gm)].map(([, name, value]) => [
        name,
        Number(value),
      ]),
    );
  };
  const [with1h, without] = [await figures(3_600_000), await figures(undefined)];
  t.ok(without.until_full_seconds! > 0);
  t.equal(without.until_full_seconds, with1h.until_full_seconds);
  t.equal(with1h.target_seconds, 3600);
  const { perSeriesForTarget, bytesForTarget } = (await groupsOf(store, { targetMs: 3_600_000 }))[0]!
    .forecast;
  t.equal(with1h.per_series_for_target, perSeriesForTarget);
  t.equal(with1h.bytes_for_target, bytesForTarget);
  for (const name of ['target_seconds', 'per_series_for_target', 'bytes_for_target'])
    t.notOk(name in without, `${name} without a target`);
});

t.test('series that come and go meanwhile do no harm', async (t) => {
  const store = storeOf({ maxSeries: 300 });
  let created = 0;
  const create = () => {
    const n = String(created++);
    appendEvery(store, { __name__: 'm', job: `j${created % 7}`, n }, 1000, 6);
  };
  while (created < 300) create();
  /** Ends every slice at once, and lets series be evicted and their numbers be given to others. */
  class Churn extends TimeSlices {
    override get isOver() {
      return true;
    }
    override async pause() {
      create();
      await super.pause();
    }
  }
  const query = { selectors: undefined, order: 'asc', limit: undefined, targetMs: 1000 } as const;
  for (const by of [{ kind: 'total' }, { kind: 'label', name: 'job' }, { kind: 'series' }] as const) {
    for (const sort of [undefined, 'window', 'exemplars'] as const) {
      const seen = new Set<string>();
      const slices = new Churn(systemClock);
      for await (const group of retentionGroups(store, { ...query, by, sort }, START_MS, slices)) {
        const key = group.labels.join();
        t.notOk(seen.has(key), `${key} once`);
        seen.add(key);
        t.ok(group.exemplars <= group.series * 4);
        if (by.kind === 'series') t.equal(group.series, 1);
      }
    }
  }
  t.ok(created > 2000);
});

t.test('100,000 series do not hold up the event loop, however they are grouped', async (t) => {
  const store = storeOf({ perSeries: 1 });
  for (let n = 0; n < 100_000; n++) {
    const labels = { __name__: `m${n % 100}`, job: `j${n % 10}`, n: String(n) };
    append(store, labels, START_MS + n);
    append(store, labels, START_MS + n + 1);
  }
  const groupings = [{ kind: 'total' }, { kind: 'label', name: 'n' }, { kind: 'series' }] as const;
  for (const by of groupings) {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const groups = await groupsOf(store, { by, sort: 'window', limit: 100, targetMs: 1e6 });
    delay.disable();
    t.equal(groups.length, by.kind === 'total' ? 1 : 100);
    t.comment(`${by.kind}: longest turn ${Math.round(delay.max / 1e6)} ms`);
    // Generous: other tests run beside this one.
    t.ok(delay.max < 500e6, `${by.kind}: ${delay.max / 1e6} ms`);
  }
});
