import t from 'tap';
import { equalBytes, hashBytes, viewOf } from '../../src/util/bytes.js';
import { systemClock } from '../../src/util/clock.js';
import { goFloat, jsonString, secondsJson } from '../../src/util/json.js';
import { sortInSlices } from '../../src/util/sliced-sort.js';
import { TimeSlices } from '../../src/util/time-slices.js';
import { formatBytes, formatDurationMs, parseBytes, parseDurationMs } from '../../src/util/units.js';
import { fuzzBounds } from '../support/fuzz.js';
import fc from '../support/properties.js';

t.test('floats as Go writes them', async (t) => {
  const f = (value: number, want: string) => t.equal(goFloat(value), want);
  f(0, '0');
  f(-0, '-0');
  f(1, '1');
  f(-1.5, '-1.5');
  f(1e20, '100000000000000000000');
  f(1e21, '1e+21');
  f(1.5e300, '1.5e+300');
  f(1e-6, '0.000001');
  f(1e-7, '1e-07');
  f(-2.5e-9, '-2.5e-09');
  f(5e-324, '5e-324');
  f(Number.NaN, 'NaN');
  f(Number.POSITIVE_INFINITY, '+Inf');
  f(Number.NEGATIVE_INFINITY, '-Inf');
});

t.test('times as Prometheus writes them', async (t) => {
  const f = (ms: number, want: string) => t.equal(secondsJson(ms), want);
  f(0, '0');
  f(-0, '0');
  f(1, '0.001');
  f(-1, '-0.001');
  f(1500, '1.500');
  f(-1500, '-1.500');
  f(1_700_000_000_010, '1700000000.010');
  f(60_000, '60');
});

t.test('strings as Go writes them', async (t) => {
  const f = (text: string, want: string) => t.equal(jsonString(text), want);
  f('a"b\\c\n\r\t', '"a\\"b\\\\c\\n\\r\\t"');
  f('\b\f\u0000', '"\\u0008\\u000c\\u0000"');
  f('\\b\b\\f', '"\\\\b\\u0008\\\\f"');
  f('é漢😀', '"é漢😀"');
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => JSON.parse(jsonString(text)) === text));
});

t.test('durations and sizes', async (t) => {
  const duration = (text: string, want: number | undefined) => t.equal(parseDurationMs(text), want, text);
  duration('1h30m', 5_400_000);
  duration('0', 0);
  duration('1y2w3d4h5m6s7ms', 31_536_000_000 + 1_209_600_000 + 259_200_000 + 14_400_000 + 300_000 + 6_007);
  for (const bad of ['', '1', 'h', '1m1h', '1h1h', '1.5h', '-1h', ' 1h', '1H']) duration(bad, undefined);
  fc.assert(fc.property(fc.nat({ max: 1e12 }), (ms) => parseDurationMs(formatDurationMs(ms)) === ms));
  const size = (text: string, want: number | undefined) => t.equal(parseBytes(text), want, text);
  size('512MiB', 512 * 1024 ** 2);
  size('10MB', 10 * 1024 ** 2);
  size('1.5G', 1.5 * 1024 ** 3);
  size('4096', 4096);
  size('0', 0);
  for (const bad of ['', 'MB', '1X', '-1', '1.MB', '1 2']) size(bad, undefined);
  t.equal(formatBytes(1536), '1.5KiB');
  t.equal(formatBytes(0), '0B');
});

t.test('bytes compared and hashed wherever they stand', async (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 80 }),
      fc.nat({ max: 20 }),
      fc.nat({ max: 20 }),
      fc.nat(),
      (bytes, a, b, at) => {
        const place = (offset: number, fill: number) => {
          const buffer = Buffer.alloc(bytes.length + offset + 20, fill);
          buffer.set(bytes, offset);
          return buffer;
        };
        const [left, right] = [place(a, 1), place(b, 2)];
        const isEqual = () => equalBytes(viewOf(left), a, viewOf(right), b, bytes.length);
        if (
          !isEqual() ||
          hashBytes(viewOf(left), a, bytes.length) !== hashBytes(viewOf(right), b, bytes.length)
        )
          return false;
        if (bytes.length === 0) return true;
        right[b + (at % bytes.length)]! ^= 1 << (at % 8);
        return !isEqual();
      },
    ),
    fuzzBounds(5000),
  );
  t.pass();
});

t.test('a sort in slices is a stable sort', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 5000 }),
      fc.integer({ min: 1, max: 100 }),
      async (length, keys) => {
        const numbers = Uint32Array.from({ length }, (_, i) => i);
        const compare = (a: number, b: number) => ((a * 7919) % keys) - ((b * 7919) % keys);
        const wanted = [...numbers].sort(compare);
        const sorted = await sortInSlices(numbers, compare, new TimeSlices(systemClock));
        return wanted.every((number, i) => sorted[i] === number) && sorted.length === length;
      },
    ),
    fuzzBounds(100),
  );
  t.pass();
});
