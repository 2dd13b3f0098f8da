import { compareBytewise } from '../model/labels.js';
import type { PairRef, SeriesRef } from '../model/refs.js';
import { grown } from '../util/columns.js';
import { jsonString } from '../util/json.js';
import { sortInSlices } from '../util/sliced-sort.js';
import type { TimeSlices } from '../util/time-slices.js';

/** Series that have a label pair, in no order. */
export class Postings {
  #refs = new Uint32Array(2);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#refs.byteLength;
  }

  at(index: number): SeriesRef {
    return this.#refs[index] as SeriesRef;
  }

  add(series: SeriesRef): void {
    if (this.#length === this.#refs.length) this.#refs = grown(this.#refs, this.#length * 2);
    this.#refs[this.#length++] = series;
  }

  /** Keeps only the series for which `keep` says so. */
  retain(keep: (series: SeriesRef) => boolean): void {
    let kept = 0;
    for (let i = 0; i < this.#length; i++) {
      const series = this.#refs[i] as SeriesRef;
      if (keep(series)) this.#refs[kept++] = series;
    }
    this.#length = kept;
    if (kept * 4 < this.#refs.length) this.#refs = this.#refs.slice(0, Math.max(2, kept));
  }
}

/** Memory of a pair beside its text and postings: two strings, a map entry, postings object, columns. Measured. */
const BYTES_PER_PAIR = 260;

/** Every label pair of every series once: a number for it, its text, and the series that have it. */
export class LabelInterner {
  readonly #byName = new Map<string, Map<string, PairRef>>();
  readonly #names: string[] = [];
  readonly #values: string[] = [];
  readonly #json: string[] = [];
  readonly #postings: (Postings | undefined)[] = [];
  readonly #free: PairRef[] = [];
  /** Pairs removed so far: as long as this stays the same, every pair means what it meant. */
  removals = 0;
  #textBytes = 0;
  #pairs = 0;

  /** Undefined after pairs were added. */
  #ranks: Promise<Uint32Array> | undefined;

  get bytes(): number {
    return this.#pairs * BYTES_PER_PAIR + this.#textBytes;
  }

  intern(name: string, value: string): PairRef {
    let values = this.#byName.get(name);
    if (values === undefined) this.#byName.set(name, (values = new Map()));
    let pair = values.get(value);
    if (pair === undefined) {
      pair = this.#free.pop() ?? (this.#names.length as PairRef);
      values.set(value, pair);
      this.#names[pair] = name;
      this.#values[pair] = value;
      this.#json[pair] = '';
      this.#postings[pair] = new Postings();
      this.#textBytes += textBytes(name, value);
      this.#pairs++;
      this.#ranks = undefined;
    }
    return pair;
  }

  /** What interning this pair would add to `bytes`. */
  costOf(name: string, value: string): number {
    return this.find(name, value) === undefined ? BYTES_PER_PAIR + textBytes(name, value) : 0;
  }

  find(name: string, value: string): PairRef | undefined {
    return this.#byName.get(name)?.get(value);
  }

  /** Distinct values of a label with their pairs, in no order. */
  valuesOf(name: string): Iterable<readonly [value: string, pair: PairRef]> {
    return this.#byName.get(name) ?? [];
  }

  valueCount(name: string): number {
    return this.#byName.get(name)?.size ?? 0;
  }

  names(): Iterable<string> {
    return this.#byName.keys();
  }

  name(pair: PairRef): string {
    return this.#names[pair]!;
  }

  value(pair: PairRef): string {
    return this.#values[pair]!;
  }

  /** `"name":"value"`. */
  json(pair: PairRef): string {
    const json = this.#json[pair]!;
    if (json !== '') return json;
    return (this.#json[pair] = `${jsonString(this.#names[pair]!)}:${jsonString(this.#values[pair]!)}`);
  }

  /** Undefined for a pair that no series has any more. */
  postings(pair: PairRef): Postings | undefined {
    return this.#postings[pair];
  }

  /** Drops series from the postings of these pairs, and pairs that no series has any more. */
  retain(pairs: Iterable<PairRef>, keep: (series: SeriesRef) => boolean): void {
    for (const pair of pairs) {
      const postings = this.#postings[pair]!;
      postings.retain(keep);
      if (postings.length === 0) this.#remove(pair);
    }
  }

  /**
   * Ranks such that comparing them compares (name, value) bytewise, by pair. They hold for every pair that was
   * there when this was called. Kept until pairs are added.
   */
  ranks(slices: TimeSlices): Promise<Uint32Array> {
    this.#ranks ??= this.#rank(slices);
    return this.#ranks;
  }

  async #rank(slices: TimeSlices): Promise<Uint32Array> {
    const ranks = new Uint32Array(this.#names.length);
    const pairs: PairRef[] = [];
    for (const values of this.#byName.values()) for (const pair of values.values()) pairs.push(pair);
    const sorted = await sortInSlices(Uint32Array.from(pairs), (a, b) => this.#compare(a, b), slices);
    sorted.forEach((pair, rank) => {
      ranks[pair] = rank;
    });
    return ranks;
  }

  #compare(a: number, b: number): number {
    return (
      compareBytewise(this.#names[a]!, this.#names[b]!) || compareBytewise(this.#values[a]!, this.#values[b]!)
    );
  }

  #remove(pair: PairRef): void {
    const name = this.#names[pair]!;
    const value = this.#values[pair]!;
    const values = this.#byName.get(name)!;
    values.delete(value);
    if (values.size === 0) this.#byName.delete(name);
    this.#names[pair] = this.#values[pair] = this.#json[pair] = '';
    this.#postings[pair] = undefined;
    this.#free.push(pair);
    this.removals++;
    this.#textBytes -= textBytes(name, value);
    this.#pairs--;
  }
}

function textBytes(name: string, value: string): number {
  return name.length + value.length;
}
