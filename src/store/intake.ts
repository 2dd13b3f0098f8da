import type { Batch } from '../model/batch.js';
import { type EncodedExemplar, type Sample, Verdict } from '../model/exemplar.js';
import type { Labels } from '../model/labels.js';
import type { Metadata } from '../model/metadata.js';
import type { SeriesRef } from '../model/refs.js';
import { BatchBuilder } from './batch-builder.js';
import type { ExemplarStore } from './exemplar-store.js';

/**
 * The door of the store for scraped bodies: what the store accepts also becomes a row of the body's batch, which
 * is published at the end of the body. Bodies are taken in one at a time, from `append` to `commit` without a pause.
 */
export class Intake {
  readonly #store: ExemplarStore;
  /** Undefined while nobody reads batches: then none are made. */
  publish: ((batch: Batch) => void) | undefined;
  readonly #batch = new BatchBuilder();
  /** Time of the body under way. */
  #nowMs = 0;

  constructor(store: ExemplarStore, publish?: (batch: Batch) => void) {
    this.#store = store;
    this.publish = publish;
  }

  /** Whether anyone reads batches. */
  get hasReaders(): boolean {
    return this.publish !== undefined;
  }

  seriesOf(labels: Labels, nowMs: number): SeriesRef {
    return this.#store.admit(labels, nowMs);
  }

  generation(series: SeriesRef): number {
    return this.#store.generation(series);
  }

  seenAgain(series: SeriesRef, verdict: Verdict, nowMs: number): void {
    this.#store.seenAgain(series, verdict, nowMs);
  }

  countRejected(series: SeriesRef, verdict: Verdict): void {
    this.#store.countRejected(series, verdict);
  }

  append(series: SeriesRef, exemplar: EncodedExemplar, sample: Sample, nowMs: number): Verdict {
    this.#nowMs = nowMs;
    const verdict = this.#store.append(series, exemplar, nowMs);
    if (verdict === Verdict.accepted && this.publish !== undefined) {
      this.#batch.add(this.#store.sinkSeries(series), exemplar, sample);
    }
    return verdict;
  }

  /** What the exposition says of the metric of this series. */
  describe(series: SeriesRef, metadata: Metadata): void {
    this.#store.describe(series, metadata);
  }

  /** The target has stopped exposing this series. Part of the body under way, like `append`. */
  markStale(series: SeriesRef, nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.publish !== undefined) this.#batch.addStale(this.#store.sinkSeries(series));
  }

  /** The body is taken in whole. */
  commit(): void {
    if (!this.#batch.isEmpty) this.publish?.(this.#batch.take(this.#nowMs));
  }
}
