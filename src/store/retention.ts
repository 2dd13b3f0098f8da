import { labelsToJson } from '../model/labels.js';
import type { Matcher } from '../model/matcher.js';
import type { SeriesRef } from '../model/refs.js';
import { quantilesOf } from '../util/quantiles.js';
import { numbersBelow, orderInSlices } from '../util/sliced-order.js';
import type { TimeSlices } from '../util/time-slices.js';
import type { ExemplarStore } from './exemplar-store.js';
import { forecastBasis } from './forecast.js';
import {
  type GroupRetention,
  groupRetention,
  type RetentionView,
  visitKnown,
  windowMsOf,
} from './group-retention.js';
import { selectSeries } from './selection.js';
import { type Grouping, groupSeries, KnownSeries, type SeriesGroups } from './series-groups.js';

export const RETENTION_SORTS = ['window', 'rate', 'overwrites', 'exemplars'] as const;
/** By the median window, the last hour's rate, exemplars overwritten, exemplars held. */
export type RetentionSort = (typeof RETENTION_SORTS)[number];

export interface RetentionQuery {
  /** Series that any of them selects; undefined: all. */
  readonly selectors: readonly (readonly Matcher[])[] | undefined;
  readonly by: Grouping;
  /** Undefined: by labels. Groups that are equal in it are in the order of their labels. */
  readonly sort: RetentionSort | undefined;
  readonly order: 'asc' | 'desc';
  readonly limit: number | undefined;
  readonly targetMs: number | undefined;
}

/** Text gathered before it is handed on. */
const CHUNK_LENGTH = 64 * 1024;

/** The answer as JSON text, piece by piece. */
export async function* retentionJson(
  store: ExemplarStore,
  query: RetentionQuery,
  nowMs: number,
  slices: TimeSlices,
  /** More of the answer's blocks, as JSON by name. */
  blocks: Readonly<Record<string, string>> = {},
): AsyncGenerator<string> {
  const { perSeries, maxExemplars, maxBytes } = store.options;
  const limits = JSON.stringify({ perSeries, maxExemplars, maxBytes });
  let text = `{"timestamp":${nowMs / 1000},"limits":${limits},"bytes":${JSON.stringify(store.bytes)}`;
  for (const [name, json] of Object.entries(blocks)) text += `,"${name}":${json}`;
  text += ',"groups":[';
  let isFirst = true;
  for await (const { labels, ...figures } of retentionGroups(store, query, nowMs, slices)) {
    text += `${isFirst ? '' : ','}{"labels":${labelsToJson(labels)},${JSON.stringify(figures).slice(1)}`;
    isFirst = false;
    if (text.length > CHUNK_LENGTH) {
      yield text;
      text = '';
    }
  }
  yield `${text}]}`;
}

/**
 * The groups in order. Rings may change between two of them, so what they are sorted by can have moved on a
 * little by the time a group is shown. The group of `total` is there even without series.
 */
export async function* retentionGroups(
  store: ExemplarStore,
  query: RetentionQuery,
  nowMs: number,
  slices: TimeSlices,
): AsyncGenerator<GroupRetention> {
  const { selectors, targetMs } = query;
  const selected =
    selectors === undefined ? [...store.index.all()] : await selectSeries(store.index, selectors, slices);
  const known = new KnownSeries(store, selected);
  const isKnown = (series: SeriesRef) => known.isStill(series);
  const basis = await forecastBasis(store, nowMs, slices);
  const view: RetentionView = { store, basis, nowMs, targetMs, slices, isKnown };
  const groups = await groupSeries(store, known, query.by, slices);
  for (const group of await orderOf(view, groups, query)) {
    const members = groups.members(group);
    if (query.by.kind !== 'total' && !members.some(isKnown)) continue;
    yield await groupRetention(view, groups.labels(group), members);
  }
}

/** Numbers of the groups to show. */
async function orderOf(
  view: RetentionView,
  groups: SeriesGroups,
  { sort, order, limit }: RetentionQuery,
): Promise<Uint32Array> {
  if (sort === undefined) {
    const byLabels = numbersBelow(groups.count);
    return (order === 'asc' ? byLabels : byLabels.reverse()).subarray(0, limit);
  }
  const keys = await sortKeys(view, groups, sort);
  const sign = order === 'asc' ? 1 : -1;
  const byKey = (a: number, b: number) => sign * (keys[a]! - keys[b]!);
  return (await orderInSlices(groups.count, byKey, view.slices)).subarray(0, limit);
}

async function sortKeys(
  view: RetentionView,
  groups: SeriesGroups,
  sort: RetentionSort,
): Promise<Float64Array> {
  const keys = new Float64Array(groups.count);
  for (let group = 0; group < keys.length; group++) {
    const members = groups.members(group);
    keys[group] = sort === 'window' ? await medianWindowMs(view, members) : await sumOf(view, members, sort);
  }
  return keys;
}

async function sumOf(
  view: RetentionView,
  members: readonly SeriesRef[],
  sort: Exclude<RetentionSort, 'window'>,
): Promise<number> {
  const { stats, rings } = view.store;
  const figure = {
    rate: (series: SeriesRef) => stats.longRate(series, view.nowMs),
    overwrites: (series: SeriesRef) => stats.overwritten[series]!,
    exemplars: (series: SeriesRef) => rings.held(series),
  }[sort];
  let sum = 0;
  await visitKnown(view, members, (series) => {
    sum += figure(series);
  });
  return sum;
}

async function medianWindowMs(view: RetentionView, members: readonly SeriesRef[]): Promise<number> {
  const windowsMs: number[] = [];
  await visitKnown(view, members, (series) => {
    const windowMs = windowMsOf(view.store, series);
    if (windowMs !== undefined) windowsMs.push(windowMs);
  });
  const [median] = await quantilesOf(Float64Array.from(windowsMs), [0.5], view.slices);
  return median || 0;
}
