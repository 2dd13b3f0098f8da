/**
 * The store as chunks of bytes, and back. A chunk is one kind byte and then
 *
 *   - `totals`: JSON, what outlives series
 *   - `series`: of as many series as fit, one after the other: labels, counters, exemplars from the floor on
 *
 * A snapshot is taken in slices, while the store goes on: each series is as it was at one moment, but not all at
 * the same. That is enough, because the journal from before the first slice is replayed over it, and replaying an
 * exemplar that is there (or was, and was given up) changes nothing.
 */
import { decodeLabels, encodeLabels } from '../model/encoded-labels.js';
import type { EncodedExemplar } from '../model/exemplar.js';
import { REJECT_REASONS } from '../model/exemplar.js';
import type { Metadata } from '../model/metadata.js';
import type { SeriesRef, SlotRef } from '../model/refs.js';
import type { TimeSlices } from '../util/time-slices.js';
import type { ExemplarStore, StoreTotals } from './exemplar-store.js';
import { MAX_ENCODED_BYTES } from './ring-store.js';
import type { SavedStats } from './series-stats.js';
import { NO_SLOT } from './slot-slab.js';

const KIND_TOTALS = 0;
const KIND_SERIES = 1;
const CHUNK_BYTES = 1024 * 1024;

interface Totals {
  readonly totals: StoreTotals;
  readonly metadata: readonly (readonly [metricName: string, metadata: Metadata])[];
}

/** Chunks, each lent until the next is asked for. */
export async function* snapshotChunks(store: ExemplarStore, slices: TimeSlices): AsyncGenerator<Buffer> {
  const totals: Totals = { totals: store.totals, metadata: [...store.metadata.entries()] };
  yield Buffer.concat([Buffer.of(KIND_TOTALS), Buffer.from(JSON.stringify(totals))]);
  const writer = new ByteWriter();
  writer.uint8(KIND_SERIES);
  for (const series of store.index.all()) {
    writeSeries(writer, store, series);
    if (writer.length >= CHUNK_BYTES) {
      yield writer.bytes;
      writer.clear();
      writer.uint8(KIND_SERIES);
    }
    if (slices.isOver) await slices.pause();
  }
  if (writer.length > 1) yield writer.bytes;
}

/** Fills an empty store from chunks. */
export class SnapshotRestorer {
  readonly #store: ExemplarStore;
  #totals: StoreTotals | undefined;
  #overwritten = 0;

  constructor(store: ExemplarStore) {
    this.#store = store;
  }

  /** @throws RangeError when the chunk is none */
  take(chunk: Buffer): void {
    if (chunk[0] === KIND_SERIES) {
      const reader = new ByteReader(chunk);
      while (!reader.isAtEnd) this.#overwritten += restoreSeries(reader, this.#store);
      return;
    }
    if (chunk[0] !== KIND_TOTALS) throw new RangeError(`a snapshot has no chunks of kind ${chunk[0]}`);
    const { totals, metadata } = JSON.parse(chunk.toString('utf8', 1)) as Totals;
    this.#totals = totals;
    for (const [metricName, description] of metadata) this.#store.metadata.describe(metricName, description);
  }

  /** Exemplars for which there was no place any more, under smaller caps than before. */
  get overwritten(): number {
    return this.#overwritten;
  }

  /** Whether the snapshot says what was forgotten before it. */
  get saysWhatIsForgotten(): boolean {
    return this.#totals?.forgottenUntilMs !== undefined;
  }

