import t from 'tap';
import type { Point } from '../../src/page/explore/points.js';
import { type Bounds, pointsWithin } from '../../src/page/explore/whole-answer.js';

const point = (timeMs: number, value: number): Point => ({
  timeMs,
  value,
  valueText: String(value),
  labels: {},
  series: {},
  source: 'memory',
});
const bounds = (startMs: number, endMs: number, minValue?: number, maxValue?: number): Bounds => ({
  startMs,
  endMs,
  minValue,
  maxValue,
});
const POINTS = [point(10, 1), point(20, Number.NaN), point(20, -2), point(30, 3), point(40, 4)];
const within = (inner: Bounds, outer = bounds(10, 40)) =>
  pointsWithin({ about: 'up', bounds: outer, points: POINTS }, 'up', inner)?.map(({ value }) => value);

t.test('of a whole answer, narrower ones are known, ends included', async (t) => {
  t.same(within(bounds(10, 40)), [1, Number.NaN, -2, 3, 4]);
  t.same(within(bounds(11, 30)), [Number.NaN, -2, 3]);
  t.same(within(bounds(20, 20)), [Number.NaN, -2]);
  t.same(within(bounds(21, 29)), []);
  t.same(within(bounds(10, 40, -2)), [1, -2, 3, 4], 'NaN is not above anything');
  t.same(within(bounds(10, 40, undefined, 3)), [1, -2, 3]);
  t.same(within(bounds(10, 40, 3, 3), bounds(0, 50, 2, 3)), [3]);
});

t.test('wider ones, and other questions, have to be asked', async (t) => {
  t.equal(within(bounds(9, 40)), undefined);
  t.equal(within(bounds(10, 41)), undefined);
  t.equal(within(bounds(10, 40), bounds(10, 40, 0)), undefined, 'no lower bound is lower than any');
  t.equal(within(bounds(10, 40, -1), bounds(10, 40, 0)), undefined);
  t.equal(within(bounds(10, 40, 0), bounds(10, 40, 0, 5)), undefined);
  t.equal(within(bounds(10, 40, 0, 6), bounds(10, 40, 0, 5)), undefined);
  t.equal(
    pointsWithin({ about: 'up', bounds: bounds(10, 40), points: POINTS }, 'down', bounds(10, 40)),
    undefined,
  );
});
