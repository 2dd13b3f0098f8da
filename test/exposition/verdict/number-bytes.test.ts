import t from 'tap';
import { NumberKind, numberKind } from '../../../src/exposition/verdict/number-bytes.js';
import { parseGoFloat } from '../../../src/util/go-float.js';
import { fuzzBounds } from '../../support/fuzz.js';
import fc from '../../support/properties.js';

function f(text: string, want: keyof typeof NumberKind): void {
  const bytes = Buffer.from(`<${text}>`);
  t.equal(numberKind(bytes, 1, bytes.length - 1), NumberKind[want], JSON.stringify(text));
}

t.test('kinds', async () => {
  for (const text of ['0', '-1', '+1', '1.', '.5', '1e5', '1E-5', '0007', '1e-400', `${'9'.repeat(308)}`])
    f(text, 'finite');
  for (const text of ['inf', '+Inf', '-INF', 'Infinity', '-infinity']) f(text, 'infinite');
  for (const text of ['nan', 'NaN', 'NAN']) f(text, 'nan');
  for (const text of ['1e309', '-1e309', '9'.repeat(310), `${'1'.repeat(309)}e1`]) f(text, 'outOfRange');
  for (const text of [
    '',
    '+',
    '.',
    '-.',
    'e1',
    '1e',
    '1e+',
    '+nan',
    '-nan',
    'in',
    'infi',
    '1x',
    '0x1',
    '1_0',
    ' 1',
    '1 ',
    '1..',
    '1.e',
  ])
    f(text, 'none');
});

t.test('the same numbers as the reader of numbers takes', async () => {
  const texts = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'0123456789.e+-InfanNityp_x ') }),
    fc.double().map(String),
    fc
      .tuple(fc.nat(400), fc.integer({ min: -20, max: 20 }))
      .map(([power, digits]) => `1${'0'.repeat(Math.abs(digits))}e${power}`),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = Buffer.from(text, 'latin1');
      const isTaken = numberKind(bytes, 0, bytes.length) > NumberKind.outOfRange;
      return isTaken === (parseGoFloat(text) !== undefined);
    }),
    fuzzBounds(20_000),
  );
});
