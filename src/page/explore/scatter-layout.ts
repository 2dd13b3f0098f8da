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
