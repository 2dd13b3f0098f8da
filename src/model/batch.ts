/**
 * Accepted rows on their way from the store to whoever forwards or archives them, and the log between.
 * The log in memory and the journal on disk both keep this contract, so a reader never knows which it reads.
 */
import type { Labels } from './labels.js';
import type { SeriesRef } from './refs.js';

/** A series as sinks need it. One object a series, shared by all batches, valid after the store forgot it. */
export interface Series {
  readonly ref: SeriesRef;
  /** With `__name__`, target labels and relabelling done; without external labels. */
  readonly labels: Labels;
}

/**
 * The rows accepted from one scraped body, column by column: row `i` is index `i` of every column.
 * Rows of one series are in the order of acceptance. Immutable once published.
 */
export interface Batch {
  readonly length: number;
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
  readonly sampleTimestampsMs: Float64Array;
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
  /** The next batch in order. Waits for one; undefined once the signal is aborted or the log closed. */
  next(signal: AbortSignal): Promise<LoggedBatch | undefined>;
  /** Everything up to and including `position` is delivered, or counted as dropped: never wanted again. */
  confirm(position: number): void;
  /** Gives up the reader's hold on what it has not confirmed. */
  close(): void;
}

export interface BatchLog {
  append(batch: Batch): void;
  /** A reader that starts at what is appended from now on. One reader a name. */
  reader(name: string): BatchReader;
}
