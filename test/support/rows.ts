import { Deliveries, type Delivery, type Row } from '../../src/forward/delivery.js';
import type { SeriesStates } from '../../src/forward/series-state.js';
import type { TimeSeries } from '../../src/forward/time-series.js';
import type { Batch, Series } from '../../src/model/batch.js';

/** The rows of a batch as forwarding makes them, its markers last. */
export function rowsOf(
  batch: Batch,
  states: SeriesStates,
  delivery: Delivery = new Deliveries(() => {}).begin({ position: 0, batch }),
): Row[] {
  // As forwarding writes it, all fields in one literal: benchmarks of what reads rows would measure a spread.
  const row = (series: Series, index: number, isMarker: boolean): Row => {
    return { batch, index, isMarker, state: states.of(series), delivery, items: 2, trimmedLabels: undefined };
  };
  return [
    ...batch.series.map((series, index) => row(series, index, false)),
    ...batch.staleSeries.map((series, index) => row(series, index, true)),
  ];
}

/** What is gathered without anything out of order. */
export const GATHER_ALL = {
  mode: 'self_contained',
  atMs: 0,
  outOfOrder() {},
  needless() {},
} as const;

export function exemplarsIn(all: readonly TimeSeries[]): number {
  return all.reduce((sum, { rows }) => sum + rows.length, 0);
}
