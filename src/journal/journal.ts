/**
 * The batch log on disk. Every accepted batch is appended to the newest segment before `append` returns, so that
 * a killed process loses nothing; once in `fsyncIntervalMs` the disk is told, so that a power failure loses no more
 * than that.
 *
 *     <directory>/
 *       journal/0000000000000000.segment …      the last `maxBytes` of batches, whoever has read them
 *       readers.json, readers.json.recent       how far each reader has come
 *
 * While the disk refuses to write, batches wait in memory; when it takes them again they go to a new segment.
 */
import * as fs from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Batch, BatchLog, BatchReader, ReaderStart } from '../model/batch.js';
import { type Clock, sleep } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { ActiveSegment } from './active-segment.js';
import type { ResolveSeries } from './batch-record.js';
import { JournalReader, type ReaderHost } from './journal-reader.js';
import type { JournalOptions } from './options.js';
import { ReaderPlaces } from './reader-places.js';
import { type Files, type JournalEntry, type Place, SegmentReader } from './segment.js';
import { listSegments, neverResolved, type Segment, Segments } from './segments.js';
import { placeAfter, Tail } from './tail.js';
import { zeroTotals } from './totals.js';

/** Small enough that dropping the oldest frees no large part of what is kept, large enough that labels are written seldom. */
const MAX_SEGMENT_BYTES = 32 * 1024 * 1024;
const MIN_SEGMENTS = 8;
/** Batches on disk that readers not far behind find in memory, too. */
const MAX_TAIL_BYTES = 64 * 1024 * 1024;
/** Batches that wait in memory while the disk refuses them. */
const MAX_UNWRITTEN_BYTES = 256 * 1024 * 1024;
const RETRY_MS = 1_000;
const WARN_INTERVAL_MS = 60_000;
/** How much is sent again after a crash, at most: what was sent since places were saved. */
const SAVE_PLACES_MS = 500;

export interface JournalParts {
  readonly directory: string;
  readonly options: JournalOptions;
  readonly resolve: ResolveSeries;
  /** Every reader has confirmed this batch, or lost it. */
  readonly onDelivered: (batch: Batch) => void;
  /** The disk was too small: at least one reader will never get this batch. */
  readonly onLost: (batch: Batch) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly files?: Files;
  readonly maxSegmentBytes?: number;
  readonly maxTailBytes?: number;
  readonly maxUnwrittenBytes?: number;
}

/** Why nothing is written at present. */
export interface WriteFailure {
  readonly error: string;
  readonly sinceMs: number;
}

export class Journal implements BatchLog {
  readonly isDurable = true;
  readonly totals = zeroTotals();

