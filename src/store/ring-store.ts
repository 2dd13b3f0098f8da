import { decodeLabels, encodeLabels, LABEL_SEPARATOR } from '../model/encoded-labels.js';
import { type EncodedExemplar, MAX_EXEMPLAR_CODE_POINTS, Verdict } from '../model/exemplar.js';
import { type Labels, labelsToJson } from '../model/labels.js';
import type { SeriesRef, SlotRef } from '../model/refs.js';
import { grown } from '../util/columns.js';
import { compareNumbers } from '../util/numbers.js';
import { LabelShapes, NAMES_AS_TEXT_SHAPE } from './label-shapes.js';
import { CANDIDATE, ID_BYTES, NO_SLOT, SlotSlab } from './slot-slab.js';

/** Set in a slot's shape where the exposition gave the exemplar a timestamp of its own. */
const OWN_TIMESTAMP = 0x8000;
const SHAPE_MASK = 0x7fff;

/** Room for the longest label set: four bytes a code point, and two separators a label. */
export const MAX_ENCODED_BYTES = 4 * MAX_EXEMPLAR_CODE_POINTS + 2 * MAX_EXEMPLAR_CODE_POINTS;
const MAX_TEXT_BYTES = MAX_ENCODED_BYTES + ID_BYTES;

const HEX_DIGITS = Buffer.from('0123456789abcdef');

/** An exemplar of this series has just been given up, held or not by the floor. */
export type OnGivenUp = (series: SeriesRef, timestampMs: number) => void;

/**
 * The ring of every series: its newest exemplars in the total order of (time, value, labels), oldest first.
 *
 *   floor ── oldest ── … ── newest          linked through the slab
 *
 * The floor is the greatest exemplar the ring has given up. It answers no query; it is there so that what a
 * target goes on exposing is known even when nothing else of the series is left (prometheus#9377): nothing at
 * or below the floor comes in again. Invariant: floor < oldest < … < newest, strictly.
 *
 * Candidates are laid out first (`layOut`), then judged (`judge`), then inserted (`insert`): who calls makes
 * room in between.
 */
export class RingStore {
  #slab: SlotSlab;
  readonly #shapes: LabelShapes;
  readonly #onGivenUp: OnGivenUp;
  readonly #candidateText = Buffer.alloc(MAX_TEXT_BYTES);
  #candidateTextLength = 0;
  readonly #textOut = Buffer.alloc(MAX_TEXT_BYTES);

  /** By series. The first slot of the list: the floor if there is one, otherwise the oldest held. */
  #first = new Uint32Array(0);
  #newest = new Uint32Array(0);
  #held = new Uint32Array(0);
  #hasFloor = new Uint8Array(0);

  constructor(maxSlots: number, onGivenUp: OnGivenUp, shapes = new LabelShapes(), expectedSlots?: number) {
    this.#slab = new SlotSlab(maxSlots, expectedSlots);
    this.#onGivenUp = onGivenUp;
    this.#shapes = shapes;
  }

  static readonly BYTES_PER_SERIES = 4 + 4 + 4 + 1;

  get slotBytes(): number {
    return this.#slab.bytes;
  }

  get shapeBytes(): number {
    return this.#shapes.bytes;
  }

  /** The part of `slotBytes` that holds something now. */
  get slotBytesInUse(): number {
    return this.#slab.slotsInUse * SlotSlab.BYTES_PER_SLOT;
  }

  set maxSlots(maxSlots: number) {
    this.#slab.maxSlots = maxSlots;
  }

  get isOverfull(): boolean {
    return this.#slab.isOverfull;
  }

  /** After the cap was lowered and room made: moves all rings together and gives the rest of memory back. */
  shrink(): void {
    const old = this.#slab;
    if (old.bytes <= old.maxSlots * SlotSlab.BYTES_PER_SLOT) return;
    const slab = new SlotSlab(old.maxSlots);
    for (let series = 0; series < this.#first.length; series++) {
      let last = NO_SLOT;
      for (let slot = this.#first[series] as SlotRef; slot !== NO_SLOT; slot = old.next[slot] as SlotRef) {
        const moved = slab.allocate();
        slab.copyExemplarOf(old, slot, moved);
        const text = this.#text(slot);
        if (text.length > 0) slab.setTextOf(moved, slab.allocateText(text, text.length));
        slab.prev[moved] = last;
        if (last === NO_SLOT) this.#first[series] = moved;
        else slab.next[last] = moved;
        last = moved;
      }
      this.#newest[series] = last;
    }
    this.#slab = slab;
  }

