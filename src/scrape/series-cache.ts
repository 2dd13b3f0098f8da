import { FamilyComments } from '../exposition/family-comments.js';
import type { ScanVisitor } from '../exposition/openmetrics.js';
import { parseSampleLine, type SampleLine, seriesEnd } from '../exposition/sample-line.js';
import { Verdict } from '../model/exemplar.js';
import { NO_METADATA } from '../model/metadata.js';
import { NO_SERIES, type SeriesRef } from '../model/refs.js';
import { copyBytes, equalBytes, hashBytes, viewOf } from '../util/bytes.js';
import { grown, nextCapacity } from '../util/columns.js';
import { type CacheSink, isKnown, isSeries, type ResolveSeries, type TakeLine } from './cache-contract.js';
import { ChangedLines } from './changed-lines.js';
import { LineCounts } from './line-counts.js';
import { forEachSeries, LiveSeries } from './live-series.js';
import { StartTimes } from './start-times.js';

const HASH = 0x23;
const NEWLINE = 0x0a;
const SPACE = 0x20;

/** Number of a known series of this target, from 1; 0 is the place before the first line. */
type Entry = number;
const BEFORE_FIRST: Entry = 0;

/** A longer raw series is refused: nobody means it, and one of megabytes would push out thousands of others. */
const MAX_SERIES_BYTES = 64 * 1024;
/** Longer exemplars of a line are read anew in every body instead of being remembered. */
const MAX_REMEMBERED_BYTES = 16 * 1024;

