import t from 'tap';
import { encodeLabels } from '../../src/model/encoded-labels.js';
import { type Exemplar, REJECT_REASONS, Verdict } from '../../src/model/exemplar.js';
import { countCodePoints, type Labels, labelsFromRecord, labelsToJson } from '../../src/model/labels.js';
import type { SeriesRef } from '../../src/model/refs.js';
import { ExemplarStore } from '../../src/store/exemplar-store.js';
import { LabelShapes } from '../../src/store/label-shapes.js';
import { DEFAULT_STORE_OPTIONS, type StoreOptions } from '../../src/store/options.js';
import { RingStore } from '../../src/store/ring-store.js';
import { NO_SLOT, SlotSlab } from '../../src/store/slot-slab.js';
import { encodedExemplar, traced } from '../support/exemplar.js';
import { fuzzBounds } from '../support/fuzz.js';
import fc from '../support/properties.js';

/** What the model remembers of a series: plain arrays, in the order (time, value, labels). */
interface ModelSeries {
  readonly name: string;
  held: Exemplar[];
  floor: Exemplar | undefined;
  lastExposedMs: number;
  /** When it began to hold as many as it does. */
  countSince: number;
}

const DAY_MS = 86_400_000;
const START_MS = 1_763_796_000_000;

/** The store as its comments describe it, in the plainest way. Caps of memory are not modelled. */
class Model {
  readonly series = new Map<string, ModelSeries>();
  accepted = 0;
  duplicates = 0;
  rejected = REJECT_REASONS.map(() => 0);
  overwritten = 0;
  vanished = 0;
  evicted = 0;
  /** Series that gave something up because of the cap of the last append. */
  gaveUp: ModelSeries[] = [];
  #changes = 0;
  options: StoreOptions;

  constructor(options: StoreOptions) {
    this.options = options;
  }

  get held(): number {
    return [...this.series.values()].reduce((sum, { held }) => sum + held.length, 0);
  }

  append(name: string, exemplar: Exemplar, nowMs: number): Verdict {
    this.gaveUp = [];
    let series = this.series.get(name);
    if (series === undefined) {
      while (this.series.size >= this.options.maxSeries) this.evictLongestIdle();
      series = { name, held: [], floor: undefined, lastExposedMs: nowMs, countSince: 0 };
      this.series.set(name, series);
    }
    series.lastExposedMs = nowMs;
    const verdict = this.#judge(series, exemplar, nowMs);
    if (verdict === Verdict.accepted) this.#insert(series, exemplar);
    else if (verdict === Verdict.duplicate) this.duplicates++;
    else this.rejected[verdict]!++;
    return verdict;
  }

