import { type Labels, METRIC_NAME } from '../model/labels.js';
import { NO_SERIES, type PairRef, type SeriesRef } from '../model/refs.js';
import { grown, nextCapacity } from '../util/columns.js';
import { sortInSlices } from '../util/sliced-sort.js';
import type { TimeSlices } from '../util/time-slices.js';
import { LabelInterner } from './interner.js';

/** Memory of a series here: its place in the table and the columns; label and posting words come on top. */
const BYTES_PER_SERIES = 4 + 2 + 1 + 2 * 4;
/** A pair of a series: one word in its label list, about one and a half in the postings, which grow by doubling. */
const BYTES_PER_LABEL = 4 + 6;

/** More labels than any series has, and few enough that one line cannot take all memory. */
export const MAX_SERIES_LABELS = 1024;

/** A label set's series ends here, or is created: who is who, and which series a selector means. */
export class SeriesIndex {
  readonly interner = new LabelInterner();

  /** Label lists of all series in one array; a series' list is `#pairs[#start, #start + #count)`. */
  #pairs = new Uint32Array(64);
  #pairsUsed = 0;
  readonly #freeLists = new Map<number, number[]>();
  #start = new Uint32Array(1);
  #count = new Uint16Array(1);
  #isLive = new Uint8Array(1);

  /** Open addressing with linear probing over the hash of the pair list; capacity a power of two. */
  #table = new Uint32Array(64);

  #series = 0;
  #labels = 0;
  #highest = 0;
  readonly #free: SeriesRef[] = [];
  /** Forgotten, but still in postings: not to be reused before `sweep`. */
  #graveyard: SeriesRef[] = [];

  get size(): number {
    return this.#series;
  }

  /** One more than the highest ref in use: what columns by series must hold. */
  get refLimit(): number {
    return this.#highest + 1;
  }

  get labelBytes(): number {
    return this.interner.bytes;
  }

  get indexBytes(): number {
    return this.#series * BYTES_PER_SERIES + this.#labels * BYTES_PER_LABEL;
  }

  /** What creating this series would add to `labelBytes` and `indexBytes`. */
  costOf(labels: Labels): number {
    let bytes = BYTES_PER_SERIES + (labels.length / 2) * BYTES_PER_LABEL;
    for (let i = 0; i < labels.length; i += 2) bytes += this.interner.costOf(labels[i]!, labels[i + 1]!);
    return bytes;
  }

  isLive(series: SeriesRef): boolean {
    return this.#isLive[series] === 1;
  }

  find(labels: Labels): SeriesRef | undefined {
    const pairs: PairRef[] = [];
    for (let i = 0; i < labels.length; i += 2) {
      const pair = this.interner.find(labels[i]!, labels[i + 1]!);
      if (pair === undefined) return undefined;
      pairs.push(pair);
    }
    const series = this.#table[this.#probe(pairs)] as SeriesRef;
    return series === NO_SERIES ? undefined : series;
  }

