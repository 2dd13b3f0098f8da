/** Rows of a request, gathered by series: the shape of both remote write protocols. */
import { exemplarTimeMs, type Row, sampleTimeMs } from './delivery.js';
import type { ExemplarMode } from './options.js';
import type { SeriesState } from './series-state.js';

export interface TimeSeries {
  readonly state: SeriesState;
  /** Exemplars, ascending in time. */
  readonly rows: readonly Row[];
  /** Rows whose samples go along, markers among them, strictly ascending in the sample's time; none: exemplars alone. */
  readonly samples: readonly Row[];
  /** Those that hang on this TimeSeries, be they sent along or not: settled with it. */
  readonly markers: readonly Row[];
}

export interface Gathering {
  readonly mode: ExemplarMode;
  /** Monotonic. */
  readonly atMs: number;
  /** What happens to an exemplar older than the last one sent of its series. */
  readonly outOfOrder: (row: Row) => void;
  /** What happens to a marker that has no samples of ours before it. */
  readonly needless: (marker: Row) => void;
}

const NO_ROWS: readonly Row[] = [];

/**
 * Gathers rows into one TimeSeries a series, in time order. Notes in the series' states what will have been sent.
 */
export function gatherTimeSeries(rows: readonly Row[], gathering: Gathering): TimeSeries[] {
  const rowsBySeries = new Map<SeriesState, Row[]>();
  for (const row of rows) {
    const others = rowsBySeries.get(row.state);
    if (others === undefined) rowsBySeries.set(row.state, [row]);
    else others.push(row);
  }
  const gathered: TimeSeries[] = [];
  for (const [state, rowsOfSeries] of rowsBySeries) {
    const timeSeries = gatherOne(state, rowsOfSeries, gathering);
    if (timeSeries !== undefined) gathered.push(timeSeries);
  }
  return gathered;
}

function isMarker(row: Row): boolean {
  return row.isMarker;
}

function gatherOne(state: SeriesState, rows: Row[], gathering: Gathering): TimeSeries | undefined {
  const hasMarkers = rows.some(isMarker);
  const exemplars = hasMarkers ? rows.filter(({ isMarker }) => !isMarker) : rows;
  const inOrder = takeInOrder(state, exemplars, gathering.outOfOrder);
  const ends = hasMarkers ? rows.filter(({ isMarker }) => isMarker) : NO_ROWS;
  const samples = takeNewSamples(state, hasMarkers ? [...inOrder, ...ends] : inOrder, gathering);
  const markers = hasMarkers ? samples.filter(({ isMarker }) => isMarker) : NO_ROWS;
  for (const marker of ends) if (!markers.includes(marker)) gathering.needless(marker);
  return inOrder.length === 0 && samples.length === 0
    ? undefined
    : { state, rows: inOrder, samples, markers };
}

function takeInOrder(state: SeriesState, rows: Row[], outOfOrder: (row: Row) => void): readonly Row[] {
  // The usual case, without a closure or a copy.
  if (rows.length === 1 && exemplarTimeMs(rows[0]!) >= state.lastExemplarMs) {
    state.lastExemplarMs = exemplarTimeMs(rows[0]!);
    return rows;
  }
  const sorted = rows.sort((a, b) => exemplarTimeMs(a) - exemplarTimeMs(b));
  const stale = sorted.findIndex((row) => exemplarTimeMs(row) >= state.lastExemplarMs);
  const late = sorted.splice(0, stale === -1 ? sorted.length : stale);
  for (const row of late) outOfOrder(row);
  if (sorted.length > 0) state.lastExemplarMs = exemplarTimeMs(sorted.at(-1)!);
  return sorted;
}

/**
 * A sample that is not newer than the last one sent is left out: the series exists by that one already. A marker is
 * one where samples before it are ours.
 */
function takeNewSamples(state: SeriesState, rows: readonly Row[], { mode, atMs }: Gathering): readonly Row[] {
  if (!state.sendsSamples(mode, atMs)) return NO_ROWS;
  const samples: Row[] = [];
  const byTime = rows.length === 1 ? rows : rows.toSorted((a, b) => sampleTimeMs(a) - sampleTimeMs(b));
  for (const row of byTime) {
    // Nor is one whose time is NaN: there is no such sample.
    if (!(sampleTimeMs(row) > state.lastSampleMs)) continue;
    if (row.isMarker && !state.mayMarkEnd(mode)) continue;
    state.lastSampleMs = sampleTimeMs(row);
    samples.push(row);
  }
  return samples;
}