  #judge(series: ModelSeries, exemplar: Exemplar, nowMs: number): Verdict {
    const { options } = this;
    if (exemplar.labels.length === 0) return Verdict.blank;
    if (countCodePoints(exemplar.labels) > 128) return Verdict.tooLong;
    if (exemplar.timestampMs > nowMs + options.maxFutureMs) return Verdict.future;
    const known = series.floor === undefined ? series.held : [series.floor, ...series.held];
    const newest = known.at(-1);
    if (newest === undefined) return Verdict.accepted;
    if (isRepeat(exemplar, newest)) return Verdict.duplicate;
    const ageMs = newest.timestampMs - exemplar.timestampMs;
    if (ageMs > 0 && ageMs >= options.outOfOrderTimeWindowMs) return Verdict.outOfOrder;
    if (known.some((other) => compare(exemplar, other) === 0)) return Verdict.duplicate;
    if (series.floor !== undefined && compare(exemplar, series.floor) < 0) return Verdict.outOfOrder;
    const isOldest = series.held.length > 0 && compare(exemplar, series.held[0]!) < 0;
    const mustGive =
      series.held.length >= options.perSeries ||
      (this.held >= options.maxExemplars && series.held.length >= this.most());
    return isOldest && mustGive ? Verdict.outOfOrder : Verdict.accepted;
  }

  #insert(series: ModelSeries, exemplar: Exemplar): void {
    while (series.held.length >= this.options.perSeries) this.giveUpOldest(series);
    while (this.held >= this.options.maxExemplars) {
      this.giveUpOldest(series.held.length >= this.most() ? series : this.holdingMost());
    }
    series.held.push(exemplar);
    series.held.sort(compare);
    this.#changed(series);
    this.accepted++;
  }

  most(): number {
    return Math.max(0, ...[...this.series.values()].map(({ held }) => held.length));
  }

  holdingMost(): ModelSeries {
    const most = [...this.series.values()].filter(({ held }) => held.length === this.most());
    return most.sort((a, b) => a.countSince - b.countSince)[0]!;
  }

  giveUpOldest(series: ModelSeries): void {
    series.floor = series.held.shift();
    this.overwritten++;
    this.gaveUp.push(series);
    this.#changed(series);
  }

  #changed(series: ModelSeries): void {
    series.countSince = ++this.#changes;
  }

  evictLongestIdle(): void {
    const [longestIdle] = [...this.series.values()].sort((a, b) => a.lastExposedMs - b.lastExposedMs);
    this.overwritten += longestIdle!.held.length;
    longestIdle!.held = [];
    this.forget(longestIdle!);
    this.evicted++;
  }

  forget(series: ModelSeries): void {
    this.vanished += series.held.length;
    this.series.delete(series.name);
  }

  forgetIdle(nowMs: number): void {
    const limitMs = nowMs - this.options.seriesIdleTimeoutMs;
    for (const series of [...this.series.values()]) {
      const newest = series.held.at(-1) ?? series.floor;
      if (series.lastExposedMs <= limitMs && !(newest !== undefined && newest.timestampMs > limitMs)) {
        this.forget(series);
      }
    }
  }

  setOptions(options: StoreOptions): void {
    this.options = options;
    for (const series of this.series.values()) {
      while (series.held.length > options.perSeries) this.giveUpOldest(series);
    }
    while (this.series.size > options.maxSeries) this.evictLongestIdle();
    while (this.held > options.maxExemplars) this.giveUpOldest(this.holdingMost());
  }
}

function isRepeat(a: Exemplar, b: Exemplar): boolean {
  const neitherHasTime = !a.hasOwnTimestamp && !b.hasOwnTimestamp;
  const isSameTime = neitherHasTime || a.timestampMs === b.timestampMs;
  return isSameTime && compareValues(a.value, b.value) === 0 && compareBytes(a.labels, b.labels) === 0;
}

function compare(a: Exemplar, b: Exemplar): number {
  return a.timestampMs - b.timestampMs || compareValues(a.value, b.value) || compareBytes(a.labels, b.labels);
}

/** NaN below everything, and equal to itself; -0 is 0. */
function compareValues(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return a === b ? 0 : a < b ? -1 : 1;
}

function compareBytes(a: Labels, b: Labels): number {
  return Buffer.compare(encodeLabels(a), encodeLabels(b));
}

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });

/** Few distinct ones, so that repeats and ties happen, and each odd in its own way. */
const LABEL_VALUES = fc.oneof(
  fc.constantFrom(
    '4bf92f3577b34da6a3ce929d0e0e4736',
    '4bf92f3577b34da6a3ce929d0e0e4737',
    '00f067aa0ba902b7',
    '4BF92F3577B34DA6A3CE929D0E0E4736',
    '4bf92f3577b34da6a3ce929d0e0e473',
    '00f067aa0ba902b',
    '0',
    '漢字 😀',
    '\u0000',
    'a\u0000',
    'ada',
    'x'.repeat(60),
    '漢'.repeat(50),
    '"\\\n\b\f',
  ),
  hex(32),
  hex(16),
  hex(8),
);
const LABEL_NAMES = fc.oneof(
  fc.constantFrom('trace_id', 'span_id', 'user', 'é', 'a.b', '__proto__', 'tab\b"'),
  fc.string({ unit: fc.constantFrom(...'abcdef'), minLength: 1, maxLength: 3 }),
);
const LABELS: fc.Arbitrary<Labels> = fc
  .oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(hex(32), hex(16)).map(([trace_id, span_id]) => ({ trace_id, span_id })),
    },
    {
      weight: 4,
      arbitrary: fc.constantFrom<Record<string, string>>({ trace_id: 'a' }, { trace_id: 'b' }, {}),
    },
    { weight: 3, arbitrary: fc.dictionary(LABEL_NAMES, LABEL_VALUES, { maxKeys: 4, noNullPrototype: true }) },
  )
  .map((record) => labelsFromRecord(record));

