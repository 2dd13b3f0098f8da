import t from 'tap';
import { exemplarTimeMs, type Row, sampleTimeMs } from '../../src/forward/delivery.js';
import { ATTACH_MS, SeriesStates } from '../../src/forward/series-state.js';
import {
  cutOffOld,
  dropAged,
  gatherTimeSeries,
  MAX_BEHIND_SAMPLES_MS,
} from '../../src/forward/time-series.js';
import { batchOf, manySeries, type RowInput, seriesOf } from '../support/batch.js';
import { GATHER_ALL, rowsOf } from '../support/rows.js';

const [a, b] = manySeries(2) as [RowInput['series'], RowInput['series']];

function gatherer(mode: 'auto' | 'self_contained' | 'attach' = 'self_contained') {
  const states = new SeriesStates([]);
  const outOfOrder: number[] = [];
  const gather = (inputs: readonly RowInput[], atMs = 0) =>
    gatherTimeSeries(rowsOf(batchOf(inputs), states), {
      ...GATHER_ALL,
      mode,
      atMs,
      outOfOrder: (row) => outOfOrder.push(exemplarTimeMs(row)),
    });
  const times = (inputs: readonly RowInput[], atMs?: number) =>
    gather(inputs, atMs).map(({ rows, samples }) => [rows.map(exemplarTimeMs), samples.map(sampleTimeMs)]);
  const ended = (inputs: readonly RowInput[], stale: readonly RowInput['series'][], acceptedMs: number) => {
    const needless: Row[] = [];
    const rows = rowsOf({ ...batchOf(inputs, stale), acceptedMs }, states);
    const all = gatherTimeSeries(rows, { ...GATHER_ALL, mode, needless: (row) => needless.push(row) });
    const samples = all.map(({ samples, markers }) => [samples.map(sampleTimeMs), markers.length]);
    return { samples, needless: needless.length };
  };
  return { states, outOfOrder, gather, times, ended };
}

t.test('rows of one series become one TimeSeries in time order, each sample once', async (t) => {
  const { times } = gatherer();
  const rows = [
    { series: a, timestampMs: 30, sampleTimestampMs: 100 },
    { series: b, timestampMs: 5, sampleTimestampMs: 100 },
    { series: a, timestampMs: 10, sampleTimestampMs: 100 },
    { series: a, timestampMs: 20, sampleTimestampMs: 200 },
  ];
  t.same(times(rows), [
    [
      [10, 20, 30],
      [100, 200],
    ],
    [[5], [100]],
  ]);
});

t.test('an exemplar older than the last one sent is left out, one as old is not', async (t) => {
  const { times, outOfOrder } = gatherer();
  t.same(times([{ series: a, timestampMs: 20 }]), [[[20], [20]]]);
  t.same(times([{ series: a, timestampMs: 19 }]), []);
  t.same(
    times([
      { series: a, timestampMs: 20 },
      { series: a, timestampMs: 18 },
    ]),
    [[[20], []]],
  );
  t.same(outOfOrder, [19, 18]);
});

t.test('a sample not newer than the last one sent is left out, its exemplar is not', async (t) => {
  const { times } = gatherer();
  t.same(times([{ series: a, timestampMs: 1, sampleTimestampMs: 100 }]), [[[1], [100]]]);
  t.same(times([{ series: a, timestampMs: 2, sampleTimestampMs: 100 }]), [[[2], []]]);
  t.same(times([{ series: a, timestampMs: 3, sampleTimestampMs: 99 }]), [[[3], []]]);
  t.same(times([{ series: a, timestampMs: 4, sampleTimestampMs: 101 }]), [[[4], [101]]]);
});

t.test('attach sends no samples; auto none for a while after a refusal', async (t) => {
  t.same(gatherer('attach').times([{ series: a, timestampMs: 1 }]), [[[1], []]]);
  const { states, times } = gatherer('auto');
  states.of(a).attachUntilMs = ATTACH_MS;
  t.same(times([{ series: a, timestampMs: 1 }], ATTACH_MS - 1), [[[1], []]]);
  t.same(times([{ series: a, timestampMs: 2 }], ATTACH_MS), [[[2], [2]]]);
});

