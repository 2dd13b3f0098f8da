import { isUtf8 } from 'node:buffer';
import { decodeLabels, encodeLabels, LABEL_SEPARATOR } from '../model/encoded-labels.js';
import type { EncodedExemplar } from '../model/exemplar.js';
import { countCodePoints, labelPairs, labelsFromPairs } from '../model/labels.js';
import { NumberText } from './number-text.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const SPACE = 0x20;
const NEWLINE = 0x0a;
const HASH = 0x23;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const LETTER_N = 0x6e;

/** Byte → 1: starts a label name, 2: may follow. */
const NAME_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (/[a-zA-Z_]/.test(character)) return 1;
  return /[0-9]/.test(character) ? 2 : 0;
});

/** More labels than fit in any limit on their length; past it an exemplar is not worth reading on. */
const MAX_LABELS = 256;

/** Far more than MAX_EXEMPLAR_CODE_POINTS take, escaped or not: of a longer set only that is known. */
const MAX_LABEL_BYTES = 4096;

/** Longer exemplars are too rare to be compared with the one before. */
const MAX_REPEATED_BYTES = 512;

/** Byte → 1: stands for itself in a value, and for one code point. */
const PLAIN_BYTES = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH),
);

/** Where `bytes` at `at` start the next exemplar of a line: ` # {`. */
export function isExemplarStart(bytes: Buffer, at: number): boolean {
  return bytes[at] === SPACE && bytes[at + 1] === HASH && bytes[at + 2] === SPACE && bytes[at + 3] === OPEN;
}

/**
 * Reads one exemplar, `{name="value",…} value [timestamp]`, into its fields. One reader serves for all: the
 * fields hold until the next `parse`.
 */
export class ExemplarText implements EncodedExemplar {
  value = 0;
  /** Whole milliseconds, toward zero. Without one of its own 0, for the caller to replace. */
  timestampMs = 0;
  hasOwnTimestamp = false;
  /** Unicode code points of names and values, labels with empty values left out; Infinity past MAX_LABEL_BYTES. */
  codePoints = 0;
  /** Unescaped; of a repeated name the last. */
  labels = Buffer.alloc(MAX_LABEL_BYTES);
  labelsLength = 0;

  readonly #number = new NumberText();
  /** Of each label: start and end of its name, start and end of its value, as they stand in the body. */
  readonly #bounds = new Int32Array(4 * MAX_LABELS);
  readonly #order = new Int32Array(MAX_LABELS);
  #count = 0;
  #hasEscape = false;
  #hasNonAscii = false;
  #hasEscapedName = false;

  /** The braces of the exemplar read last, if `#bounds`, `#order` and `labels` are good for one just like it. */
  #last: Buffer = Buffer.alloc(MAX_REPEATED_BYTES);
  #lastLength = 0;
  /** Where in the body it started. */
  #lastAt = 0;