const OPTIONS: fc.Arbitrary<StoreOptions> = fc.record({
  maxBytes: fc.constant(64 * 1024 * 1024),
  perSeries: fc.integer({ min: 1, max: 7 }),
  maxExemplars: fc.oneof(fc.integer({ min: 1, max: 24 }), fc.constant(1000)),
  maxSeries: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constant(1000)),
  outOfOrderTimeWindowMs: fc.constantFrom(0, 1, 10_000, 600_000),
  maxFutureMs: fc.constantFrom(0, 600_000),
  seriesIdleTimeoutMs: fc.constantFrom(60_000, 3_600_000),
});

/** Six series, one of them busy. */
const NAME = fc.oneof(fc.constant('busy'), fc.constantFrom('a', 'b', 'c', 'd', 'e'));

type Step =
  | { readonly type: 'append'; name: string; labels: Labels; value: number; aheadMs: number; own: boolean }
  | { readonly type: 'again'; name: string; back: number }
  | { readonly type: 'wait'; ms: number }
  | { readonly type: 'forgetIdle' }
  | { readonly type: 'setOptions'; options: StoreOptions };

const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      type: fc.constant('append' as const),
      name: NAME,
      labels: LABELS,
      value: fc.constantFrom(0, -0, 1, 2.5, Number.NaN, Number.POSITIVE_INFINITY, 1),
      aheadMs: fc.constantFrom(
        0,
        0,
        0,
        -1,
        -5,
        -9_999,
        -10_000,
        -60_000,
        -600_000,
        -DAY_MS,
        1,
        600_000,
        600_001,
      ),
      own: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('again' as const),
      name: NAME,
      back: fc.integer({ min: 0, max: 8 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 1, 5, 1000, 10_000, 300_000, 4_000_000),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'forgetIdle' as const }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('setOptions' as const), options: OPTIONS }) },
);

const nameLabels = (name: string): Labels => ['__name__', 'm', 'series', name];

/** The ring of a series as a query reads it. */
function ringOf(store: ExemplarStore, series: SeriesRef): Exemplar[] {
  const ring: Exemplar[] = [];
  const { rings } = store;
  for (let slot = rings.oldestSlot(series); slot !== NO_SLOT; slot = rings.nextSlot(slot)) {
    const labels = rings.labels(slot);
    if (rings.labelsJson(slot) !== labelsToJson(labels)) {
      throw new Error(`labelsJson ${rings.labelsJson(slot)} is not that of ${JSON.stringify(labels)}`);
    }
    ring.push({
      labels,
      value: rings.value(slot),
      timestampMs: rings.timestampMs(slot),
      hasOwnTimestamp: rings.hasOwnTimestamp(slot),
    });
  }
  return ring;
}

/** Runs the same steps on both and compares after each. */
class Run {
  readonly store: ExemplarStore;
  readonly model: Model;
  readonly shown = new Map<string, Exemplar[]>();
  nowMs = START_MS;

  constructor(options: StoreOptions) {
    this.store = new ExemplarStore(options);
    this.model = new Model(options);
  }

  step(step: Step): void {
    if (step.type === 'wait') this.nowMs += step.ms;
    else if (step.type === 'append') {
      const { labels, value, aheadMs, own } = step;
      const timestampMs = this.nowMs + aheadMs;
      this.#append(step.name, { labels, value, timestampMs, hasOwnTimestamp: own });
    } else if (step.type === 'again') {
      const exemplar = this.shown.get(step.name)?.at(-1 - step.back);
      if (exemplar === undefined) return;
      const timestampMs = exemplar.hasOwnTimestamp ? exemplar.timestampMs : this.nowMs;
      this.#append(step.name, { ...exemplar, timestampMs });
    } else if (step.type === 'forgetIdle') {
      this.store.forgetIdle(this.nowMs);
      this.model.forgetIdle(this.nowMs);
    } else {
      this.store.setOptions(step.options, this.nowMs);
      this.model.setOptions(step.options);
    }
    this.#compare();
  }

