import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { syncDirectory } from './atomic-file.js';
import { type Files, type JournalEntry, SegmentWriter } from './segment.js';
import type { Segments } from './segments.js';
import type { JournalTotals } from './totals.js';

export interface ActiveSegmentParts {
  readonly directory: string;
  readonly segments: Segments;
  readonly files: Files;
  readonly totals: JournalTotals;
  readonly clock: Clock;
  readonly log: Log;
}

/** The segment that is written at present, and all work on files that can wait: syncing, closing, removing. */
export class ActiveSegment {
  readonly #parts: ActiveSegmentParts;
  #writer: SegmentWriter | undefined;
  #needsFsync = false;
  /** One after the other, so that no descriptor is closed before it was synced. */
  #background: Promise<void> = Promise.resolve();

  constructor(parts: ActiveSegmentParts) {
    this.#parts = parts;
  }

  /**
   * Writes a batch, to a new segment if the present one has reached its size.
   * @throws Error when the disk refuses; then the batch is not written, and the next one goes to a new segment
   */
  append(entry: JournalEntry, maxSegmentBytes: number): void {
    const { segments, totals } = this.#parts;
    try {
      const writer = this.#writerFor(entry, maxSegmentBytes);
      const before = writer.bytes;
      writer.append(entry.batch);
      totals.writtenBytes += writer.bytes - before;
      segments.growNewest(writer.bytes);
      this.#needsFsync = true;
    } catch (error) {
      this.#writer?.takeBack();
      this.leave();
      throw error;
    }
  }

  /** The next batch goes to a new segment. */
  leave(): void {
    const writer = this.#writer;
    this.#writer = undefined;
    if (writer === undefined) return;
    this.inBackground(async () => {
      await this.#fsync(writer.fd);
      this.#parts.files.closeSync(writer.fd);
    });
  }

  /** Has the disk write what it holds back, if there is anything. */
  async sync(): Promise<void> {
    const writer = this.#writer;
    if (!this.#needsFsync || writer === undefined) return;
    this.#needsFsync = false;
    await this.inBackground(() => this.#fsync(writer.fd));
  }

  /** Resolves when all is done. Never rejects: what fails is logged. */
  inBackground(work: () => Promise<void>): Promise<void> {
    this.#background = this.#background.then(work).catch((error: Error) => {
      const { directory, log } = this.#parts;
      log.warn({ directory, error: error.message }, 'file work of the journal failed');
    });
    return this.#background;
  }

  async close(): Promise<void> {
    this.leave();
    await this.#background;
  }

  #writerFor({ position, row }: JournalEntry, maxSegmentBytes: number): SegmentWriter {
    if (this.#writer !== undefined && this.#writer.bytes < maxSegmentBytes) return this.#writer;
    this.leave();
    const { directory, segments, files } = this.#parts;
    // A segment that got no batch, because of a crash or a full disk, has the same name: it is written anew.
    if (segments.newest?.first.position === position) segments.dropNewest();
    const writer = new SegmentWriter(directory, { position, row }, files);
    this.#writer = writer;
    segments.add({ path: writer.path, first: writer.first, bytes: writer.bytes });
    this.inBackground(() => syncDirectory(directory));
    return writer;
  }

  async #fsync(fd: number): Promise<void> {
    const { clock, files, log, totals, directory } = this.#parts;
    const startMs = clock.monotonicMs();
    const error = await new Promise<Error | null>((resolve) => {
      files.fsync(fd, resolve);
    });
    totals.fsyncs++;
    totals.fsyncSeconds += (clock.monotonicMs() - startMs) / 1000;
    if (error === null) return;
    totals.fsyncErrors++;
    log.error({ directory, error: error.message }, 'the disk could not be synced');
    // What the system still held for this file may be lost without another word: better go on in a new one.
    if (this.#writer?.fd === fd) this.leave();
  }
}
