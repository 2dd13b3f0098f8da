/**
 * A segment: one file of the journal, `<first position>.segment`, a header frame and then one frame a batch.
 * It is written once, from front to back, by one process; after a crash the next process starts another.
 */
import type * as fs from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Batch, LoggedBatch } from '../model/batch.js';
import { BatchDecoder, BatchEncoder, type ResolveSeries, rowsOfRecord } from './batch-record.js';
import { FRAME_HEADER_BYTES, FrameReader, sealFrame } from './frame.js';

export const SEGMENT_SUFFIX = '.segment';

/** Version of everything under the storage path. A larger one is refused, not guessed at. */
export const FORMAT_VERSION = 1;

const MAGIC = Buffer.from('exemplard journal\n');
const HEADER_BYTES = MAGIC.length + 4 + 8 + 8;

/** A place between two batches: the position of the next one, and how many rows came before it since the journal began. */
export interface Place {
  readonly position: number;
  readonly row: number;
}

/** A batch with its place. */
export interface JournalEntry extends LoggedBatch, Place {}

/** What the journal does with files, so that tests can make it fail. */
export type Files = Pick<
  typeof fs,
  'openSync' | 'writeSync' | 'ftruncateSync' | 'closeSync' | 'fsync' | 'unlinkSync'
>;

/** @throws Error when the version is newer than this program */
export class NewerFormat extends Error {
  constructor(path: string, version: number) {
    super(
      `${path} has format version ${version}, written by a newer exemplard; this one reads up to ${FORMAT_VERSION}`,
    );
  }
}

export function segmentPath(directory: string, firstPosition: number): string {
  return join(directory, `${String(firstPosition).padStart(16, '0')}${SEGMENT_SUFFIX}`);
}

/** Appends batches to a new segment. Every call is synchronous: when it returns, the kernel has the bytes. */
export class SegmentWriter {
  readonly path: string;
  readonly first: Place;
  readonly #files: Files;
  readonly #fd: number;
  readonly #encoder = new BatchEncoder();
  #bytes = 0;

  /** @throws Error when the file cannot be made */
  constructor(directory: string, first: Place, files: Files) {
    this.path = segmentPath(directory, first.position);
    this.first = first;
    this.#files = files;
    // Truncates: a file of that name holds no batch, or the journal would have gone on behind it.
    this.#fd = files.openSync(this.path, 'w');
    try {
      this.#write(headerFrame(first));
    } catch (error) {
      this.takeBack();
      files.closeSync(this.#fd);
      throw error;
    }
  }

  get fd(): number {
    return this.#fd;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws Error when the disk refuses; then `takeBack`, and append no more */
  append(batch: Batch): void {
    this.#write(this.#encoder.encode(batch));
  }

  /** Leaves the file as it was after the last whole batch. */
  takeBack(): void {
    try {
      this.#files.ftruncateSync(this.#fd, this.#bytes);
    } catch {
      // Then reading ends at the torn frame, with the same result.
    }
  }

  #write(frame: Buffer): void {
    for (let written = 0; written < frame.length; ) {
      written += this.#files.writeSync(this.#fd, frame, written, frame.length - written);
    }
    this.#bytes += frame.length;
  }
}

function headerFrame({ position, row }: Place): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + HEADER_BYTES);
  let at = FRAME_HEADER_BYTES + MAGIC.copy(frame, FRAME_HEADER_BYTES);
  at = frame.writeUInt32LE(FORMAT_VERSION, at);
  at = frame.writeDoubleLE(position, at);
  frame.writeDoubleLE(row, at);
  sealFrame(frame);
  return frame;
}

/** Reads a segment from its start, also while it is being written. */
export class SegmentReader {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #frames: FrameReader;
  readonly #decoder: BatchDecoder;
  #next: Place = { position: 0, row: 0 };
  #damage: string | undefined;

  private constructor(path: string, file: FileHandle, resolve: ResolveSeries) {
    this.path = path;
    this.#file = file;
    this.#frames = new FrameReader(file);
    this.#decoder = new BatchDecoder(resolve);
  }

  /**
   * A segment whose header cannot be read is damaged before its first batch.
   * @throws {NewerFormat}
   * @throws Error when the file cannot be opened or read
   */
  static async open(path: string, resolve: ResolveSeries): Promise<SegmentReader> {
    const reader = new SegmentReader(path, await open(path, 'r'), resolve);
    try {
      await reader.#readHeader();
    } catch (error) {
      await reader.close();
      throw error;
    }
    return reader;
  }

  /** Of what `next` or `skip` comes to. */
  get next(): Place {
    return this.#next;
  }

  /** What ended the reading before the end of the file. */
  get damage(): string | undefined {
    return this.#damage ?? this.#frames.damage;
  }

  /** Bytes that could be read so far. */
  get offset(): number {
    return this.#frames.offset;
  }

  /**
   * @returns undefined at the end of what can be read
   * @throws Error when the file cannot be read
   */
  async read(): Promise<JournalEntry | undefined> {
    const body = await this.#body();
    if (body === undefined) return undefined;
    const batch = this.#decoder.decode(body);
    if (batch === undefined) return this.#refuse();
    const entry = { ...this.#next, batch };
    this.#advance(batch.length);
    return entry;
  }

  /** Goes past a batch. @returns false at the end of what can be read */
  async skip(): Promise<boolean> {
    const body = await this.#body();
    if (body === undefined) return false;
    if (!this.#decoder.skip(body)) return this.#refuse() ?? false;
    this.#advance(rowsOfRecord(body));
    return true;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #readHeader(): Promise<void> {
    const body = await this.#frames.next();
    if (body === undefined || body.length !== HEADER_BYTES || !body.subarray(0, MAGIC.length).equals(MAGIC)) {
      this.#damage = this.#frames.damage ?? 'its header is not that of a segment';
      return;
    }
    const version = body.readUInt32LE(MAGIC.length);
    if (version > FORMAT_VERSION) throw new NewerFormat(this.path, version);
    this.#next = { position: body.readDoubleLE(MAGIC.length + 4), row: body.readDoubleLE(MAGIC.length + 12) };
  }

  async #body(): Promise<Buffer | undefined> {
    return this.#damage === undefined ? this.#frames.next() : undefined;
  }

  #refuse(): undefined {
    this.#damage = `a record is no batch (before byte ${this.offset})`;
  }

  #advance(rows: number): void {
    this.#next = { position: this.#next.position + 1, row: this.#next.row + rows };
  }
}
