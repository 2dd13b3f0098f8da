/** Numbers as Go's `ParseFloat` takes them, judged as bytes: bodies of megabytes hold little else. */

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const UPPER_E = 0x45;
const LOWER_E = 0x65;

/** No number of so few digits, without an exponent, is out of the range of a double. */
const SAFE_DIGITS = 308;

export const NumberKind = { none: 0, outOfRange: 1, infinite: 2, nan: 3, finite: 4 } as const;
export type NumberKind = (typeof NumberKind)[keyof typeof NumberKind];

/** What `bytes[start, end)` is, all of it. No hex, no underscores; linear in its length. */
export function numberKind(bytes: Buffer, start: number, end: number): NumberKind {
  let at = start;
  if (bytes[at] === MINUS || bytes[at] === PLUS) at++;
  const integerAt = at;
  at = digitsEnd(bytes, at, end);
  const integerDigits = at - integerAt;
  let digits = integerDigits;
  if (at < end && bytes[at] === POINT) {
    const fractionAt = at + 1;
    at = digitsEnd(bytes, fractionAt, end);
    digits += at - fractionAt;
  }
  if (digits === 0) return wordKind(bytes, start, end);
  if (at === end) return integerDigits <= SAFE_DIGITS ? NumberKind.finite : rangeOf(bytes, start, end);
  if (bytes[at] !== LOWER_E && bytes[at] !== UPPER_E) return NumberKind.none;
  at++;
  if (bytes[at] === MINUS || bytes[at] === PLUS) at++;
  const exponentAt = at;
  at = digitsEnd(bytes, at, end);
  return at === end && at > exponentAt ? rangeOf(bytes, start, end) : NumberKind.none;
}

/** Why Go refuses what is no number, in its words. */
export function goNumberError(bytes: Buffer, start: number, end: number, quoted: string): string | undefined {
  for (let at = start; at < end; at++) {
    const character = String.fromCharCode(bytes[at]!);
    if (character === 'p' || character === 'P' || character === '_') return 'unsupported character in float';
  }
  const kind = numberKind(bytes, start, end);
  if (kind === NumberKind.none) return `strconv.ParseFloat: parsing ${quoted}: invalid syntax`;
  return kind === NumberKind.outOfRange
    ? `strconv.ParseFloat: parsing ${quoted}: value out of range`
    : undefined;
}

function digitsEnd(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
  return at;
}

function rangeOf(bytes: Buffer, start: number, end: number): NumberKind {
  return Number.isFinite(Number(bytes.toString('latin1', start, end)))
    ? NumberKind.finite
    : NumberKind.outOfRange;
}

const LONGEST_WORD = '+infinity'.length;

function wordKind(bytes: Buffer, start: number, end: number): NumberKind {
  if (end - start < 3 || end - start > LONGEST_WORD) return NumberKind.none;
  const word = bytes.toString('latin1', start, end).toLowerCase();
  if (word === 'nan') return NumberKind.nan;
  return /^[+-]?inf(inity)?$/.test(word) ? NumberKind.infinite : NumberKind.none;
}
