import t from 'tap';
import { counted, formatExact, formatNumber, parseNumber } from '../../src/page/format/number.js';
import { formatDuration, parseDuration, roughDuration } from '../../src/page/format/time.js';

t.test('durations', async (t) => {
  const same = (seconds: number, text: string) => {
    t.equal(formatDuration(seconds), text);
    t.equal(parseDuration(text), seconds);
  };
  same(45, '45s');
  same(5400, '1h30m');
  same(86_400, '1d');
  same(604_800, '1w');
  same(8 * 86_400, '8d');
  same(90_061, '1d1h1m1s');
  t.equal(formatDuration(0.25), '0.25s');
  t.equal(parseDuration(' 1h 30m '), 5400);
  for (const wrong of ['', '1', 'h', '1.5h', '-1h', '0s', '1y']) t.equal(parseDuration(wrong), undefined);
  t.equal(roughDuration(90_061), '1d 1h');
});

t.test('numbers', async (t) => {
  const text = (value: number, want: string) => t.equal(formatNumber(value), want);
  text(0, '0');
  text(0.123456789, '0.123457');
  text(1_234_567.8, '1234570');
  text(0.00001234, '1.23e-5');
  text(2e12, '2.00e12');
  text(Number.NaN, 'NaN');
  text(Number.NEGATIVE_INFINITY, '-Inf');
  t.same([0, 1e-8, 0.3, 1.0000001, 1_234_567.8, 1.005e10, 1_000_000_001, -2e12].map(formatExact), [
    '0',
    '1e-8',
    '0.3',
    '1.0000001',
    '1234567.8',
    '1.005e10',
    '1.000000001e9',
    '-2e12',
  ]);
  t.same(['+Inf', '-Inf', 'NaN', '1e3', ''].map(parseNumber), [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    1000,
    Number.NaN,
  ]);
  t.equal(counted(1, 'exemplar'), '1 exemplar');
  t.equal(counted(2000, 'exemplar'), '2,000 exemplars');
});
