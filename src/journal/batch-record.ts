/**
 * Batches as bytes: the body of a record of a segment. Columns are copied as they lie in memory, little endian.
 *
 *     rows u32 │ new series u32 │ stale series u32 │ label bytes u32 │ definition bytes u32 │ flags u32 │ accepted f64
 *     f64 a row:  timestamp │ value │ sample value │ sample timestamp │ sample start, with the flag HAS_STARTS
 *     u32 a row:  number of the series │ end of the labels
 *     u32:        number of each stale series │ end of the definition of each new series
 *     u8 a row:   whether the exemplar has a timestamp of its own
 *     bytes:      labels │ definitions: type FF help FF unit FF name FF value FF name FF value FF …
 *
 * A series is defined by the first record of its segment that mentions it, and numbered from 0 in that order. So
 * a segment can be read without any other, and labels, most of what is known of a row, are written once.
 */
import type { Batch, Series } from '../model/batch.js';
import { decodeLabels, encodeLabels } from '../model/encoded-labels.js';
import type { Labels } from '../model/labels.js';
import type { Metadata } from '../model/metadata.js';
import { grown, nextCapacity } from '../util/columns.js';
import { FRAME_HEADER_BYTES, sealFrame } from './frame.js';

const HEADER_BYTES = 6 * 4 + 8;
const HAS_STARTS = 1;
/** A larger buffer is not kept for the next batch. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

type Column = Float64Array | Uint32Array | Uint8Array;

/** The series of these labels. `acceptedMs` is the time of the batch that mentions it. */
export type ResolveSeries = (labels: Labels, metadata: Metadata, acceptedMs: number) => Series;

/** Writes the batches of one segment. */
export class BatchEncoder {
  /** By number. */
  readonly #defined: Series[] = [];
  /** By ref: one more than the number last given to a series of it. An array, since a map of objects costs more than all the rest. */
  #numbers = new Uint32Array(0);
  #scratch = Buffer.allocUnsafe(64 * 1024);

  /** The whole frame, lent until the next call. */
  encode(batch: Batch): Buffer {
    const definitions: Buffer[] = [];
    const rowSeries = this.#numbersOf(batch.series, definitions);
    const staleSeries = this.#numbersOf(batch.staleSeries, definitions);
    let definitionEnd = 0;
    const definitionEnds = Uint32Array.from(definitions, (bytes) => (definitionEnd += bytes.length));
    const hasStarts = hasNonZero(batch.sampleStartsMs);
    const columns: Column[] = [
      batch.timestampsMs,
      batch.values,
      batch.sampleValues,
      batch.sampleTimestampsMs,
      ...(hasStarts ? [batch.sampleStartsMs] : []),
      rowSeries,
      batch.labelEnds,
      staleSeries,
      definitionEnds,
      batch.ownTimestamps,
      batch.labelBytes,
      ...definitions,
    ];
    const length = columns.reduce((sum, { byteLength }) => sum + byteLength, HEADER_BYTES);
    const frame = this.#frameOf(length);
    const header = [
      batch.length,
      definitions.length,
      staleSeries.length,
      batch.labelBytes.length,
      definitionEnd,
    ];
    let at = FRAME_HEADER_BYTES;
    for (const count of [...header, hasStarts ? HAS_STARTS : 0]) at = frame.writeUInt32LE(count, at);
    at = frame.writeDoubleLE(batch.acceptedMs, at);
    for (const column of columns) {
      frame.set(bytesOf(column), at);
      at += column.byteLength;
    }
    sealFrame(frame);
    return frame;
  }

  /** Their numbers; those not met before get the next ones, and are added to `definitions`. */
  #numbersOf(all: readonly Series[], definitions: Buffer[]): Uint32Array {
    const numbers = new Uint32Array(all.length);
    for (let i = 0; i < all.length; i++) {
      const series = all[i]!;
      const known = (this.#numbers[series.ref] ?? 0) - 1;
      numbers[i] = known >= 0 && this.#defined[known] === series ? known : this.#define(series, definitions);
    }
    return numbers;
  }

