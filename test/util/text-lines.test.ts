import t from 'tap';
import { TextLines } from '../../src/util/text-lines.js';
import fc from '../support/properties.js';

t.test('lines and columns', async (t) => {
  const f = (text: string, offset: number, line: number, column: number) =>
    t.strictSame(new TextLines(text).positionOf(offset), { line, column }, JSON.stringify([text, offset]));
  f('', 0, 1, 1);
  f('ab\nc', 0, 1, 1);
  f('ab\nc', 2, 1, 3);
  f('ab\nc', 3, 2, 1);
  f('ab\nc', 4, 2, 2);
  f('ab\nc', 99, 2, 2);
  f('ab\nc', -1, 1, 1);
  f('\n\n', 1, 2, 1);
  f('\n\n', 2, 3, 1);
  f('a\r\nb', 3, 2, 1);
});

t.test('as counted by hand', async () => {
  const text = fc
    .array(fc.constantFrom('a', '\n', '\r\n', 'ü'), { maxLength: 30 })
    .map((all) => all.join(''));
  fc.assert(
    fc.property(text, fc.nat(40), (whole, offset) => {
      const before = whole.slice(0, offset).split('\n');
      const { line, column } = new TextLines(whole).positionOf(offset);
      return line === before.length && column === before.at(-1)!.length + 1;
    }),
  );
});
