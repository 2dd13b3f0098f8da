import type { Batch } from '../model/batch.js';
import { type EncodedExemplar, type Sample, Verdict } from '../model/exemplar.js';
import type { Labels } from '../model/labels.js';
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

  constructor(store: ExemplarStore, publish?: (batch: Batch) => void) {
    this.#store = store;
    this.publish = publish;
  }

  seriesOf(labels: Labels, nowMs: number): SeriesRef {
    return this.#store.seriesOf(labels, nowMs);
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
    const verdict = this.#store.append(series, exemplar, nowMs);
    if (verdict === Verdict.accepted && this.publish !== undefined) {
      this.#batch.add(this.#store.sinkSeries(series), exemplar, sample);
    }
    return verdict;
  }

  /** The body is taken in whole. */
  commit(): void {
    if (this.#batch.length > 0) this.publish?.(this.#batch.take());
  }
}
