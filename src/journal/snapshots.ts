import { open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { replaceFile, syncDirectory } from './atomic-file.js';
import { FRAME_HEADER_BYTES, FrameReader, sealFrame } from './frame.js';
import { FORMAT_VERSION, NewerFormat } from './segment.js';

const NAME = /^snapshot-(\d{16})$/;
const UNFINISHED = /^snapshot-\d{16}\.new$/;
const MAGIC = Buffer.from('exemplard snapshot\n');
const HEADER_BYTES = MAGIC.length + 4;
const END = Buffer.from('end');

/** Figures since the process started. */
export interface SnapshotTotals {
  saved: number;
  errors: number;
  lastBytes: number;
  lastSeconds: number;
  /** NaN before the first. */
  lastSavedMs: number;
}

/**
 * What the rings held at a position of the journal, so that a restart need not read the journal from its start:
 * `snapshot-<position>`, frames of the store's own making between a header frame and an end frame.
 */
export class Snapshots {
  readonly totals: SnapshotTotals = {
    saved: 0,
    errors: 0,
    lastBytes: 0,
    lastSeconds: 0,
    lastSavedMs: Number.NaN,
  };

  readonly #directory: string;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(directory: string, clock: Clock, log: Log) {
    this.#directory = directory;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Gives the chunks of the newest snapshot to `take`. What is behind damage is left out: the journal may have it.
   * @returns the position it stands for; 0 without one, or with one that is damaged
   * @throws {NewerFormat}
   * @throws Error when the directory or file cannot be read
   */
  async load(take: (chunk: Buffer) => void): Promise<number> {
    await this.#removeUnfinished();
    const position = (await this.#positions()).at(-1);
    if (position === undefined) return 0;
    const path = this.#path(position);
    const file = await open(path, 'r');
    try {
      const damage = await readChunks(path, new FrameReader(file), take);
      if (damage === undefined) return position;
      this.#log.warn(
        { path, reason: damage },
        'the snapshot is damaged: what is behind is read from the journal, as far as it goes back',
      );
      return 0;
    } finally {
      await file.close();
    }
  }

  /**
   * Saves a snapshot, and removes those before it once it is safe.
   * @param chunks each lent until the next is asked for
   * @returns whether it worked; if not, all is as before
   */
  async save(position: number, chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<boolean> {
    const startMs = this.#clock.monotonicMs();
    let bytes = 0;
    try {
      await replaceFile(this.#path(position), async (file) => {
        for await (const body of withEnds(chunks)) {
          const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + body.length);
          body.copy(frame, FRAME_HEADER_BYTES);
          sealFrame(frame);
          await file.write(frame);
          bytes += frame.length;
        }
      });
      await syncDirectory(this.#directory);
      await this.#removeBefore(position);
    } catch (error) {
      this.totals.errors++;
      this.#log.error(
        { directory: this.#directory, error: (error as Error).message },
        'no snapshot could be saved; a restart reads more of the journal',
      );
      await unlink(`${this.#path(position)}.new`).catch(() => {});
      return false;
    }
    const seconds = (this.#clock.monotonicMs() - startMs) / 1000;
    Object.assign(this.totals, { lastBytes: bytes, lastSeconds: seconds, lastSavedMs: this.#clock.nowMs() });
    this.totals.saved++;
    this.#log.info({ bytes, seconds }, 'snapshot saved');
    return true;
  }

  #path(position: number): string {
    return join(this.#directory, `snapshot-${String(position).padStart(16, '0')}`);
  }

  /** Oldest first. */
  async #positions(): Promise<number[]> {
    const names = await readdir(this.#directory);
    return names
      .flatMap((name) => (NAME.test(name) ? [Number(NAME.exec(name)![1])] : []))
      .sort((a, b) => a - b);
  }

  /** What a crash left of one that was being saved. */
  async #removeUnfinished(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      if (UNFINISHED.test(name)) await unlink(join(this.#directory, name));
    }
  }

  async #removeBefore(position: number): Promise<void> {
    for (const other of await this.#positions()) if (other < position) await unlink(this.#path(other));
  }
}

async function* withEnds(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Buffer> {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(FORMAT_VERSION, MAGIC.copy(header));
  yield header;
  yield* chunks;
  yield END;
}

/** @returns what is wrong with the file */
async function readChunks(
  path: string,
  frames: FrameReader,
  take: (chunk: Buffer) => void,
): Promise<string | undefined> {
  const header = await frames.next();
  if (header?.length !== HEADER_BYTES || !header.subarray(0, MAGIC.length).equals(MAGIC)) {
    return frames.damage ?? 'its header is not that of a snapshot';
  }
  const version = header.readUInt32LE(MAGIC.length);
  if (version > FORMAT_VERSION) throw new NewerFormat(path, version);
  for (let chunk = await frames.next(); chunk !== undefined; chunk = await frames.next()) {
    if (chunk.equals(END)) return undefined;
    take(chunk);
  }
  return frames.damage ?? 'its end is missing';
}
