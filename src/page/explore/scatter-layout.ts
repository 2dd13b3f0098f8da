import type { Axis } from './explore-state.js';
import type { Point } from './points.js';
import type { Interval } from './time-range.js';
import type { ValueScale } from './value-scale.js';

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

/** Values nearer to each other than this, of their size, are one: no axis could tell them apart. */
const LEAST_SPAN = 1e-12;

/** The values that the y axis goes through, so that all points lie inside: finite, whatever the values are. */
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
  const isOne = max - min <= LEAST_SPAN * Math.max(Math.abs(min), Math.abs(max));
  const [low, high] = axis === 'log' ? logExtent(min, max, isOne) : linearExtent(min, max, isOne);
  const least = axis === 'log' ? Number.MIN_VALUE : -Number.MAX_VALUE;
  return [Math.max(least, low), Math.min(Number.MAX_VALUE, high)];
}

function logExtent(min: number, max: number, isOne: boolean): [min: number, max: number] {
  if (isOne) return [min / 2, max * 2];
  const room = Math.exp((Math.log(max) - Math.log(min)) * MARGIN);
  return [min / room, max * room];
}

function linearExtent(min: number, max: number, isOne: boolean): [min: number, max: number] {
  // Most values measure something from zero on: then the axis starts there.
  if (isOne) return min === 0 ? [-1, 1] : min > 0 ? [0, 2 * max] : [2 * min, 0];
  const room = max * MARGIN - min * MARGIN;
  return [min >= 0 && min < max / 2 ? 0 : min - room, max + room];
}

/**
 * Where each point is drawn, in pixels from the plot's top left; NaN for those outside and those left out.
 * @param isShown of the group of each point
 */
export function placePoints(
  points: readonly Point[],
  isShown: (index: number) => boolean,
  extent: Extent,
  scale: ValueScale,
  width: number,
  height: number,
): { readonly x: Float32Array; readonly y: Float32Array } {
  const x = new Float32Array(points.length).fill(Number.NaN);
  const y = new Float32Array(points.length).fill(Number.NaN);
  const perMs = width / (extent.endMs - extent.startMs);
  points.forEach(({ timeMs, value }, index) => {
    if (timeMs < extent.startMs || timeMs > extent.endMs) return;
    if (!(value >= extent.minValue && value <= extent.maxValue) || !isShown(index)) return;
    x[index] = (timeMs - extent.startMs) * perMs;
    y[index] = height - scale.fractionOf(value) * height;
  });
  return { x, y };
}
