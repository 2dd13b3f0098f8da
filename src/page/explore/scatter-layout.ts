import type { Axis } from './explore-state.js';
import type { Point } from './points.js';
import type { Interval } from './time-range.js';

/** What the axes show. */
export interface Extent extends Interval {
  readonly minValue: number;
  readonly maxValue: number;
}

/** Whether a point has a place on such an axis: zero and less have none on a logarithmic one, NaN nowhere. */
export function isPlaceable(value: number, axis: Axis): boolean {
  return Number.isFinite(value) && (axis === 'linear' || value > 0);
}

/** Room around the points, in the axis' own measure. */
const MARGIN = 0.05;

/** The values that the y axis goes through, so that all points lie inside. */
export function valueExtent(
  points: readonly { readonly value: number }[],
  axis: Axis,
): [min: number, max: number] {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { value } of points) {
    if (!isPlaceable(value, axis)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (min > max) return axis === 'log' ? [0.1, 10] : [0, 1];
  if (axis === 'log') {
    if (min === max) return [min / 2, max * 2];
    const room = (max / min) ** MARGIN;
    return [min / room, max * room];
  }
  // Most values measure something from zero on: then the axis starts there.
  if (min === max) return min === 0 ? [-1, 1] : min > 0 ? [0, 2 * max] : [2 * min, 0];
  const room = (max - min) * MARGIN;
  return [min >= 0 && min < max / 2 ? 0 : min - room, max + room];
}

/** What a logarithmic axis is divided by, the finest first. */
const LOG_DIGITS: readonly (readonly number[])[] = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5], [1, 3], [1]];

/** Round values between two others, to stand beside a logarithmic axis; not many more than `most`. */
export function logSplits(min: number, max: number, most: number): number[] {
  const decades = Math.log10(max / min);
  const wanted = Math.max(4, Math.floor(most));
  if (decades * 9 < 3) return evenSplits(min, max, wanted);
  const digits = LOG_DIGITS.find(({ length }) => length * decades <= wanted) ?? [1];
  const everyNth = Math.max(1, Math.ceil(decades / wanted));
  const splits: number[] = [];
  for (let exponent = Math.floor(Math.log10(min)); exponent <= Math.log10(max); exponent++) {
    if (exponent % everyNth !== 0) continue;
    // Read from text, because 3 * 10 ** -5 is not 0.00003.
    for (const digit of digits) splits.push(Number(`${digit}e${exponent}`));
  }
  return splits.filter((value) => value >= min && value <= max);
}

/** Less than a third of a decade looks even. */
function evenSplits(min: number, max: number, most: number): number[] {
  const exponent = Math.floor(Math.log10((max - min) / most));
  const step = [1, 2, 5, 10]
    .map((digit) => digit * 10 ** exponent)
    .find((each) => (max - min) / each <= most)!;
  const first = Math.ceil(min / step);
  const count = Math.floor(max / step) - first + 1;
  return Array.from({ length: count }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/**
 * Where each point is drawn, in pixels from the plot's top left; NaN for those outside and those left out.
 * @param isShown of the group of each point
 */
export function placePoints(
  points: readonly Point[],
  isShown: (index: number) => boolean,
  extent: Extent,
  axis: Axis,
  width: number,
  height: number,
): { readonly x: Float32Array; readonly y: Float32Array } {
  const x = new Float32Array(points.length).fill(Number.NaN);
  const y = new Float32Array(points.length).fill(Number.NaN);
  const scaled = axis === 'log' ? Math.log : (value: number) => value;
  const low = scaled(extent.minValue);
  const perValue = height / (scaled(extent.maxValue) - low);
  const perMs = width / (extent.endMs - extent.startMs);
  points.forEach(({ timeMs, value }, index) => {
    if (timeMs < extent.startMs || timeMs > extent.endMs) return;
    if (!(value >= extent.minValue && value <= extent.maxValue) || !isShown(index)) return;
    x[index] = (timeMs - extent.startMs) * perMs;
    y[index] = height - (scaled(value) - low) * perValue;
  });
  return { x, y };
}
