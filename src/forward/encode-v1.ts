/**
 * Remote write 1.0: `prometheus.WriteRequest`. Measured per exemplar with its sample and eight series labels: 0.9 µs
 * for 283 bytes, and another 2.2 µs for snappy, which makes 72 of them.
 */
import snappy from 'snappyjs';
import { encodeLabels, textEnd } from '../model/encoded-labels.js';
import type { Labels } from '../model/labels.js';
import { readTags } from '../util/proto-tags.js';
import {
  exemplarTimeMs,
  exemplarValue,
  labelBytes,
  labelsEnd,
  labelsStart,
  type Row,
  sampleTimeMs,
} from './delivery.js';
import { type Encoder, STALE_NAN_HIGH, STALE_NAN_LOW } from './encode.js';
import type { TimeSeries } from './time-series.js';
import { WireWriter } from './wire-writer.js';

export class WriteRequestEncoder implements Encoder {
  readonly message = 'prometheus.WriteRequest';
  readonly protocol = { contentType: 'application/x-protobuf', version: '0.1.0' };
  readonly allowsExemplarsAlone = true;
  readonly #tags = readTags('remote-write-v1.proto', {
    timeseries: 'WriteRequest.timeseries',
    // The same in TimeSeries and in Exemplar.
    labels: 'TimeSeries.labels',
    samples: 'TimeSeries.samples',
    exemplars: 'TimeSeries.exemplars',
    labelName: 'Label.name',
    labelValue: 'Label.value',
    sampleValue: 'Sample.value',
    sampleTimestamp: 'Sample.timestamp',
    exemplarValue: 'Exemplar.value',
    exemplarTimestamp: 'Exemplar.timestamp',
  });
  readonly #labelTags = {
    label: this.#tags.labels,
    name: this.#tags.labelName,
    value: this.#tags.labelValue,
  };
  // One for all requests: its buffer grows to the largest and stays.
  readonly #request = new WireWriter();
  readonly #labels = new WireWriter();

  encode(all: readonly TimeSeries[]): Buffer {
    const request = this.#request.reset();
    for (const timeSeries of all) this.#writeTimeSeries(request, timeSeries);
    return snappy.compress(request.finish());
  }

  #writeTimeSeries(to: WireWriter, { state, rows, samples }: TimeSeries): void {
    // With its labels spelt out, a series seldom takes less than 128 bytes.
    const start = to.begin(this.#tags.timeseries, 2);
    state.labelMessages ??= this.#labelMessages(state.labels);
    to.raw(state.labelMessages);
    for (const row of samples) this.#writeSample(to, row);
    for (const row of rows) this.#writeExemplar(to, row);
    to.end(start, 2);
  }

  #labelMessages(labels: Labels): Buffer {
    const bytes = encodeLabels(labels);
    this.#writeLabels(this.#labels.reset(), bytes, 0, bytes.length);
    return Buffer.from(this.#labels.finish());
  }

  #writeSample(to: WireWriter, row: Row): void {
    const tags = this.#tags;
    const start = to.begin(tags.samples);
    to.varint(tags.sampleValue);
    if (row.isMarker) to.doubleBits(STALE_NAN_HIGH, STALE_NAN_LOW);
    else to.double(row.batch.sampleValues[row.index]!);
    to.varint(tags.sampleTimestamp);
    to.int64(sampleTimeMs(row));
    to.end(start);
  }

  #writeExemplar(to: WireWriter, row: Row): void {
    const tags = this.#tags;
    const exemplar = to.begin(tags.exemplars);
    this.#writeLabels(to, labelBytes(row), labelsStart(row), labelsEnd(row));
    to.varint(tags.exemplarValue);
    to.double(exemplarValue(row));
    to.varint(tags.exemplarTimestamp);
    to.int64(exemplarTimeMs(row));
    to.end(exemplar);
  }

  /** The label set `bytes[start, end)` as repeated `labels`, without making a string. */
  #writeLabels(to: WireWriter, bytes: Buffer, start: number, end: number): void {
    for (let from = start; from < end; ) {
      const nameEnd = textEnd(bytes, from);
      const valueEnd = textEnd(bytes, nameEnd + 1);
      to.label(this.#labelTags, bytes, from, nameEnd, valueEnd);
      from = valueEnd + 1;
    }
  }
}