  /** Makes room in the columns by series; new series start without a ring. */
  growSeries(capacity: number): void {
    this.#first = grown(this.#first, capacity);
    this.#newest = grown(this.#newest, capacity);
    this.#held = grown(this.#held, capacity);
    this.#hasFloor = grown(this.#hasFloor, capacity);
  }

  /** Exemplars a query can see. */
  held(series: SeriesRef): number {
    return this.#held[series]!;
  }

  /** Whether the series keeps one that it has given up. */
  hasFloor(series: SeriesRef): boolean {
    return this.#hasFloor[series] === 1;
  }

  /** Time of the newest exemplar ever taken, NaN if none. */
  newestMs(series: SeriesRef): number {
    const newest = this.#newest[series]!;
    return newest === NO_SLOT ? Number.NaN : this.#slab.timesMs[newest]!;
  }

  /** Time of the oldest exemplar held, NaN if none. */
  oldestMs(series: SeriesRef): number {
    const oldest = this.#oldest(series);
    return oldest === NO_SLOT ? Number.NaN : this.#slab.timesMs[oldest]!;
  }

  /** Lays out an exemplar, of at most MAX_EXEMPLAR_CODE_POINTS, as the candidate. */
  layOut(exemplar: EncodedExemplar): void {
    const slab = this.#slab;
    const { labels, labelsLength, timestampMs, value, hasOwnTimestamp } = exemplar;
    const shape = this.#shapes.pack(labels, labelsLength, slab.ids, CANDIDATE, this.#candidateText);
    this.#candidateTextLength = this.#shapes.textLength;
    slab.timesMs[CANDIDATE] = timestampMs;
    slab.values[CANDIDATE] = value;
    slab.shapes[CANDIDATE] = hasOwnTimestamp ? shape | OWN_TIMESTAMP : shape;
  }

  /** Slots the candidate needs. */
  get candidateSlots(): number {
    return 1 + this.#candidateTextLength / ID_BYTES;
  }

  hasRoomForCandidate(): boolean {
    return this.#slab.available >= this.candidateSlots;
  }