/** Changes taken in between two pauses. */
const CHANGES_A_STEP = 512;

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
  readonly #changes = new ChangedLines();
  /** Of the body in hand, or the last one. */
  readonly counts = new LineCounts();

  readonly #resolve: ResolveSeries;
  readonly #sink: CacheSink;

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
  readonly #starts = new StartTimes();
  readonly #live = new LiveSeries();
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
  readonly #comments = new FamilyComments();
  /** Of the change in hand. */
  #changing: Entry = BEFORE_FIRST;

  constructor(resolve: ResolveSeries, sink: CacheSink) {
    this.#resolve = resolve;
    this.#sink = sink;
  }

  get size(): number {
    return this.#entries - 1;
  }

  get bytes(): number {
    return this.#text.length + this.#seriesAt.length * (4 * 9 + 3) + this.#table.length * 4;
  }

  begin(body: Buffer, view: DataView, nowMs: number): void {
    this.#body = body;
    this.#view = view;
    this.#nowMs = nowMs;
    this.#bodyNumber++;
    this.#previous = BEFORE_FIRST;
    this.#comments.begin(body);
    this.#starts.begin();
    this.#changes.length = 0;
    this.counts.reset();
  }

  commentAt(hash: number): void {
    this.#comments.meet(hash);
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
   * Has every line with something new taken in, in steps, and remembers with its bytes what became of it.
   * @param length of the body
   * @param wantsStarts whether to look for start times
   */
  *forEachChange(length: number, wantsStarts: boolean, take: TakeLine): Generator<void, void> {
    for (let i = 0; i < this.#changes.length; i++) {
      if (i % CHANGES_A_STEP === CHANGES_A_STEP - 1) yield;
      const entry = this.#changes.entry(i);
      const seriesEnd = this.#changes.seriesEnd(i);
      const exemplarAt = this.#changes.exemplarAt(i);
      const lineEnd = this.#changes.lineEnd(i);
      // At the cap of series a later one of this body has taken its place: what it shows is to be taken in all the same.
      if (!this.#isCurrent(entry) && !this.#resolveAgain(entry, seriesEnd, lineEnd, this.#types[entry])) {
        this.counts.countLost(this.#refs[entry] as SeriesRef);
        continue;
      }
      const at = seriesEnd - this.#seriesLength[entry]!;
      const startMs = wantsStarts
        ? this.#starts.startMs(entry, this.#body, length, at, seriesEnd, lineEnd)
        : 0;
      this.#changing = entry;
      const verdict = take(this.#refs[entry] as SeriesRef, seriesEnd, exemplarAt, lineEnd, startMs);
      if (verdict === Verdict.relabelled) this.counts.relabelledLines++;
      this.#verdicts[entry] = verdict;
      this.#rememberExemplar(entry, exemplarAt, lineEnd - exemplarAt);
    }
    this.#changes.length = 0;
  }

  /** An exemplar of the change in hand was taken in: the end of its series is to be told. */
  tookIn(): void {
    this.#live.add(this.#changing);
  }

  /**
   * Calls back, once in a while and for each once, for the series with exemplars taken in that the body does not
   * expose any more. One whose line merely lost its exemplar is not gone. A series that the target now writes in
   * another way, labels in another order, say, counts as gone until it shows an exemplar.
   */
  forEachGone(length: number, gone: (series: SeriesRef) => void): void {
    if (!this.#live.isDue(this.#nowMs)) return;
    const isSeen = (entry: Entry) => this.#seenIn[entry] === this.#bodyNumber;
    const missing = this.#live.entries(this.#entries, isSeen);
    if (missing.size > 0) {
      forEachSeries(this.#body, length, (start, end) => {
        missing.delete(this.#find(start, end) ?? BEFORE_FIRST);
        return missing.size > 0;
      });
    }
    this.#live.end(missing, this.#entries, this.#currentRef, isSeen, gone);
    this.#live.checked();
  }

  /** Calls back for all series with exemplars taken in: the target is gone, or does not answer. */
  forEachLive(gone: (series: SeriesRef) => void): void {
    if (this.#live.count === 0) return;
    const all = this.#live.entries(this.#entries);
    this.#live.end(all, this.#entries, this.#currentRef, () => false, gone);
    this.#starts.forgetAll();
  }

  /** Nobody wants to be told of ends any more. */
  forgetLive(): void {
    if (this.#live.count > 0) this.#live.clear();
  }

  /** At the end of a body: forgets what has not been exposed for long, if that is much. */
  end(): void {
    this.leave();
    const kept = this.counts.lines + this.#live.count;
    if (this.size > 2 * kept + 1024 || this.#textWasted > this.#textUsed / 2 + 65_536) this.#compact();
  }

  /** The body is not ours to read any more. */
  leave(): void {
    this.#body = this.#text;
    this.#view = this.#textView;
  }

  /** NO_SERIES where the store no longer means the entry's series by it. */
  readonly #currentRef = (entry: Entry): SeriesRef =>
    this.#isCurrent(entry) ? (this.#refs[entry] as SeriesRef) : NO_SERIES;

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
    this.counts.lines++;
    if (this.#following[this.#previous] !== entry) this.#following[this.#previous] = entry;
    this.#previous = entry;
    this.#seenIn[entry] = this.#bodyNumber;
    const exemplarAt = hash + 2;
    const ref = this.#refs[entry] as SeriesRef;
    const isCurrent = !isKnown(ref) || this.#isCurrent(entry);
    if (isCurrent && !isSeries(ref)) {
      this.counts.countLost(ref);
      return this.#body.indexOf(NEWLINE, exemplarAt);
    }
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
        if (verdict === Verdict.relabelled) this.counts.relabelledLines++;
        else this.#sink.seenAgain(ref, verdict, this.#nowMs);
        return sameEnd;
      }
    }
    const lineEnd = this.#body.indexOf(NEWLINE, exemplarAt);
    if (!isCurrent && !this.#resolveAgain(entry, seriesEnd, lineEnd, this.#comments.metricType)) {
      this.counts.countLost(this.#refs[entry] as SeriesRef);
      return lineEnd;
    }
    this.#changes.add(entry, seriesEnd, exemplarAt, lineEnd);
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
      this.counts.malformedLines++;
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
      if (body[start] !== HASH) this.counts.malformedLines++;
    } else if (sample.sampleEnd < lineEnd) {
      const entry = this.#add(start, sample);
      this.#line(entry, sample.seriesEnd, sample.sampleEnd + 1);
    }
    return lineEnd;
  }

  #add(start: number, sample: SampleLine): Entry {
    const { metricType } = this.#comments;
    const ref = this.#resolve(sample, metricType);
    this.#describe(ref, sample);
    const entry = this.#entries++;
    this.#types[entry] = metricType;
    if (entry === this.#seriesAt.length) this.#growEntries(2 * entry);
    const length = sample.seriesEnd - start;
    this.#seriesAt[entry] = this.#store(start, length, length);
    this.#seriesLength[entry] = length;
    this.#exemplarLength[entry] = this.#exemplarRoom[entry] = 0;
    this.#refs[entry] = ref;
    if (isKnown(ref)) this.#generations[entry] = this.#sink.generation(ref);
    this.#verdicts[entry] = Verdict.accepted;
    this.#following[entry] = BEFORE_FIRST;
    this.#starts.forget(entry);
    this.#live.delete(entry);
    if (this.#entries * 2 > this.#table.length) this.#rehash(2 * this.#table.length);
    else this.#table[this.#probe(this.#textView, this.#seriesAt[entry]!, length)] = entry;
    return entry;
  }

  /**
   * The store forgot the series since: it comes back as a new one, with all that it exposes.
   * @returns false when the line is no sample, or the store still has no room
   */
  #resolveAgain(entry: Entry, end: number, lineEnd: number, metricType: string | undefined): boolean {
    const sample = parseSampleLine(this.#body, end - this.#seriesLength[entry]!, lineEnd);
    if (sample === undefined) return false;
    const ref = this.#resolve(sample, metricType);
    this.#types[entry] = metricType;
    this.#refs[entry] = ref;
    if (isKnown(ref)) this.#generations[entry] = this.#sink.generation(ref);
    this.#live.delete(entry);
    // What it showed before it was forgotten is new to it, also where the body shows the series twice.
    this.#exemplarLength[entry] = 0;
    return isSeries(ref);
  }

  /** Whether the store still means the same series by the entry's ref. */
  #isCurrent(entry: Entry): boolean {
    return this.#generations[entry] === this.#sink.generation(this.#refs[entry] as SeriesRef);
  }

  #describe(series: SeriesRef, { labels: [metricName] }: SampleLine): void {
    if (!isSeries(series) || metricName === undefined) return;
    const metadata = this.#comments.metadataOf(metricName[1]);
    if (metadata !== NO_METADATA) this.#sink.describe(series, metadata);
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

  /** Keeps the entries of the last body, in their order, and those whose end is still to be told. */
  #compact(): void {
    const old = {
      text: this.#text,
      seriesAt: this.#seriesAt.slice(),
      exemplarAt: this.#exemplarAt.slice(),
    };
    let kept = 1;
    this.#textUsed = 0;
    this.#textWasted = 0;
    this.#text = Buffer.alloc(Math.max(1024, this.#usefulText()));
    let previous = BEFORE_FIRST;
    for (let entry = 1; entry < this.#entries; entry++) {
      if (!this.#isKept(entry)) continue;
      this.#seriesAt[kept] = this.#moveIn(old.text, old.seriesAt[entry]!, this.#seriesLength[entry]!);
      this.#exemplarAt[kept] = this.#moveIn(old.text, old.exemplarAt[entry]!, this.#exemplarRoom[entry]!);
      for (const column of this.#movedColumns()) column[kept] = column[entry]!;
      this.#types[kept] = this.#types[entry];
      this.#live.move(entry, kept);
      this.#starts.move(entry, kept);
      this.#following[kept] = BEFORE_FIRST;
      if (this.#seenIn[kept] === this.#bodyNumber) {
        this.#following[previous] = kept;
        previous = kept;
      }
      kept++;
    }
    if (previous === BEFORE_FIRST) this.#following[BEFORE_FIRST] = BEFORE_FIRST;
    this.#entries = kept;
    this.#textView = viewOf(this.#text);
    this.#body = this.#text;
    this.#view = this.#textView;
    this.#rehash(Math.max(128, 2 ** Math.ceil(Math.log2(2 * kept + 2))));
  }

  #isKept(entry: Entry): boolean {
    return this.#seenIn[entry] === this.#bodyNumber || this.#live.has(entry);
  }

  #usefulText(): number {
    let bytes = 0;
    for (let entry = 1; entry < this.#entries; entry++) {
      if (this.#isKept(entry)) bytes += this.#seriesLength[entry]! + this.#exemplarRoom[entry]!;
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
    this.#starts.grow(capacity);
    this.#live.grow(capacity);
  }
}
