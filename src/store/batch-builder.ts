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
  #sampleStartsMs: number[] = [];
  #staleSeries: Series[] = [];

  get isEmpty(): boolean {
    return this.#series.length === 0 && this.#staleSeries.length === 0;
  }

  add(series: Series, exemplar: EncodedExemplar, sample: Sample): void {
    this.#series.push(series);
    this.#timestampsMs.push(exemplar.timestampMs);
    this.#values.push(exemplar.value);
    this.#ownTimestamps.push(Number(exemplar.hasOwnTimestamp));
    this.#labels.push(Buffer.from(exemplar.labels.subarray(0, exemplar.labelsLength)));
    this.#sampleValues.push(sample.value);
    this.#sampleTimestampsMs.push(sample.timestampMs);
    this.#sampleStartsMs.push(sample.startMs);
  }

  addStale(series: Series): void {
    this.#staleSeries.push(series);
  }

  /** The batch, and a builder that is empty again. */
  take(acceptedMs: number): Batch {
    let end = 0;
    const batch: Batch = {
      length: this.#series.length,
      acceptedMs,
      series: this.#series,
      timestampsMs: Float64Array.from(this.#timestampsMs),
      values: Float64Array.from(this.#values),
      ownTimestamps: Uint8Array.from(this.#ownTimestamps),
      labelBytes: Buffer.concat(this.#labels),
      labelEnds: Uint32Array.from(this.#labels, (labels) => (end += labels.length)),
      sampleValues: Float64Array.from(this.#sampleValues),
      sampleTimestampsMs: Float64Array.from(this.#sampleTimestampsMs),
      sampleStartsMs: Float64Array.from(this.#sampleStartsMs),
      staleSeries: this.#staleSeries,
    };
    this.#series = [];
    this.#timestampsMs = [];
    this.#values = [];
    this.#ownTimestamps = [];
    this.#labels = [];
    this.#sampleValues = [];
    this.#sampleTimestampsMs = [];
    this.#sampleStartsMs = [];
    this.#staleSeries = [];
    return batch;
  }
}