/** How much older than the oldest sample of its request Mimir lets an exemplar be, or else drops it silently. */
export const MAX_BEHIND_SAMPLES_MS = 5 * 60_000;

/**
 * Cuts what would be one request in two, for receivers like Mimir: exemplars long before the oldest sample go in a
 * second request, which has no samples and so no limit. Their series exist by then, because their samples stay in
 * the first. With the old exemplars of a series all its others go, or newer ones would arrive before older ones and
 * make those out of order.
 *
 *     a: sample 10:00, exemplars 9:30 9:59        first:  a sample 10:00             second: a exemplars 9:30 9:59
 *     b: sample 10:00, exemplar  9:58        ─►           b sample 10:00, exemplar 9:58
 */
export function cutOffOld(all: readonly TimeSeries[]): {
  first: readonly TimeSeries[];
  second: readonly TimeSeries[];
} {
  const oldestMs = oldestSampleMs(all);
  const isOld = ({ rows }: TimeSeries) =>
    rows.length > 0 && exemplarTimeMs(rows[0]!) < oldestMs - MAX_BEHIND_SAMPLES_MS;
  const old = all.filter(isOld);
  if (old.length === 0) return { first: all, second: [] };
  const first = all.flatMap((timeSeries) => {
    if (!isOld(timeSeries)) return [timeSeries];
    return timeSeries.samples.length === 0 ? [] : [{ ...timeSeries, rows: NO_ROWS }];
  });
  return { first, second: old.map((timeSeries) => ({ ...timeSeries, markers: NO_ROWS })) };
}

/** Before all times where there are no samples. */
function oldestSampleMs(all: readonly TimeSeries[]): number {
  let oldestMs = Number.POSITIVE_INFINITY;
  for (const { samples } of all) {
    if (samples.length > 0) oldestMs = Math.min(oldestMs, sampleTimeMs(samples[0]!));
  }
  return oldestMs === Number.POSITIVE_INFINITY ? Number.NEGATIVE_INFINITY : oldestMs;
}

/** Nothing of a TimeSeries without exemplars is left, except what is to be settled. */
export function withoutSamples(timeSeries: TimeSeries): TimeSeries {
  return { ...timeSeries, samples: NO_ROWS };
}

/** Where exemplars alone did not do: those to come go with samples again. */
export function detachAlone(all: readonly TimeSeries[]): void {
  for (const { state, samples } of all) {
    if (samples.length === 0) state.attachUntilMs = Number.NEGATIVE_INFINITY;
  }
}

export function countExemplars(all: readonly TimeSeries[]): number {
  return all.reduce((sum, { rows }) => sum + rows.length, 0);
}

export function countSamples(all: readonly TimeSeries[]): number {
  return all.reduce((sum, { samples }) => sum + samples.length, 0);
}

/** The newest exemplar's time; 0 where there are none. */
export function newestExemplarMs(all: readonly TimeSeries[]): number {
  return all.reduce(
    (newest, { rows }) => Math.max(newest, rows.length === 0 ? 0 : exemplarTimeMs(rows.at(-1)!)),
    0,
  );
}

/** Leaves out exemplars before `oldestMs`, and the samples of their lines. The same array when there are none. */
export function dropAged(
  all: readonly TimeSeries[],
  oldestMs: number,
  aged: (row: Row) => void,
): readonly TimeSeries[] {
  const isFresh = (row: Row) => row.isMarker || exemplarTimeMs(row) >= oldestMs;
  if (all.every(({ rows }) => rows.every(isFresh))) return all;
  return all.flatMap((timeSeries) => {
    for (const row of timeSeries.rows) if (!isFresh(row)) aged(row);
    const rows = timeSeries.rows.filter(isFresh);
    const samples = timeSeries.samples.filter(isFresh);
    return rows.length === 0 && samples.length === 0 ? [] : [{ ...timeSeries, rows, samples }];
  });
}
