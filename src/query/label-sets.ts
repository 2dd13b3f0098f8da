import { compareBytewise } from '../model/labels.js';
import type { Matcher } from '../model/matcher.js';
import type { SeriesRef } from '../model/refs.js';
import type { ExemplarStore } from '../store/exemplar-store.js';
import { selectSeries } from '../store/selection.js';
import { KnownSeries } from '../store/series-groups.js';
import { orderInSlices } from '../util/sliced-order.js';
import type { TimeSlices } from '../util/time-slices.js';

/** Which series are asked about. */
export interface SeriesFilter {
  /** Series that any of them selects; none: all. */
  readonly selectors: readonly (readonly Matcher[])[];
  /** Of these, the ones that hold an exemplar between both, inclusive. Infinite on both sides: all. */
  readonly startMs: number;
  readonly endMs: number;
}

/** Label names of the series, sorted bytewise. */
export async function labelNames(
  store: ExemplarStore,
  filter: SeriesFilter,
  slices: TimeSlices,
): Promise<string[]> {
  const { interner } = store.index;
  const names = new Set<string>();
  await visitSeries(store, filter, slices, (series) => {
    for (const pair of store.index.pairsOf(series)) names.add(interner.name(pair));
  });
  return sortTexts([...names], slices);
}

/** Values that the series have of a label, sorted bytewise. */
export async function labelValues(
  store: ExemplarStore,
  name: string,
  filter: SeriesFilter,
  slices: TimeSlices,
): Promise<string[]> {
  const values = new Set<string>();
  await visitSeries(store, filter, slices, (series) => values.add(store.index.labelValue(series, name)));
  values.delete('');
  return sortTexts([...values], slices);
}

/** The series' label sets as JSON objects, sorted; those forgotten meanwhile are left out. */
export async function* labelSetsJson(
  store: ExemplarStore,
  filter: SeriesFilter,
  slices: TimeSlices,
): AsyncGenerator<string> {
  const known = new KnownSeries(store, await select(store, filter, slices));
  for (const series of await store.index.sorted(known.refs, slices)) {
    if (known.isStill(series)) yield store.index.labelsJson(series);
    if (slices.isOver) await slices.pause();
  }
}

async function visitSeries(
  store: ExemplarStore,
  filter: SeriesFilter,
  slices: TimeSlices,
  visit: (series: SeriesRef) => void,
): Promise<void> {
  const known = new KnownSeries(store, await select(store, filter, slices));
  for (const series of known.refs) {
    if (known.isStill(series)) visit(series);
    if (slices.isOver) await slices.pause();
  }
}

async function select(
  store: ExemplarStore,
  { selectors, startMs, endMs }: SeriesFilter,
  slices: TimeSlices,
): Promise<SeriesRef[]> {
  const selected =
    selectors.length === 0 ? [...store.index.all()] : await selectSeries(store.index, selectors, slices);
  if (startMs === Number.NEGATIVE_INFINITY && endMs === Number.POSITIVE_INFINITY) return selected;
  const { rings } = store;
  return selected.filter(
    (series) =>
      rings.held(series) > 0 && rings.oldestMs(series) <= endMs && rings.newestMs(series) >= startMs,
  );
}

async function sortTexts(texts: readonly string[], slices: TimeSlices): Promise<string[]> {
  const order = await orderInSlices(texts.length, (a, b) => compareBytewise(texts[a]!, texts[b]!), slices);
  return Array.from(order, (index) => texts[index]!);
}