  /** Counters as they were, after all chunks: restoring is no accepting. */
  finish(): void {
    if (this.#totals === undefined) return;
    const overwritten = this.#totals.overwritten + this.#overwritten;
    this.#store.restoreTotals({ ...this.#totals, overwritten });
  }
}

function writeSeries(writer: ByteWriter, store: ExemplarStore, series: SeriesRef): void {
  const { rings } = store;
  const floor = rings.floorSlot(series);
  writer.text(encodeLabels(store.index.labels(series)));
  writeStats(writer, store.stats.saved(series));
  writer.float64(store.forwardedMs(series));
  writer.uint8(floor === NO_SLOT ? 0 : 1);
  writer.uint32(rings.held(series));
  if (floor !== NO_SLOT) writeExemplar(writer, store, floor);
  for (let slot = rings.oldestSlot(series); slot !== NO_SLOT; slot = rings.nextSlot(slot)) {
    writeExemplar(writer, store, slot);
  }
}

/** @returns how many of its exemplars the ring had no place for */
function restoreSeries(reader: ByteReader, store: ExemplarStore): number {
  const labels = decodeLabels(reader.text());
  const stats = readStats(reader);
  const forwardedMs = reader.float64();
  const hasFloor = reader.uint8() === 1;
  const held = reader.uint32();
  const series = store.seriesOf(labels, stats.createdMs);
  if (hasFloor) store.restoreFloor(series, readExemplar(reader));
  for (let i = 0; i < held; i++) store.replay(series, readExemplar(reader), stats.lastAcceptedMs);
  const overwritten = held - store.rings.held(series);
  store.restoreStats(series, { ...stats, overwritten: stats.overwritten + overwritten }, forwardedMs);
  return overwritten;
}

function writeExemplar(writer: ByteWriter, { rings }: ExemplarStore, slot: SlotRef): void {
  writer.float64(rings.timestampMs(slot));
  writer.float64(rings.value(slot));
  writer.uint8(rings.hasOwnTimestamp(slot) ? 1 : 0);
  writer.measured(MAX_ENCODED_BYTES, (out, at) => rings.writeLabels(slot, out, at));
}

function readExemplar(reader: ByteReader): EncodedExemplar {
  const timestampMs = reader.float64();
  const value = reader.float64();
  const hasOwnTimestamp = reader.uint8() === 1;
  const labels = reader.text();
  // Counted when it first came in.
  return { timestampMs, value, hasOwnTimestamp, labels, labelsLength: labels.length, codePoints: 0 };
}

function writeStats(writer: ByteWriter, stats: SavedStats): void {
  const counts = [stats.accepted, stats.duplicates, stats.overwritten, stats.overwrittenUnforwarded];
  for (const count of [...counts, ...stats.rejected]) writer.uint32(count);
  for (const timeMs of [stats.lastExposedMs, stats.createdMs, stats.lastAcceptedMs]) writer.float64(timeMs);
  for (const rate of [stats.shortRate, stats.longRate]) writer.float64(rate);
  writer.uint8(stats.lifetimesMs.length);
  for (const lifetimeMs of stats.lifetimesMs) writer.float64(lifetimeMs);
}

function readStats(reader: ByteReader): SavedStats {
  return {
    accepted: reader.uint32(),
    duplicates: reader.uint32(),
    overwritten: reader.uint32(),
    overwrittenUnforwarded: reader.uint32(),
    rejected: REJECT_REASONS.map(() => reader.uint32()),
    lastExposedMs: reader.float64(),
    createdMs: reader.float64(),
    lastAcceptedMs: reader.float64(),
    shortRate: reader.float64(),
    longRate: reader.float64(),
    lifetimesMs: Array.from({ length: reader.uint8() }, () => reader.float64()),
  };
}

/** Appends to a buffer that grows. */
class ByteWriter {
  #buffer = Buffer.allocUnsafe(CHUNK_BYTES + 64 * 1024);
  length = 0;

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  uint8(value: number): void {
    this.#makeRoom(1);
    this.length = this.#buffer.writeUInt8(value, this.length);
  }

  uint32(value: number): void {
    this.#makeRoom(4);
    this.length = this.#buffer.writeUInt32LE(value, this.length);
  }

  float64(value: number): void {
    this.#makeRoom(8);
    this.length = this.#buffer.writeDoubleLE(value, this.length);
  }

  text(bytes: Buffer): void {
    this.measured(bytes.length, (out, at) => at + bytes.copy(out, at));
  }

  /** Bytes with their length before them. @param write writes at most `maxBytes`, and returns where they end */
  measured(maxBytes: number, write: (out: Buffer, at: number) => number): void {
    this.#makeRoom(4 + maxBytes);
    const start = this.length + 4;
    const end = write(this.#buffer, start);
    this.#buffer.writeUInt32LE(end - start, this.length);
    this.length = end;
  }

  #makeRoom(bytes: number): void {
    if (this.length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.length + bytes));
    this.#buffer.copy(larger, 0, 0, this.length);
    this.#buffer = larger;
  }
}

/** Reads what ByteWriter wrote, behind the kind byte. Past the end it throws a RangeError. */
class ByteReader {
  readonly #bytes: Buffer;
  #at = 1;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.#advance(4));
  }

  float64(): number {
    return this.#bytes.readDoubleLE(this.#advance(8));
  }

  /** Lent with the chunk. */
  text(): Buffer {
    const length = this.uint32();
    const start = this.#advance(length);
    if (this.#at > this.#bytes.length) throw new RangeError('a text is longer than its chunk');
    return this.#bytes.subarray(start, start + length);
  }

  #advance(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}
