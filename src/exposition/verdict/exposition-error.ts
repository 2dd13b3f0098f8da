import { isUtf8 } from 'node:buffer';

/** What is wrong with a body, and where. */
export interface ExpositionError {
  /** From 1. */
  readonly line: number;
  /** In characters (code points), from 1. */
  readonly column: number;
  readonly message: string;
}

const NEWLINE = 0x0a;

/** Of what is quoted in a message; lines may have megabytes. */
const MAX_QUOTED_BYTES = 200;

/** The error at `body[at]`, which may be the end of the body. Looks at all before it. */
export function errorAt(body: Buffer, at: number, message: string): ExpositionError {
  let line = 1;
  let lineStart = 0;
  for (let newline = body.indexOf(NEWLINE); newline >= 0 && newline < at; ) {
    line++;
    lineStart = newline + 1;
    newline = body.indexOf(NEWLINE, lineStart);
  }
  return { line, column: columnOf(body, lineStart, at), message };
}

/** Which character of its line, from 1, starts at `at`. */
export function columnOf(body: Buffer, lineStart: number, at: number): number {
  let column = 1;
  // A byte that continues a character adds none.
  for (let i = lineStart; i < at; i++) if ((body[i]! & 0xc0) !== 0x80) column++;
  return column;
}

/** Bytes as Go's `%q` shows them. Of many, the last: there is the error. */
export function goQuoted(body: Buffer, start: number, end: number): string {
  let from = Math.max(start, end - MAX_QUOTED_BYTES);
  const isCut = from > start;
  while (isCut && from < end && (body[from]! & 0xc0) === 0x80) from++;
  let text = isCut ? '…' : '';
  for (let at = from; at < end; ) {
    const length = characterLength(body, at, end);
    text += length === 0 ? byteEscape(body[at]!) : shown(body.toString('utf8', at, at + length));
    at += Math.max(1, length);
  }
  return `"${text}"`;
}

/** 0 where no valid UTF-8 starts. */
function characterLength(body: Buffer, at: number, end: number): number {
  const lead = body[at]!;
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  return at + length <= end && isUtf8(body.subarray(at, at + length)) ? length : 0;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

function shown(character: string): string {
  const known = ESCAPES[character];
  if (known !== undefined) return known;
  if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) return character;
  const code = character.codePointAt(0)!;
  if (code < 0x80) return byteEscape(code);
  return code > 0xffff
    ? `\\U${code.toString(16).padStart(8, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}

function byteEscape(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
