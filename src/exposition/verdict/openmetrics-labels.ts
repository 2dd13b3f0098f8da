import { unescapeText } from '../sample-line.js';
import { LABEL_PART, LABEL_START, NAME_BYTES } from './prometheus-tokens.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const CLOSE = 0x7d;
const LETTER_N = 0x6e;

/** Up to here, comparing each name with each is quicker than any table. */
const MAX_COMPARED = 16;

/** One label set as the specification writes it, `{name="value",…}`, by offsets into the body. */
export class OpenMetricsLabels {
  count = 0;
  /** What is wrong, and where, after `read` returned -1. */
  problem = '';
  problemAt = 0;

  readonly #body: Buffer;
  /** Of each label: start and end of its name, start and end of its value, without quotes. */
  #bounds = new Int32Array(4 * MAX_COMPARED);

  #remembered = new Int32Array(4 * MAX_COMPARED);
  #rememberedCount = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  /** Keeps where these labels stand, for the comparison with later ones. */
  remember(): void {
    if (this.#remembered.length < this.#bounds.length) this.#remembered = new Int32Array(this.#bounds.length);
    for (let i = 0; i < 4 * this.count; i++) this.#remembered[i] = this.#bounds[i]!;
    this.#rememberedCount = this.count;
  }

  /** Whether these labels are written just as those remembered, but for the value of the label `except`. */
  isAsRemembered(except: number): boolean {
    if (this.count !== this.#rememberedCount) return false;
    for (let i = 0; i < 4 * this.count; i += 2) {
      if (i === 4 * except + 2) continue;
      const at = this.#bounds[i]!;
      const then = this.#remembered[i]!;
      const length = this.#bounds[i + 1]! - at;
      if (length !== this.#remembered[i + 1]! - then || !this.#isSame(at, then, length)) return false;
    }
    return true;
  }

  /**
   * @param open the opening brace
   * @param end of the line
   * @returns the byte behind the closing brace, -1 when it is no label set
   */
  read(open: number, end: number): number {
    const body = this.#body;
    this.count = 0;
    let at = open + 1;
    if (at < end && body[at] === CLOSE) return at + 1;
    for (;;) {
      at = this.#readLabel(at, end);
      if (at < 0) return -1;
      if (at < end && body[at] === CLOSE) return at + 1;
      if (at >= end || body[at] !== COMMA)
        return this.#fail(at, 'a comma or a closing brace must follow a label');
      at++;
      if (body[at] === CLOSE) return this.#fail(at, 'no comma may stand before the closing brace');
    }
  }

  nameAt(i: number): number {
    return this.#bounds[4 * i]!;
  }

  valueAt(i: number): number {
    return this.#bounds[4 * i + 2]!;
  }

  name(i: number): string {
    return this.#body.toString('latin1', this.#bounds[4 * i], this.#bounds[4 * i + 1]);
  }

  /** Unescaped. */
  value(i: number): string {
    const text = this.#body.toString('utf8', this.#bounds[4 * i + 2], this.#bounds[4 * i + 3]);
    return text.includes('\\') ? unescapeText(text) : text;
  }

  isNamed(i: number, name: string): boolean {
    const at = this.#bounds[4 * i]!;
    if (this.#bounds[4 * i + 1]! - at !== name.length) return false;
    for (let j = 0; j < name.length; j++) if (this.#body[at + j] !== name.charCodeAt(j)) return false;
    return true;
  }

  /** @returns the label of that name, -1 without one */
  find(name: string): number {
    for (let i = 0; i < this.count; i++) if (this.isNamed(i, name)) return i;
    return -1;
  }

  /** @returns a label whose name stood before, -1 where all differ */
  findRepeated(): number {
    if (this.count > MAX_COMPARED) return this.#findRepeatedOfMany();
    const bounds = this.#bounds;
    for (let i = 1; i < this.count; i++) {
      const length = bounds[4 * i + 1]! - bounds[4 * i]!;
      for (let j = 0; j < i; j++) {
        const other = bounds[4 * j]!;
        if (bounds[4 * j + 1]! - other === length && this.#isSame(bounds[4 * i]!, other, length)) return i;
      }
    }
    return -1;
  }

  /** Unicode code points of names and values. */
  codePoints(): number {
    const bounds = this.#bounds;
    let count = 0;
    for (let at = 0; at < 4 * this.count; at += 4) {
      count += bounds[at + 1]! - bounds[at]! + codePointsOf(this.#body, bounds[at + 2]!, bounds[at + 3]!);
    }
    return count;
  }

  #isSame(a: number, b: number, length: number): boolean {
    for (let i = 0; i < length; i++) if (this.#body[a + i] !== this.#body[b + i]) return false;
    return true;
  }

  #findRepeatedOfMany(): number {
    const names = new Set<string>();
    for (let i = 0; i < this.count; i++) {
      const name = this.name(i);
      if (names.has(name)) return i;
      names.add(name);
    }
    return -1;
  }

  /** @returns the byte behind the closing quote of the value, -1 when there is no label */
  #readLabel(start: number, end: number): number {
    const body = this.#body;
    let at = start;
    if (at >= end || (NAME_BYTES[body[at]!]! & LABEL_START) === 0)
      return this.#fail(at, 'a label name must stand here: letters, digits and underscores, no digit first');
    while (at < end && (NAME_BYTES[body[at]!]! & LABEL_PART) !== 0) at++;
    const nameEnd = at;
    if (at >= end || body[at] !== EQUALS) return this.#fail(at, 'an equals sign must follow the label name');
    at++;
    if (at >= end || body[at] !== QUOTE) return this.#fail(at, 'the label value must stand in double quotes');
    const valueAt = at + 1;
    const valueEnd = closingQuote(body, valueAt, end);
    if (valueEnd < 0) return this.#fail(at, 'the label value has no closing quote');
    this.#add(start, nameEnd, valueAt, valueEnd);
    return valueEnd + 1;
  }

  #add(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const at = 4 * this.count++;
    if (at === this.#bounds.length) {
      const larger = new Int32Array(2 * at);
      larger.set(this.#bounds);
      this.#bounds = larger;
    }
    this.#bounds[at] = nameStart;
    this.#bounds[at + 1] = nameEnd;
    this.#bounds[at + 2] = valueStart;
    this.#bounds[at + 3] = valueEnd;
  }

  #fail(at: number, problem: string): -1 {
    this.problemAt = at;
    this.problem = problem;
    return -1;
  }
}

function closingQuote(body: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = body[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at++;
  }
  return -1;
}

function codePointsOf(body: Buffer, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) {
    const byte = body[at]!;
    if ((byte & 0xc0) !== 0x80) count++;
    if (byte === BACKSLASH && at + 1 < end && isEscaped(body[at + 1]!)) at++;
  }
  return count;
}

function isEscaped(byte: number): boolean {
  return byte === LETTER_N || byte === QUOTE || byte === BACKSLASH;
}