  /**
   * @param at the opening brace
   * @param end of the line, without its newline
   * @returns where the exemplar ends, that is `end` or the start of the next exemplar; -1 when malformed
   */
  parse(body: Buffer, at: number, end: number): number {
    const isLikeLast = this.#takeValues(body, at, end);
    const close = isLikeLast ? at + this.#lastLength - 1 : this.#scanLabels(body, at + 1, end);
    if (close < 0 || body[close + 1] !== SPACE) return -1;
    const valueEnd = tokenEnd(body, close + 2, end);
    if (!this.#number.parse(body, close + 2, valueEnd)) return -1;
    this.value = this.#number.value;
    this.hasOwnTimestamp = false;
    this.timestampMs = 0;
    let after = valueEnd;
    if (after < end && !isExemplarStart(body, after)) {
      after = tokenEnd(body, valueEnd + 1, end);
      if (!this.#number.parse(body, valueEnd + 1, after)) return -1;
      // Toward zero in double arithmetic, as Prometheus: 1700000000.1239 is …000123.
      this.timestampMs = Math.trunc(this.#number.value * 1000);
      this.hasOwnTimestamp = true;
      if (!Number.isSafeInteger(this.timestampMs)) return -1;
      if (after < end && !isExemplarStart(body, after)) return -1;
    }
    if (isLikeLast) return after;
    if (this.#hasNonAscii && !isUtf8(body.subarray(at, close))) return -1;
    this.#encode(body);
    this.#rememberLast(body, at, close);
    return after;
  }

  /**
   * The exemplars of a service differ in their ids, not in names, lengths and punctuation. If all but the values
   * is as in the last one, `labels` is right but for the values, which are put in place.
   */
  #takeValues(body: Buffer, at: number, end: number): boolean {
    const length = this.#lastLength;
    // Whenever this returns false, `#bounds` are about to be those of another exemplar.
    if (length === 0 || at + length > end) return this.#forgetLast();
    const last = this.#last;
    const shift = at - this.#lastAt;
    let same = at;
    let to = 0;
    for (let i = 0; i < this.#count; i++) {
      const bounds = 4 * this.#order[i]!;
      const valueEnd = this.#bounds[bounds + 3]! + shift;
      to += this.#bounds[bounds + 1]! - this.#bounds[bounds]! + 1;
      for (let from = this.#bounds[bounds + 2]! + shift; from < valueEnd; from++) {
        const byte = body[from]!;
        if (PLAIN_BYTES[byte] === 0) return this.#forgetLast();
        this.labels[to++] = byte;
      }
      to++;
    }
    for (let i = 0; i < this.#count; i++) {
      const valueStart = this.#bounds[4 * i + 2]! + shift;
      for (; same < valueStart; same++) if (body[same] !== last[same - at]) return this.#forgetLast();
      same = this.#bounds[4 * i + 3]! + shift;
    }
    for (; same < at + length; same++) if (body[same] !== last[same - at]) return this.#forgetLast();
    return true;
  }

  /** `labels` may hold some of the new values by now. */
  #forgetLast(): false {
    this.#lastLength = 0;
    return false;
  }

  #rememberLast(body: Buffer, at: number, close: number): void {
    const length = close + 1 - at;
    let encodedLength = 0;
    for (let i = 0; i < 4 * this.#count; i += 2) encodedLength += this.#bounds[i + 1]! - this.#bounds[i]! + 1;
    // Of equal length: no label was left out, and nothing was unescaped.
    const isPlain = !this.#hasEscape && !this.#hasNonAscii && encodedLength === this.labelsLength;
    this.#lastLength = isPlain && length <= MAX_REPEATED_BYTES ? body.copy(this.#last, 0, at, close + 1) : 0;
    this.#lastAt = at;
  }

  /** Finds the bounds of every label. @returns the closing brace, -1 when malformed */
  #scanLabels(body: Buffer, start: number, end: number): number {
    this.#count = 0;
    this.#hasEscape = false;
    this.#hasNonAscii = false;
    this.#hasEscapedName = false;
    let at = start;
    while (at < end && body[at] !== CLOSE) {
      if (this.#count === MAX_LABELS) return -1;
      const bounds = 4 * this.#count;
      const isQuoted = body[at] === QUOTE;
      const nameEnd = isQuoted ? this.#scanQuoted(body, at + 1, end) : scanName(body, at, end);
      if (nameEnd < 0) return -1;
      if (isQuoted && this.#hasEscape) this.#hasEscapedName = true;
      this.#bounds[bounds] = isQuoted ? at + 1 : at;
      this.#bounds[bounds + 1] = nameEnd;
      at = isQuoted ? nameEnd + 1 : nameEnd;
      if (this.#bounds[bounds] === nameEnd || body[at] !== EQUALS || body[at + 1] !== QUOTE) return -1;
      const valueEnd = this.#scanQuoted(body, at + 2, end);
      if (valueEnd < 0) return -1;
      this.#bounds[bounds + 2] = at + 2;
      this.#bounds[bounds + 3] = valueEnd;
      this.#count++;
      at = valueEnd + 1;
      if (body[at] === COMMA) at++;
      else if (body[at] !== CLOSE) return -1;
    }
    return at < end ? at : -1;
  }

  /** @returns the closing quote, -1 without one */
  #scanQuoted(body: Buffer, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      const byte = body[at]!;
      if (byte === QUOTE) return at;
      if (byte === BACKSLASH) {
        this.#hasEscape = true;
        at++;
      } else if (byte >= 0x80) this.#hasNonAscii = true;
    }
    return -1;
  }

  #encode(body: Buffer): void {
    this.#sort(body);
    this.codePoints = 0;
    this.labelsLength = 0;
    for (let i = 0; i < this.#count; i++) {
      const bounds = 4 * this.#order[i]!;
      const name = this.#bounds[bounds]!;
      const nameEnd = this.#bounds[bounds + 1]!;
      const value = this.#bounds[bounds + 2]!;
      const valueEnd = this.#bounds[bounds + 3]!;
      if (i + 1 < this.#count && this.#compareNames(body, this.#order[i]!, this.#order[i + 1]!) === 0)
        continue;
      if (value === valueEnd) continue;
      this.#append(body, name, nameEnd);
      this.#append(body, value, valueEnd);
    }
    if (this.#hasEscapedName && this.codePoints < Infinity) this.#encodeAgain();
  }

  /** Names were sorted as they stand in the body, which with escapes is not their order. */
  #encodeAgain(): void {
    const labels = labelsFromPairs(labelPairs(decodeLabels(this.labels, 0, this.labelsLength)));
    const encoded = encodeLabels(labels);
    this.labelsLength = encoded.copy(this.labels);
    this.codePoints = countCodePoints(labels);
  }

  #append(body: Buffer, start: number, end: number): void {
    if (this.labelsLength + (end - start) + 1 > this.labels.length) {
      this.codePoints = Number.POSITIVE_INFINITY;
      return;
    }
    const encoded = this.labels;
    let to = this.labelsLength;
    if (this.#hasEscape || this.#hasNonAscii) to = this.#appendCarefully(body, start, end);
    else {
      for (let at = start; at < end; at++) encoded[to++] = body[at]!;
      this.codePoints += end - start;
    }
    encoded[to++] = LABEL_SEPARATOR;
    this.labelsLength = to;
  }

  #appendCarefully(body: Buffer, start: number, end: number): number {
    let to = this.labelsLength;
    for (let at = start; at < end; at++) {
      let byte = body[at]!;
      if (byte === BACKSLASH && at + 1 < end) {
        const escaped = unescapedByte(body[at + 1]!);
        if (escaped >= 0) {
          byte = escaped;
          at++;
        }
      }
      if ((byte & 0xc0) !== 0x80) this.codePoints++;
      this.labels[to++] = byte;
    }
    return to;
  }

  /** Insertion sort by name, stable so that the last of a repeated name stays last: nearly always two labels. */
  #sort(body: Buffer): void {
    const order = this.#order;
    for (let i = 0; i < this.#count; i++) {
      let at = i;
      for (; at > 0 && this.#compareNames(body, order[at - 1]!, i) > 0; at--) order[at] = order[at - 1]!;
      order[at] = i;
    }
  }

  #compareNames(body: Buffer, a: number, b: number): number {
    const bounds = this.#bounds;
    const startA = bounds[4 * a]!;
    const startB = bounds[4 * b]!;
    const lengthA = bounds[4 * a + 1]! - startA;
    const lengthB = bounds[4 * b + 1]! - startB;
    const shorter = Math.min(lengthA, lengthB);
    for (let i = 0; i < shorter; i++) {
      const order = body[startA + i]! - body[startB + i]!;
      if (order !== 0) return order;
    }
    return lengthA - lengthB;
  }
}

/** What the byte after a backslash stands for; -1 where the pair stays as it is. */
function unescapedByte(byte: number): number {
  if (byte === LETTER_N) return NEWLINE;
  return byte === BACKSLASH || byte === QUOTE ? byte : -1;
}

/** @returns the first byte after the name, -1 where none starts */
function scanName(body: Buffer, start: number, end: number): number {
  if (NAME_BYTES[body[start]!] !== 1) return -1;
  let at = start + 1;
  while (at < end && NAME_BYTES[body[at]!]! > 0) at++;
  return at;
}

/** @returns the first space at or after `start`, or `end` */
export function tokenEnd(body: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && body[at] !== SPACE) at++;
  return at;
}
