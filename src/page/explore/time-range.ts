import {
  formatDateTime,
  formatDuration,
  formatIso,
  MAX_DURATION_SECONDS,
  parseDuration,
  roughDuration,
} from '../format/time.js';

/** The last so many seconds, or between two moments. */
export type TimeRange =
  | { readonly kind: 'last'; readonly seconds: number }
  | { readonly kind: 'between'; readonly startMs: number; readonly endMs: number };

export const DEFAULT_RANGE: TimeRange = { kind: 'last', seconds: 3600 };

/** Offered beside "custom". */
export const USUAL_RANGES: readonly { readonly seconds: number; readonly name: string }[] = [
  { seconds: 900, name: 'Last 15 minutes' },
  { seconds: 3600, name: 'Last hour' },
  { seconds: 6 * 3600, name: 'Last 6 hours' },
  { seconds: 86_400, name: 'Last day' },
  { seconds: 7 * 86_400, name: 'Last 7 days' },
];

/** Of the last year that is written with four digits. */
const MAX_END_MS = Date.UTC(9999, 11, 31);

/** @returns undefined where the texts name no range; the default where there are none */
export function parseRange(
  range: string | null,
  start: string | null,
  end: string | null,
): TimeRange | undefined {
  if (start !== null || end !== null) return rangeBetween(Date.parse(start ?? ''), Date.parse(end ?? ''));
  if (range === null) return DEFAULT_RANGE;
  const seconds = parseDuration(range);
  return seconds === undefined ? undefined : { kind: 'last', seconds };
}

/** @returns undefined unless the end is after the start */
export function rangeBetween(startMs: number, endMs: number): TimeRange | undefined {
  return endMs > startMs ? { kind: 'between', startMs, endMs } : undefined;
}

/** For the URL; nothing for the default. */
export function rangeParameters(range: TimeRange): readonly (readonly [string, string])[] {
  if (range.kind === 'between') {
    return [
      ['start', formatIso(range.startMs)],
      ['end', formatIso(range.endMs)],
    ];
  }
  return isDefault(range) ? [] : [['range', formatDuration(range.seconds)]];
}

function isDefault(range: TimeRange): boolean {
  return range.kind === 'last' && DEFAULT_RANGE.kind === 'last' && range.seconds === DEFAULT_RANGE.seconds;
}

export interface Interval {
  readonly startMs: number;
  readonly endMs: number;
}

export function intervalOf(range: TimeRange, nowMs: number): Interval {
  return range.kind === 'between' ? range : { startMs: nowMs - range.seconds * 1000, endMs: nowMs };
}

/** Twice as long, around the same middle, or up to now as before; not from before there were computers. */
export function widened(range: TimeRange): TimeRange {
  if (range.kind === 'last')
    return { kind: 'last', seconds: Math.min(2 * range.seconds, MAX_DURATION_SECONDS) };
  const half = Math.min((range.endMs - range.startMs) / 2, MAX_DURATION_SECONDS * 1000);
  return {
    kind: 'between',
    startMs: Math.max(Math.min(0, range.startMs), range.startMs - half),
    endMs: Math.min(Math.max(MAX_END_MS, range.endMs), range.endMs + half),
  };
}

/** For reading: `last 6h`, or both moments. */
export function describeRange(range: TimeRange): string {
  if (range.kind === 'last') return `last ${formatDuration(range.seconds)}`;
  const { startMs, endMs } = range;
  const length = roughDuration((endMs - startMs) / 1000);
  return `${formatDateTime(startMs).slice(0, 19)} – ${formatDateTime(endMs).slice(0, 19)} (${length})`;
}