  #append(name: string, exemplar: Exemplar): void {
    const shown = this.shown.get(name) ?? [];
    this.shown.set(name, shown);
    shown.push(exemplar);
    const series = this.store.seriesOf(nameLabels(name), this.nowMs);
    const verdict = this.store.append(series, encodedExemplar(exemplar), this.nowMs);
    equal(verdict, this.model.append(name, exemplar, this.nowMs), 'verdict');
    for (const { name, held } of this.model.gaveUp) {
      if (held.length < this.model.most() - 1) throw new Error(`${name} gave up more than its share`);
    }
  }

  #compare(): void {
    const { store, model } = this;
    equal(store.index.size, model.series.size, 'series');
    for (const series of model.series.values()) {
      const ref = store.index.find(nameLabels(series.name));
      if (ref === undefined) throw new Error(`the store does not have ${series.name}`);
      equal(ringOf(store, ref), series.held, series.name);
      equal(store.rings.held(ref), series.held.length, 'held');
      equal(
        store.rings.newestMs(ref),
        (series.held.at(-1) ?? series.floor)?.timestampMs ?? Number.NaN,
        'newest',
      );
      equal(store.rings.oldestMs(ref), series.held[0]?.timestampMs ?? Number.NaN, 'oldest');
    }
    equal(store.exemplars, model.held, 'exemplars');
    const { accepted, duplicates, rejected, overwritten, seriesEvicted } = store.totals;
    equal(
      { accepted, duplicates, rejected, overwritten, seriesEvicted },
      {
        accepted: model.accepted,
        duplicates: model.duplicates,
        rejected: model.rejected,
        overwritten: model.overwritten,
        seriesEvicted: model.evicted,
      },
      'totals',
    );
    equal(model.accepted, store.exemplars + overwritten + model.vanished, 'every exemplar is accounted for');
  }
}

/** Cheaper than an assertion of tap, of which there would be a hundred thousand. */
function equal(found: unknown, wanted: unknown, what: string): void {
  const text = (value: unknown) =>
    JSON.stringify(value, (_, v) => (Object.is(v, -0) ? '-0' : typeof v === 'number' ? String(v) : v));
  if (text(found) !== text(wanted)) throw new Error(`${what}: found ${text(found)}, wanted ${text(wanted)}`);
}

t.test('rings hold what plain arrays would', async (t) => {
  fc.assert(
    fc.property(OPTIONS, fc.array(STEP, { minLength: 1, maxLength: 150, size: 'max' }), (options, steps) => {
      const run = new Run(options);
      for (const step of steps) run.step(step);
    }),
    fuzzBounds(700),
  );
  t.pass();
});

t.test('labels come back as they went in, however many shapes they have', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(LABELS, { maxLength: 60 }), (maxShapes, sets) => {
      const given: string[] = [];
      const rings = new RingStore(10_000, () => {}, new LabelShapes(maxShapes));
      const series = 1 as SeriesRef;
      rings.growSeries(2);
      sets.forEach((labels, i) => {
        const exemplar = { labels, value: 1, timestampMs: i, hasOwnTimestamp: true };
        if (labels.length === 0 || countCodePoints(labels) > 128) return;
        rings.layOut(encodedExemplar(exemplar));
        equal(rings.judge(series, 1000, 0), Verdict.accepted, 'verdict');
        rings.insert(series);
        equal(rings.judge(series, 1000, 0), Verdict.duplicate, 'verdict of the same again');
        given.push(labelsToJson(labels));
      });
      const read: string[] = [];
      for (let slot = rings.oldestSlot(series); slot !== NO_SLOT; slot = rings.nextSlot(slot)) {
        equal(labelsToJson(rings.labels(slot)), rings.labelsJson(slot), 'JSON');
        read.push(rings.labelsJson(slot));
      }
      equal(read, given, 'labels');
      rings.clear(series);
      equal(rings.slotBytesInUse, 0, 'slots in use after clearing');
    }),
    fuzzBounds(2000),
  );
  t.pass();
});

