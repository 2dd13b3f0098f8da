import { parseGoFloat } from '../util/go-float.js';

/** Powers of ten that a double holds exactly. */
const EXACT_POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Mantissas below are exact too (2^53 may be 2^53 + 1 rounded); a quotient of exact doubles rounds once, that is, correctly. */
const MAX_EXACT_MANTISSA = 2 ** 53;

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Reads numbers as Prometheus does: Go's `ParseFloat` without hex, underscores and overflow.
 * An object, because a function cannot return a number and "none" without boxing the number.
 */
export class NumberText {
  value = 0;

  /** Reads `bytes[start, end)`, all of it, into `value`. @returns false when it is no number */
  parse(bytes: Buffer, start: number, end: number): boolean {
    let at = start;
    const first = bytes[at];
    if (first === MINUS || first === PLUS) at++;
    let mantissa = 0;
    let fractionDigits = 0;
    let digits = 0;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte >= ZERO && byte <= NINE) {
        mantissa = mantissa * 10 + (byte - ZERO);
        digits++;
        if (fractionDigits > 0) fractionDigits++;
      } else if (byte === POINT && fractionDigits === 0) fractionDigits = 1;
      else return this.#parseSlowly(bytes, start, end);
    }
    const scale = fractionDigits > 0 ? fractionDigits - 1 : 0;
    if (digits === 0 || mantissa >= MAX_EXACT_MANTISSA || scale >= EXACT_POWERS.length) {
      return this.#parseSlowly(bytes, start, end);
    }
    const magnitude = scale === 0 ? mantissa : mantissa / EXACT_POWERS[scale]!;
    this.value = first === MINUS ? -magnitude : magnitude;
    return true;
  }

  #parseSlowly(bytes: Buffer, start: number, end: number): boolean {
    const value = parseGoFloat(bytes.toString('latin1', start, end));
    if (value === undefined) return false;
    this.value = value;
    return true;
  }
}
