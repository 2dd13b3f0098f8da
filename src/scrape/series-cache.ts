import { type ScanVisitor, typeOfComment } from '../exposition/openmetrics.js';
import { parseSampleLine, type SampleLine, seriesEnd } from '../exposition/sample-line.js';
import { Verdict } from '../model/exemplar.js';
import type { SeriesRef } from '../model/refs.js';
import { copyBytes, equalBytes, hashBytes, viewOf } from '../util/bytes.js';
import { grown, nextCapacity } from '../util/columns.js';

const HASH = 0x23;
const NEWLINE = 0x0a;
const SPACE = 0x20;

/** Number of a known series of this target, from 1; 0 is the place before the first line. */
type Entry = number;
const BEFORE_FIRST: Entry = 0;

/** The series of an entry that is none, though its line reads like a sample: a label name stands twice, say. */
export const DROPPED = 0 as SeriesRef;

/** Turns a series of the exposition into one of the store; DROPPED if it is none. May throw a ScrapeError. */
export type ResolveSeries = (sample: SampleLine, metricType: string | undefined) => SeriesRef;

/** Whether the number still means the series it was resolved to. */
export interface RefChecks {
  generation(series: SeriesRef): number;
  /** The line shows what it showed last time; `verdict`: what it was then. */
  seenAgain(series: SeriesRef, verdict: Verdict, nowMs: number): void;
}

/** A longer raw series is refused: nobody means it, and one of megabytes would push out thousands of others. */
const MAX_SERIES_BYTES = 64 * 1024;
/** Longer exemplars of a line are read anew in every body instead of being remembered. */
const MAX_REMEMBERED_BYTES = 16 * 1024;

/** Room behind an exemplar's bytes, so that the next one, a digit longer, still fits. */
const EXEMPLAR_SLACK = 8;

/**
 * What a target exposed last time: for each raw series the store's ref, and the raw bytes of its exemplars.
 *
 * Bodies repeat themselves, so the next line with an exemplar is expected to be the one that followed last
 * time: then a comparison of bytes replaces parsing, hashing and looking up, and another shows whether the
 * exemplar is new. Only lines with something new are put on the list of changes, for the caller to append once
 * the whole body has proved sound.
 *
 * Why a match is proof: the same bytes after a newline parse the same way, so what follows them is the value.
 */
export class SeriesCache implements ScanVisitor {
  /** Lines with something new: four numbers each, see `forEachChange`. */
  #changes = new Int32Array(4 * 64);
  #changesLength = 0;
  /** Lines that carried ` # {` but are no samples. */
  malformedLines = 0;
  /** Lines with exemplars met in this body. */
  lines = 0;

  readonly #resolve: ResolveSeries;
  readonly #checks: RefChecks;

  /** Raw bytes of series and exemplars, as the entries point into it. */
  #text = Buffer.alloc(1024);
  #textView = viewOf(this.#text);
  #textUsed = 0;
  /** Room in it that nothing points to any more. */
  #textWasted = 0;

  // By entry.
  #seriesAt = new Uint32Array(64);
  #seriesLength = new Uint32Array(64);
  #exemplarAt = new Uint32Array(64);
  #exemplarLength = new Uint32Array(64);
  #exemplarRoom = new Uint32Array(64);
  #refs = new Uint32Array(64);
  #generations = new Uint32Array(64);
  #verdicts = new Uint8Array(64);
  #following = new Uint32Array(64);
  #seenIn = new Uint32Array(64);
  /** Of the TYPE line before it: what `#resolve` was told. */
  readonly #types: (string | undefined)[] = [];
  #entries = 1;

  /** Open addressing over the hash of the raw series; capacity a power of two. */
  #table = new Uint32Array(128);

  // Of the body under way.
  #body: Buffer = this.#text;
  #view: DataView = this.#textView;
  #nowMs = 0;
  #bodyNumber = 0;
  #previous: Entry = BEFORE_FIRST;
  #metricType: string | undefined;
  #typeAt = -1;

  constructor(resolve: ResolveSeries, checks: RefChecks) {
    this.#resolve = resolve;
    this.#checks = checks;
  }

  get size(): number {
    return this.#entries - 1;
  }

  get bytes(): number {
    return this.#text.length + this.#seriesAt.length * (4 * 9 + 1) + this.#table.length * 4;
  }

  begin(body: Buffer, view: DataView, nowMs: number): void {
    this.#body = body;
    this.#view = view;
    this.#nowMs = nowMs;
    this.#bodyNumber++;
    this.#previous = BEFORE_FIRST;
    this.#metricType = undefined;
    this.#typeAt = -1;
    this.#changesLength = 0;
    this.malformedLines = 0;
    this.lines = 0;
  }