t.test('an exemplar with two ids takes one slot, a longer one as many as its text needs', async (t) => {
  const cases: [record: Record<string, string>, slots: number][] = [
    [{ trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) }, 1],
    [{ trace_id: 'a'.repeat(32) }, 1],
    [{ trace_id: 'A'.repeat(32) }, 3],
    [{ trace_id: 'a'.repeat(31) }, 3],
    [{ trace_id: 'a'.repeat(23) }, 2],
    [{ trace_id: 'a'.repeat(24) }, 3],
    [{ trace_id: 'a'.repeat(32), user: 'ada' }, 2],
  ];
  for (const [record, slots] of cases) {
    const rings = new RingStore(100, () => {});
    rings.growSeries(2);
    const labels = labelsFromRecord(record);
    rings.layOut(encodedExemplar({ labels, value: 1, timestampMs: 1, hasOwnTimestamp: true }));
    rings.insert(1 as SeriesRef);
    t.equal(rings.slotBytesInUse, slots * SlotSlab.BYTES_PER_SLOT, JSON.stringify(record));
  }
});

t.test('memory stays inside max_bytes, fairly, and comes back when series go', async (t) => {
  const names = Array.from({ length: 12 }, (_, i) => `s${i}`);
  const append = fc.record({
    name: fc.oneof(fc.constant('s0'), fc.constantFrom(...names)),
    labels: LABELS,
    aheadMs: fc.constantFrom(0, 0, 0, -1, -5000),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 40_000, max: 80_000 }),
      fc.array(append, { minLength: 1, maxLength: 2000, size: 'max' }),
      (maxBytes, appends) => {
        const options = { ...DEFAULT_STORE_OPTIONS, maxBytes };
        const store = new ExemplarStore(options);
        let nowMs = START_MS;
        for (const { name, labels, aheadMs } of appends) {
          nowMs++;
          const before = new Map([...store.index.all()].map((series) => [series, store.rings.held(series)]));
          const series = store.seriesOf(nameLabels(name), nowMs);
          const exemplar = { labels, value: nowMs, timestampMs: nowMs + aheadMs, hasOwnTimestamp: true };
          store.append(series, encodedExemplar(exemplar), nowMs);
          const { slots, labels: labelBytes, index } = store.bytes;
          const limit = maxBytes + store.rings.shapeBytes + store.stats.lifetimeBytes;
          if (slots + labelBytes + index > limit)
            throw new Error(`${slots} + ${labelBytes} + ${index} bytes`);
          const held = [...store.index.all()].map((series) => store.rings.held(series));
          const most = Math.max(...held);
          for (const [series, count] of before) {
            if (!store.index.isLive(series)) continue;
            const now = store.rings.held(series);
            // What a text of many slots takes, it takes from all in turn.
            if (now < count && now < most - 2)
              throw new Error(`${now} of ${count} left where ${most} are held`);
          }
        }
        store.forgetIdle(nowMs + DAY_MS);
        equal([store.exemplars, store.rings.slotBytesInUse, store.index.size], [0, 0, 0], 'left over');
      },
    ),
    fuzzBounds(25),
  );
  t.pass();
});

t.test('at the cap of memory one exemplar makes room for one, not all for the first', async (t) => {
  const slots = 1000;
  const store = new ExemplarStore({
    ...DEFAULT_STORE_OPTIONS,
    maxBytes: Math.ceil((slots * SlotSlab.BYTES_PER_SLOT) / 0.75),
  });
  const series = Array.from({ length: 100 }, (_, i) => store.seriesOf(['n', String(i)], START_MS));
  for (let i = 0; i < 5000; i++) {
    const exemplar = traced(START_MS + i, i.toString(16).padStart(32, '0'));
    store.append(series[i % 100]!, exemplar, START_MS + i);
  }
  // A floor of its own for each of the hundred.
  t.ok(store.exemplars > slots - 2 - 100 - 2, `${store.exemplars} held in ${slots} slots`);
  for (const one of series) t.ok(store.rings.held(one) >= 8, `${store.rings.held(one)} of one series`);
});

