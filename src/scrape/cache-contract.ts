/** What a series cache asks of the reader it serves, and of the sink behind it. */
import type { SampleLine } from '../exposition/sample-line.js';
import type { Verdict } from '../model/exemplar.js';
import type { Metadata } from '../model/metadata.js';
import { NO_SERIES, type SeriesRef } from '../model/refs.js';

/** The series of an entry that is none, though its line reads like a sample: a label name stands twice, say. */
export const MALFORMED = 0x7fff_fffe as SeriesRef;

/** The series of an entry that relabelling drops. */
export const DROPPED = 0x7fff_ffff as SeriesRef;

/** Whether the store knows the series, or may know it one day. */
export function isKnown(ref: SeriesRef): boolean {
  return ref !== MALFORMED && ref !== DROPPED;
}

export function isSeries(ref: SeriesRef): boolean {
  return ref !== NO_SERIES && isKnown(ref);
}

/** Turns a series of the exposition into one of the store, MALFORMED, DROPPED, or NO_SERIES where the store has no room. May throw. */
export type ResolveSeries = (sample: SampleLine, metricType: string | undefined) => SeriesRef;

/** What the cache asks and tells the sink by itself. */
export interface CacheSink {
  /** Whether the number still means the series it was resolved to. */
  generation(series: SeriesRef): number;
  /** The line shows what it showed last time; `verdict`: what it was then. */
  seenAgain(series: SeriesRef, verdict: Verdict, nowMs: number): void;
  /** What the comment lines before a series say, when it is first met. */
  describe(series: SeriesRef, metadata: Metadata): void;
}

/**
 * Takes in a line with something new.
 * @param seriesEnd the space before the sample's value
 * @param exemplarAt the opening brace
 * @param startMs when the counter or histogram began; 0 where the exposition does not say, or nobody wants to know
 * @returns what became of the (last) exemplar
 */
export type TakeLine = (
  series: SeriesRef,
  seriesEnd: number,
  exemplarAt: number,
  lineEnd: number,
  startMs: number,
) => Verdict;
