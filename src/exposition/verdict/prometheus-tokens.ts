/** Tokens of the text formats. The value is the index of the name that Prometheus gives it in errors. */
export const Token = {
  invalid: 0,
  eof: 1,
  linebreak: 2,
  whitespace: 3,
  help: 4,
  type: 5,
  unit: 6,
  eofWord: 7,
  text: 8,
  comment: 9,
  metricName: 10,
  quotedString: 11,
  braceOpen: 12,
  braceClose: 13,
  labelName: 14,
  labelValue: 15,
  comma: 16,
  equal: 17,
  timestamp: 18,
  value: 19,
} as const;
export type Token = (typeof Token)[keyof typeof Token];

export const TOKEN_NAMES = [
  'INVALID',
  'EOF',
  'LINEBREAK',
  'WHITESPACE',
  'HELP',
  'TYPE',
  'UNIT',
  'EOFWORD',
  'TEXT',
  'COMMENT',
  'MNAME',
  'QSTRING',
  'BOPEN',
  'BCLOSE',
  'LNAME',
  'LVALUE',
  'COMMA',
  'EQUAL',
  'TIMESTAMP',
  'VALUE',
] as const;

/** Byte → bits: 1 starts a label name, 2 may follow, 4 starts a metric name, 8 may follow. */
export const NAME_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (/[a-zA-Z_]/.test(character)) return 15;
  if (character === ':') return 12;
  return /[0-9]/.test(character) ? 10 : 0;
});
export const LABEL_START = 1;
export const LABEL_PART = 2;
export const METRIC_START = 4;
export const METRIC_PART = 8;

/** What both lexers show of the token read last. */
export interface Lexer {
  /** Where it starts. At the end of the body there is none, and this stays where it was. */
  readonly start: number;
  /** The first byte after it; of an invalid one, the byte that cannot be. */
  readonly at: number;
  next(): Token;
}
