import type { Batch, Series } from '../model/batch.js';
import type { EncodedExemplar, Sample } from '../model/exemplar.js';

/** Collects the accepted rows of one body into a batch. */
export class BatchBuilder {
  #series: Series[] = [];
  #timestampsMs: number[] = [];
  #values: number[] = [];
  #ownTimestamps: number[] = [];
  #labels: Buffer[] = [];
  #sampleValues: number[] = [];
  #sampleTimestampsMs: number[] = [];

  get length(): number {
    return this.#series.length;
  }

  add(series: Series, exemplar: EncodedExemplar, sample: Sample): void {
    this.#series.push(series);
    this.#timestampsMs.push(exemplar.timestampMs);
    this.#values.push(exemplar.value);
    this.#ownTimestamps.push(Number(exemplar.hasOwnTimestamp));
    this.#labels.push(Buffer.from(exemplar.labels.subarray(0, exemplar.labelsLength)));
    this.#sampleValues.push(sample.value);
    this.#sampleTimestampsMs.push(sample.timestampMs);
  }

  /** The batch, and a builder that is empty again. */
  take(): Batch {
    let end = 0;
    const batch: Batch = {
      length: this.#series.length,
      series: this.#series,
      timestampsMs: Float64Array.from(this.#timestampsMs),
      values: Float64Array.from(this.#values),
      ownTimestamps: Uint8Array.from(this.#ownTimestamps),
      labelBytes: Buffer.concat(this.#labels),
      labelEnds: Uint32Array.from(this.#labels, (labels) => (end += labels.length)),
      sampleValues: Float64Array.from(this.#sampleValues),
      sampleTimestampsMs: Float64Array.from(this.#sampleTimestampsMs),
    };
    this.#series = [];
    this.#timestampsMs = [];
    this.#values = [];
    this.#ownTimestamps = [];
    this.#labels = [];
    this.#sampleValues = [];
    this.#sampleTimestampsMs = [];
    return batch;
  }
}