  readonly #parts: JournalParts;
  readonly #directory: string;
  #options: JournalOptions;
  #segments = new Segments([]);
  #places!: ReaderPlaces;
  readonly #readers = new Map<string, JournalReader>();
  readonly #tail = new Tail();
  /** From `open` on. */
  #active!: ActiveSegment;
  #isOpen = false;
  #next: Place = { position: 0, row: 0 };
  /** Of the first batch that is in memory alone. */
  #unwritten = 0;
  #failure: WriteFailure | undefined;
  /** Up to here a snapshot can stand in for segments. */
  #snapshotPosition = 0;
  readonly #damagedPaths = new Set<string>();
  #unreadableLogged = false;
  #lossWarnedMs = Number.NEGATIVE_INFINITY;
  #closed = false;
  #cancelRecovery = () => {};
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.#options = parts.options;
    this.#directory = join(parts.directory, 'journal');
  }

  /**
   * Reads what is there. Before anything else.
   * @throws Error when the directory cannot be used, with the reason
   */
  async open(): Promise<void> {
    const { files = fs, clock, log } = this.#parts;
    await mkdir(this.#directory, { recursive: true });
    this.#segments = await listSegments(this.#directory, (path, reason) => this.#damaged(path, reason));
    this.#active = new ActiveSegment({
      directory: this.#directory,
      segments: this.#segments,
      files,
      totals: this.totals,
      clock,
      log,
    });
    this.#places = await ReaderPlaces.load(join(this.#parts.directory, 'readers.json'));
    if (this.#places.areLost) {
      log.warn(
        { directory: this.#parts.directory },
        'readers.json is damaged: readers start at the oldest exemplar, and repeat what they had sent',
      );
    }
    const ends = [await this.#endOfSegments(), ...[...this.#places.entries()].map(([, place]) => place)];
    // Places can be ahead of segments after a power failure, and no position may ever mean two batches.
    this.#next = ends.reduce((last, place) => (place.position > last.position ? place : last));
    this.#unwritten = this.#next.position;
    this.#isOpen = true;
    this.#running = Promise.all([this.#fsyncAgainAndAgain(), this.#savePlacesAgainAndAgain()]);
  }

  // What a reader or a snapshot can ask for.

  get next(): Place {
    return this.#next;
  }

  get bytes(): number {
    return this.#segments.bytes;
  }

  get maxBytes(): number {
    return this.#options.maxBytes;
  }

  get segments(): number {
    return this.#segments.count;
  }

  get memoryBytes(): number {
    return this.#tail.bytes;
  }

  get failure(): WriteFailure | undefined {
    return this.#failure;
  }

  /** Of the first batch that some reader has not confirmed. */
  get undeliveredPosition(): number {
    return Math.min(this.#next.position, ...[...this.#readers.values()].map(({ place }) => place.position));
  }

  /** The same before any reader is there, from the places they had. */
  get undeliveredPositionAtStart(): number {
    return Math.min(this.#next.position, ...[...this.#places.entries()].map(([, place]) => place.position));
  }

  /** Of the first batch that some reader has yet to be handed. */
  get #unreadPosition(): number {
    return Math.min(this.#next.position, ...[...this.#readers.values()].map(({ cursor }) => cursor.position));
  }

  /** Bytes of the segments that hold what came at or after a position. */
  bytesFrom(position: number): number {
    return this.#segments.from(position).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  setOptions(options: JournalOptions): void {
    this.#options = options;
    this.#keepInsideMaxBytes();
  }

  /** Everything before is in a snapshot that is safe. */
  setSnapshotPosition(position: number): void {
    this.#snapshotPosition = position;
    if (position <= this.#next.position) return;
    this.#next = { position, row: this.#next.row };
    this.#unwritten = position;
  }

  /** Batches at and after a position, from the segments. What is damaged is left out, once told of, and counted. */
  async *replay(position: number, resolve: ResolveSeries): AsyncGenerator<JournalEntry> {
    for (const segment of this.#segments.from(position)) {
      const reader = await SegmentReader.open(segment.path, resolve);
      try {
        while (reader.next.position < position && (await reader.skip()));
        for (let entry = await reader.read(); entry !== undefined; entry = await reader.read()) yield entry;
        if (reader.damage !== undefined) this.#damaged(segment.path, reader.damage);
      } finally {
        await reader.close();
      }
    }
  }

  append(batch: Batch): void {
    if (this.#closed) return;
    const entry: JournalEntry = { ...this.#next, batch };
    this.#next = placeAfter(entry);
    this.#tail.add(entry);
    this.totals.appendedBatches++;
    this.totals.appendedRows += batch.length;
    if (this.#failure === undefined) this.#writeAll();
    for (const reader of this.#readers.values()) reader.appended(batch.length);
    this.#trimTail();
  }

  /** @throws Error when the name is taken */
  reader(name: string, start: ReaderStart = 'now'): BatchReader {
    if (this.#readers.has(name)) throw new Error(`the journal already has a reader "${name}"`);
    const known = this.#places.get(name);
    const isOldest = start === 'oldest' || this.#places.areLost;
    const place = known ?? (isOldest ? this.#oldest : this.#next);
    const reader = new JournalReader(name, place, this.#hostOf(name));
    this.#readers.set(name, reader);
    this.#places.set(name, reader.place);
    // Otherwise one killed before places are saved starts at what comes next again, past what came in between.
    if (known === undefined) this.#savePlacesAtOnce();
    if (this.#closed) reader.end();
    return reader;
  }

  forgetReadersExcept(prefix: string, names: ReadonlySet<string>): void {
    for (const [name, place] of [...this.#places.entries()]) {
      if (!name.startsWith(prefix) || names.has(name) || this.#readers.has(name)) continue;
      this.#abandon(name, this.#next.row - Math.max(place.row, this.#oldest.row));
    }
  }

  /** Saves how far readers have come, and has the disk write what it holds back. */
  async close(): Promise<void> {
    if (this.#closed || !this.#isOpen) return;
    this.#closed = true;
    this.#cancelRecovery();
    this.#stop.abort();
    if (this.#failure !== undefined) this.#recover();
    const unwrittenBatches = this.#next.position - this.#unwritten;
    if (unwrittenBatches > 0) {
      this.#parts.log.error(
        { batches: unwrittenBatches, ...this.#failure },
        'batches were never written, and are lost',
      );
    }
    await this.#running;
    await this.#active.sync();
    await this.#savePlaces();
    await this.#places.close().catch((error: Error) => this.#placesNotSaved(error));
    for (const reader of this.#readers.values()) reader.detach();
    await this.#active.close();
  }

  get #oldest(): Place {
    return this.#segments.oldest?.first ?? this.#tail.head ?? this.#next;
  }

  #hostOf(name: string): ReaderHost {
    const journal = this;
    return {
      resolve: this.#parts.resolve,
      get next() {
        return journal.#next;
      },
      get oldest() {
        return journal.#oldest;
      },
      fromMemory: (position) => this.#tail.get(position),
      segmentOf: (position) => this.#segments.containing(position),
      behind: (segment) => this.#segments.after(segment)?.first ?? this.#behindSegments(),
      damaged: (path, reason) => this.#damaged(path, reason),
      unreadable: (path, error, signal) => this.#unreadable(path, error, signal),
      moved: () => this.#trimTail(),
      confirmed: (entry) => this.#confirmed(entry),
      forget: (pendingRows) => {
        this.#readers.delete(name);
        this.#abandon(name, pendingRows);
        this.#trimTail();
      },
    };
  }

  /** What is not in any segment. */
  #behindSegments(): Place {
    const { head } = this.#tail;
    return head !== undefined && head.position >= this.#unwritten ? head : this.#next;
  }

  #abandon(name: string, pendingRows: number): void {
    this.#places.forget(name);
    if (pendingRows <= 0) return;
    this.totals.abandonedRows += pendingRows;
    this.#parts.log.warn(
      { reader: name, exemplars: pendingRows },
      'a reader is gone from the configuration, and what waited for it is given up; under the same name it would have kept its place',
    );
  }

  #confirmed(entry: JournalEntry): void {
    if (this.undeliveredPosition > entry.position) this.#parts.onDelivered(entry.batch);
  }

  /** Writes what is in memory alone. */
  #writeAll(): void {
    try {
      for (const entry of this.#tail.from(this.#unwritten)) {
        this.#active.append(entry, this.#maxSegmentBytes);
        this.#unwritten = entry.position + 1;
        this.#keepInsideMaxBytes();
      }
    } catch (error) {
      this.#failed(error as Error);
    }
  }

  get #maxSegmentBytes(): number {
    return Math.min(this.#parts.maxSegmentBytes ?? MAX_SEGMENT_BYTES, this.#options.maxBytes / MIN_SEGMENTS);
  }

  #failed(error: Error): void {
    const { clock, log } = this.#parts;
    this.totals.writeErrors++;
    if (this.#failure === undefined) {
      const fields = { directory: this.#directory, error: error.message };
      log.error(fields, 'the journal cannot be written: exemplars are kept in memory alone until it can');
    }
    this.#failure = { error: error.message, sinceMs: this.#failure?.sinceMs ?? clock.nowMs() };
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') this.#dropUnneeded();
    if (this.#closed) return;
    this.#cancelRecovery();
    this.#cancelRecovery = clock.after(RETRY_MS, () => this.#recover());
  }

  #recover(): void {
    const errors = this.totals.writeErrors;
    this.#writeAll();
    if (this.totals.writeErrors > errors || this.#failure === undefined) return;
    const seconds = (this.#parts.clock.nowMs() - this.#failure.sinceMs) / 1000;
    this.#failure = undefined;
    this.#parts.log.info({ directory: this.#directory, seconds }, 'the journal can be written again');
  }

  #keepInsideMaxBytes(): void {
    while (this.#segments.bytes > this.#options.maxBytes && this.#segments.count > 1) this.#dropOldest();
  }

  /** Makes room on a full disk: what all readers have, and a snapshot too. */
  #dropUnneeded(): void {
    const needed = Math.min(this.undeliveredPosition, this.#snapshotPosition);
    for (;;) {
      const { oldest } = this.#segments;
      const following = oldest && this.#segments.after(oldest);
      if (following === undefined || following.first.position > needed) return;
      this.#dropOldest();
    }
  }

  #dropOldest(): void {
    const unread = this.#unreadPosition;
    const dropped = this.#segments.dropOldest();
    if (dropped === undefined) return;
    this.totals.droppedSegments++;
    const oldest = this.#oldest;
    for (const reader of this.#readers.values()) reader.loseBefore(oldest);
    if (unread < oldest.position) this.#warnOfLoss();
    this.#active.inBackground(async () => {
      if (unread < oldest.position) await this.#reportLost(dropped, unread);
      (this.#parts.files ?? fs).unlinkSync(dropped.path);
    });
  }

  async #reportLost({ path }: Segment, unread: number): Promise<void> {
    const reader = await SegmentReader.open(path, this.#parts.resolve);
    try {
      while (reader.next.position < unread && (await reader.skip()));
      for (let entry = await reader.read(); entry !== undefined; entry = await reader.read()) {
        this.#parts.onLost(entry.batch);
      }
    } finally {
      await reader.close();
    }
  }

  /** At once, then at most once a minute. */
  #warnOfLoss(): void {
    const { clock, log } = this.#parts;
    if (clock.monotonicMs() - this.#lossWarnedMs < WARN_INTERVAL_MS) return;
    this.#lossWarnedMs = clock.monotonicMs();
    for (const { name, lostRows } of this.#readers.values()) {
      if (lostRows === 0) continue;
      const fields = { reader: name, exemplarsLostSoFar: lostRows, maxBytes: this.#options.maxBytes };
      log.warn(
        fields,
        'the journal is at its max_bytes: its oldest exemplars go before this reader has them',
      );
    }
  }

  /** Keeps in memory what readers will want soon, and what the disk has not taken. */
  #trimTail(): void {
    const unread = this.#unreadPosition;
    const maxTailBytes = this.#parts.maxTailBytes ?? MAX_TAIL_BYTES;
    for (let { head } = this.#tail; head !== undefined; { head } = this.#tail) {
      if (head.position >= this.#unwritten) break;
      if (head.position >= unread && this.#tail.bytes <= maxTailBytes) break;
      this.#tail.dropHead();
    }
    const maxUnwrittenBytes = this.#parts.maxUnwrittenBytes ?? MAX_UNWRITTEN_BYTES;
    while (this.#tail.bytes > maxUnwrittenBytes) this.#dropTailHead();
  }

  /** The oldest batch in memory goes; if it is in memory alone, it is lost. */
  #dropTailHead(): void {
    const { head } = this.#tail;
    if (head === undefined) return;
    this.#tail.dropHead();
    if (head.position < this.#unwritten) return;
    this.#unwritten = head.position + 1;
    this.totals.neverWrittenRows += head.batch.length;
    const isWanted = [...this.#readers.values()].some(({ cursor }) => cursor.position <= head.position);
    // A reader that is there already; others come by this gap on their way.
    for (const reader of this.#readers.values()) {
      if (reader.cursor.position === head.position) reader.loseBefore(placeAfter(head));
    }
    if (isWanted) this.#parts.onLost(head.batch);
  }

  #damaged(path: string, reason: string): void {
    if (this.#damagedPaths.has(path)) return;
    this.#damagedPaths.add(path);
    this.totals.damagedSegments++;
    this.#parts.log.warn(
      { path, reason },
      'the journal is damaged: the rest of this segment is lost, and nothing else',
    );
  }

  async #unreadable(path: string, error: Error, signal: AbortSignal): Promise<void> {
    if (!this.#unreadableLogged) {
      this.#unreadableLogged = true;
      this.#parts.log.error(
        { path, error: error.message },
        'a segment of the journal cannot be read, will be retried',
      );
    }
    await sleep(this.#parts.clock, RETRY_MS, signal);
  }

  async #fsyncAgainAndAgain(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await sleep(this.#parts.clock, this.#options.fsyncIntervalMs, this.#stop.signal);
      await this.#active.sync();
    }
  }

  async #savePlacesAgainAndAgain(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await sleep(this.#parts.clock, SAVE_PLACES_MS, this.#stop.signal);
      await this.#savePlaces();
    }
  }

  async #savePlaces(): Promise<void> {
    for (const [name, reader] of this.#readers) this.#places.set(name, reader.place);
    try {
      await this.#places.save();
    } catch (error) {
      this.#placesNotSaved(error as Error);
    }
  }

  #savePlacesAtOnce(): void {
    try {
      this.#places.saveAtOnce();
    } catch (error) {
      this.#placesNotSaved(error as Error);
    }
  }

  #placesNotSaved(error: Error): void {
    this.totals.writeErrors++;
    this.#parts.log.debug({ error: error.message }, 'the places of readers could not be saved');
  }

  async #endOfSegments(): Promise<Place> {
    const { newest } = this.#segments;
    if (newest === undefined) return { position: 0, row: 0 };
    const reader = await SegmentReader.open(newest.path, neverResolved);
    try {
      while (await reader.skip());
      if (reader.damage !== undefined) this.#damaged(newest.path, reader.damage);
      return reader.next;
    } finally {
      await reader.close();
    }
  }
}
