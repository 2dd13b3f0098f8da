import t from 'tap';
import { encodeLabels } from '../../src/model/encoded-labels.js';
import type { EncodedExemplar } from '../../src/model/exemplar.js';
import { countCodePoints, type Labels, labelsFromRecord } from '../../src/model/labels.js';
import type { SeriesRef } from '../../src/model/refs.js';
import { ExemplarStore } from '../../src/store/exemplar-store.js';
import { DEFAULT_STORE_OPTIONS, type StoreOptions } from '../../src/store/options.js';
import { NO_SLOT } from '../../src/store/slot-slab.js';
import { SnapshotRestorer, snapshotChunks } from '../../src/store/snapshot.js';
import { TimeSlices } from '../../src/util/time-slices.js';
import { FakeClock } from '../support/fake-clock.js';
import fc from '../support/properties.js';

const NOW_MS = 1_763_796_000_000;
const OPTIONS: StoreOptions = { ...DEFAULT_STORE_OPTIONS, perSeries: 4, maxExemplars: 12 };
const slices = new TimeSlices(new FakeClock());

const exemplarLabels = fc.oneof(
  fc
    .nat(20)
    .map((n) => ({ trace_id: n.toString(16).padStart(32, '0'), span_id: n.toString(16).padStart(16, '0') })),
  fc.nat(5).map((n) => ({ trace_id: n.toString(16).padStart(32, 'A'), user: `ü${n}` })),
  fc.nat(5).map((n) => ({ 'odd name': 'x'.repeat(n + 1) })),
);
const step = fc.record({
  series: fc.nat(5),
  agoMs: fc.nat(30),
  value: fc.constantFrom(1, 2, Number.NaN, Number.POSITIVE_INFINITY),
  isTimed: fc.boolean(),
  labels: exemplarLabels,
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function exemplarOf({ agoMs, value, isTimed, labels }: Step, nowMs: number): EncodedExemplar {
  const set = labelsFromRecord(labels as Record<string, string>);
  const encoded = encodeLabels(set);
  return {
    value,
    timestampMs: nowMs - agoMs,
    hasOwnTimestamp: isTimed,
    labels: encoded,
    labelsLength: encoded.length,
    codePoints: countCodePoints(set),
  };
}

function seriesOf(store: ExemplarStore, n: number, nowMs: number): SeriesRef {
  return store.seriesOf(labelsFromRecord({ __name__: 'x', n: String(n) }), nowMs);
}

function appendAll(store: ExemplarStore, steps: readonly Step[], fromMs: number): void {
  for (const [i, step] of steps.entries()) {
    store.append(seriesOf(store, step.series, fromMs + i), exemplarOf(step, fromMs + i), fromMs + i);
  }
}

async function restored(store: ExemplarStore, options = OPTIONS): Promise<ExemplarStore> {
  const copy = new ExemplarStore(options);
  copy.isForwarding = true;
  const restorer = new SnapshotRestorer(copy);
  for await (const chunk of snapshotChunks(store, slices)) restorer.take(Buffer.from(chunk));
  restorer.finish();
  return copy;
}

interface Content {
  readonly exemplars: readonly unknown[];
  readonly floor: unknown;
  readonly stats: object;
  readonly forwardedMs: number;
}

/** Everything that shows, by label set. */
function contentOf(store: ExemplarStore): Map<string, Content> {
  const content = new Map<string, Content>();
  for (const series of store.index.all()) {
    const exemplars: [Labels, number, number, boolean][] = [];
    for (let slot = store.rings.oldestSlot(series); slot !== NO_SLOT; slot = store.rings.nextSlot(slot)) {
      const { rings } = store;
      exemplars.push([
        rings.labels(slot),
        rings.value(slot),
        rings.timestampMs(slot),
        rings.hasOwnTimestamp(slot),
      ]);
    }
    const floor = store.rings.floorSlot(series);
    content.set(store.index.labels(series).join(), {
      exemplars,
      floor: floor === NO_SLOT ? undefined : [store.rings.labels(floor), store.rings.timestampMs(floor)],
      stats: { ...store.stats.saved(series), lifetimesMs: store.stats.lifetimesMs(series).sort() },
      forwardedMs: store.forwardedMs(series),
    });
  }
  return content;
}

t.test(
  'a restored store shows what the saved one did, and judges what follows as it would have',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.array(step, { maxLength: 20 }),
        async (before, after) => {
          const store = new ExemplarStore(OPTIONS);
          store.isForwarding = true;
          appendAll(store, before, NOW_MS);
          for (const series of store.index.all()) {
            if (series % 2 === 0) store.markForwarded(store.sinkSeries(series), NOW_MS - 5);
          }
          const copy = await restored(store);
          t.same(contentOf(copy), contentOf(store));
          t.same(copy.totals, store.totals);
          t.equal(copy.exemplars, store.exemplars);
          const judge = (to: ExemplarStore) =>
            after.map((step) =>
              to.append(
                seriesOf(to, step.series, NOW_MS + 100),
                exemplarOf(step, NOW_MS + 100),
                NOW_MS + 100,
              ),
            );
          // Who gives up first at the cap depends on who came first, which a restart may change: verdicts do not.
          if (store.exemplars + after.length <= OPTIONS.maxExemplars) t.same(judge(copy), judge(store));
        },
      ),
      { numRuns: 300 },
    );
  },
);

