/**
 * One reader's way through the journal:
 *
 *     confirmed ── handed out ── cursor ── … ── newest
 *       saved place ┘
 *
 * What is at the cursor comes from memory where the tail has it, and otherwise from the segments, in their order.
 */
import type { BatchReader, LoggedBatch } from '../model/batch.js';
import { Wakeup } from '../util/wakeup.js';
import type { ResolveSeries } from './batch-record.js';
import { type JournalEntry, type Place, SegmentReader } from './segment.js';
import type { Segment } from './segments.js';
import { placeAfter } from './tail.js';

/** What a reader needs of its journal. */
export interface ReaderHost {
  readonly resolve: ResolveSeries;
  /** Of what is appended next. */
  readonly next: Place;
  fromMemory(position: number): JournalEntry | undefined;
  segmentOf(position: number): Segment | undefined;
  /** Of the first batch there is behind this segment, whatever happened to those between. */
  behind(segment: Segment): Place;
  /** Of the oldest batch there is. */
  readonly oldest: Place;
  /** A segment can be read no further. */
  damaged(path: string, reason: string): void;
  /** A segment cannot be read now. Resolves when it is worth another try. */
  unreadable(path: string, error: Error, signal: AbortSignal): Promise<void>;
  /** The cursor has moved, or batches were confirmed. */
  moved(): void;
  confirmed(entry: JournalEntry): void;
  /** The reader is not wanted any more, nor the rows that wait for it. */
  forget(pendingRows: number): void;
}

export class JournalReader implements BatchReader {
  readonly name: string;
  readonly #host: ReaderHost;
  #cursor: Place;
  /** Handed out and not confirmed, oldest first. */
  #held: JournalEntry[] = [];
  #pendingRows: number;
  #lostRows = 0;
  #segment: { readonly segment: Segment; readonly reader: SegmentReader } | undefined;
  /** Rises when the cursor is moved from outside, while a segment may be read. */
  #moves = 0;
  #ended = false;
  #closed = false;
  readonly #wakeup = new Wakeup();

  constructor(name: string, start: Place, host: ReaderHost) {
    this.name = name;
    this.#host = host;
    this.#cursor = start;
    this.#pendingRows = host.next.row - start.row;
    this.loseBefore(host.oldest);
  }

  get pendingRows(): number {
    return this.#pendingRows;
  }

  get lostRows(): number {
    return this.#lostRows;
  }

  /** Of what will be handed out next. */
  get cursor(): Place {
    return this.#cursor;
  }

  /** Of the first batch that is not confirmed: where to go on after a restart. */
  get place(): Place {
    const held = this.#held[0];
    return held === undefined ? this.#cursor : { position: held.position, row: held.row };
  }

  async next(signal: AbortSignal): Promise<LoggedBatch | undefined> {
    for (;;) {
      if (signal.aborted || this.#closed) return undefined;
      if (this.#cursor.position < this.#host.next.position) {
        const entry = this.#host.fromMemory(this.#cursor.position) ?? (await this.#fromDisk(signal));
        // Taken only if nobody moved the cursor while the disk was read.
        if (entry === undefined || entry.position !== this.#cursor.position) continue;
        this.#cursor = placeAfter(entry);
        this.#held.push(entry);
        this.#host.moved();
        return entry;
      }
      if (this.#ended) return undefined;
      await this.#wakeup.wait(signal);
    }
  }

  confirm(position: number): void {
    const rest = this.#held.findIndex((entry) => entry.position > position);
    for (const entry of this.#held.splice(0, rest === -1 ? this.#held.length : rest)) {
      this.#pendingRows -= entry.batch.length;
      this.#host.confirmed(entry);
    }
    this.#host.moved();
  }

  rewind(): void {
    if (this.#held.length === 0) return;
    this.#moveTo(this.place);
    this.#held = [];
    this.loseBefore(this.#host.oldest);
  }

  close(): void {
    if (this.#closed) return;
    this.#host.forget(this.#pendingRows);
    this.#held = [];
    this.#pendingRows = 0;
    this.detach();
  }

  /** Ends the reader; its place stays. */
  detach(): void {
    this.#closed = true;
    this.#leaveSegment();
    this.#wakeup.wake();
  }

  /** Nothing will follow what is there. */
  end(): void {
    this.#ended = true;
    this.#wakeup.wake();
  }

  appended(rows: number): void {
    this.#pendingRows += rows;
    this.#wakeup.wake();
  }

  /** What is before this place is gone, and lost to this reader unless it was handed out. */
  loseBefore(place: Place): void {
    if (this.#cursor.position >= place.position) return;
    const rows = place.row - this.#cursor.row;
    this.#pendingRows -= rows;
    this.#lostRows += rows;
    this.#moveTo(place);
  }

  #moveTo(place: Place): void {
    this.#moves++;
    this.#cursor = place;
    this.#leaveSegment();
  }

  /** The batch at the cursor; undefined when something else came up, and the cursor may have moved. */
  async #fromDisk(signal: AbortSignal): Promise<JournalEntry | undefined> {
    const segment = this.#host.segmentOf(this.#cursor.position);
    if (segment === undefined) {
      this.loseBefore(this.#host.oldest);
      return undefined;
    }
    const moves = this.#moves;
    try {
      const reader = await this.#enter(segment);
      while (reader.next.position < this.#cursor.position && (await reader.skip()));
      const entry = reader.next.position === this.#cursor.position ? await reader.read() : undefined;
      if (entry !== undefined || moves !== this.#moves) return entry;
      if (reader.damage !== undefined) this.#host.damaged(segment.path, reader.damage);
    } catch (error) {
      if (moves !== this.#moves || this.#closed) return undefined;
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        this.#leaveSegment();
        await this.#host.unreadable(segment.path, error as Error, signal);
        return undefined;
      }
      this.#host.damaged(segment.path, (error as Error).message);
    }
    this.loseBefore(this.#host.behind(segment));
    return undefined;
  }

  async #enter(segment: Segment): Promise<SegmentReader> {
    if (
      this.#segment?.segment.path === segment.path &&
      this.#segment.reader.next.position <= this.#cursor.position
    ) {
      return this.#segment.reader;
    }
    this.#leaveSegment();
    const moves = this.#moves;
    const reader = await SegmentReader.open(segment.path, this.#host.resolve);
    // Left again while it was opened.
    if (moves !== this.#moves || this.#closed) await reader.close();
    else this.#segment = { segment, reader };
    return reader;
  }

  #leaveSegment(): void {
    const reader = this.#segment?.reader;
    this.#segment = undefined;
    // A read may be under way; the file is closed behind it.
    reader?.close().catch(() => {});
  }
}
