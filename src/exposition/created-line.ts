import { tokenEnd } from './exemplar-text.js';
import { NumberText } from './number-text.js';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const CREATED = '_created';
/** What a sample has behind the name of its family, and the label that its siblings do not share with it. */
const SUFFIXES = ['_total', '_bucket', '_count', '_sum'].map((text) => ({ bytes: Buffer.from(text), bound: Buffer.from('le') })); // biome-ignore format: one line
const WITHOUT_SUFFIX = { bytes: Buffer.alloc(0), bound: Buffer.from('quantile') };
const CREATED_BYTES = Buffer.from(CREATED);

/**
 * How far from a line its `_created` is looked for. Client libraries write it behind the samples of the same label
 * set, so a histogram of hundreds of buckets lies between at the most.
 */
const WINDOW_BYTES = 64 * 1024;
/** Longer series have no start time. */
const MAX_SERIES_BYTES = 16 * 1024;

/** Whether any line of `body[0, length)` may be one. */
export function mayHaveCreatedLines(body: Buffer, length: number): boolean {
  return body.subarray(0, length).includes(CREATED);
}

/**
 * Finds the line that says when the counter, histogram or summary behind a sample began: `<family>_created` with the
 * labels of the sample, `le` or `quantile` left out, written in the same way.
 */
export class CreatedLine {
  /** What such a line starts with, the newline before it included, up to its value. */
  readonly #start = Buffer.alloc(MAX_SERIES_BYTES + CREATED.length + 2);
  #length = 0;
  readonly #number = new NumberText();

  /**
   * @param length of the body
   * @param at start of a sample's line, `seriesEnd` the space before its value, `lineEnd` its newline
   * @returns milliseconds since 1970, toward zero; undefined where there is no such line near
   */
  find(body: Buffer, length: number, at: number, seriesEnd: number, lineEnd: number): number | undefined {
    if (seriesEnd - at > MAX_SERIES_BYTES || !this.#compose(body, at, seriesEnd)) return undefined;
    const valueAt = this.#valueBehind(body, length, lineEnd) ?? this.#valueBefore(body, at);
    if (valueAt === undefined) return undefined;
    const end = body.indexOf(NEWLINE, valueAt);
    if (!this.#number.parse(body, valueAt, tokenEnd(body, valueAt, end))) return undefined;
    const startMs = Math.trunc(this.#number.value * 1000);
    return startMs > 0 && Number.isSafeInteger(startMs) ? startMs : undefined;
  }

  #valueBehind(body: Buffer, length: number, lineEnd: number): number | undefined {
    const window = body.subarray(lineEnd, Math.min(length, lineEnd + WINDOW_BYTES));
    const found = window.indexOf(this.#start.subarray(0, this.#length));
    return found < 0 ? undefined : lineEnd + found + this.#length;
  }

  #valueBefore(body: Buffer, at: number): number | undefined {
    const from = Math.max(0, at - WINDOW_BYTES);
    const found = body.subarray(from, at).lastIndexOf(this.#start.subarray(0, this.#length));
    if (found >= 0) return from + found + this.#length;
    // The first line of a body has no newline before it.
    const first = this.#length - 1;
    const isFirst = at > first && body.compare(this.#start, 1, this.#length, 0, first) === 0;
    return isFirst ? first : undefined;
  }

  /** @returns false for a series that has no such line */
  #compose(body: Buffer, at: number, end: number): boolean {
    const isQuoted = body[at] === OPEN && body[at + 1] === QUOTE;
    const nameAt = isQuoted ? at + 2 : at;
    const nameEnd = isQuoted ? closingQuote(body, nameAt, end) : plainNameEnd(body, at, end);
    if (endsWith(body, nameAt, nameEnd, CREATED_BYTES)) return false;
    const { bytes, bound } =
      SUFFIXES.find((suffix) => endsWith(body, nameAt, nameEnd, suffix.bytes)) ?? WITHOUT_SUFFIX;
    this.#length = 0;
    this.#put(NEWLINE);
    this.#copy(body, at, nameEnd - bytes.length);
    this.#length += CREATED_BYTES.copy(this.#start, this.#length);
    if (isQuoted) this.#put(QUOTE);
    const labelsAt = isQuoted ? nameEnd + 1 : nameEnd;
    if (labelsAt < end) this.#copyLabels(body, labelsAt, end, bound, isQuoted);
    this.#put(SPACE);
    return true;
  }

  /** What stands between name and value, without the label `bound`; braces that are left empty go. */
  #copyLabels(body: Buffer, start: number, end: number, bound: Buffer, isQuoted: boolean): void {
    const label = labelBounds(body, start + 1, end, bound);
    if (label === undefined) {
      this.#copy(body, start, end);
      return;
    }
    const [at, after] = label;
    const isLast = body[after] !== COMMA;
    // The comma behind the label goes with it, or, if it is the last, the one before.
    const keptTo = isLast && body[at - 1] === COMMA ? at - 1 : at;
    const keptFrom = isLast ? after : after + 1;
    const isEmpty = !isQuoted && keptTo === start + 1 && body[keptFrom] === CLOSE;
    if (isEmpty) return;
    this.#copy(body, start, keptTo);
    this.#copy(body, keptFrom, end);
  }

  #put(byte: number): void {
    this.#start[this.#length++] = byte;
  }

  #copy(body: Buffer, from: number, to: number): void {
    this.#length += body.copy(this.#start, this.#length, from, to);
  }
}

function plainNameEnd(body: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && body[at] !== OPEN) at++;
  return at;
}

function closingQuote(body: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && body[at] !== QUOTE) at += body[at] === BACKSLASH ? 2 : 1;
  return Math.min(at, end);
}

function endsWith(body: Buffer, start: number, end: number, suffix: Buffer): boolean {
  const at = end - suffix.length;
  if (at <= start) return false;
  for (let i = 0; i < suffix.length; i++) if (body[at + i] !== suffix[i]) return false;
  return true;
}

/** Where the label `name="…"` starts and ends, of those from `start` on. */
function labelBounds(
  body: Buffer,
  start: number,
  end: number,
  name: Buffer,
): readonly [start: number, end: number] | undefined {
  for (let at = start; at < end && body[at] !== CLOSE; at++) {
    const labelAt = at;
    if (body[at] === QUOTE) at = closingQuote(body, at + 1, end);
    while (at < end && body[at] !== EQUALS && body[at] !== CLOSE) at++;
    if (body[at] !== EQUALS) return undefined;
    const isIt = at - labelAt === name.length && body.compare(name, 0, name.length, labelAt, at) === 0;
    at = closingQuote(body, at + 2, end) + 1;
    if (isIt) return [labelAt, at];
  }
  return undefined;
}
