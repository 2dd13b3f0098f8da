import type { Batch, Series } from '../../src/model/batch.js';
import { encodeLabels, hashLabels } from '../../src/model/encoded-labels.js';
import { labelsFromRecord } from '../../src/model/labels.js';
import { NO_METADATA } from '../../src/model/metadata.js';
import type { SeriesRef } from '../../src/model/refs.js';

export interface RowInput {
  readonly series: Series;
  readonly timestampMs: number;
  readonly value?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly sampleValue?: number;
  /** By default the exemplar's own. */
  readonly sampleTimestampMs?: number;
  readonly sampleStartMs?: number;
}

export function seriesOf(ref: number, labels: Readonly<Record<string, string>>): Series {
  const sorted = labelsFromRecord(labels);
  return { ref: ref as SeriesRef, labels: sorted, hash: hashLabels(sorted), metadata: NO_METADATA };
}

/** `count` series of one counter that differ in the label `n`, numbered from `firstRef`. */
export function manySeries(count: number, name = 'requests_total', firstRef = 0): Series[] {
  return Array.from({ length: count }, (_, n) => seriesOf(firstRef + n, { __name__: name, n: String(n) }));
}

/** The batch of these rows; by default value 1, sample value 10, and a trace_id made of the time. */
export function batchOf(rows: readonly RowInput[], staleSeries: readonly Series[] = []): Batch {
  const labels = rows.map((row) =>
    encodeLabels(
      labelsFromRecord(row.labels ?? { trace_id: row.timestampMs.toString(16).padStart(32, '0') }),
    ),
  );
  let end = 0;
  return {
    length: rows.length,
    acceptedMs: Math.max(0, ...rows.map((row) => row.timestampMs)),
    series: rows.map((row) => row.series),
    timestampsMs: Float64Array.from(rows, (row) => row.timestampMs),
    values: Float64Array.from(rows, (row) => row.value ?? 1),
    ownTimestamps: new Uint8Array(rows.length).fill(1),
    labelBytes: Buffer.concat(labels),
    labelEnds: Uint32Array.from(labels, (bytes) => (end += bytes.length)),
    sampleValues: Float64Array.from(rows, (row) => row.sampleValue ?? 10),
    sampleTimestampsMs: Float64Array.from(rows, (row) => row.sampleTimestampMs ?? row.timestampMs),
    sampleStartsMs: Float64Array.from(rows, (row) => row.sampleStartMs ?? 0),
    staleSeries,
  };
}
