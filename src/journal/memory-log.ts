/**
 * The batch log without a disk: batches wait in memory until every reader confirmed them.
 *
 *     position   3     4     5     6     7     8 ── next append
 *     reader a        [held][held] unread ····┘       held: handed out, not confirmed
 *     reader b               unread ··········┘
 *
 * A batch is kept while at least one reader holds it or has yet to read it. Past `maxBytes` the reader that is
 * furthest behind loses its oldest unread batch, again and again until the rest fits; readers that keep up lose
 * nothing. What a reader was handed is not taken back, so the log can exceed `maxBytes` by what its readers hold
 * in their hands at once, which is theirs to bound.
 */
import type { Batch, BatchLog, BatchReader, LoggedBatch } from '../model/batch.js';
import { Wakeup } from '../util/wakeup.js';

export interface MemoryLogOptions {
  /** Bound on the memory of all kept batches, see `batchBytes`. */
  readonly maxBytes: number;
  /** Called once for a batch that at least one reader confirmed and none lost, when the last one confirmed it. */
  readonly onDelivered?: (batch: Batch) => void;
}

/** Objects and headers of a batch and its columns, measured on Node 20 with batches of one row. */
const BATCH_OVERHEAD_BYTES = 1_536;
const BYTES_PER_ROW = 5 * 8 + 1 + 4 + 8;

/** Memory of a batch; its series are not counted, because the store and other batches share them. */
export function batchBytes(batch: Batch): number {
  return (
    BATCH_OVERHEAD_BYTES +
    batch.length * BYTES_PER_ROW +
    batch.staleSeries.length * 8 +
    batch.labelBytes.length
  );
}

/** A kept batch. `waiting` counts the readers that neither confirmed nor lost it. */
interface Entry extends LoggedBatch {
  readonly bytes: number;
  waiting: number;
  confirmed: boolean;
  lost: boolean;
}

export class MemoryLog implements BatchLog {
  readonly isDurable = false;
  readonly #maxBytes: number;
  readonly #onDelivered: (batch: Batch) => void;
  readonly #entries = new Map<number, Entry>();
  readonly #readers = new Map<string, MemoryReader>();
  #nextPosition = 0;
  #bytes = 0;
  #closed = false;

  constructor(options: MemoryLogOptions) {
    this.#maxBytes = options.maxBytes;
    this.#onDelivered = options.onDelivered ?? (() => {});
  }

  /** Memory of the batches kept now. */
  get bytes(): number {
    return this.#bytes;
  }

  append(batch: Batch): void {
    const position = this.#nextPosition++;
    if (this.#readers.size === 0 || this.#closed) return;
    const bytes = batchBytes(batch);
    this.#bytes += bytes;
    this.#entries.set(position, {
      position,
      batch,
      bytes,
      waiting: this.#readers.size,
      confirmed: false,
      lost: false,
    });
    for (const reader of this.#readers.values()) reader.appended(batch.length);
    while (this.#bytes > this.#maxBytes && this.#loseOldestUnread());
  }

  /**
   * Nothing is kept for readers to come, so each starts at what comes next.
   * @throws Error when the name is taken
   */
  reader(name: string): BatchReader {
    if (this.#readers.has(name)) throw new Error(`the batch log already has a reader "${name}"`);
    const reader = new MemoryReader(name, this.#nextPosition, this.#closed, {
      entry: (position) => this.#entries.get(position),
      release: (entry, how) => this.#release(entry, how),
      forget: () => this.#readers.delete(name),
    });
    this.#readers.set(name, reader);
    return reader;
  }

  /** Readers live no longer than the process here, and each was closed when it was not wanted any more. */
  forgetReadersExcept(): void {}

  /** Ends every reader's wait and keeps nothing from now on. What readers hold can still be confirmed. */
  close(): void {
    this.#closed = true;
    for (const reader of this.#readers.values()) reader.end();
  }

  /** @returns false when every reader has read everything */
  #loseOldestUnread(): boolean {
    const readers = [...this.#readers.values()];
    const oldest = Math.min(...readers.map((reader) => reader.cursor));
    if (oldest >= this.#nextPosition) return false;
    for (const reader of readers) if (reader.cursor === oldest) reader.lose();
    return true;
  }

  #release(entry: Entry, how: Release): void {
    if (how === 'confirmed') entry.confirmed = true;
    if (how === 'lost') entry.lost = true;
    if (--entry.waiting > 0) return;
    this.#entries.delete(entry.position);
    this.#bytes -= entry.bytes;
    if (entry.confirmed && !entry.lost) this.#onDelivered(entry.batch);
  }
}

/** How a reader's wait for a batch ended. */
type Release = 'confirmed' | 'lost' | 'given up';

/** What a reader needs of its log. */
interface ReaderHost {
  entry(position: number): Entry | undefined;
  release(entry: Entry, how: Release): void;
  forget(): void;
}

class MemoryReader implements BatchReader {
  readonly name: string;
  readonly #host: ReaderHost;
  /** Position of the next batch to hand out. */
  cursor: number;
  /** Handed out and not confirmed, oldest first. */
  #held: Entry[] = [];
  /** Handed out once and taken back, oldest first: to be handed out again before what is at the cursor. */
  #again: Entry[] = [];
  #pendingRows = 0;
  #lostRows = 0;
  /** The log is closed: what is there can be read, nothing will follow. */
  #ended: boolean;
  #closed = false;
  readonly #wakeup = new Wakeup();

  constructor(name: string, cursor: number, ended: boolean, host: ReaderHost) {
    this.name = name;
    this.cursor = cursor;
    this.#ended = ended;
    this.#host = host;
  }

  get pendingRows(): number {
    return this.#pendingRows;
  }

  get lostRows(): number {
    return this.#lostRows;
  }

  async next(signal: AbortSignal): Promise<LoggedBatch | undefined> {
    for (;;) {
      if (signal.aborted || this.#closed) return undefined;
      const entry = this.#again.shift() ?? this.#takeAtCursor();
      if (entry !== undefined) {
        this.#held.push(entry);
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
      this.#host.release(entry, 'confirmed');
    }
  }

  rewind(): void {
    this.#again = [...this.#held.splice(0), ...this.#again];
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.forget();
    this.rewind();
    for (const entry of this.#again.splice(0)) this.#host.release(entry, 'given up');
    for (let entry: Entry | undefined; (entry = this.#host.entry(this.cursor)); this.cursor++) {
      this.#host.release(entry, 'given up');
    }
    this.#pendingRows = 0;
    this.#wakeup.wake();
  }

  end(): void {
    this.#ended = true;
    this.#wakeup.wake();
  }

  appended(rows: number): void {
    this.#pendingRows += rows;
    this.#wakeup.wake();
  }

  /** Skips the batch at the cursor, which the log must not keep any longer for this reader. */
  lose(): void {
    const entry = this.#host.entry(this.cursor++);
    if (entry === undefined) return;
    this.#pendingRows -= entry.batch.length;
    this.#lostRows += entry.batch.length;
    this.#host.release(entry, 'lost');
  }

  #takeAtCursor(): Entry | undefined {
    const entry = this.#host.entry(this.cursor);
    if (entry !== undefined) this.cursor++;
    return entry;
  }
}
