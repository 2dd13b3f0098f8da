import t from 'tap';
import { unquote } from '../../src/query/string-literal.js';

const cases: [string, string | undefined][] = [
  ['""', ''],
  ["'a'", 'a'],
  ['"é 漢 😀"', 'é 漢 😀'],
  ['`a\\n"b`', 'a\\n"b'],
  ['"\\a\\b\\f\\n\\r\\t\\v\\\\"', '\x07\b\f\n\r\t\v\\'],
  ['"\\x41\\101\\u00e9\\U0001F600"', 'AAé😀'],
  // Bytes of one character may be escaped one by one.
  ['"\\xc3\\xa9"', 'é'],
  ['"\\""', '"'],
  ["'\\''", "'"],
  // Go refuses the other kind of quote escaped.
  ['"\\\'"', undefined],
  ["'\\\"'", undefined],
  ['"\\q"', undefined],
  ['"\\x4"', undefined],
  ['"\\400"', undefined],
  ['"\\18"', undefined],
  ['"\\ud800"', undefined],
  ['"\\U00110000"', undefined],
];

t.test('strings as Go writes them', async (t) => {
  for (const [quoted, text] of cases) t.equal(unquote(quoted), text, quoted);
});
