/**
 * Protobuf's wire format, written into one buffer that grows to the largest message and stays. By hand, because a
 * request is written some hundred times a second from typed columns: protobufjs' Writer makes an object for every
 * number first, and its reflection an object for every message.
 */

import { viewOf } from '../util/bytes.js';

/** Of the length that stands before a nested message, so many bytes are kept free until it is known. */
type LengthBytes = 1 | 2;

/** Tags of one byte. */
export interface LabelTags {
  readonly label: number;
  readonly name: number;
  readonly value: number;
}

export class WireWriter {
  #bytes = Buffer.allocUnsafeSlow(64 * 1024);
  #view = viewOf(this.#bytes);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  reset(): this {
    this.#length = 0;
    return this;
  }

  /** What was written since `reset`; valid until the next write. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** @param value below 2^31 */
  varint(value: number): void {
    this.#makeRoomFor(5);
    this.#length = writeVarint(this.#bytes, this.#length, value);
  }

  /** Of a whole number of at most 53 bits. In parts of 28 and 25, because V8 is quick with what fits in 31. */
  int64(value: number): void {
    this.#makeRoomFor(10);
    if (value < 0) {
      this.#negativeInt64(value);
      return;
    }
    const high = Math.floor(value / 2 ** 28);
    const low = value - high * 2 ** 28;
    let at = this.#length;
    if (high === 0) {
      this.#length = writeVarint(this.#bytes, at, low);
      return;
    }
    const bytes = this.#bytes;
    bytes[at++] = (low & 0x7f) | 0x80;
    bytes[at++] = ((low >>> 7) & 0x7f) | 0x80;
    bytes[at++] = ((low >>> 14) & 0x7f) | 0x80;
    bytes[at++] = (low >>> 21) | 0x80;
    this.#length = writeVarint(bytes, at, high);
  }

  /** Two's complement of 64 bits, so always ten bytes. */
  #negativeInt64(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
    this.#bytes[this.#length++] = Number(rest);
  }

  double(value: number): void {
    this.#makeRoomFor(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** A double by its bits: those of a NaN may get lost in a JavaScript number. */
  doubleBits(high: number, low: number): void {
    this.#makeRoomFor(8);
    this.#view.setUint32(this.#length, low, true);
    this.#view.setUint32(this.#length + 4, high, true);
    this.#length += 8;
  }

  raw(bytes: Buffer): void {
    this.#makeRoomFor(bytes.length);
    // Not `copy`, which makes a view of the source first.
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A string field's length and its bytes `source[start, end)`. */
  text(source: Buffer, start: number, end: number): void {
    this.#makeRoomFor(5 + end - start);
    const bytes = this.#bytes;
    let at = writeVarint(bytes, this.#length, end - start);
    // A loop, because the few bytes of a label are copied sooner than a native call is made.
    for (let from = start; from < end; from++) bytes[at++] = source[from]!;
    this.#length = at;
  }

  /** A `Label` message with its tag: name and value are `source[nameStart, nameEnd)` and `source[nameEnd + 1, valueEnd)`. */
  label(tags: LabelTags, source: Buffer, nameStart: number, nameEnd: number, valueEnd: number): void {
    const nameLength = nameEnd - nameStart;
    const valueLength = valueEnd - nameEnd - 1;
    this.#makeRoomFor(3 + 3 * 5 + nameLength + valueLength);
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = tags.label;
    at = writeVarint(
      bytes,
      at,
      2 + varintLength(nameLength) + nameLength + varintLength(valueLength) + valueLength,
    );
    bytes[at++] = tags.name;
    at = writeVarint(bytes, at, nameLength);
    // Loops, because the few bytes of a label are copied sooner than a native call is made.
    for (let from = nameStart; from < nameEnd; from++) bytes[at++] = source[from]!;
    bytes[at++] = tags.value;
    at = writeVarint(bytes, at, valueLength);
    for (let from = nameEnd + 1; from < valueEnd; from++) bytes[at++] = source[from]!;
    this.#length = at;
  }

  /** @returns where the nested message begins: for `end` */
  begin(tag: number, lengthBytes: LengthBytes = 1): number {
    this.varint(tag);
    this.#makeRoomFor(lengthBytes);
    this.#length += lengthBytes;
    return this.#length;
  }

  /** Ends the nested message that began at `start`, moving it where its length takes other than the room kept. */
  end(start: number, lengthBytes: LengthBytes = 1): void {
    const length = this.#length - start;
    const missing = varintLength(length) - lengthBytes;
    if (missing !== 0) {
      this.#makeRoomFor(Math.max(0, missing));
      this.#bytes.copyWithin(start + missing, start, this.#length);
      this.#length += missing;
    }
    writeVarint(this.#bytes, start - lengthBytes, length);
  }

  /** Whether the bytes written at `at` begin with `source[start, end)`. */
  hasAt(at: number, source: Buffer, start: number, end: number): boolean {
    const bytes = this.#bytes;
    for (let from = start, i = at; from < end; from++, i++) if (bytes[i] !== source[from]) return false;
    return true;
  }

  #makeRoomFor(more: number): void {
    if (this.#length + more > this.#bytes.length) this.#grow(more);
  }

  #grow(more: number): void {
    const grown = Buffer.allocUnsafeSlow(2 * (this.#length + more));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
    this.#view = viewOf(grown);
  }
}

export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) length++;
  return length;
}

function writeVarint(target: Buffer, at: number, value: number): number {
  let to = at;
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) target[to++] = (rest & 0x7f) | 0x80;
  target[to++] = rest;
  return to;
}
