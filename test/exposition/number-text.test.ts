import t from 'tap';
import { NumberText } from '../../src/exposition/number-text.js';
import { cpuMs } from '../support/cpu-time.js';
import { fuzzBounds } from '../support/fuzz.js';
import fc from '../support/properties.js';

const number = new NumberText();

/** Read from the middle of a line, as it stands there. */
function read(text: string): number | undefined {
  const bytes = Buffer.from(`9${text}9`);
  return number.parse(bytes, 1, bytes.length - 1) ? number.value : undefined;
}

const f = (text: string, want: number | undefined) => t.ok(Object.is(read(text), want), JSON.stringify(text));

t.test('numbers are read as Go reads them', async () => {
  f('0', 0);
  f('-0', -0);
  f('+0', 0);
  f('007', 7);
  f('1.', 1);
  f('.5', 0.5);
  f('-.5', -0.5);
  f('+1.5', 1.5);
  f('1e3', 1000);
  f('1E+3', 1000);
  f('1.5e-7', 1.5e-7);
  f('1700000000.123', 1700000000.123);
  f('9007199254740991', 9007199254740991);
  f('9007199254740993', 9007199254740992);
  f('9.007199254740993', Number('9.007199254740993'));
  f('900719925474099.3', Number('900719925474099.3'));
  f('0.00000000000000000000001', 1e-23);
  f('123456789012345678901234567890', 1.2345678901234568e29);
  f('1e308', 1e308);
  f('1e-400', 0);
  f('inf', Number.POSITIVE_INFINITY);
  f('+Inf', Number.POSITIVE_INFINITY);
  f('-INF', Number.NEGATIVE_INFINITY);
  f('Infinity', Number.POSITIVE_INFINITY);
  f('-infinity', Number.NEGATIVE_INFINITY);
  f('nan', Number.NaN);
  f('NaN', Number.NaN);
  f('NAN', Number.NaN);
});

t.test('and nothing else is', async () => {
  const none = [
    '',
    '-',
    '+',
    '.',
    '-.',
    'e',
    'e5',
    '1e',
    '1e+',
    '1.2.3',
    '--1',
    '+-1',
    '1-',
    '1_000',
    '0x10',
  ];
  const more = [
    '0x1p-2',
    '1p3',
    '1e400',
    '-1e400',
    'infin',
    '+nan',
    '-nan',
    'nanx',
    '1 ',
    ' 1',
    '1,5',
    '\u0661',
  ];
  for (const text of [...none, ...more, 'null', '1n', '0b1', '1\n']) f(text, undefined);
});

t.test('any number comes out as JavaScript reads it, which rounds correctly too', async (t) => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 20 });
  const text = fc
    .tuple(
      fc.constantFrom('', '-', '+'),
      digits,
      fc.option(digits),
      fc.option(fc.integer({ min: -330, max: 300 })),
    )
    .map(([sign, whole, fraction, exponent]) =>
      [sign, whole, fraction === null ? '' : `.${fraction}`, exponent === null ? '' : `e${exponent}`].join(
        '',
      ),
    );
  const nearTheLimit = fc
    .tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: 1, max: 16 }))
    .map(([offset, point]) => {
      const digits = String(2n ** 53n + BigInt(offset));
      return `${digits.slice(0, point)}.${digits.slice(point)}`;
    });
  const anyDouble = fc.double().map(String);
  fc.assert(
    fc.property(fc.oneof(text, nearTheLimit, anyDouble), (text) => {
      const want = Number(text);
      const found = read(text);
      const isOverflow = !Number.isFinite(want) && !/inf|nan/i.test(text);
      return Object.is(found, isOverflow ? undefined : want);
    }),
    fuzzBounds(20_000),
  );
  t.pass();
});

t.test('no bytes make it throw, and only whole numbers pass', async (t) => {
  const shape =
    /^([+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[iI][nN][fF]([iI][nN][iI][tT][yY])?)|[nN][aA][nN])$/;
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123.e+-InfanNityp_x \u0000é') }), (text) => {
      const found = read(text);
      return found === undefined || shape.test(text);
    }),
    fuzzBounds(20_000),
  );
  t.pass();
});

t.test('what is no number after all costs linear time', async (t) => {
  const beforeMs = cpuMs();
  for (const text of ['1'.repeat(200_000), `1.${'1'.repeat(200_000)}`, `1e${'1'.repeat(200_000)}`])
    t.equal(read(`${text}x`), undefined);
  t.ok(cpuMs() - beforeMs < 1000);
});
