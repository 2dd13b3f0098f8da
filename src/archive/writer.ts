/**
 * Takes accepted rows from the log to the archive's table.
 *
 *     log ─► read ahead ─► in hand ─► lines ─► block ─► insert, again and again until it is in
 *       ▲                     │ seen by queries                │
 *       └─────────────────────┴──── confirm, in order ─────────┘
 *
 * What waits for an archive that is away waits in the log. A block that may be in is sent again with its token, and
 * is not added twice; after a crash rows come in other blocks, and the table's key makes one of two.
 */
import { DatabaseError, type RowBlock } from '../clickhouse/database.js';
import type { Batch, BatchReader, LoggedBatch } from '../model/batch.js';
import { Backoff } from '../util/backoff.js';
import { type Clock, sleep } from '../util/clock.js';
import { Once } from '../util/lifecycle.js';
import type { Log } from '../util/log.js';
import { OncePerMinute } from '../util/once-per-minute.js';
import { TimeSlices } from '../util/time-slices.js';
import { Wakeup } from '../util/wakeup.js';
import { BlockBuilder, halves, withoutRow } from './block.js';
import type { ArchiveMeter } from './meter.js';
import type { RefusedRows } from './refused-rows.js';
import type { RowWriter } from './row-writer.js';

/** Few parts to merge, and little to send again. */
const BLOCK_ROWS = 10_000;
/** What has come meanwhile goes along: under a load that many blocks would be too slow for, they become larger instead. */
const MAX_BLOCK_ROWS = 20_000;
const MAX_BLOCK_BYTES = 8 * 1024 * 1024;
/** An exemplar is in the archive about so long after it was scraped. */
const MAX_BLOCK_AGE_MS = 5_000;
/** Read ahead, so that queries see what is on its way. */
const MAX_ROWS_IN_HAND = 200_000;
const INSERT_TIMEOUT_MS = 60_000;
/** Shorter than what others take: a scrape that is due is late by as much, and there are several that take turns. */
const SLICE_MS = 3;
/** Who takes longer takes nothing, as far as anyone can tell. */
const SLOW_INSERT_MS = 15_000;

/** What a value says that a column does not take: parse errors, and sizes. Of other refusals the rows are innocent. */
const ROW_ERRORS = new Set([6, 26, 27, 38, 41, 53, 69, 70, 72, 117, 131, 321, 349, 441, 467, 469]);

export interface ArchiveWriterParts {
  readonly reader: BatchReader;
  readonly rows: RowWriter;
  readonly refused: RefusedRows;
  readonly meter: ArchiveMeter;
  /** Puts a block into a table that is there and fits. @throws {DatabaseError} */
  readonly insert: (block: RowBlock, timeoutMs: number, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

interface MadeBlock {
  /** Undefined where none of the rows is for the archive. */
  readonly block: RowBlock | undefined;
  /** Of the last batch that is in it, or in one before, to its last row; undefined where no batch ends. */
  readonly position: number | undefined;
}

export class ArchiveWriter {
  readonly #parts: ArchiveWriterParts;
  /** Read and not confirmed, oldest first. */
  readonly #inHand: LoggedBatch[] = [];
  #rowsInHand = 0;
  /** Where the next block begins: batch in hand, row of it. */
  #cursor = { batch: 0, row: 0 };
  /** When the first row behind the cursor was read. */
  #waitingSinceMs: number | undefined;
  readonly #backoff = new Backoff(Math.random);
  readonly #stopReading = new AbortController();
  /** Nothing is tried again. */
  readonly #stopRetrying = new AbortController();
  readonly #stopInserting = new AbortController();
  readonly #read = new Wakeup();
  readonly #room = new Wakeup();
  #waitingToCatchUp: (() => void)[] = [];
  #archivedUntilMs = 0;
  readonly #warning: OncePerMinute;
  #failingSinceMs: number | undefined;
  /** Of the attempt under way. */
  #insertingSinceMs: number | undefined;
  #running: Promise<unknown> | undefined;
  readonly #stopped = new Once<void>();

  constructor(parts: ArchiveWriterParts) {
    this.#parts = parts;
    this.#warning = new OncePerMinute(parts.clock);
  }

  start(): void {
    this.#running ??= Promise.all([this.#readAhead(), this.#writeBlocks()]);
  }

  /** Writes what is in hand, each block once; what is left after the deadline stays in the log. Never rejects. */
  stop(deadlineMs: number): Promise<void> {
    return this.#stopped.run(async () => {
      const cancel = this.#parts.clock.after(deadlineMs, () => this.#stopInserting.abort());
      this.#stopReading.abort();
      this.#stopRetrying.abort();
      await this.#running;
      cancel();
    });
  }

  /** On their way: read, and not yet known to be in the archive. */
  get batchesInHand(): readonly Batch[] {
    return this.#inHand.map(({ batch }) => batch);
  }

