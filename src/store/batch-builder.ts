import type { Batch, Series } from '../model/batch.js';
import type { EncodedExemplar, Sample } from '../model/exemplar.js';
import { grown, nextCapacity } from '../util/columns.js';

/** Collects the accepted rows of one body into a batch: in columns that are kept, and copied when the batch is whole. */
export class BatchBuilder {
  #length = 0;
  #series: Series[] = [];
  #staleSeries: Series[] = [];
  #timestampsMs = new Float64Array(0);
  #values = new Float64Array(0);
  #ownTimestamps = new Uint8Array(0);
  #labelEnds = new Uint32Array(0);
  #sampleValues = new Float64Array(0);
  #sampleTimestampsMs = new Float64Array(0);
  #sampleStartsMs = new Float64Array(0);
  #labelBytes = Buffer.alloc(0);
  #labelBytesUsed = 0;

  get isEmpty(): boolean {
    return this.#length === 0 && this.#staleSeries.length === 0;
  }

  add(series: Series, exemplar: EncodedExemplar, sample: Sample): void {
    const row = this.#length++;
    if (row === this.#timestampsMs.length) this.#growColumns();
    this.#series.push(series);
    this.#timestampsMs[row] = exemplar.timestampMs;
    this.#values[row] = exemplar.value;
    this.#ownTimestamps[row] = exemplar.hasOwnTimestamp ? 1 : 0;
    this.#sampleValues[row] = sample.value;
    this.#sampleTimestampsMs[row] = sample.timestampMs;
    this.#sampleStartsMs[row] = sample.startMs;
    this.#labelEnds[row] = this.#addLabels(exemplar.labels, exemplar.labelsLength);
  }

  addStale(series: Series): void {
    this.#staleSeries.push(series);
  }

  /** The batch, and a builder that is empty again. */
  take(acceptedMs: number): Batch {
    const length = this.#length;
    const batch: Batch = {
      length,
      acceptedMs,
      series: this.#series,
      timestampsMs: this.#timestampsMs.slice(0, length),
      values: this.#values.slice(0, length),
      ownTimestamps: this.#ownTimestamps.slice(0, length),
      labelBytes: Buffer.from(this.#labelBytes.subarray(0, this.#labelBytesUsed)),
      labelEnds: this.#labelEnds.slice(0, length),
      sampleValues: this.#sampleValues.slice(0, length),
      sampleTimestampsMs: this.#sampleTimestampsMs.slice(0, length),
      sampleStartsMs: this.#sampleStartsMs.slice(0, length),
      staleSeries: this.#staleSeries,
    };
    this.#length = 0;
    this.#labelBytesUsed = 0;
    this.#series = [];
    this.#staleSeries = [];
    return batch;
  }

  /** A loop, because the few bytes of a label set are copied sooner than a native call is made. @returns where they end */
  #addLabels(labels: Buffer, length: number): number {
    const needed = this.#labelBytesUsed + length;
    if (needed > this.#labelBytes.length) {
      const larger = Buffer.allocUnsafe(nextCapacity(this.#labelBytes.length, needed));
      this.#labelBytes.copy(larger, 0, 0, this.#labelBytesUsed);
      this.#labelBytes = larger;
    }
    const to = this.#labelBytes;
    let at = this.#labelBytesUsed;
    for (let i = 0; i < length; i++) to[at++] = labels[i]!;
    this.#labelBytesUsed = needed;
    return needed;
  }

  #growColumns(): void {
    const capacity = nextCapacity(this.#timestampsMs.length, this.#length);
    this.#timestampsMs = grown(this.#timestampsMs, capacity);
    this.#values = grown(this.#values, capacity);
    this.#ownTimestamps = grown(this.#ownTimestamps, capacity);
    this.#labelEnds = grown(this.#labelEnds, capacity);
    this.#sampleValues = grown(this.#sampleValues, capacity);
    this.#sampleTimestampsMs = grown(this.#sampleTimestampsMs, capacity);
    this.#sampleStartsMs = grown(this.#sampleStartsMs, capacity);
  }
}
