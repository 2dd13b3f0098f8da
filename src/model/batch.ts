/**
 * Accepted rows on their way from the store to whoever forwards or archives them, and the log between.
 * The log in memory and the journal on disk both keep this contract, so a reader never knows which it reads.
 */
import type { Labels } from './labels.js';
import type { Metadata } from './metadata.js';
import type { SeriesRef } from './refs.js';

/**
 * A series as sinks need it. While the store knows a series there is one object for it, shared by all batches.
 * After it was forgotten, or in another process, there may be another with the same labels and hash.
 */
export interface Series {
  /** `NO_SERIES` where the store no longer knows it. */
  readonly ref: SeriesRef;
  /** With `__name__`, target labels and relabelling done; without external labels. */
  readonly labels: Labels;
  /** 31 bits of the labels, the same in every process. */
  readonly hash: number;
  /** What the exposition said when the series was first met. */
  readonly metadata: Metadata;
}

/**
 * The rows accepted from one scraped body, column by column: row `i` is index `i` of every column.
 * Rows of one series are in the order of acceptance. Immutable once published.
 */
export interface Batch {
  readonly length: number;
  /** When the body was scraped, milliseconds since 1970. */
  readonly acceptedMs: number;
  readonly series: readonly Series[];
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
  /** 1 where the exposition gave the exemplar a timestamp. */
  readonly ownTimestamps: Uint8Array;
  /** Exemplar labels of row `i`: bytes `[labelEnds[i - 1] ?? 0, labelEnds[i])`, see encoded-labels. */
  readonly labelBytes: Buffer;
  readonly labelEnds: Uint32Array;
  /** The sample of the exemplar's line: what self-contained forwarding sends with it. */
  readonly sampleValues: Float64Array;
  /** NaN where there is no sample to send: the series is a native histogram. */
  readonly sampleTimestampsMs: Float64Array;
  /** When the counter or histogram behind the sample began; 0 where the exposition does not say. */
  readonly sampleStartsMs: Float64Array;
  /** Series that their target has stopped exposing, as of `acceptedMs`. They are no rows. */
  readonly staleSeries: readonly Series[];
}

/** Where the exemplar labels of a row start in `labelBytes`. */
export function labelsStartOf(batch: Batch, row: number): number {
  return row === 0 ? 0 : batch.labelEnds[row - 1]!;
}

/** A batch with its place in the log. Positions rise by one a batch, and outlive restarts where the log does. */
export interface LoggedBatch {
  readonly position: number;
  readonly batch: Batch;
}

export interface BatchReader {
  readonly name: string;
  /** Rows in the log that this reader has not confirmed. */
  readonly pendingRows: number;
  /** Rows this reader never got to, because the log had to drop them to stay inside its bounds. */
  readonly lostRows: number;
  /**
   * The next batch in order. Waits for one; undefined once the signal is aborted or the log closed.
   * One caller at a time. Never rejects.
   */
  next(signal: AbortSignal): Promise<LoggedBatch | undefined>;
  /** Everything up to and including `position` is delivered, or counted as dropped: never wanted again. */
  confirm(position: number): void;
  /** What was handed out and not confirmed is handed out again. Not while a `next` waits. */
  rewind(): void;
  /** The reader is not wanted any more: gives up its name, its place, and its hold on what it has not confirmed. */
  close(): void;
}

/** Where a reader starts that the log has not met before: at the oldest batch it has, or (default) at what comes next. */
export type ReaderStart = 'oldest' | 'now';

export interface BatchLog {
  /** Whether what readers have not confirmed is still there after a restart. */
  readonly isDurable: boolean;
  append(batch: Batch): void;
  /**
   * One reader a name. A durable log remembers the place of a reader by its name.
   * @throws Error when the name is taken
   */
  reader(name: string, start?: ReaderStart): BatchReader;
  /**
   * Which readers whose names begin with `prefix` are still wanted. The places of the others, and what is kept for
   * them, are given up: they are gone from the configuration, perhaps since before this process began.
   */
  forgetReadersExcept(prefix: string, names: ReadonlySet<string>): void;
  /** Nothing is appended and handed out any more. Calling again gives the same. */
  close(): void | Promise<void>;
}
