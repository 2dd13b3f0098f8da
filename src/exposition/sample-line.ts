import { isUtf8 } from 'node:buffer';
import { METRIC_NAME } from '../model/labels.js';
import { isExemplarStart, tokenEnd } from './exemplar-text.js';
import { NumberText } from './number-text.js';

/** One sample line, read the slow way: once for every series, not for every scrape. */
export interface SampleLine {
  /** `__name__` first, then in the order of the line; names may repeat. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** The raw series, name and braces: from the start of the line up to here. */
  readonly seriesEnd: number;
  /** Where ` # {` starts, or the end of the line if there is no exemplar. */
  readonly sampleEnd: number;
}

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const METRIC_NAME_START = /[a-zA-Z_:]/;
const METRIC_NAME_TEXT = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL_NAME_TEXT = /^[a-zA-Z_][a-zA-Z0-9_]*/;

/**
 * Reads `body[start, end)`, a line without its newline (OpenMetrics 1.0 with quoted UTF-8 names).
 * @returns undefined when it is not a sample
 */
export function parseSampleLine(body: Buffer, start: number, end: number): SampleLine | undefined {
  const series = parseSeries(body, start, end);
  if (series === undefined) return undefined;
  const sampleEnd = new SampleText().parse(body, series.end, end);
  if (sampleEnd < 0) return undefined;
  return { labels: series.labels, seriesEnd: series.end, sampleEnd };
}

/** Reads ` value [timestamp]` into its fields, which hold until the next `parse`. */
export class SampleText {
  value = 0;
  /** Whole milliseconds; NaN where the line has none. */
  timestampMs = Number.NaN;
  /** Stands on another line, and is filled in by whoever finds it. */
  startMs = 0;
  readonly #number = new NumberText();

  /**
   * @param at the first byte after the series
   * @param end of the line
   * @returns where ` # {` starts, or `end`; -1 when it is no sample
   */
  parse(body: Buffer, at: number, end: number): number {
    if (at >= end || body[at] !== SPACE) return -1;
    const valueEnd = tokenEnd(body, at + 1, end);
    if (!this.#number.parse(body, at + 1, valueEnd)) return -1;
    this.value = this.#number.value;
    this.timestampMs = Number.NaN;
    if (valueEnd === end || isExemplarStart(body, valueEnd)) return valueEnd;
    const timestampEnd = tokenEnd(body, valueEnd + 1, end);
    if (!this.#number.parse(body, valueEnd + 1, timestampEnd)) return -1;
    this.timestampMs = Math.trunc(this.#number.value * 1000);
    if (!Number.isSafeInteger(this.timestampMs)) return -1;
    return timestampEnd === end || isExemplarStart(body, timestampEnd) ? timestampEnd : -1;
  }
}

/**
 * Where the raw series that starts at `start` ends, its bytes not checked any further.
 * @returns -1 when nothing like a series stands there
 */
export function seriesEnd(body: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && body[at] !== OPEN && body[at] !== SPACE) at++;
  if (body[at] !== OPEN) return at < end ? at : -1;
  for (let isQuoted = false; at < end; at++) {
    const byte = body[at];
    if (byte === QUOTE) isQuoted = !isQuoted;
    else if (byte === BACKSLASH && isQuoted) at++;
    else if (byte === CLOSE && !isQuoted) return at + 1;
  }
  return -1;
}

/** Name and labels of a sample, unescaped. */
export interface ParsedSeries {
  /** `__name__` first. */
  readonly labels: (readonly [string, string])[];
  readonly end: number;
}

/** @returns undefined when `body[start, end)` starts with no series */
export function parseSeries(body: Buffer, start: number, end: number): ParsedSeries | undefined {
  const text = new LineText(body, start, end);
  const labels: (readonly [string, string])[] = [];
  if (METRIC_NAME_START.test(text.next())) {
    labels.push([METRIC_NAME, text.take(METRIC_NAME_TEXT)!]);
    text.hasMetricName = true;
  } else if (text.next() !== '{') return undefined;
  if (text.next() === '{' && !parseLabels(text, labels)) return undefined;
  // A label written `__name__="…"` is no metric name to Prometheus, only a clash where there is one.
  if (!text.hasMetricName || !isUtf8(body.subarray(start, text.at))) return undefined;
  return { labels, end: text.at };
}

/** Reads `{…}` and adds what is in it. A lone quoted string is the metric name, if there is none yet. */
function parseLabels(text: LineText, labels: (readonly [string, string])[]): boolean {
  text.at++;
  while (text.next() !== '}') {
    const isQuoted = text.next() === '"';
    const name = isQuoted ? text.takeQuoted() : text.take(LABEL_NAME_TEXT);
    if (name === undefined || name === '') return false;
    if (text.next() === '=') {
      text.at++;
      const value = text.takeQuoted();
      if (value === undefined) return false;
      labels.push([name, value]);
    } else if (isQuoted && !text.hasMetricName) {
      labels.unshift([METRIC_NAME, name]);
      text.hasMetricName = true;
    } else return false;
    if (text.next() === ',') text.at++;
    else if (text.next() !== '}') return false;
  }
  text.at++;
  return true;
}

/** A cursor over the bytes of a line. */
class LineText {
  at: number;
  hasMetricName = false;
  readonly #body: Buffer;
  readonly #end: number;

  constructor(body: Buffer, start: number, end: number) {
    this.#body = body;
    this.at = start;
    this.#end = end;
  }

  /** The character to come, empty at the end. Only compared with ASCII ones. */
  next(): string {
    return this.at < this.#end ? String.fromCharCode(this.#body[this.at]!) : '';
  }

  /** What the pattern, anchored at its start, matches here. */
  take(pattern: RegExp): string | undefined {
    let to = this.at;
    while (to < this.#end && /[a-zA-Z0-9_:]/.test(String.fromCharCode(this.#body[to]!))) to++;
    const match = pattern.exec(this.#body.toString('latin1', this.at, to));
    if (match === null) return undefined;
    this.at += match[0].length;
    return match[0];
  }

  /** A quoted string, unescaped. */
  takeQuoted(): string | undefined {
    if (this.next() !== '"') return undefined;
    const start = this.at + 1;
    for (let at = start; at < this.#end; at++) {
      const byte = this.#body[at];
      if (byte === QUOTE) {
        this.at = at + 1;
        return unescapeText(this.#body.toString('utf8', start, at));
      }
      if (byte === BACKSLASH) at++;
    }
    return undefined;
  }
}

/** `\\\\`, `\\"` and `\\n` as what they stand for, any other pair as it is. */
export function unescapeText(text: string): string {
  return text.includes('\\') ? text.replace(/\\(.)/gs, unescapePair) : text;
}

function unescapePair(pair: string, escaped: string): string {
  if (escaped === 'n') return '\n';
  return escaped === '\\' || escaped === '"' ? escaped : pair;
}
