/** Rows of batches as lines of JSON: what the archive's table takes. */
import { createHash } from 'node:crypto';
import { type Batch, labelsStartOf, type Series } from '../model/batch.js';
import { decodeLabels, encodeLabels } from '../model/encoded-labels.js';
import { type Labels, labelPairs, labelValue, METRIC_NAME } from '../model/labels.js';
import { exemplarColumns } from './exemplar-columns.js';

/** Text of series that is kept to be written again; of more series, the text is made anew. */
const MAX_SERIES_TEXT = 16 * 1024 * 1024;

/** Times that the table can have: `toDateTime` of its TTL begins and ends here. */
export const MIN_TIMESTAMP_MS = 0;
export const MAX_TIMESTAMP_MS = (2 ** 32 - 1) * 1000;

/** Why a row is not for the archive. */
export type SkipReason = 'expired' | 'time_out_of_range';

export interface RowWriterOptions {
  readonly traceIdLabels: readonly string[];
  /** Older ones would be gone at once; 0: none is too old. */
  readonly ttlMs: number;
}

/** Column `fp`: 64 bits of the label set, the same in every process, as decimal digits. */
export function seriesFingerprint(labels: Labels): string {
  return createHash('sha256').update(encodeLabels(labels)).digest().readBigUInt64BE(0).toString();
}

export class RowWriter {
  readonly #options: RowWriterOptions;
  /** By series: the columns that its rows have in common. */
  readonly #seriesTexts = new Map<Series, string>();
  #seriesTextLength = 0;

  constructor(options: RowWriterOptions) {
    this.#options = options;
  }

  /** @returns the line without its end, or why there is none */
  line(batch: Batch, row: number, nowMs: number): { readonly json: string } | SkipReason {
    const timestampMs = batch.timestampsMs[row]!;
    if (!(timestampMs >= MIN_TIMESTAMP_MS && timestampMs <= MAX_TIMESTAMP_MS)) return 'time_out_of_range';
    const { ttlMs, traceIdLabels } = this.#options;
    if (ttlMs > 0 && timestampMs < nowMs - ttlMs) return 'expired';
    const labels = decodeLabels(batch.labelBytes, labelsStartOf(batch, row), batch.labelEnds[row]);
    const columns = exemplarColumns(labels, traceIdLabels);
    let json = `${this.#seriesText(batch.series[row]!)},"ts":${timestampMs},"value":${valueJson(batch.values[row]!)}`;
    for (const name of ['trace_id', 'trace_label', 'span_id', 'span_label'] as const)
      if (columns[name] !== '') json += `,"${name}":${textJson(columns[name])}`;
    const others = Object.entries(columns.ex_labels);
    if (others.length > 0) json += `,"ex_labels":${mapJson(others)}`;
    return { json: `${json}}` };
  }

  #seriesText(series: Series): string {
    let text = this.#seriesTexts.get(series);
    if (text === undefined) {
      text = seriesText(series.labels);
      this.#seriesTextLength += text.length;
      if (this.#seriesTextLength > MAX_SERIES_TEXT) {
        this.#seriesTexts.clear();
        this.#seriesTextLength = text.length;
      }
      this.#seriesTexts.set(series, text);
    }
    return text;
  }
}

function seriesText(labels: Labels): string {
  const others = [...labelPairs(labels)].filter(([name]) => name !== METRIC_NAME);
  const metric = textJson(labelValue(labels, METRIC_NAME));
  return `{"metric":${metric},"fp":"${seriesFingerprint(labels)}","labels":${mapJson(others)}`;
}

/** Not by `JSON.stringify` of an object: in that, a label called `__proto__` would be lost. */
function mapJson(pairs: readonly (readonly [string, string])[]): string {
  return `{${pairs.map(([name, value]) => `${textJson(name)}:${textJson(value)}`).join(',')}}`;
}

/** One lone surrogate would fail the whole block. */
function textJson(text: string): string {
  return JSON.stringify(text.toWellFormed());
}

/** JSON has no word for these, and would make null of them, which is stored as 0. */
function valueJson(value: number): string {
  if (Number.isNaN(value)) return '"nan"';
  if (!Number.isFinite(value)) return value > 0 ? '"inf"' : '"-inf"';
  return Object.is(value, -0) ? '"-0"' : String(value);
}