t.test(
  'where every series has only one and memory is full, the longest idle series goes alone',
  async (t) => {
    const store = new ExemplarStore({
      ...DEFAULT_STORE_OPTIONS,
      maxBytes: Math.ceil((101 * SlotSlab.BYTES_PER_SLOT) / 0.75),
    });
    store.setOptions({ ...store.options, maxBytes: 1e9 }, START_MS);
    const series = Array.from({ length: 200 }, (_, i) => store.seriesOf(['n', String(i)], START_MS + i));
    store.rings.maxSlots = 101;
    for (let i = 0; i < 101; i++) {
      store.append(series[i]!, traced(START_MS + i, i.toString(16).padStart(32, '0')), START_MS + i);
    }
    t.equal(store.exemplars, 100);
    t.equal(store.totals.seriesEvicted, 1);
    t.equal(store.index.isLive(series[0]!), false);
  },
);

t.test('prometheus#9377: an old exemplar exposed for hours is stored once and evicts nobody', async (t) => {
  for (const own of [true, false]) {
    const store = new ExemplarStore({ ...DEFAULT_STORE_OPTIONS, perSeries: 8, maxExemplars: 40 });
    const rare = store.seriesOf(nameLabels('rare'), START_MS);
    const stale = { labels: ['trace_id', 'old'], value: 7, hasOwnTimestamp: own };
    store.append(rare, encodedExemplar({ ...stale, timestampMs: START_MS }), START_MS);
    const busy = Array.from({ length: 50 }, (_, i) => store.seriesOf(nameLabels(`busy${i}`), START_MS));
    const busyTotals = { accepted: 0 };
    let nowMs = START_MS;
    for (let scrape = 0; scrape < 6 * 240; scrape++) {
      nowMs += 15_000;
      for (const [i, series] of busy.entries()) {
        const exemplar = traced(nowMs, `${scrape}-${i}`);
        if (store.append(series, exemplar, nowMs) === Verdict.accepted) busyTotals.accepted++;
      }
      const before = busy.map((series) => store.rings.held(series));
      const again = encodedExemplar({ ...stale, timestampMs: own ? START_MS : nowMs });
      const verdict = store.append(rare, again, nowMs);
      if (verdict !== Verdict.duplicate) t.fail(`scrape ${scrape}: verdict ${verdict}`);
      equal(
        busy.map((series) => store.rings.held(series)),
        before,
        'busy series keep what they have',
      );
      store.forgetIdle(nowMs);
    }
    t.equal(store.stats.accepted[rare], 1);
    t.equal(busyTotals.accepted, 50 * 6 * 240);
    t.equal(store.rings.held(rare), 0, 'fifty others hold all forty slots; the rare one is only known');
  }
});

t.test('beside busy series at the cap, no rare series misses one of its last four', async (t) => {
  const store = new ExemplarStore({ ...DEFAULT_STORE_OPTIONS, maxExemplars: 10_000 });
  const emitted = new Map<SeriesRef, number[]>();
  let nowMs = START_MS;
  for (let round = 0; round < 40; round++) {
    nowMs += 1000;
    for (let i = 0; i < 2400; i++) {
      // 40 busy series emit in every round, the others every tenth.
      const isBusy = i < 40;
      if (!isBusy && (i + round) % 10 !== 0) continue;
      const series = store.seriesOf(nameLabels(String(i)), nowMs);
      for (let k = 0; k < (isBusy ? 20 : 1); k++) {
        const timestampMs = nowMs - 20 + k;
        equal(store.append(series, traced(timestampMs, `${i}`), nowMs), Verdict.accepted, 'verdict');
        emitted.set(series, [...(emitted.get(series) ?? []), timestampMs]);
      }
    }
  }
  t.equal(store.exemplars, 10_000);
  for (const [series, timesMs] of emitted) {
    equal(
      ringOf(store, series)
        .map(({ timestampMs }) => timestampMs)
        .slice(-4),
      timesMs.slice(-4),
      `last four of ${series}`,
    );
  }
});