  /**
   * Adds a series that `find` did not know.
   * @throws {RangeError} past MAX_SERIES_LABELS: whoever parses labels refuses them earlier
   */
  add(labels: Labels): SeriesRef {
    const pairs: PairRef[] = [];
    for (let i = 0; i < labels.length; i += 2) pairs.push(this.interner.intern(labels[i]!, labels[i + 1]!));
    if (pairs.length > MAX_SERIES_LABELS) throw new RangeError('too many labels');
    const series = this.#free.pop() ?? (++this.#highest as SeriesRef);
    this.#growSeries(series + 1);
    const start = this.#reserve(pairs.length);
    this.#pairs.set(pairs, start);
    this.#start[series] = start;
    this.#count[series] = pairs.length;
    this.#isLive[series] = 1;
    this.#series++;
    this.#labels += pairs.length;
    if (this.#series * 2 > this.#table.length) this.#rehash(this.#table.length * 2);
    else this.#table[this.#probe(pairs)] = series;
    for (const pair of pairs) this.interner.postings(pair)!.add(series);
    return series;
  }

  /** The number is reused, but not before `sweep` took it out of the postings. */
  forget(series: SeriesRef): void {
    this.#removeFromTable(series);
    this.#isLive[series] = 0;
    this.#series--;
    this.#labels -= this.#count[series]!;
    this.#graveyard.push(series);
    // Sweeping touches whole postings: it pays when a fair part of what is in them is dead.
    if (this.#graveyard.length > Math.max(1024, this.#series / 8)) this.sweep();
  }

  sweep(): void {
    const touched = new Set<PairRef>();
    for (const series of this.#graveyard) for (const pair of this.pairsOf(series)) touched.add(pair);
    this.interner.retain(touched, (series) => this.isLive(series));
    for (const series of this.#graveyard) {
      const count = this.#count[series]!;
      const freed = this.#freeLists.get(count) ?? [];
      freed.push(this.#start[series]!);
      this.#freeLists.set(count, freed);
      this.#free.push(series);
    }
    this.#graveyard = [];
  }

  labels(series: SeriesRef): Labels {
    const labels: string[] = [];
    for (const pair of this.pairsOf(series)) labels.push(this.interner.name(pair), this.interner.value(pair));
    return labels;
  }

  /** `{"__name__":"…",…}` */
  labelsJson(series: SeriesRef): string {
    const start = this.#start[series]!;
    const end = start + this.#count[series]!;
    let json = '{';
    for (let i = start; i < end; i++) {
      json += (i === start ? '' : ',') + this.interner.json(this.#pairs[i] as PairRef);
    }
    return `${json}}`;
  }

  /** A label's value, empty where the series has none. */
  labelValue(series: SeriesRef, name: string): string {
    for (const pair of this.pairsOf(series)) {
      if (this.interner.name(pair) === name) return this.interner.value(pair);
    }
    return '';
  }

  metricName(series: SeriesRef): string {
    return this.labelValue(series, METRIC_NAME);
  }

  /** Valid until the next `add`. */
  pairsOf(series: SeriesRef): Iterable<PairRef> {
    const start = this.#start[series]!;
    return this.#pairs.subarray(start, start + this.#count[series]!) as unknown as Iterable<PairRef>;
  }

  *all(): Generator<SeriesRef> {
    for (let series = 1; series <= this.#highest; series++)
      if (this.#isLive[series] === 1) yield series as SeriesRef;
  }

  /** By label set: pairwise name then value, bytewise, a prefix first. */
  async sorted(series: readonly SeriesRef[], slices: TimeSlices): Promise<SeriesRef[]> {
    const ranks = await this.interner.ranks(slices);
    const compare = (a: number, b: number) => {
      const startA = this.#start[a]!;
      const startB = this.#start[b]!;
      const shorter = Math.min(this.#count[a]!, this.#count[b]!);
      for (let i = 0; i < shorter; i++) {
        const pairA = this.#pairs[startA + i]!;
        const pairB = this.#pairs[startB + i]!;
        if (pairA !== pairB) return ranks[pairA]! - ranks[pairB]!;
      }
      return this.#count[a]! - this.#count[b]!;
    };
    return Array.from(await sortInSlices(Uint32Array.from(series), compare, slices)) as SeriesRef[];
  }

  /** The pair by which a series has a label, undefined if it has none. */
  pairNamed(series: SeriesRef, name: string): PairRef | undefined {
    const start = this.#start[series]!;
    const end = start + this.#count[series]!;
    for (let i = start; i < end; i++) {
      const pair = this.#pairs[i] as PairRef;
      if (this.interner.name(pair) === name) return pair;
    }
    return undefined;
  }

  /** Where in the table the series of these pairs is, or would go. */
  #probe(pairs: ArrayLike<number>): number {
    const mask = this.#table.length - 1;
    let at = hashPairs(pairs) & mask;
    while (this.#table[at] !== NO_SERIES && !this.#hasPairs(this.#table[at] as SeriesRef, pairs))
      at = (at + 1) & mask;
    return at;
  }

  #hasPairs(series: SeriesRef, pairs: ArrayLike<number>): boolean {
    const count = this.#count[series]!;
    if (count !== pairs.length) return false;
    const start = this.#start[series]!;
    for (let i = 0; i < count; i++) if (this.#pairs[start + i] !== pairs[i]) return false;
    return true;
  }

  #pairList(series: SeriesRef): Uint32Array {
    const start = this.#start[series]!;
    return this.#pairs.subarray(start, start + this.#count[series]!);
  }

  #rehash(capacity: number): void {
    this.#table = new Uint32Array(capacity);
    for (const series of this.all()) this.#table[this.#probe(this.#pairList(series))] = series;
  }

  /** Closes the gap, so that probing never meets a hole before what it looks for. */
  #removeFromTable(series: SeriesRef): void {
    const mask = this.#table.length - 1;
    let hole = this.#probe(this.#pairList(series));
    for (let at = (hole + 1) & mask; this.#table[at] !== NO_SERIES; at = (at + 1) & mask) {
      const home = hashPairs(this.#pairList(this.#table[at] as SeriesRef)) & mask;
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        this.#table[hole] = this.#table[at]!;
        hole = at;
      }
    }
    this.#table[hole] = NO_SERIES;
  }

  #reserve(count: number): number {
    const freed = this.#freeLists.get(count)?.pop();
    if (freed !== undefined) return freed;
    const start = this.#pairsUsed;
    this.#pairsUsed += count;
    if (this.#pairsUsed > this.#pairs.length) {
      this.#pairs = grown(this.#pairs, nextCapacity(this.#pairs.length, this.#pairsUsed));
    }
    return start;
  }

  #growSeries(length: number): void {
    if (length <= this.#start.length) return;
    const capacity = nextCapacity(this.#start.length, length);
    this.#start = grown(this.#start, capacity);
    this.#count = grown(this.#count, capacity);
    this.#isLive = grown(this.#isLive, capacity);
  }
}

function hashPairs(pairs: ArrayLike<number>): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < pairs.length; i++) hash = Math.imul(hash ^ pairs[i]!, 0x9e3779b1);
  return (hash ^ (hash >>> 15)) >>> 0;
}
