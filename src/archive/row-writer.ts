/** Rows of batches as lines of JSON: what the archive's table takes. */
import { createHash } from 'node:crypto';
import { type Batch, labelsStartOf, type Series } from '../model/batch.js';
import { decodeLabels, encodeLabels } from '../model/encoded-labels.js';
import { type Labels, labelValue, METRIC_NAME } from '../model/labels.js';
import { exemplarColumns } from './exemplar-columns.js';

/** Text of series that is kept to be written again; of more series, the text is made anew. */
const MAX_SERIES_TEXT = 16 * 1024 * 1024;

const DAY_MS = 24 * 60 * 60_000;
/** More than the table has since 1970: two days in one number. */
const DAYS = 65_536;

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
  /** By series: the day that was announced last, and the one before, times `DAYS`. Days are counted from 1, in 1970. */
  #announcedDays = new WeakMap<Series, number>();

  constructor(options: RowWriterOptions) {
    this.#options = options;
  }

  /** Why a row has no line; undefined where it has one. */
  skipReason(batch: Batch, row: number, nowMs: number): SkipReason | undefined {
    const timestampMs = batch.timestampsMs[row]!;
    if (!(timestampMs >= MIN_TIMESTAMP_MS && timestampMs <= MAX_TIMESTAMP_MS)) return 'time_out_of_range';
    const { ttlMs } = this.#options;
    return ttlMs > 0 && timestampMs < nowMs - ttlMs ? 'expired' : undefined;
  }

  /** One object of JSON and a newline. */
  line(batch: Batch, row: number): string {
    const labels = decodeLabels(batch.labelBytes, labelsStartOf(batch, row), batch.labelEnds[row]);
    const columns = exemplarColumns(labels, this.#options.traceIdLabels);
    const { trace_id, trace_label, span_id, span_label, others } = columns;
    let json = `${this.#seriesText(batch.series[row]!)},"ts":${batch.timestampsMs[row]},"value":${valueJson(batch.values[row]!)}`;
    if (trace_id !== '') json += `,"trace_id":${textJson(trace_id)}`;
    if (trace_label !== '') json += `,"trace_label":${textJson(trace_label)}`;
    if (span_id !== '') json += `,"span_id":${textJson(span_id)}`;
    if (span_label !== '') json += `,"span_label":${textJson(span_label)}`;
    if (others.length > 0) json += `,"ex_labels":${mapJson(others)}`;
    if (this.#isToAnnounce(batch.series[row]!, batch.timestampsMs[row]!)) json += ',"announces":1';
    return `${json}}\n`;
  }

  /** It is not sure any more that the archive knows which series it has: rows say it again. */
  announceAgain(): void {
    this.#announcedDays = new WeakMap();
  }

  /** The first of a series on a day; late ones may be of the day before. */
  #isToAnnounce(series: Series, timestampMs: number): boolean {
    const day = Math.floor(timestampMs / DAY_MS) + 1;
    const announced = this.#announcedDays.get(series) ?? 0;
    const lastDay = announced % DAYS;
    if (day === lastDay || day === Math.floor(announced / DAYS)) return false;
    this.#announcedDays.set(series, lastDay * DAYS + day);
    return true;
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
  const others = labels.filter((_, i) => labels[i & ~1] !== METRIC_NAME);
  const metric = textJson(labelValue(labels, METRIC_NAME));
  return `{"metric":${metric},"fp":"${seriesFingerprint(labels)}","labels":${mapJson(others)}`;
}

/** Not by `JSON.stringify` of an object: in that, a label called `__proto__` would be lost. */
function mapJson(labels: Labels): string {
  let json = '{';
  for (let i = 0; i < labels.length; i += 2)
    json += `${i === 0 ? '' : ','}${textJson(labels[i]!)}:${textJson(labels[i + 1]!)}`;
  return `${json}}`;
}

/** What JSON writes as it is: ids and names, nearly always. */
const PLAIN = /^[\w./:-]*$/;

/** One lone surrogate would fail the whole block. */
function textJson(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text.toWellFormed());
}

/** JSON has no word for these, and would make null of them, which is stored as 0. */
function valueJson(value: number): string {
  if (Number.isNaN(value)) return '"nan"';
  if (!Number.isFinite(value)) return value > 0 ? '"inf"' : '"-inf"';
  return Object.is(value, -0) ? '"-0"' : String(value);
}
