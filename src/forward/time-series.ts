/** Rows of a request, gathered by series: the shape of both remote write protocols. */
import type { Series } from '../model/batch.js';
import { exemplarTimeMs, type Row, sampleTimeMs } from './delivery.js';
import type { ExemplarMode } from './options.js';
import type { SeriesState } from './series-state.js';

export interface TimeSeries {
  readonly state: SeriesState;
  /** Exemplars, ascending in time. */
  readonly rows: readonly Row[];
  /** Rows whose samples go along, strictly ascending in the sample's time; empty: exemplars alone. */
  readonly samples: readonly Row[];
}

/**
 * Gathers rows into one TimeSeries a series, in time order. An exemplar older than the last one sent of its
 * series goes to `outOfOrder` instead. Notes in the series' states what will have been sent.
 */
export function gatherTimeSeries(
  rows: readonly Row[],
  mode: ExemplarMode,
  nowMs: number,
  outOfOrder: (row: Row) => void,
): TimeSeries[] {
  const rowsBySeries = new Map<Series, Row[]>();
  for (const row of rows) {
    const others = rowsBySeries.get(row.state.series);
    if (others === undefined) rowsBySeries.set(row.state.series, [row]);
    else others.push(row);
  }
  const gathered: TimeSeries[] = [];
  for (const rowsOfSeries of rowsBySeries.values()) {
    const { state } = rowsOfSeries[0]!;
    const inOrder = takeInOrder(state, rowsOfSeries, outOfOrder);
    if (inOrder.length === 0) continue;
    const samples = state.sendsSamples(mode, nowMs) ? takeNewSamples(state, inOrder) : [];
    gathered.push({ state, rows: inOrder, samples });
  }
  return gathered;
}

function takeInOrder(state: SeriesState, rows: Row[], outOfOrder: (row: Row) => void): Row[] {
  const sorted = rows.sort((a, b) => exemplarTimeMs(a) - exemplarTimeMs(b));
  const stale = sorted.findIndex((row) => exemplarTimeMs(row) >= state.lastExemplarMs);
  const late = sorted.splice(0, stale === -1 ? sorted.length : stale);
  for (const row of late) outOfOrder(row);
  if (sorted.length > 0) state.lastExemplarMs = exemplarTimeMs(sorted.at(-1)!);
  return sorted;
}

/** A sample that is not newer than the last one sent is left out: the series exists by that one already. */
function takeNewSamples(state: SeriesState, rows: readonly Row[]): Row[] {
  const samples: Row[] = [];
  const byTime = rows.length === 1 ? rows : rows.toSorted((a, b) => sampleTimeMs(a) - sampleTimeMs(b));
  for (const row of byTime) {
    if (sampleTimeMs(row) <= state.lastSampleMs) continue;
    state.lastSampleMs = sampleTimeMs(row);
    samples.push(row);
  }
  return samples;
}

export function withoutSamples(timeSeries: TimeSeries): TimeSeries {
  return { ...timeSeries, samples: [] };
}

export function countExemplars(all: readonly TimeSeries[]): number {
  return all.reduce((sum, { rows }) => sum + rows.length, 0);
}

export function countSamples(all: readonly TimeSeries[]): number {
  return all.reduce((sum, { samples }) => sum + samples.length, 0);
}

/** Leaves out exemplars before `oldestMs`, and the samples of their lines. The same array when there are none. */
export function dropAged(
  all: readonly TimeSeries[],
  oldestMs: number,
  aged: (row: Row) => void,
): readonly TimeSeries[] {
  const isFresh = (row: Row) => exemplarTimeMs(row) >= oldestMs;
  if (all.every(({ rows }) => rows.every(isFresh))) return all;
  return all.flatMap(({ state, rows, samples }) => {
    for (const row of rows) if (!isFresh(row)) aged(row);
    const fresh = rows.filter(isFresh);
    return fresh.length === 0 ? [] : [{ state, rows: fresh, samples: samples.filter(isFresh) }];
  });
}