  #define(series: Series, definitions: Buffer[]): number {
    if (series.ref >= this.#numbers.length) {
      this.#numbers = grown(this.#numbers, nextCapacity(this.#numbers.length, series.ref + 1));
    }
    definitions.push(encodeDefinition(series));
    this.#numbers[series.ref] = this.#defined.push(series);
    return this.#defined.length - 1;
  }

  #frameOf(length: number): Buffer {
    const needed = FRAME_HEADER_BYTES + length;
    if (needed > MAX_KEPT_BYTES) return Buffer.allocUnsafe(needed);
    if (needed > this.#scratch.length)
      this.#scratch = Buffer.allocUnsafe(Math.max(needed, 2 * this.#scratch.length));
    return this.#scratch.subarray(0, needed);
  }
}

function hasNonZero(column: Float64Array): boolean {
  for (let i = 0; i < column.length; i++) if (column[i] !== 0) return true;
  return false;
}

function encodeDefinition({ labels, metadata: { type, help, unit } }: Series): Buffer {
  return encodeLabels([type, help, unit, ...labels]);
}

function bytesOf({ buffer, byteOffset, byteLength }: Column): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** How many rows a record has, without reading the rest. */
export function rowsOfRecord(body: Buffer): number {
  return body.readUInt32LE(0);
}

/** Reads the batches of one segment, from the first one on. */
export class BatchDecoder {
  readonly #resolve: ResolveSeries;
  /** By number: bytes until somebody asks for the series. */
  readonly #series: (Series | Buffer)[] = [];

  constructor(resolve: ResolveSeries) {
    this.#resolve = resolve;
  }

  /**
   * Takes note of the series that a batch defines, without making the batch.
   * @returns false when the record cannot be one, whatever its checksum says
   */
  skip(body: Buffer): boolean {
    const record = RecordLayout.of(body);
    if (record === undefined) return false;
    this.#define(record);
    return true;
  }

  /** @returns undefined when the record cannot be one, whatever its checksum says */
  decode(body: Buffer): Batch | undefined {
    const record = RecordLayout.of(body);
    if (record === undefined) return undefined;
    this.#define(record);
    const { rows, acceptedMs } = record;
    const columns = record.columns();
    const rowSeries = this.#seriesOf(columns.rowSeries, acceptedMs);
    const staleSeries = this.#seriesOf(columns.staleSeries, acceptedMs);
    if (rowSeries === undefined || staleSeries === undefined) return undefined;
    return {
      length: rows,
      acceptedMs,
      series: rowSeries,
      timestampsMs: columns.timestampsMs,
      values: columns.values,
      ownTimestamps: columns.ownTimestamps,
      labelBytes: columns.labelBytes,
      labelEnds: columns.labelEnds,
      sampleValues: columns.sampleValues,
      sampleTimestampsMs: columns.sampleTimestampsMs,
      sampleStartsMs: columns.sampleStartsMs,
      staleSeries,
    };
  }

  #define(record: RecordLayout): void {
    for (const definition of record.definitions()) this.#series.push(Buffer.from(definition));
  }

  #seriesOf(numbers: Uint32Array, acceptedMs: number): Series[] | undefined {
    const all: Series[] = [];
    for (const number of numbers) {
      let series = this.#series[number];
      if (series === undefined) return undefined;
      if (Buffer.isBuffer(series)) {
        const [type = '', help = '', unit = '', ...labels] = decodeLabels(series);
        this.#series[number] = series = this.#resolve(labels, { type, help, unit }, acceptedMs);
      }
      all.push(series);
    }
    return all;
  }
}

/** Where the parts of a record lie. */
class RecordLayout {
  readonly rows: number;
  readonly acceptedMs: number;
  readonly #body: Buffer;
  readonly #newSeries: number;
  readonly #staleSeries: number;
  readonly #labelBytes: number;
  readonly #definitionBytes: number;
  readonly #hasStarts: boolean;