t.test('a lower cap of memory keeps the newest, and gives the rest back', async (t) => {
  const store = new ExemplarStore(DEFAULT_STORE_OPTIONS);
  const names = Array.from({ length: 20 }, (_, i) => nameLabels(String(i)));
  const series = names.map((labels) => store.seriesOf(labels, START_MS));
  let n = 0;
  const fill = () => {
    for (let i = 0; i < 2000; i++, n++) {
      // Every third has text of several slots.
      const id = n % 3 === 0 ? `${n} `.repeat(15) : n.toString(16).padStart(32, '0');
      const exemplar = traced(START_MS + n, id);
      equal(store.append(series[i % 20]!, exemplar, START_MS + n), Verdict.accepted, 'verdict');
    }
  };
  fill();
  const before = series.map((one) => ringOf(store, one));
  const slots = 1000;
  const maxBytes = Math.ceil((slots * SlotSlab.BYTES_PER_SLOT) / 0.75);
  store.setOptions({ ...DEFAULT_STORE_OPTIONS, maxBytes }, START_MS + n);
  t.equal(store.index.size, 20);
  t.ok(store.bytes.slots <= maxBytes, `${store.bytes.slots} bytes of slots`);
  t.ok(store.rings.slotBytesInUse > 0.9 * slots * SlotSlab.BYTES_PER_SLOT, `${store.exemplars} held`);
  series.forEach((one, i) => {
    const ring = ringOf(store, one);
    t.ok(ring.length >= 15, `${ring.length} held`);
    equal(ring, before[i]!.slice(-ring.length), 'the newest');
    const again = encodedExemplar(before[i]!.at(-ring.length - 1)!);
    t.equal(store.append(one, again, START_MS + n), Verdict.duplicate, 'the last given up is still known');
  });
  fill();
  t.ok(store.bytes.slots <= maxBytes, `${store.bytes.slots} bytes of slots`);
  store.setOptions(DEFAULT_STORE_OPTIONS, START_MS + n);
  fill();
  t.ok(store.exemplars > 2000, `${store.exemplars} held under a higher cap`);
});

t.test('the longest idle series goes at the cap of series, not one that woke up since', async (t) => {
  const store = new ExemplarStore({ ...DEFAULT_STORE_OPTIONS, maxSeries: 1000 });
  const all = Array.from({ length: 1000 }, (_, i) => store.seriesOf(nameLabels(String(i)), START_MS + i));
  store.seriesOf(nameLabels('one more'), START_MS + 2000);
  t.equal(store.index.isLive(all[0]!), false);
  const awake = [1, 2, 3, 4, 5, 6, 7, 8];
  for (const i of awake) store.append(all[i]!, traced(START_MS + 3000, 'x'), START_MS + 3000);
  for (let i = 0; i < 20; i++) store.seriesOf(nameLabels(`another ${i}`), START_MS + 4000 + i);
  for (const i of awake) t.equal(store.index.isLive(all[i]!), true, `series ${i} woke up`);
  t.equal(store.index.isLive(all[9]!), false);
  t.equal(store.index.isLive(all[28]!), false);
  t.equal(store.index.isLive(all[29]!), true);
});

t.test('at the cap of memory for labels a new series costs few others their place', async (t) => {
  const store = new ExemplarStore({ ...DEFAULT_STORE_OPTIONS, maxBytes: 400_000 });
  for (let i = 0; store.totals.seriesEvicted === 0; i++) {
    store.seriesOf(nameLabels(`${i}`.padStart(20, '0')), START_MS + i);
  }
  const full = store.index.size;
  t.ok(full > 100, `${full} series`);
  for (let i = 0; i < 500; i++) store.seriesOf(nameLabels(`${i}`.padStart(20, '+')), START_MS + 100_000 + i);
  t.ok(store.index.size > full * 0.9, `${store.index.size} of ${full} series`);
});
