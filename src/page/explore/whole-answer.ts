/**
 * Zooming into what has come needs no question: an answer that nothing was left out of has all the points of every
 * narrower one. With 100,000 points that is felt: they are neither sent nor read again.
 */
import { firstAtOrAfter, type Point } from './points.js';
import type { Interval } from './time-range.js';

/** What points lie in, ends included. */
export interface Bounds extends Interval {
  readonly minValue: number | undefined;
  readonly maxValue: number | undefined;
}

export interface WholeAnswer {
  /** What was asked, but for the bounds. */
  readonly about: string;
  readonly bounds: Bounds;
  /** In the order of time. */
  readonly points: readonly Point[];
}

/** @returns undefined where there may be more than the answer has */
export function pointsWithin(answer: WholeAnswer, about: string, bounds: Bounds): Point[] | undefined {
  if (answer.about !== about || !isInside(bounds, answer.bounds)) return undefined;
  const { points } = answer;
  return points
    .slice(firstAtOrAfter(points, bounds.startMs), firstAtOrAfter(points, bounds.endMs + 1))
    .filter(({ value }) => isBetween(value, bounds));
}

function isInside(inner: Bounds, outer: Bounds): boolean {
  const { minValue = Number.NEGATIVE_INFINITY, maxValue = Number.POSITIVE_INFINITY } = inner;
  return (
    inner.startMs >= outer.startMs &&
    inner.endMs <= outer.endMs &&
    (outer.minValue === undefined || minValue >= outer.minValue) &&
    (outer.maxValue === undefined || maxValue <= outer.maxValue)
  );
}

/** As the server says it: NaN is neither above nor below anything. */
function isBetween(value: number, { minValue, maxValue }: Bounds): boolean {
  return (minValue === undefined || value >= minValue) && (maxValue === undefined || value <= maxValue);
}
