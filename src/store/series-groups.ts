import { compareBytewise, type Labels, NO_LABELS } from '../model/labels.js';
import type { SeriesRef } from '../model/refs.js';
import { orderInSlices } from '../util/sliced-order.js';
import type { TimeSlices } from '../util/time-slices.js';
import type { ExemplarStore } from './exemplar-store.js';

/** By what series are put together: all into one, by the value of a label, or not at all. */
export type Grouping =
  | { readonly kind: 'total' }
  | { readonly kind: 'label'; readonly name: string }
  | { readonly kind: 'series' };

/** Groups are numbered from 0 in the order of their labels. Functions, because every series can be a group. */
export interface SeriesGroups {
  readonly count: number;
  /** What the group's series have in common; empty for those without the label. */
  labels(group: number): Labels;
  /** Some may be forgotten meanwhile: ask `KnownSeries`. */
  members(group: number): readonly SeriesRef[];
}

/** Series as they are known at one moment, so that it can be told later which of them were forgotten. */
export class KnownSeries {
  readonly refs: readonly SeriesRef[];
  readonly #store: ExemplarStore;
  /** By series. */
  readonly #generations: Uint32Array;

  constructor(store: ExemplarStore, refs: readonly SeriesRef[]) {
    this.refs = refs;
    this.#store = store;
    this.#generations = new Uint32Array(store.index.refLimit);
    for (const series of refs) this.#generations[series] = store.generation(series);
  }

  isStill(series: SeriesRef): boolean {
    return this.#store.generation(series) === this.#generations[series];
  }
}

export async function groupSeries(
  store: ExemplarStore,
  known: KnownSeries,
  by: Grouping,
  slices: TimeSlices,
): Promise<SeriesGroups> {
  if (by.kind === 'total') return { count: 1, labels: () => NO_LABELS, members: () => known.refs };
  if (by.kind === 'label') return groupByLabel(store, known, by.name, slices);
  const sorted = await store.index.sorted(known.refs, slices);
  return {
    count: sorted.length,
    labels: (group) => store.index.labels(sorted[group]!),
    members: (group) => [sorted[group]!],
  };
}

async function groupByLabel(
  store: ExemplarStore,
  known: KnownSeries,
  name: string,
  slices: TimeSlices,
): Promise<SeriesGroups> {
  const byValue = new Map<string, SeriesRef[]>();
  for (const series of known.refs) {
    if (slices.isOver) await slices.pause();
    if (!known.isStill(series)) continue;
    const value = store.index.labelValue(series, name);
    const members = byValue.get(value);
    if (members === undefined) byValue.set(value, [series]);
    else members.push(series);
  }
  const values = [...byValue.keys()];
  const order = await orderInSlices(values.length, (a, b) => compareBytewise(values[a]!, values[b]!), slices);
  const valueOfGroup = (group: number) => values[order[group]!]!;
  return {
    count: values.length,
    labels: (group) => (valueOfGroup(group) === '' ? NO_LABELS : [name, valueOfGroup(group)]),
    members: (group) => byValue.get(valueOfGroup(group))!,
  };
}