t.test('dropAged keeps the array while nothing is too old', async (t) => {
  const { gather } = gatherer();
  const all = gather([
    { series: a, timestampMs: 10 },
    { series: a, timestampMs: 20 },
    { series: b, timestampMs: 5 },
  ]);
  const aged: number[] = [];
  const note = (row: Row) => aged.push(exemplarTimeMs(row));
  t.equal(dropAged(all, 5, note), all);
  const fresh = dropAged(all, 11, note);
  t.same(
    fresh.map(({ rows, samples }) => [rows.map(exemplarTimeMs), samples.map(sampleTimeMs)]),
    [[[20], [20]]],
  );
  t.same(aged, [10, 5]);
});

t.test('states are bounded, the most recently used stay, found by their labels', async (t) => {
  const states = new SeriesStates([], 10);
  const [first, ...others] = manySeries(100) as [RowInput['series'], ...RowInput['series'][]];
  const kept = states.of(first);
  for (const series of others) {
    states.of(series);
    t.equal(states.of(first), kept);
    t.ok(states.size <= 10, `${states.size} states`);
  }
  const again = { ...first, ref: 0 as typeof first.ref };
  t.equal(states.of(again), kept, 'another object for the same series');
  const collision = { ...seriesOf(0, { __name__: 'other' }), hash: first.hash };
  t.not(states.of(collision), kept, 'another series with its hash');
  t.same(states.of(collision).labels, collision.labels);
  t.not(states.of(first), kept, 'which made it forget');
});

t.test('the end of a series is a sample in its place, where samples before it are ours', async (t) => {
  const rows = [{ series: a, timestampMs: 10 }];
  t.same(gatherer().ended(rows, [a, b], 20), {
    samples: [
      [[10, 20], 1],
      [[20], 1],
    ],
    needless: 0,
  });
  t.same(gatherer('attach').ended(rows, [a, b], 20), { samples: [[[], 0]], needless: 2 });
  t.same(gatherer('auto').ended(rows, [a, b], 20), { samples: [[[10, 20], 1]], needless: 1 });
  const contested = gatherer('auto');
  contested.times(rows);
  contested.states.of(a).attachUntilMs = ATTACH_MS;
  t.same(contested.ended([], [a], 20), { samples: [], needless: 1 });
});

t.test('times of samples rise over the end of a series and beyond', async (t) => {
  const { ended, times } = gatherer();
  t.same(ended([], [a], 20).samples, [[[20], 1]]);
  t.same(ended([], [a], 20), { samples: [], needless: 1 });
  t.same(times([{ series: a, timestampMs: 30, sampleTimestampMs: 20 }]), [[[30], []]]);
  t.same(times([{ series: a, timestampMs: 31, sampleTimestampMs: 21 }]), [[[31], [21]]]);
});

t.test(
  'exemplars long before the oldest sample go in a second request, with all others of their series',
  async (t) => {
    const sampleMs = 10 * MAX_BEHIND_SAMPLES_MS;
    const limitMs = sampleMs - MAX_BEHIND_SAMPLES_MS;
    const { gather } = gatherer();
    const row = (series: RowInput['series'], timestampMs: number) => {
      return { series, timestampMs, sampleTimestampMs: sampleMs };
    };
    const shown = (all: ReturnType<typeof gather>) =>
      all.map(({ state, rows, samples }) => [
        state.series === a ? 'a' : 'b',
        rows.map(exemplarTimeMs),
        samples.length,
      ]);
    const all = gather([row(a, limitMs - 1), row(a, sampleMs), row(b, limitMs)]);
    const { first, second } = cutOffOld(all);
    t.same(shown([...first]), [
      ['a', [], 1],
      ['b', [limitMs], 1],
    ]);
    t.same(shown([...second]), [['a', [limitMs - 1, sampleMs], 1]]);

    const near = gather([row(b, limitMs), row(a, sampleMs)]);
    t.equal(cutOffOld(near).first, near);
    t.same(cutOffOld(near).second, []);
    const alone = gatherer('attach').gather([row(a, 1), row(b, sampleMs)]);
    t.equal(cutOffOld(alone).first, alone, 'without samples there is no limit');
  },
);
