import t from 'tap';
import { AXES } from '../../src/page/explore/explore-state.js';
import { isPlaceable, placePoints, valueExtent } from '../../src/page/explore/scatter-layout.js';
import { describe } from '../../src/page/explore/suggest.js';
import { evenSplits, logSplits, valueScale } from '../../src/page/explore/value-scale.js';
import fc from '../support/properties.js';

const isBetween = (min: number, max: number) => (value: number) => value >= min && value <= max;

t.test('round values on a logarithmic axis', async (t) => {
  t.same(logSplits(0.00104238, 9.2, 12), [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]);
  t.same(logSplits(0.9, 110, 9), [1, 2, 5, 10, 20, 50, 100]);
  t.same(logSplits(1e-9, 1e9, 6), [1e-9, 1e-6, 0.001, 1, 1000, 1e6, 1e9]);
  t.same(logSplits(2, 9.5, 12), [2, 3, 4, 5, 6, 7, 8, 9]);
  t.same(
    logSplits(4.7e-2, 1, 12),
    [0.05, 0.1, 0.2, 0.5, 1],
    'fewer digits where an axis begins with the close ones',
  );
  t.same(logSplits(0.3, 0.4, 5), [0.3, 0.32, 0.34, 0.36, 0.38, 0.4], 'evenly where the axis is short');
  t.same(logSplits(10.5, 22.6, 10), [12, 14, 16, 18, 20, 22], 'and where it has hardly one such digit');
  t.same(logSplits(1.05, 8.3, 7), [2, 4, 6, 8]);
});

t.test('never none, never many, always inside', async (t) => {
  for (let low = -9; low < 9; low += 0.37)
    for (const length of [0.01, 0.1, 0.3, 0.34, 0.7, 1, 2.5, 6, 14])
      for (const most of [4, 7, 12]) {
        const [min, max] = [10 ** low, 10 ** (low + length)];
        const splits = logSplits(min, max, most);
        const isFine = splits.length > 0 && splits.length <= most + 2 && splits.every(isBetween(min, max));
        if (!isFine) t.fail(`${min} … ${max}, ${most}: ${splits}`);
      }
});

t.test('few values however long the axis', async (t) => {
  t.same(
    logSplits(1e-300, 1e300, 12),
    [-300, -250, -200, -150, -100, -50, 0, 50, 100, 150, 200, 250, 300].map((exponent) =>
      Number(`1e${exponent}`),
    ),
  );
  t.same(logSplits(5e-324, 5, 4), [1e-300, 1e-200, 1e-100, 1]);
  t.same(logSplits(5e-324, 1e-323, 12), [5e-324, 1e-323]);
  t.same(evenSplits(-1.7e308, 1.7e308, 4), [-1e308, 0, 1e308]);
  t.same(evenSplits(0, 1e-323, 12), [0, 5e-324, 1e-323]);
  t.same(evenSplits(-0.25, 1, 5), [0, 0.5, 1]);
});

/** Of any magnitude, near ones and extreme ones too. */
const VALUE = fc.oneof(
  fc.double(),
  fc.double({ min: -10, max: 10 }),
  fc.constantFrom(5e-324, 1e-323, -5e-324, 0, -0, 2.3e-308, 1e-300, 1, 1 + 2 ** -52, 5, 1e300, 1.7e308),
  fc.constantFrom(Number.MAX_VALUE, -Number.MAX_VALUE, Number.MAX_VALUE * (1 - 2 ** -53)),
);
const VALUES = fc.oneof(
  fc.array(VALUE, { maxLength: 3 }),
  VALUE.map((value) => [value, value * (1 + 2 ** -52)]),
  VALUE.map((value) => [value, value * (1 + 1e-9)]),
);
const MOST = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.double({ min: 0, max: 60, noNaN: true }));

const isAscending = (values: readonly number[]) =>
  values.every((value, at) => at === 0 || value > values[at - 1]!);

t.test('an axis for whatever values', async () => {
  for (const axis of AXES)
    fc.assert(
      fc.property(VALUES, MOST, (values, most) => {
        const points = values.map((value) => ({
          timeMs: 1,
          value,
          valueText: '',
          series: {},
          labels: {},
          source: 'memory' as const,
        }));
        const [minValue, maxValue] = valueExtent(points, axis);
        const placeable = values.filter((value) => isPlaceable(value, axis));
        const isFit =
          Number.isFinite(minValue) &&
          Number.isFinite(maxValue) &&
          minValue < maxValue &&
          (axis === 'linear' || minValue > 0) &&
          placeable.every(isBetween(minValue, maxValue));
        const scale = valueScale(minValue, maxValue, axis);
        const splits = scale.splits(most);
        const extent = { startMs: 0, endMs: 2, minValue, maxValue };
        const { y } = placePoints(points, () => true, extent, scale, 2, 100);
        return (
          isFit &&
          splits.length > 0 &&
          splits.length <= 14 &&
          isAscending(splits) &&
          splits.every(isBetween(minValue, maxValue)) &&
          values.every((value, at) =>
            isPlaceable(value, axis) ? isBetween(-1e-3, 100.001)(y[at]!) : Number.isNaN(y[at]),
          )
        );
      }),
      { numRuns: 5000 },
    );
});

t.test('an axis between whatever bounds, as users choose them', async () => {
  const finite = VALUE.filter(Number.isFinite);
  for (const axis of AXES)
    fc.assert(
      fc.property(
        finite,
        finite,
        MOST,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (a, b, most, fraction) => {
          const [min, max] = a < b ? [a, b] : [b, a];
          fc.pre(min < max && isPlaceable(min, axis));
          const scale = valueScale(min, max, axis);
          const splits = scale.splits(most);
          return (
            scale.fractionOf(min) === 0 &&
            scale.fractionOf(max) === 1 &&
            isBetween(min, max)(scale.valueAt(fraction)) &&
            splits.length <= 14 &&
            isAscending(splits) &&
            splits.every(isBetween(min, max))
          );
        },
      ),
      { numRuns: 5000 },
    );
});

t.test('metadata of a family describes its series', async (t) => {
  const of = (help: string) => [{ type: 'counter', help, unit: '' }];
  const metadata = { x: of('family'), y_total: of('whole'), z_count: of('a counter of its own') };
  t.equal(describe('x_bucket', metadata).help, 'family');
  t.equal(describe('x_total', metadata).help, 'family');
  t.equal(describe('y_total', metadata).help, 'whole');
  t.equal(describe('z_count', metadata).help, 'a counter of its own');
  t.same(describe('constructor', metadata), {});
});
