import type { SlotRef } from '../model/refs.js';
import { grown, nextCapacity } from '../util/columns.js';

/** Bytes of packed ids in a slot: a 128-bit trace id and a 64-bit span id. */
export const ID_BYTES = 24;
const ID_WORDS = ID_BYTES / 4;

/** No slot: the end of a list. Slot 0 is the candidate, which is in no list. */
export const NO_SLOT = 0 as SlotRef;

/** Where an exemplar is laid out before it is judged against those held. */
export const CANDIDATE = 0 as SlotRef;

/**
 * One pool of equal slots for all rings, as parallel columns: slot `s` is index `s` of each.
 *
 *   timesMs  8 B    value  8 B    ids  24 B    shapes  2 B    next, prev  4 B each        50 bytes a slot
 *
 * A slot is one of: the candidate (slot 0); an exemplar, linked by `next` and `prev` in its series' ring; a
 * piece of label text, 24 bytes in `ids`, linked by `next` to the piece after it; free, linked by `next`.
 * Since text lives in the same slots, memory can always go where it is needed, and there is one cap to keep.
 */
export class SlotSlab {
  static readonly BYTES_PER_SLOT = 8 + 8 + ID_BYTES + 2 + 4 + 4;

  timesMs = new Float64Array(1);
  values = new Float64Array(1);
  ids = Buffer.alloc(ID_BYTES);
  idWords = new Uint32Array(this.ids.buffer, this.ids.byteOffset, ID_WORDS);
  shapes = new Uint16Array(1);
  next = new Uint32Array(1);
  prev = new Uint32Array(1);

  #capacity = 1;
  /** Slots ever used; those beyond are untouched and cost no memory. */
  #used = 1;
  #firstFree: SlotRef = NO_SLOT;
  #free = 0;
  #maxSlots: number;
  readonly #firstCapacity: number;

  /** @param expectedSlots room for so many is reserved at once: what growing leaves behind waits for a collection */
  constructor(maxSlots: number, expectedSlots = 1024) {
    this.#maxSlots = maxSlots;
    this.#firstCapacity = Math.ceil(expectedSlots);
  }

  /** Slots that can be had without anyone giving up any. */
  get available(): number {
    return Math.max(0, this.#maxSlots - this.#used + this.#free);
  }

  /** More in use than the cap, as after it was lowered. */
  get isOverfull(): boolean {
    return this.#used - this.#free > this.#maxSlots;
  }

  get slotsInUse(): number {
    return this.#used - 1 - this.#free;
  }

  /** Memory touched so far. */
  get bytes(): number {
    return this.#used * SlotSlab.BYTES_PER_SLOT;
  }

  get maxSlots(): number {
    return this.#maxSlots;
  }

  /** Memory once given to slots stays with them: a lower cap takes effect by moving into another slab. */
  set maxSlots(maxSlots: number) {
    this.#maxSlots = maxSlots;
  }

  /** @throws {RangeError} when nothing is available: the caller must have made room */
  allocate(): SlotRef {
    const slot = this.#firstFree;
    if (slot !== NO_SLOT) {
      this.#firstFree = this.next[slot] as SlotRef;
      this.#free--;
      return slot;
    }
    if (this.#used >= this.#maxSlots) throw new RangeError('no slot is available');
    if (this.#used === this.#capacity)
      this.#grow(Math.min(nextCapacity(this.#capacity, this.#firstCapacity), this.#maxSlots));
    return this.#used++ as SlotRef;
  }

  free(slot: SlotRef): void {
    this.next[slot] = this.#firstFree;
    this.#firstFree = slot;
    this.#free++;
  }

  /** Writes text, zero-padded to whole slots, into newly allocated ones. @returns the first of them */
  allocateText(text: Buffer, paddedLength: number): SlotRef {
    let first = NO_SLOT;
    // From the last piece to the first, so that each can point to the one after it.
    for (let from = paddedLength - ID_BYTES; from >= 0; from -= ID_BYTES) {
      const slot = this.allocate();
      text.copy(this.ids, slot * ID_BYTES, from, from + ID_BYTES);
      this.next[slot] = first;
      first = slot;
    }
    return first;
  }

  freeText(first: SlotRef): void {
    for (let slot = first; slot !== NO_SLOT; ) {
      const following = this.next[slot] as SlotRef;
      this.free(slot);
      slot = following;
    }
  }

  /** Copies a text with its padding. @returns bytes written */
  readText(first: SlotRef, out: Buffer): number {
    let length = 0;
    for (let slot = first; slot !== NO_SLOT; slot = this.next[slot] as SlotRef) {
      length += this.ids.copy(out, length, slot * ID_BYTES, (slot + 1) * ID_BYTES);
    }
    return length;
  }

  equalText(first: SlotRef, text: Buffer, paddedLength: number): boolean {
    let from = 0;
    for (let slot = first; slot !== NO_SLOT; slot = this.next[slot] as SlotRef, from += ID_BYTES) {
      if (from === paddedLength) return false;
      const at = slot * ID_BYTES;
      if (this.ids.compare(text, from, from + ID_BYTES, at, at + ID_BYTES) !== 0) return false;
    }
    return from === paddedLength;
  }

  /** The ref of an exemplar's text is the last word of its ids. */
  textOf(slot: SlotRef): SlotRef {
    return this.idWords[slot * ID_WORDS + ID_WORDS - 1] as SlotRef;
  }

  setTextOf(slot: SlotRef, text: SlotRef): void {
    this.idWords[slot * ID_WORDS + ID_WORDS - 1] = text;
  }

  /** Whether the first `words` words of both slots' ids are the same. */
  equalIds(a: SlotRef, b: SlotRef, words: number): boolean {
    for (let i = 0; i < words; i++) {
      if (this.idWords[a * ID_WORDS + i] !== this.idWords[b * ID_WORDS + i]) return false;
    }
    return true;
  }

  /** Copies time, value, ids and shape; not the links. */
  copyExemplar(from: SlotRef, to: SlotRef): void {
    this.timesMs[to] = this.timesMs[from]!;
    this.values[to] = this.values[from]!;
    this.shapes[to] = this.shapes[from]!;
    for (let i = 0; i < ID_WORDS; i++) this.idWords[to * ID_WORDS + i] = this.idWords[from * ID_WORDS + i]!;
  }

  /** The same from another slab. */
  copyExemplarOf(other: SlotSlab, from: SlotRef, to: SlotRef): void {
    this.timesMs[to] = other.timesMs[from]!;
    this.values[to] = other.values[from]!;
    this.shapes[to] = other.shapes[from]!;
    this.idWords.set(other.idWords.subarray(from * ID_WORDS, (from + 1) * ID_WORDS), to * ID_WORDS);
  }

  /** One column at a time, so that at no moment two whole slabs are in memory. */
  #grow(capacity: number): void {
    this.timesMs = grown(this.timesMs, capacity);
    this.values = grown(this.values, capacity);
    const words = grown(this.idWords, capacity * ID_WORDS);
    this.idWords = words;
    this.ids = Buffer.from(words.buffer);
    this.shapes = grown(this.shapes, capacity);
    this.next = grown(this.next, capacity);
    this.prev = grown(this.prev, capacity);
    this.#capacity = capacity;
  }
}