  commentAt(hash: number): void {
    // `# T`: a TYPE line. What it says is read only if a new series turns up behind it.
    if (this.#body[hash + 2] === 0x54) this.#typeAt = hash;
  }

  exemplarAt(hash: number): number {
    const expected = this.#following[this.#previous]!;
    if (expected !== BEFORE_FIRST) {
      const valueAt = this.#tokenStart(hash - 2);
      if (this.#isSeries(expected, valueAt - 1)) return this.#line(expected, valueAt - 1, hash);
      // The token before `#` may be a timestamp, with the value before it: on this line, not on the one before.
      const earlier = this.#body[valueAt - 1] === SPACE ? this.#tokenStart(valueAt - 2) : 0;
      if (this.#isSeries(expected, earlier - 1)) return this.#line(expected, earlier - 1, hash);
    }
    return this.#unexpectedLine(hash);
  }

  /**
   * Calls back for every line with something new.
   * @param change `exemplarAt`: its opening brace; `seriesEnd`: the space before the sample's value; the result
   * says what became of the (last) exemplar, and is remembered with its bytes
   */
  forEachChange(
    change: (series: SeriesRef, seriesEnd: number, exemplarAt: number, lineEnd: number) => Verdict,
  ): void {
    for (let i = 0; i < this.#changesLength; i += 4) {
      const entry = this.#changes[i]!;
      const exemplarAt = this.#changes[i + 2]!;
      const lineEnd = this.#changes[i + 3]!;
      const seriesEnd = this.#changes[i + 1]!;
      // At the cap of series a later one of this body has taken its place: what it shows is to be taken in all the same.
      if (!this.#isCurrent(entry) && !this.#resolveAgain(entry, seriesEnd, lineEnd, this.#types[entry]))
        continue;
      const verdict = change(this.#refs[entry] as SeriesRef, seriesEnd, exemplarAt, lineEnd);
      this.#verdicts[entry] = verdict;
      this.#rememberExemplar(entry, exemplarAt, lineEnd - exemplarAt);
    }
    this.#changesLength = 0;
  }

  /** At the end of a body: forgets what has not been exposed for long, if that is much. */
  end(): void {
    this.#body = this.#text;
    this.#view = this.#textView;
    if (this.size > 2 * this.lines + 1024 || this.#textWasted > this.#textUsed / 2 + 65_536) this.#compact();
  }

  /** The first byte of the token that ends at `last`, 1 at the least. */
  #tokenStart(last: number): number {
    let at = last;
    while (at > 0 && this.#body[at] !== SPACE && this.#body[at] !== NEWLINE) at--;
    return at + 1;
  }

  /** Whether the line's series ends at `end` and is this entry's. */
  #isSeries(entry: Entry, end: number): boolean {
    const length = this.#seriesLength[entry]!;
    const start = end - length;
    if (start < 0 || this.#body[end] !== SPACE || (start > 0 && this.#body[start - 1] !== NEWLINE))
      return false;
    return equalBytes(this.#view, start, this.#textView, this.#seriesAt[entry]!, length);
  }

  /** A line of a known series. @returns its end */
  #line(entry: Entry, seriesEnd: number, hash: number): number {
    this.lines++;
    if (this.#following[this.#previous] !== entry) this.#following[this.#previous] = entry;
    this.#previous = entry;
    this.#seenIn[entry] = this.#bodyNumber;
    const exemplarAt = hash + 2;
    const ref = this.#refs[entry] as SeriesRef;
    if (ref === DROPPED) {
      this.malformedLines++;
      return this.#body.indexOf(NEWLINE, exemplarAt);
    }
    const isCurrent = this.#isCurrent(entry);
    const length = this.#exemplarLength[entry]!;
    const sameEnd = exemplarAt + length;
    const isUnchanged =
      isCurrent &&
      length > 0 &&
      this.#body[sameEnd] === NEWLINE &&
      equalBytes(this.#view, exemplarAt, this.#textView, this.#exemplarAt[entry]!, length);
    if (isUnchanged) {
      const verdict = this.#verdicts[entry] as Verdict;
      // Time may change the first two, and a malformed line may have been so in its sample.
      if (verdict !== Verdict.future && verdict !== Verdict.outOfOrder && verdict !== Verdict.malformed) {
        this.#checks.seenAgain(ref, verdict, this.#nowMs);
        return sameEnd;
      }
    }
    const lineEnd = this.#body.indexOf(NEWLINE, exemplarAt);
    if (!isCurrent && !this.#resolveAgain(entry, seriesEnd, lineEnd, this.#currentType())) {
      this.malformedLines++;
      return lineEnd;
    }
    this.#change(entry, seriesEnd, exemplarAt, lineEnd);
    return lineEnd;
  }

  /** Not the line that was expected here: known from elsewhere, new, or no sample at all. @returns its end */
  #unexpectedLine(hash: number): number {
    const body = this.#body;
    let start = hash;
    while (start > 0 && body[start - 1] !== NEWLINE) start--;
    const lineEnd = body.indexOf(NEWLINE, hash);
    const rawEnd = seriesEnd(body, start, lineEnd);
    if (rawEnd - start > MAX_SERIES_BYTES) {
      this.malformedLines++;
      return lineEnd;
    }
    const known = this.#find(start, rawEnd);
    if (known !== undefined) {
      const end = start + this.#seriesLength[known]!;
      // The exemplar is the first ` # {` behind the series; what was met may be a later one, or none.
      const offset = body.subarray(end, lineEnd).indexOf(' # {');
      return offset < 0 ? lineEnd : this.#line(known, end, end + offset + 1);
    }
    const sample = parseSampleLine(body, start, lineEnd);
    if (sample === undefined) {
      if (body[start] !== HASH) this.malformedLines++;
    } else if (sample.sampleEnd < lineEnd) {
      const entry = this.#add(start, sample);
      this.#line(entry, sample.seriesEnd, sample.sampleEnd + 1);
    }
    return lineEnd;
  }

  #change(entry: Entry, seriesEnd: number, exemplarAt: number, lineEnd: number): void {
    const at = this.#changesLength;
    if (at === this.#changes.length) {
      const larger = new Int32Array(2 * at);
      larger.set(this.#changes);
      this.#changes = larger;
    }
    this.#changes[at] = entry;
    this.#changes[at + 1] = seriesEnd;
    this.#changes[at + 2] = exemplarAt;
    this.#changes[at + 3] = lineEnd;
    this.#changesLength = at + 4;
  }

  #add(start: number, sample: SampleLine): Entry {
    const metricType = this.#currentType();
    const ref = this.#resolve(sample, metricType);
    const entry = this.#entries++;
    this.#types[entry] = metricType;
    if (entry === this.#seriesAt.length) this.#growEntries(2 * entry);
    const length = sample.seriesEnd - start;
    this.#seriesAt[entry] = this.#store(start, length, length);
    this.#seriesLength[entry] = length;
    this.#exemplarLength[entry] = this.#exemplarRoom[entry] = 0;
    this.#refs[entry] = ref;
    this.#generations[entry] = this.#checks.generation(ref);
    this.#verdicts[entry] = Verdict.accepted;
    this.#following[entry] = BEFORE_FIRST;
    if (this.#entries * 2 > this.#table.length) this.#rehash(2 * this.#table.length);
    else this.#table[this.#probe(this.#textView, this.#seriesAt[entry]!, length)] = entry;
    return entry;
  }

  /**
   * The store forgot the series since: it comes back as a new one, with all that it exposes.
   * @returns false when the line is no sample
   */
  #resolveAgain(entry: Entry, end: number, lineEnd: number, metricType: string | undefined): boolean {
    const sample = parseSampleLine(this.#body, end - this.#seriesLength[entry]!, lineEnd);
    if (sample === undefined) return false;
    const ref = this.#resolve(sample, metricType);
    this.#types[entry] = metricType;
    this.#refs[entry] = ref;
    this.#generations[entry] = this.#checks.generation(ref);
    // What it showed before it was forgotten is new to it, also where the body shows the series twice.
    this.#exemplarLength[entry] = 0;
    return true;
  }

  /** Whether the store still means the same series by the entry's ref. */
  #isCurrent(entry: Entry): boolean {
    return this.#generations[entry] === this.#checks.generation(this.#refs[entry] as SeriesRef);
  }

  #currentType(): string | undefined {
    if (this.#typeAt >= 0) this.#metricType = typeOfComment(this.#body, this.#typeAt);
    this.#typeAt = -1;
    return this.#metricType;
  }

  #find(start: number, end: number): Entry | undefined {
    if (end < 0) return undefined;
    const entry = this.#table[this.#probe(this.#view, start, end - start)]!;
    return entry === 0 ? undefined : entry;
  }

  #probe(view: DataView, at: number, length: number): number {
    const mask = this.#table.length - 1;
    let place = hashBytes(view, at, length) & mask;
    for (let entry = this.#table[place]!; entry !== 0; entry = this.#table[place]!) {
      const isSame =
        this.#seriesLength[entry] === length &&
        equalBytes(view, at, this.#textView, this.#seriesAt[entry]!, length);
      if (isSame) return place;
      place = (place + 1) & mask;
    }
    return place;
  }

  #rehash(capacity: number): void {
    this.#table = new Uint32Array(capacity);
    for (let entry = 1; entry < this.#entries; entry++) {
      this.#table[this.#probe(this.#textView, this.#seriesAt[entry]!, this.#seriesLength[entry]!)] = entry;
    }
  }

  #rememberExemplar(entry: Entry, at: number, length: number): void {
    if (length > MAX_REMEMBERED_BYTES) {
      this.#exemplarLength[entry] = 0;
      return;
    }
    if (length > this.#exemplarRoom[entry]!) {
      this.#textWasted += this.#exemplarRoom[entry]!;
      this.#exemplarAt[entry] = this.#store(at, length, length + EXEMPLAR_SLACK);
      this.#exemplarRoom[entry] = length + EXEMPLAR_SLACK;
    } else copyBytes(this.#view, at, this.#textView, this.#exemplarAt[entry]!, length);
    this.#exemplarLength[entry] = length;
  }

  /** Copies bytes of the body. @returns where to */
  #store(at: number, length: number, room: number): number {
    const to = this.#textUsed;
    this.#textUsed += room;
    if (this.#textUsed > this.#text.length) this.#moveText(nextCapacity(this.#text.length, this.#textUsed));
    this.#body.copy(this.#text, to, at, at + length);
    return to;
  }

  #moveText(capacity: number): void {
    const larger = Buffer.alloc(capacity);
    this.#text.copy(larger);
    this.#text = larger;
    this.#textView = viewOf(larger);
  }

  /** Keeps the entries of the last body, in their order. */
  #compact(): void {
    const old = {
      text: this.#text,
      seriesAt: this.#seriesAt.slice(),
      exemplarAt: this.#exemplarAt.slice(),
    };
    let kept = 1;
    this.#textUsed = 0;
    this.#textWasted = 0;
    this.#text = Buffer.alloc(Math.max(1024, this.#usefulTextOfLastBody()));
    for (let entry = 1; entry < this.#entries; entry++) {
      if (this.#seenIn[entry] !== this.#bodyNumber) continue;
      this.#seriesAt[kept] = this.#moveIn(old.text, old.seriesAt[entry]!, this.#seriesLength[entry]!);
      this.#exemplarAt[kept] = this.#moveIn(old.text, old.exemplarAt[entry]!, this.#exemplarRoom[entry]!);
      for (const column of this.#movedColumns()) column[kept] = column[entry]!;
      this.#types[kept] = this.#types[entry];
      this.#following[kept] = kept + 1;
      kept++;
    }
    this.#following[BEFORE_FIRST] = kept > 1 ? 1 : BEFORE_FIRST;
    this.#following[kept - 1] = BEFORE_FIRST;
    this.#entries = kept;
    this.#textView = viewOf(this.#text);
    this.#body = this.#text;
    this.#view = this.#textView;
    this.#rehash(Math.max(128, 2 ** Math.ceil(Math.log2(2 * kept + 2))));
  }

  #usefulTextOfLastBody(): number {
    let bytes = 0;
    for (let entry = 1; entry < this.#entries; entry++) {
      if (this.#seenIn[entry] === this.#bodyNumber)
        bytes += this.#seriesLength[entry]! + this.#exemplarRoom[entry]!;
    }
    return bytes;
  }

  #moveIn(text: Buffer, at: number, room: number): number {
    const to = this.#textUsed;
    text.copy(this.#text, to, at, at + room);
    this.#textUsed += room;
    return to;
  }

  #movedColumns() {
    return [
      this.#seriesLength,
      this.#exemplarLength,
      this.#exemplarRoom,
      this.#refs,
      this.#generations,
      this.#verdicts,
      this.#seenIn,
    ];
  }

  #growEntries(capacity: number): void {
    this.#seriesAt = grown(this.#seriesAt, capacity);
    this.#seriesLength = grown(this.#seriesLength, capacity);
    this.#exemplarAt = grown(this.#exemplarAt, capacity);
    this.#exemplarLength = grown(this.#exemplarLength, capacity);
    this.#exemplarRoom = grown(this.#exemplarRoom, capacity);
    this.#refs = grown(this.#refs, capacity);
    this.#generations = grown(this.#generations, capacity);
    this.#verdicts = grown(this.#verdicts, capacity);
    this.#following = grown(this.#following, capacity);
    this.#seenIn = grown(this.#seenIn, capacity);
  }
}
