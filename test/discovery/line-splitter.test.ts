import t from 'tap';
import { LineSplitter } from '../../src/discovery/kubernetes/line-splitter.js';
import fc from '../support/properties.js';

t.test('lines are the same, however the bytes are cut', async (t) => {
  const cuts = fc.array(fc.nat(200), { maxLength: 20 });
  const lines = fc.array(
    fc.string({ unit: 'grapheme' }).map((line) => line.replace(/\s/gu, '')),
    { maxLength: 10 },
  );
  fc.assert(
    fc.property(lines, cuts, fc.constantFrom('\n', '\r\n'), (lines, cuts, end) => {
      const bytes = Buffer.from(lines.map((line) => line + end).join(''));
      const splitter = new LineSplitter(1_000_000);
      const places = [
        0,
        ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
        bytes.length,
      ];
      const got = places.slice(1).flatMap((place, i) => splitter.push(bytes.subarray(places[i], place)));
      t.strictSame(
        got,
        lines.filter((line) => line !== ''),
      );
    }),
  );
});

t.test('what is no whole line waits, and what is too long does not', async (t) => {
  const splitter = new LineSplitter(10);
  t.strictSame(splitter.push(Buffer.from('0123456789\n01234')), ['0123456789']);
  t.strictSame(splitter.push(Buffer.from('56789')), []);
  t.throws(() => splitter.push(Buffer.from('0')), { message: 'a line is longer than 10 bytes' });
});