  private constructor(body: Buffer) {
    this.#body = body;
    this.rows = rowsOfRecord(body);
    this.#newSeries = body.readUInt32LE(4);
    this.#staleSeries = body.readUInt32LE(8);
    this.#labelBytes = body.readUInt32LE(12);
    this.#definitionBytes = body.readUInt32LE(16);
    this.#hasStarts = (body.readUInt32LE(20) & HAS_STARTS) !== 0;
    this.acceptedMs = body.readDoubleLE(24);
  }

  static of(body: Buffer): RecordLayout | undefined {
    if (body.length < HEADER_BYTES) return undefined;
    const layout = new RecordLayout(body);
    return layout.#isSound ? layout : undefined;
  }

  columns() {
    const { rows } = this;
    const columns = new ColumnReader(this.#body, HEADER_BYTES);
    return {
      timestampsMs: columns.float64(rows),
      values: columns.float64(rows),
      sampleValues: columns.float64(rows),
      sampleTimestampsMs: columns.float64(rows),
      sampleStartsMs: this.#hasStarts ? columns.float64(rows) : new Float64Array(rows),
      rowSeries: columns.uint32(rows),
      labelEnds: columns.uint32(rows),
      staleSeries: columns.uint32(this.#staleSeries),
      definitionEnds: columns.uint32(this.#newSeries),
      ownTimestamps: columns.uint8(rows),
      labelBytes: columns.bytes(this.#labelBytes),
    };
  }

  /** The definition of each new series, lent as long as the body. */
  *definitions(): Generator<Buffer> {
    const bytes = this.#body.subarray(this.#body.length - this.#definitionBytes);
    let start = 0;
    for (const end of this.#endsAt(this.#definitionEndsAt, this.#newSeries)) {
      yield bytes.subarray(start, end);
      start = end;
    }
  }

  get #isSound(): boolean {
    const perRow = (this.#hasStarts ? 5 : 4) * 8 + 2 * 4 + 1;
    const length =
      HEADER_BYTES +
      this.rows * perRow +
      (this.#staleSeries + this.#newSeries) * 4 +
      this.#labelBytes +
      this.#definitionBytes;
    if (length !== this.#body.length) return false;
    const labelEnds = this.#endsAt(this.#definitionEndsAt - (this.#staleSeries + this.rows) * 4, this.rows);
    const definitionEnds = this.#endsAt(this.#definitionEndsAt, this.#newSeries);
    return isCut(labelEnds, this.#labelBytes) && isCut(definitionEnds, this.#definitionBytes);
  }

  get #definitionEndsAt(): number {
    return this.#body.length - this.#definitionBytes - this.#labelBytes - this.rows - this.#newSeries * 4;
  }

  #endsAt(at: number, count: number): Uint32Array {
    return new ColumnReader(this.#body, at).uint32(count);
  }
}

/** Whether pieces that end there make up `length` bytes. */
function isCut(ends: Uint32Array, length: number): boolean {
  let last = 0;
  for (const end of ends) {
    if (end < last) return false;
    last = end;
  }
  return last === length;
}

/** Copies columns out of a body, one after the other. */
class ColumnReader {
  readonly #body: Buffer;
  #at: number;

  constructor(body: Buffer, at: number) {
    this.#body = body;
    this.#at = at;
  }

  float64(length: number): Float64Array {
    return this.#copyInto(new Float64Array(length));
  }

  uint32(length: number): Uint32Array {
    return this.#copyInto(new Uint32Array(length));
  }

  uint8(length: number): Uint8Array {
    return this.#copyInto(new Uint8Array(length));
  }

  bytes(length: number): Buffer {
    return this.#copyInto(Buffer.allocUnsafeSlow(length));
  }

  #copyInto<C extends Column>(column: C): C {
    bytesOf(column).set(this.#body.subarray(this.#at, this.#at + column.byteLength));
    this.#at += column.byteLength;
    return column;
  }
}
