import type { Labels, SeriesExemplars, Source } from '../api/answers.js';
import { parseNumber } from '../format/number.js';
import type { LabelFilter } from './label-filter.js';

/** An exemplar, as a point of the chart and a row of the table. */
export interface Point {
  readonly timeMs: number;
  readonly value: number;
  /** As the server wrote it, all digits. */
  readonly valueText: string;
  /** Shared by points of one series. */
  readonly series: Labels;
  readonly labels: Labels;
  readonly source: Source;
}

/** No more are held, whatever a live stream brings. */
export const MAX_POINTS = 100_000;

/** In the order of time. */
export function pointsOf(answer: readonly SeriesExemplars[]): Point[] {
  const points: Point[] = [];
  for (const { seriesLabels, exemplars } of answer) {
    for (const { labels, value, timestamp, source } of exemplars) {
      points.push({
        timeMs: Math.round(timestamp * 1000),
        value: parseNumber(value),
        valueText: value,
        series: seriesLabels,
        labels,
        // What the stream brings has just been accepted into a ring.
        source: source ?? 'memory',
      });
    }
  }
  return points.sort(byTime);
}

const byTime = (a: Point, b: Point) => a.timeMs - b.timeMs;

/**
 * Points of a live stream put among those there are. Those from before the window leave, and of more than
 * `max` the oldest. What a query and the stream both brought is there once.
 */
export function mergePoints(
  points: readonly Point[],
  more: readonly Point[],
  startMs: number,
  max = MAX_POINTS,
): readonly Point[] {
  const added = more.filter((point) => point.timeMs >= startMs && !includesPoint(points, point));
  const isWithin = points.length <= max && (points.length === 0 || points[0]!.timeMs >= startMs);
  if (added.length === 0 && isWithin) return points;
  // Two sorted runs: the sort only merges them.
  const all = points.concat(added).sort(byTime);
  return all.slice(Math.max(firstAtOrAfter(all, startMs), all.length - max));
}

function includesPoint(points: readonly Point[], point: Point): boolean {
  for (let index = firstAtOrAfter(points, point.timeMs); index < points.length; index++) {
    const other = points[index]!;
    if (other.timeMs !== point.timeMs) return false;
    if (isSamePoint(other, point)) return true;
  }
  return false;
}

export function isSamePoint(a: Point, b: Point): boolean {
  return (
    a.timeMs === b.timeMs &&
    a.valueText === b.valueText &&
    isSameLabels(a.labels, b.labels) &&
    isSameLabels(a.series, b.series)
  );
}

function isSameLabels(a: Labels, b: Labels): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && a[name] === b[name])
  );
}

/** The index of the first point at that time or later; points in the order of time. */
export function firstAtOrAfter(points: readonly Point[], timeMs: number): number {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle]!.timeMs < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where a point is in the order of time; a refreshed answer has it as another object. */
export function indexOfPoint(point: Point | undefined, points: readonly Point[]): number | undefined {
  if (point === undefined) return undefined;
  for (let index = firstAtOrAfter(points, point.timeMs); index < points.length; index++) {
    if (points[index]!.timeMs !== point.timeMs) return undefined;
    if (points[index] === point || isSamePoint(points[index]!, point)) return index;
  }
  return undefined;
}

/** Of the exemplar, else of its series; empty where neither has it. Names are anything, `constructor` too. */
export function labelOf(point: Point, name: string): string {
  if (Object.hasOwn(point.labels, name)) return point.labels[name]!;
  return Object.hasOwn(point.series, name) ? point.series[name]! : '';
}

export function isMatching(point: Point, filters: readonly LabelFilter[]): boolean {
  return filters.every(
    ({ name, operator, value }) => (labelOf(point, name) === value) === (operator === '='),
  );
}

export interface LabelSummary {
  readonly name: string;
  readonly isOfSeries: boolean;
  /** Whether points differ in it. */
  readonly isVarying: boolean;
}

/** The labels that points have: of series first, each part in alphabetical order. */
export function summariseLabels(points: readonly Point[]): LabelSummary[] {
  const seen = new Map<string, { isOfSeries: boolean; isVarying: boolean; first: string; count: number }>();
  const note = (labels: Labels, isOfSeries: boolean) => {
    for (const name in labels) {
      const known = seen.get(name);
      const value = labels[name]!;
      if (known === undefined) seen.set(name, { isOfSeries, isVarying: false, first: value, count: 1 });
      else {
        known.count++;
        if (known.first !== value) known.isVarying = true;
      }
    }
  };
  let previous: Labels | undefined;
  const noted = new Set<Labels>();
  for (const point of points) {
    if (point.series !== previous && !noted.has(point.series)) {
      noted.add(point.series);
      note(point.series, true);
    }
    previous = point.series;
    note(point.labels, false);
  }
  return [...seen]
    .map(([name, { isOfSeries, isVarying, count }]) => ({
      name,
      isOfSeries,
      isVarying: isVarying || count < (isOfSeries ? noted.size : points.length),
    }))
    .sort((a, b) => Number(b.isOfSeries) - Number(a.isOfSeries) || (a.name < b.name ? -1 : 1));
}
