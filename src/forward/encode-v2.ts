/**
 * Remote write 2.0: `io.prometheus.write.v2.Request`. Measured per exemplar as for 1.0, with metadata and start: 1.5 µs
 * for 135 bytes, and another 1.6 µs for snappy, which makes 67 of them. Together it costs what 1.0 does.
 */
import snappy from 'snappyjs';
import { textEnd } from '../model/encoded-labels.js';
import type { Metadata } from '../model/metadata.js';
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
import { SymbolPool, SymbolTable } from './symbol-table.js';
import type { TimeSeries } from './time-series.js';
import { WireWriter } from './wire-writer.js';

/** `Metadata.MetricType` by the word of the TYPE line; others are not specified. */
const METRIC_TYPES: ReadonlyMap<string, number> = new Map([
  ['counter', 1],
  ['gauge', 2],
  ['histogram', 3],
  ['gaugehistogram', 4],
  ['summary', 5],
  ['info', 6],
  ['stateset', 7],
]);

export class RequestV2Encoder implements Encoder {
  readonly message = 'io.prometheus.write.v2.Request';
  readonly protocol = {
    contentType: 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
    version: '2.0.0',
  };
  readonly allowsExemplarsAlone = false;
  readonly #tags = readTags('remote-write-v2.proto', {
    symbols: 'Request.symbols',
    timeseries: 'Request.timeseries',
    seriesLabels: 'TimeSeries.labels_refs',
    samples: 'TimeSeries.samples',
    exemplars: 'TimeSeries.exemplars',
    metadata: 'TimeSeries.metadata',
    sampleValue: 'Sample.value',
    sampleTimestamp: 'Sample.timestamp',
    sampleStart: 'Sample.start_timestamp',
    exemplarLabels: 'Exemplar.labels_refs',
    exemplarValue: 'Exemplar.value',
    exemplarTimestamp: 'Exemplar.timestamp',
    metadataType: 'Metadata.type',
    metadataHelp: 'Metadata.help_ref',
    metadataUnit: 'Metadata.unit_ref',
  });
  readonly #pool = new SymbolPool();
  readonly #symbols = new SymbolTable(this.#tags.symbols);
  // For all requests: buffers grow to the largest and stay.
  readonly #timeSeries = new WireWriter();
  readonly #request = new WireWriter();

  encode(all: readonly TimeSeries[]): Buffer {
    this.#symbols.start();
    const timeSeries = this.#timeSeries.reset();
    for (const one of all) this.#writeTimeSeries(timeSeries, one);
    // Symbols go first, so that a receiver can resolve references as it reads.
    const request = this.#request.reset();
    request.raw(this.#symbols.finish());
    request.raw(timeSeries.finish());
    return snappy.compress(request.finish());
  }

  #writeTimeSeries(to: WireWriter, { state, rows, samples }: TimeSeries): void {
    const start = to.begin(this.#tags.timeseries);
    state.labelSymbols ??= state.labels.map((text) => this.#pool.of(text));
    const labels = to.begin(this.#tags.seriesLabels);
    for (const symbol of state.labelSymbols) to.varint(this.#symbols.refOf(symbol));
    to.end(labels);
    for (const row of samples) this.#writeSample(to, row);
    for (const row of rows) this.#writeExemplar(to, row);
    this.#writeMetadata(to, state.series.metadata);
    to.end(start);
  }

  #writeSample(to: WireWriter, row: Row): void {
    const tags = this.#tags;
    const start = to.begin(tags.samples);
    to.varint(tags.sampleValue);
    if (row.isMarker) to.doubleBits(STALE_NAN_HIGH, STALE_NAN_LOW);
    else to.double(row.batch.sampleValues[row.index]!);
    to.varint(tags.sampleTimestamp);
    const timeMs = sampleTimeMs(row);
    to.int64(timeMs);
    const startMs = row.isMarker ? 0 : row.batch.sampleStartsMs[row.index]!;
    // Nothing begins after it was read; a clock that is off is no reason for a receiver to refuse the sample.
    if (startMs !== 0 && startMs <= timeMs) {
      to.varint(tags.sampleStart);
      to.int64(startMs);
    }
    to.end(start);
  }

  #writeExemplar(to: WireWriter, row: Row): void {
    const tags = this.#tags;
    const exemplar = to.begin(tags.exemplars);
    const bytes = labelBytes(row);
    const end = labelsEnd(row);
    const labels = to.begin(tags.exemplarLabels);
    for (let from = labelsStart(row); from < end; ) {
      const until = textEnd(bytes, from);
      to.varint(this.#symbols.refOfBytes(bytes, from, until));
      from = until + 1;
    }
    to.end(labels);
    to.varint(tags.exemplarValue);
    to.double(exemplarValue(row));
    to.varint(tags.exemplarTimestamp);
    to.int64(exemplarTimeMs(row));
    to.end(exemplar);
  }

  #writeMetadata(to: WireWriter, { type, help, unit }: Metadata): void {
    const metricType = METRIC_TYPES.get(type);
    if (metricType === undefined && help === '' && unit === '') return;
    const tags = this.#tags;
    const start = to.begin(tags.metadata);
    this.#writeNumber(to, tags.metadataType, metricType ?? 0);
    this.#writeNumber(to, tags.metadataHelp, this.#symbols.refOf(this.#pool.of(help)));
    this.#writeNumber(to, tags.metadataUnit, this.#symbols.refOf(this.#pool.of(unit)));
    to.end(start);
  }

  /** 0 is what a field is that is not there. */
  #writeNumber(to: WireWriter, tag: number, value: number): void {
    if (value === 0) return;
    to.varint(tag);
    to.varint(value);
  }
}
