import type { Labels } from './labels.js';

/** One exemplar as its users see it. */
export interface Exemplar {
  readonly labels: Labels;
  readonly value: number;
  /** Milliseconds since 1970, whole. */
  readonly timestampMs: number;
  /** False where the exposition gave none, and the time of the sample or scrape stands in for it. */
  readonly hasOwnTimestamp: boolean;
}

/** An exemplar on its way in, as bytes. Whoever reads it copies what it keeps: the object is used again. */
export interface EncodedExemplar {
  readonly value: number;
  readonly timestampMs: number;
  readonly hasOwnTimestamp: boolean;
  /** Its labels in `[0, labelsLength)`, see encoded-labels; those with empty values left out. */
  readonly labels: Buffer;
  readonly labelsLength: number;
  /** Unicode code points of names and values together. */
  readonly codePoints: number;
}

/** The sample that an exemplar was exposed with. */
export interface Sample {
  readonly value: number;
  /** NaN where the series has no samples that are numbers: a native histogram. */
  readonly timestampMs: number;
  /** When the counter or histogram began; 0 where the exposition does not say. */
  readonly startMs: number;
}

/** Labels that hold the id of a trace, by the habits of client libraries; the likeliest first. */
export const TRACE_ID_LABELS: readonly string[] = ['trace_id', 'traceID', 'TraceID', 'traceId'];

/** The most code points that names and values of one exemplar may have together (OpenMetrics 1.0). */
export const MAX_EXEMPLAR_CODE_POINTS = 128;

/** Why an exemplar was refused. The order is the index of the counters in the store. */
export const REJECT_REASONS = ['out_of_order', 'too_long', 'future', 'malformed', 'blank'] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

/** What became of an exemplar shown to the store. Small integers, because it is decided on the hot path. */
export const Verdict = {
  outOfOrder: 0,
  tooLong: 1,
  future: 2,
  malformed: 3,
  blank: 4,
  accepted: 5,
  duplicate: 6,
  /** Dropped by relabelling, before the store is shown it. */
  relabelled: 7,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];
