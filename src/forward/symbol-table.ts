/**
 * The strings of one remote write 2.0 request, each once, and their numbers.
 *
 *     label of a series ── LabelSymbol ── met in this request? ── yes ─► its number
 *                                                └── no ──┐
 *     label of an exemplar ── bytes ── hash ──────────────┴─► slots ─► number, new or known
 *
 * Labels of series repeat from request to request, so their bytes and hashes are kept, and within a request the
 * second series with `job="shop"` costs one comparison of numbers. Two symbols of one text may exist at once (after
 * the pool was emptied): the table then gives both the same number.
 */
import { WireWriter } from './wire-writer.js';

/** A text that is likely to be sent again. */
export class LabelSymbol {
  readonly bytes: Buffer;
  readonly hash: number;
  /** The request in which it has the number `ref`. */
  request = 0;
  ref = 0;

  constructor(text: string) {
    this.bytes = Buffer.from(text, 'utf8');
    this.hash = hashOf(this.bytes, 0, this.bytes.length);
  }
}

/** Texts kept, at about 200 bytes each; then all are forgotten, and those still in use are met again. */
const MAX_POOLED = 100_000;

/** One symbol a text, for all series. */
export class SymbolPool {
  readonly #symbols = new Map<string, LabelSymbol>();

  of(text: string): LabelSymbol {
    const known = this.#symbols.get(text);
    if (known !== undefined) return known;
    if (this.#symbols.size >= MAX_POOLED) this.#symbols.clear();
    const symbol = new LabelSymbol(text);
    this.#symbols.set(text, symbol);
    return symbol;
  }
}

export class SymbolTable {
  readonly #tag: number;
  /** The symbols as they go over the wire. */
  readonly #wire = new WireWriter();
  /** Where on the wire the text of a symbol begins, and its hash and length, by number. */
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];
  readonly #hashes: number[] = [];
  #count = 0;
  #request = 0;
  /** Numbers of symbols by hash, open addressing; 0 is free, as symbol 0 is never looked for. */
  #slots = new Int32Array(4096);

  /** @param tag of the field that holds the symbols */
  constructor(tag: number) {
    this.#tag = tag;
  }

  /** Begins a request: the empty symbol, and no other. */
  start(): void {
    this.#request++;
    this.#count = 0;
    this.#wire.reset();
    this.#slots.fill(0);
    this.#append(Buffer.alloc(0), 0, 0, 0);
  }

  /** All symbols of the request; valid until the next one. */
  finish(): Buffer {
    return this.#wire.finish();
  }

  refOf(symbol: LabelSymbol): number {
    if (symbol.request === this.#request) return symbol.ref;
    symbol.ref = this.#find(symbol.bytes, 0, symbol.bytes.length, symbol.hash);
    symbol.request = this.#request;
    return symbol.ref;
  }

  refOfBytes(bytes: Buffer, start: number, end: number): number {
    return this.#find(bytes, start, end, hashOf(bytes, start, end));
  }

  #find(bytes: Buffer, start: number, end: number, hash: number): number {
    if (start === end) return 0;
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const ref = this.#slots[slot]!;
      if (ref === 0) {
        this.#slots[slot] = this.#count;
        return this.#append(bytes, start, end, hash);
      }
      if (this.#is(ref, bytes, start, end, hash)) return ref;
    }
  }

  #is(ref: number, bytes: Buffer, start: number, end: number, hash: number): boolean {
    return (
      this.#hashes[ref] === hash &&
      this.#lengths[ref] === end - start &&
      this.#wire.hasAt(this.#starts[ref]!, bytes, start, end)
    );
  }

  #append(bytes: Buffer, start: number, end: number, hash: number): number {
    const ref = this.#count++;
    this.#wire.varint(this.#tag);
    this.#wire.text(bytes, start, end);
    this.#starts[ref] = this.#wire.length - (end - start);
    this.#lengths[ref] = end - start;
    this.#hashes[ref] = hash;
    // Half full, so that looking for a text takes hardly more than one step.
    if (2 * this.#count > this.#slots.length) this.#grow();
    return ref;
  }

  #grow(): void {
    this.#slots = new Int32Array(2 * this.#slots.length);
    const mask = this.#slots.length - 1;
    for (let ref = 1; ref < this.#count; ref++) {
      let slot = this.#hashes[ref]! & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = ref;
    }
  }
}

/** FNV-1a with the high bits folded in, because slots are chosen by the low ones. */
function hashOf(bytes: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash ^ (hash >>> 15);
}