  /** Accepted, and not even read yet: an archive that is behind. */
  get unreadRows(): number {
    return Math.max(0, this.#parts.reader.pendingRows - this.#rowsInHand);
  }

  /** Once nothing is unread that there is room for in the hand; after a start, that takes a moment. */
  async caughtUp(signal: AbortSignal): Promise<void> {
    let goOn = () => {};
    const onAbort = () => goOn();
    signal.addEventListener('abort', onAbort, { once: true });
    while (this.unreadRows > 0 && this.#rowsInHand < MAX_ROWS_IN_HAND && !this.#isEnded(signal))
      await new Promise<void>((resolve) => {
        goOn = resolve;
        this.#waitingToCatchUp.push(resolve);
      });
    signal.removeEventListener('abort', onAbort);
  }

  #isEnded(signal: AbortSignal): boolean {
    return signal.aborted || this.#stopReading.signal.aborted;
  }

  /** Whatever was scraped before is in the archive. */
  get archivedUntilMs(): number {
    const oldest = this.#inHand[0];
    if (oldest !== undefined) this.#archivedUntilMs = oldest.batch.acceptedMs;
    // What is unread and not in hand yet is later than what was.
    else if (this.unreadRows === 0) this.#archivedUntilMs = this.#parts.clock.nowMs();
    return this.#archivedUntilMs;
  }

  /** How long ago the oldest was scraped that is on its way. */
  get lagMs(): number {
    const oldest = this.#inHand[0];
    return oldest === undefined ? 0 : Math.max(0, this.#parts.clock.nowMs() - oldest.batch.acceptedMs);
  }

  /** Why nothing gets in, since when; undefined while it does. */
  get failingSinceMs(): number | undefined {
    const hangsMs = this.#parts.clock.nowMs() - (this.#insertingSinceMs ?? Number.POSITIVE_INFINITY);
    return this.#failingSinceMs ?? (hangsMs > SLOW_INSERT_MS ? this.#insertingSinceMs : undefined);
  }

  async #readAhead(): Promise<void> {
    const { reader, clock } = this.#parts;
    const stop = this.#stopReading.signal;
    const slices = new TimeSlices(clock);
    for (;;) {
      while (this.#rowsInHand >= MAX_ROWS_IN_HAND && !stop.aborted) await this.#room.wait(stop);
      const logged = await reader.next(stop);
      if (logged === undefined) break;
      this.#inHand.push(logged);
      this.#rowsInHand += logged.batch.length;
      this.#waitingSinceMs ??= clock.monotonicMs();
      this.#read.wake();
      for (const resolve of this.#waitingToCatchUp.splice(0)) resolve();
      if (slices.isOver) await slices.pause();
    }
    this.#read.wake();
    for (const resolve of this.#waitingToCatchUp.splice(0)) resolve();
  }

  /** While one block is on its way, the next is made. */
  async #writeBlocks(): Promise<void> {
    let next = this.#makeBlock();
    for (let made = await next; made !== undefined; made = await next) {
      next = this.#makeBlock();
      if (made.block !== undefined && !(await this.#deliver(made.block))) break;
      this.#confirmUpTo(made.position);
    }
    await next;
  }

  /** Once there are rows enough, or they have waited long enough. @returns undefined when no more will come */
  async #makeBlock(): Promise<MadeBlock | undefined> {
    return (await this.#waitForRows()) ? this.#nextBlock() : undefined;
  }

  /** @returns false when there is nothing, and nothing will come */
  async #waitForRows(): Promise<boolean> {
    const { clock } = this.#parts;
    const stop = this.#stopReading.signal;
    for (;;) {
      if (this.#rowsBehindCursor >= BLOCK_ROWS) return true;
      if (stop.aborted) return this.#cursor.batch < this.#inHand.length;
      const waitMs =
        this.#waitingSinceMs === undefined
          ? Number.POSITIVE_INFINITY
          : this.#waitingSinceMs + MAX_BLOCK_AGE_MS - clock.monotonicMs();
      if (waitMs <= 0) return true;
      await this.#readOr(waitMs);
    }
  }

  /** Until something is read, or so long. */
  async #readOr(waitMs: number): Promise<void> {
    const { clock } = this.#parts;
    const cancel = Number.isFinite(waitMs) ? clock.after(waitMs, () => this.#read.wake()) : () => {};
    await this.#read.wait(this.#stopReading.signal);
    cancel();
  }

  get #rowsBehindCursor(): number {
    let rows = -this.#cursor.row;
    for (let i = this.#cursor.batch; i < this.#inHand.length && rows < BLOCK_ROWS; i++)
      rows += this.#inHand[i]!.batch.length;
    return rows;
  }

  async #nextBlock(): Promise<MadeBlock> {
    const { rows: writer, meter, clock } = this.#parts;
    const slices = new TimeSlices(clock, SLICE_MS);
    const nowMs = clock.nowMs();
    const builder = new BlockBuilder();
    let text = '';
    let rows = 0;
    let rowsInPieces = 0;
    let bytes = 0;
    const cursor = this.#cursor;
    for (; cursor.batch < this.#inHand.length; cursor.batch++, cursor.row = 0) {
      const { batch } = this.#inHand[cursor.batch]!;
      for (; cursor.row < batch.length && rows < MAX_BLOCK_ROWS && bytes < MAX_BLOCK_BYTES; cursor.row++) {
        const skipReason = writer.skipReason(batch, cursor.row, nowMs);
        if (skipReason !== undefined) {
          meter.skipped(skipReason);
          continue;
        }
        const line = writer.line(batch, cursor.row);
        text += line;
        bytes += line.length;
        rows++;
        if (!slices.isOver) continue;
        builder.add(Buffer.from(text), rows - rowsInPieces);
        rowsInPieces = rows;
        text = '';
        await slices.pause();
      }
      if (cursor.row < batch.length) break;
    }
    this.#waitingSinceMs = cursor.batch < this.#inHand.length ? clock.monotonicMs() : undefined;
    const position = this.#inHand[cursor.batch - 1]?.position;
    builder.add(Buffer.from(text), rows - rowsInPieces);
    return { block: rows === 0 ? undefined : builder.block, position };
  }

  #confirmUpTo(position: number | undefined): void {
    if (position === undefined) return;
    const count = this.#inHand.findLastIndex((logged) => logged.position <= position) + 1;
    for (const { batch } of this.#inHand.splice(0, count)) this.#rowsInHand -= batch.length;
    this.#cursor.batch -= count;
    this.#parts.reader.confirm(position);
    this.#room.wake();
  }

  /** Until every row of it is in, or known to be refused. @returns false when stopped before */
  async #deliver(block: RowBlock): Promise<boolean> {
    for (;;) {
      const error = await this.#tryInsert(block);
      if (error === undefined) return true;
      if (isOfRows(error)) return this.#deliverWithoutRefused(block, error);
      this.#failed(error);
      await sleep(this.#parts.clock, this.#backoff.nextMs(), this.#stopRetrying.signal);
      if (this.#stopRetrying.signal.aborted) return false;
    }
  }

  async #tryInsert(block: RowBlock): Promise<DatabaseError | undefined> {
    const { insert, clock, meter } = this.#parts;
    const startMs = clock.monotonicMs();
    this.#insertingSinceMs = clock.nowMs();
    try {
      await insert(block, INSERT_TIMEOUT_MS, this.#stopInserting.signal);
    } catch (error) {
      const failure =
        error instanceof DatabaseError
          ? error
          : new DatabaseError((error as Error).message, { isTransient: true });
      meter.failed(failure);
      return failure;
    }
    this.#insertingSinceMs = undefined;
    meter.inserted(block.rows, block.lines.length, (clock.monotonicMs() - startMs) / 1000);
    this.#recovered();
    return undefined;
  }

  async #deliverWithoutRefused(block: RowBlock, error: DatabaseError): Promise<boolean> {
    const row = block.rows === 1 ? 1 : error.failedAtRow;
    if (row === undefined || row < 1 || row > block.rows) return this.#deliverAll(halves(block));
    const { line, rest } = withoutRow(block, row);
    this.#parts.meter.refused(1);
    // It may have been the one to announce its series.
    this.#parts.rows.announceAgain();
    await this.#parts.refused.add(line, error.message);
    return this.#deliverAll(rest);
  }

  async #deliverAll(blocks: readonly RowBlock[]): Promise<boolean> {
    for (const block of blocks) if (!(await this.#deliver(block))) return false;
    return true;
  }

  #failed(error: DatabaseError): void {
    const { clock, log, reader } = this.#parts;
    // The first of these attempts may have hung for long before it failed.
    this.#failingSinceMs ??= this.#insertingSinceMs ?? clock.nowMs();
    this.#insertingSinceMs = undefined;
    if (this.#stopRetrying.signal.aborted || !this.#warning.isDue()) return;
    const fields = { error: error.message, code: error.code, waiting: reader.pendingRows };
    log.warn(fields, 'the archive takes nothing, will be retried; exemplars wait in the journal');
  }

  #recovered(): void {
    this.#backoff.reset();
    if (this.#failingSinceMs === undefined) return;
    const seconds = (this.#parts.clock.nowMs() - this.#failingSinceMs) / 1000;
    this.#failingSinceMs = undefined;
    this.#warning.reset();
    this.#parts.log.info(
      { seconds, waiting: this.#parts.reader.pendingRows },
      'the archive takes exemplars again',
    );
  }
}

function isOfRows({ code, failedAtRow }: DatabaseError): boolean {
  return failedAtRow !== undefined || (code !== undefined && ROW_ERRORS.has(code));
}