  /**
   * What becomes of the candidate if it is shown to this series, whose ring has `perSeries` slots.
   * Older than the newest by `windowMs` or more is out of order; so is what a full ring would give up at once.
   */
  judge(series: SeriesRef, perSeries: number, windowMs: number): Verdict {
    const newest = this.#newest[series] as SlotRef;
    if (newest === NO_SLOT) return Verdict.accepted;
    if (this.#isRepeatOf(newest)) return Verdict.duplicate;
    const timesMs = this.#slab.timesMs;
    const newestMs = timesMs[newest]!;
    const candidateMs = timesMs[CANDIDATE]!;
    if (candidateMs > newestMs) return Verdict.accepted;
    if (candidateMs < newestMs && newestMs - candidateMs >= windowMs) return Verdict.outOfOrder;
    return this.judgeAgain(series, perSeries);
  }

  /**
   * The same of a candidate that was accepted once: it stays out only if the ring has it, or gave it up, or would now.
   * Whether it repeats the newest was asked when that was another one.
   */
  judgeAgain(series: SeriesRef, perSeries: number): Verdict {
    const below = this.#greatestBelowCandidate(series);
    if (below !== NO_SLOT && this.#compareCandidate(below) === 0) return Verdict.duplicate;
    const isBelowFloor = below === NO_SLOT && this.#hasFloor[series] === 1;
    const wouldGoAtOnce = this.#held[series]! >= perSeries && this.#isBelowOldest(series, below);
    return isBelowFloor || wouldGoAtOnce ? Verdict.outOfOrder : Verdict.accepted;
  }

  /** Whether the candidate would be the first to go. For a series that holds something. */
  isCandidateBelowOldest(series: SeriesRef): boolean {
    return this.#isBelowOldest(series, this.#greatestBelowCandidate(series));
  }

  /** Puts the candidate in its place. Only after `judge` accepted it and `hasRoomForCandidate`. */
  insert(series: SeriesRef): void {
    const slab = this.#slab;
    const slot = slab.allocate();
    slab.copyExemplar(CANDIDATE, slot);
    if (this.#candidateTextLength > 0) {
      slab.setTextOf(slot, slab.allocateText(this.#candidateText, this.#candidateTextLength));
    }
    this.#linkAfter(series, this.#greatestBelowCandidate(series), slot);
    this.#held[series]!++;
  }

  /** The oldest held becomes the floor. Nothing happens where nothing is held. */
  giveUpOldest(series: SeriesRef): void {
    const oldest = this.#oldest(series);
    if (oldest === NO_SLOT) return;
    if (this.#hasFloor[series] === 1) this.#unlinkFirst(series);
    this.#hasFloor[series] = 1;
    this.#held[series]!--;
    this.#onGivenUp(series, this.#slab.timesMs[oldest]!);
  }

  /** Forgets the ring and its floor. */
  clear(series: SeriesRef): void {
    while (this.#first[series] !== NO_SLOT) this.#unlinkFirst(series);
    this.#newest[series] = NO_SLOT;
    this.#held[series] = 0;
    this.#hasFloor[series] = 0;
  }

  // Reading: oldest first, `for (slot = oldestSlot(s); slot !== NO_SLOT; slot = nextSlot(slot))`.
  // A slot is only valid until the next insert, giveUpOldest or clear.

  oldestSlot(series: SeriesRef): SlotRef {
    return this.#oldest(series);
  }

  newestSlot(series: SeriesRef): SlotRef {
    return this.#held[series] === 0 ? NO_SLOT : (this.#newest[series] as SlotRef);
  }

  /** The greatest given up; `nextSlot` of it is the oldest held. */
  floorSlot(series: SeriesRef): SlotRef {
    return this.#hasFloor[series] === 1 ? (this.#first[series] as SlotRef) : NO_SLOT;
  }

  nextSlot(slot: SlotRef): SlotRef {
    return this.#slab.next[slot] as SlotRef;
  }

  timestampMs(slot: SlotRef): number {
    return this.#slab.timesMs[slot]!;
  }

  value(slot: SlotRef): number {
    return this.#slab.values[slot]!;
  }

  hasOwnTimestamp(slot: SlotRef): boolean {
    return (this.#slab.shapes[slot]! & OWN_TIMESTAMP) !== 0;
  }

  labels(slot: SlotRef): Labels {
    return this.#decode(slot, this.#text(slot));
  }

  /** `{"trace_id":"…"}`: what `labels` gives, as JSON, without a string and an array for every label. */
  labelsJson(slot: SlotRef): string {
    const shapeNumber = this.#slab.shapes[slot]! & SHAPE_MASK;
    const shape = this.#shapes.shape(shapeNumber);
    if (shape.texts > 0 || shapeNumber === NAMES_AS_TEXT_SHAPE) return labelsToJson(this.labels(slot));
    let json = '{';
    for (let i = 0, at = slot * ID_BYTES; i < shape.kinds.length; at += shape.kinds[i]!, i++) {
      json += `${i === 0 ? '' : ','}${shape.jsonNames[i]!}${this.#slab.ids.toString('hex', at, at + shape.kinds[i]!)}"`;
    }
    return `${json}}`;
  }

  /**
   * Writes what `labels` gives, encoded, to `out[at, …)`, where MAX_ENCODED_BYTES must fit.
   * @returns where it ends
   */
  writeLabels(slot: SlotRef, out: Buffer, at: number): number {
    const shapeNumber = this.#slab.shapes[slot]! & SHAPE_MASK;
    const shape = this.#shapes.shape(shapeNumber);
    if (shape.texts > 0 || shapeNumber === NAMES_AS_TEXT_SHAPE)
      return at + encodeLabels(this.labels(slot)).copy(out, at);
    let to = at;
    for (let i = 0, id = slot * ID_BYTES; i < shape.kinds.length; id += shape.kinds[i]!, i++) {
      to += shape.names[i]!.copy(out, to);
      out[to++] = LABEL_SEPARATOR;
      to = writeHex(this.#slab.ids, id, id + shape.kinds[i]!, out, to);
      out[to++] = LABEL_SEPARATOR;
    }
    return to;
  }

  #oldest(series: SeriesRef): SlotRef {
    const first = this.#first[series] as SlotRef;
    return this.#hasFloor[series] === 1 ? (this.#slab.next[first] as SlotRef) : first;
  }

  /** The text of a slot in a ring, valid until the next call; empty where everything is packed. */
  #text(slot: SlotRef): Buffer {
    const shapeNumber = this.#slab.shapes[slot]! & SHAPE_MASK;
    const hasText = shapeNumber === NAMES_AS_TEXT_SHAPE || this.#shapes.shape(shapeNumber).texts > 0;
    return this.#textOut.subarray(
      0,
      hasText ? this.#slab.readText(this.#slab.textOf(slot), this.#textOut) : 0,
    );
  }

  #decode(slot: SlotRef, text: Buffer): Labels {
    const shapeNumber = this.#slab.shapes[slot]! & SHAPE_MASK;
    if (shapeNumber === NAMES_AS_TEXT_SHAPE)
      return decodeLabels(text, 0, text.lastIndexOf(LABEL_SEPARATOR) + 1);
    const shape = this.#shapes.shape(shapeNumber);
    const labels: string[] = [];
    let idAt = slot * ID_BYTES;
    let textAt = 0;
    for (let i = 0; i < shape.kinds.length; i++) {
      labels.push(shape.names[i]!.toString('utf8'));
      const kind = shape.kinds[i]!;
      if (kind === 0) {
        const end = text.indexOf(LABEL_SEPARATOR, textAt);
        labels.push(text.toString('utf8', textAt, end));
        textAt = end + 1;
      } else {
        labels.push(this.#slab.ids.toString('hex', idAt, idAt + kind));
        idAt += kind;
      }
    }
    return labels;
  }

  /**
   * The candidate repeats an exemplar when labels and value are equal, and time as well unless neither has a
   * time of its own (Prometheus' `exemplar.Equals`); NaN is equal to NaN here.
   */
  #isRepeatOf(slot: SlotRef): boolean {
    const { timesMs, values, shapes } = this.#slab;
    if (compareNumbers(values[CANDIDATE]!, values[slot]!) !== 0) return false;
    const neitherHasTime = ((shapes[CANDIDATE]! | shapes[slot]!) & OWN_TIMESTAMP) === 0;
    return (neitherHasTime || timesMs[CANDIDATE] === timesMs[slot]) && this.#hasCandidateLabels(slot);
  }

  #hasCandidateLabels(slot: SlotRef): boolean {
    const slab = this.#slab;
    if (((slab.shapes[CANDIDATE]! ^ slab.shapes[slot]!) & SHAPE_MASK) !== 0) return false;
    if (this.#candidateTextLength === 0) return slab.equalIds(CANDIDATE, slot, ID_BYTES / 4);
    return (
      slab.equalIds(CANDIDATE, slot, ID_BYTES / 4 - 1) &&
      slab.equalText(slab.textOf(slot), this.#candidateText, this.#candidateTextLength)
    );
  }

  /** Candidate minus slot in the order of (time, value, labels). */
  #compareCandidate(slot: SlotRef): number {
    const { timesMs, values } = this.#slab;
    const byTime = timesMs[CANDIDATE]! - timesMs[slot]!;
    if (byTime !== 0) return byTime;
    const byValue = compareNumbers(values[CANDIDATE]!, values[slot]!);
    if (byValue !== 0 || this.#hasCandidateLabels(slot)) return byValue;
    const candidateText = this.#candidateText.subarray(0, this.#candidateTextLength);
    return Buffer.compare(
      encodeLabels(this.#decode(CANDIDATE, candidateText)),
      encodeLabels(this.labels(slot)),
    );
  }

  /** The last slot, floor included, that is not above the candidate. From the newest, where it usually is. */
  #greatestBelowCandidate(series: SeriesRef): SlotRef {
    let slot = this.#newest[series] as SlotRef;
    while (slot !== NO_SLOT && this.#compareCandidate(slot) < 0) slot = this.#slab.prev[slot] as SlotRef;
    return slot;
  }

  #isBelowOldest(series: SeriesRef, below: SlotRef): boolean {
    return below === NO_SLOT || (this.#hasFloor[series] === 1 && below === this.#first[series]);
  }

  #linkAfter(series: SeriesRef, before: SlotRef, slot: SlotRef): void {
    const { next, prev } = this.#slab;
    const after = before === NO_SLOT ? this.#first[series]! : next[before]!;
    prev[slot] = before;
    next[slot] = after;
    if (before === NO_SLOT) this.#first[series] = slot;
    else next[before] = slot;
    if (after === NO_SLOT) this.#newest[series] = slot;
    else prev[after] = slot;
  }

  #unlinkFirst(series: SeriesRef): void {
    const slab = this.#slab;
    const slot = this.#first[series] as SlotRef;
    const following = slab.next[slot] as SlotRef;
    if (this.#text(slot).length > 0) slab.freeText(slab.textOf(slot));
    slab.free(slot);
    this.#first[series] = following;
    if (following !== NO_SLOT) slab.prev[following] = NO_SLOT;
  }
}

/** A loop, because the few bytes of an id are written sooner than a native call is made. */
function writeHex(bytes: Buffer, start: number, end: number, out: Buffer, at: number): number {
  let to = at;
  for (let i = start; i < end; i++) {
    out[to++] = HEX_DIGITS[bytes[i]! >> 4]!;
    out[to++] = HEX_DIGITS[bytes[i]! & 15]!;
  }
  return to;
}