t.test(
  'what was appended while the snapshot was taken may be in it or not: replayed, all is there once',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.array(step, { maxLength: 40 }),
        fc.nat(40),
        async (before, during, cut) => {
          const options = { ...OPTIONS, maxExemplars: 1000 };
          const store = new ExemplarStore(options);
          appendAll(store, before, NOW_MS);
          const chunks: Buffer[] = [];
          // Series by series, as slices would have it.
          appendAll(store, during.slice(0, cut), NOW_MS + 1_000);
          for await (const chunk of snapshotChunks(store, slices)) chunks.push(Buffer.from(chunk));
          appendAll(store, during.slice(cut), NOW_MS + 1_000 + Math.min(cut, during.length));

          const copy = new ExemplarStore(options);
          const restorer = new SnapshotRestorer(copy);
          for (const chunk of chunks) restorer.take(chunk);
          restorer.finish();
          const accepted = new ExemplarStore(options);
          appendAll(accepted, before, NOW_MS);
          during.forEach((step, i) => {
            const nowMs = NOW_MS + 1_000 + i;
            const total = accepted.totals.accepted;
            accepted.append(seriesOf(accepted, step.series, nowMs), exemplarOf(step, nowMs), nowMs);
            if (accepted.totals.accepted > total)
              copy.replay(seriesOf(copy, step.series, nowMs), exemplarOf(step, nowMs), nowMs);
          });
          const shown = (from: ExemplarStore) =>
            [...contentOf(from)].map(([labels, { exemplars, floor }]) => [labels, exemplars, floor]);
          t.same(shown(copy).sort(), shown(store).sort());
          t.equal(copy.totals.accepted, store.totals.accepted);
          t.equal(copy.totals.overwritten, store.totals.overwritten);
        },
      ),
      { numRuns: 300 },
    );
  },
);

t.test('fewer slots than before: the newest come back', async (t) => {
  const store = new ExemplarStore({ ...OPTIONS, perSeries: 10 });
  const steps = Array.from(
    { length: 8 },
    (_, n): Step => ({ series: 0, agoMs: 20 - n, value: n, isTimed: true, labels: { a: 'b' } as never }),
  );
  appendAll(store, steps, NOW_MS);
  const copy = await restored(store, { ...OPTIONS, perSeries: 3 });
  t.equal(copy.exemplars, 3);
  const series = [...copy.index.all()][0]!;
  t.equal(copy.rings.value(copy.rings.oldestSlot(series)), 5);
});
