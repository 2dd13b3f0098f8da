/**
 * Frames: what all files of the storage directory are made of.
 *
 *     length u32 │ CRC32C of the body u32 │ body, `length` bytes │ next frame …           little endian
 *
 * A frame that is cut short or has a flipped bit ends what can be read of its file: where the next one starts
 * can no longer be known for sure, and nothing must be read that was never written.
 */
import type { FileHandle } from 'node:fs/promises';
import crc32c from 'crc-32/crc32c.js';

export const FRAME_HEADER_BYTES = 8;

const BLOCK_BYTES = 1024 * 1024;
const PIECE_BYTES = 4 * 1024;

/** Fills in the header of the frame whose body is `frame[FRAME_HEADER_BYTES, frame.length)`. */
export function sealFrame(frame: Buffer): void {
  frame.writeUInt32LE(frame.length - FRAME_HEADER_BYTES, 0);
  frame.writeInt32LE(checksum(frame.subarray(FRAME_HEADER_BYTES)), 4);
}

/**
 * In pieces, because V8 compiles what is called often: four bodies a second would be summed by the interpreter, at a
 * tenth of the speed.
 */
function checksum(body: Buffer): number {
  let sum = 0;
  for (let at = 0; at < body.length; at += PIECE_BYTES) {
    sum = crc32c.buf(body.subarray(at, at + PIECE_BYTES), sum);
  }
  return sum;
}

/** Reads frames from a file, which may be growing at its end. */
export class FrameReader {
  readonly #file: FileHandle;
  #buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  /** Bytes read and not yet given out are `#buffer[#start, #end)`. */
  #start = 0;
  #end = 0;
  #fileOffset = 0;
  #damage: string | undefined;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** What ended the reading; undefined where the file just ends, or goes on. */
  get damage(): string | undefined {
    return this.#damage;
  }

  /** Where in the file the next frame starts. */
  get offset(): number {
    return this.#fileOffset - (this.#end - this.#start);
  }

  /**
   * The body of the next frame, lent until the next call; undefined at the end of the file, or at damage. At the
   * end it can be asked again later.
   * @throws Error when the file cannot be read
   */
  async next(): Promise<Buffer | undefined> {
    if (this.#damage !== undefined) return undefined;
    if (!(await this.#fill(FRAME_HEADER_BYTES))) {
      return this.#end === this.#start ? undefined : this.#damaged('a record is cut short');
    }
    const length = this.#buffer.readUInt32LE(this.#start);
    if (length === 0) return this.#damaged('a record has no length');
    // Damaged lengths can be anything up to 4 GiB: no memory for what the file cannot hold.
    if (length > BLOCK_BYTES && length > (await this.#file.stat()).size - this.offset) {
      return this.#damaged('a record is longer than its file');
    }
    if (!(await this.#fill(FRAME_HEADER_BYTES + length))) return this.#damaged('a record is cut short');
    const bodyStart = this.#start + FRAME_HEADER_BYTES;
    const body = this.#buffer.subarray(bodyStart, bodyStart + length);
    if (checksum(body) !== this.#buffer.readInt32LE(this.#start + 4)) {
      return this.#damaged('a record does not fit its checksum');
    }
    this.#start = bodyStart + length;
    return body;
  }

  #damaged(reason: string): undefined {
    this.#damage = `${reason} (at byte ${this.offset})`;
  }

  /** @returns false when the file ends before `needed` bytes are there */
  async #fill(needed: number): Promise<boolean> {
    if (this.#end - this.#start >= needed) return true;
    this.#makeRoom(needed);
    while (this.#end - this.#start < needed) {
      const room = this.#buffer.length - this.#end;
      const { bytesRead } = await this.#file.read(this.#buffer, this.#end, room, this.#fileOffset);
      if (bytesRead === 0) return false;
      this.#end += bytesRead;
      this.#fileOffset += bytesRead;
    }
    return true;
  }

  /** Moves what is left to the front, of a larger buffer if need be. */
  #makeRoom(needed: number): void {
    const capacity = Math.max(BLOCK_BYTES, needed);
    const buffer = capacity === this.#buffer.length ? this.#buffer : Buffer.allocUnsafe(capacity);
    this.#buffer.copy(buffer, 0, this.#start, this.#end);
    this.#buffer = buffer;
    this.#end -= this.#start;
    this.#start = 0;
  }
}
