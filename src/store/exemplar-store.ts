import type { Series } from '../model/batch.js';
import { hashLabels } from '../model/encoded-labels.js';
import {
  type EncodedExemplar,
  MAX_EXEMPLAR_CODE_POINTS,
  REJECT_REASONS,
  Verdict,
} from '../model/exemplar.js';
import { type Labels, labelValue, METRIC_NAME } from '../model/labels.js';
import type { Metadata } from '../model/metadata.js';
import { NO_SERIES, type SeriesRef } from '../model/refs.js';
import { grown, nextCapacity } from '../util/columns.js';
import { Holdings } from './holdings.js';
import { IdleSeries } from './idle-series.js';
import { MetricMetadata } from './metric-metadata.js';
import { SLOT_SHARE, type StoreOptions } from './options.js';
import { RingStore } from './ring-store.js';
import { SeriesIndex } from './series-index.js';
import { type SavedStats, SeriesStats } from './series-stats.js';
import { NO_SLOT, SlotSlab } from './slot-slab.js';

/**
 * A series exposed within this time, longer than nearly all scrape intervals, is in use, and gives its place to no new
 * one. Otherwise targets with more series
 * than there is room for would take it from each other, and from themselves, in every scrape.
 */
const IN_USE_MS = 2 * 60_000;

/** All series were in use: for so long, nobody looks again. */
const LOOK_AGAIN_MS = 10_000;

/** Columns by series outside the index. */
const COLUMN_BYTES_PER_SERIES =
  RingStore.BYTES_PER_SERIES + Holdings.BYTES_PER_SERIES + SeriesStats.BYTES_PER_SERIES + 4;

/** Totals that outlive the series they were counted on. */
export interface StoreTotals {
  accepted: number;
  duplicates: number;
  readonly rejected: number[];
  overwritten: number;
  overwrittenUnforwarded: number;
  seriesCreated: number;
  seriesForgottenIdle: number;
  seriesEvicted: number;
  /**
   * Rings have all that was ever accepted later than this, but for what their floors say: the newest time of what
   * series took with them when they were forgotten.
   */
  forgottenUntilMs: number;
}

/**
 * All exemplars in memory. The one way in is `append`, which decides what is accepted for everyone behind it.
 *
 * Caps: `maxExemplars` and the slots' share of `maxBytes` are kept by the series holding most, which gives up
 * its oldest (max-min fair: nobody falls below an equal share because of a noisy one); `maxSeries` and the rest
 * of `maxBytes` by the series not exposed for longest, which is forgotten.
 */
export class ExemplarStore {
  readonly index = new SeriesIndex();
  readonly stats = new SeriesStats();
  readonly metadata = new MetricMetadata();
  readonly rings: RingStore;
  readonly totals: StoreTotals = {
    accepted: 0,
    duplicates: 0,
    rejected: REJECT_REASONS.map(() => 0),
    overwritten: 0,
    overwrittenUnforwarded: 0,
    seriesCreated: 0,
    seriesForgottenIdle: 0,
    seriesEvicted: 0,
    forgottenUntilMs: Number.MIN_SAFE_INTEGER,
  };

  /** Times a new series found no room, since the process began. */
  seriesRefused = 0;

  readonly #holdings = new Holdings();
  #options: StoreOptions;
  #exemplars = 0;
  #seriesCapacity = 1;
  /** Time of the append or sweep under way. */
  #nowMs = 0;

  /** Rises when a number is given to another series: a cached ref is only good with its generation. */
  #generations = new Uint32Array(1);
  readonly #idle = new IdleSeries(this.index, this.stats);
  /** When all series were last found to be in use. */
  #allInUseMs = Number.NEGATIVE_INFINITY;

  /** By series: what sinks hold of it, made when first wanted. */
  readonly #sinkSeries: (Series | undefined)[] = [];
  /** Exemplars up to this time have reached every sink; by series, empty while nobody forwards. */
  #forwardedMs: Float64Array | undefined;

  constructor(options: StoreOptions) {
    this.#options = options;
    const onGivenUp = (series: SeriesRef, timestampMs: number) => this.#countOverwritten(series, timestampMs);
    // An exemplar takes one slot, hardly ever more, and a series one for its floor.
    const expectedSlots = Math.min(maxSlots(options), 1.25 * options.maxExemplars);
    this.rings = new RingStore(maxSlots(options), onGivenUp, undefined, expectedSlots);
    this.#growSeries(64);
  }

  get options(): StoreOptions {
    return this.#options;
  }

  /** Exemplars held, all series together. */
  get exemplars(): number {
    return this.#exemplars;
  }

  get bytes(): { readonly slots: number; readonly labels: number; readonly index: number } {
    return {
      slots: this.rings.slotBytes,
      labels: this.index.labelBytes + this.rings.shapeBytes,
      index: this.index.indexBytes + this.index.size * COLUMN_BYTES_PER_SERIES + this.stats.lifetimeBytes,
    };
  }

  /** New caps and limits. What no longer fits goes, the oldest of each ring first. */
  setOptions(options: StoreOptions, nowMs: number): void {
    this.#options = options;
    this.#nowMs = nowMs;
    this.#allInUseMs = Number.NEGATIVE_INFINITY;
    this.#generations[NO_SERIES]!++;
    this.rings.maxSlots = maxSlots(options);
    for (const series of this.index.all()) {
      while (this.rings.held(series) > options.perSeries) this.#giveUpOldest(series);
    }
    while (this.index.size > options.maxSeries) this.#evictLongestIdle();
    while (this.index.size > 0 && this.#wouldExceedBytes(0)) this.#evictForBytes();
    while (this.#exemplars > options.maxExemplars || this.rings.isOverfull) {
      const series = this.#holdings.holdingMost();
      if (series !== undefined && (this.#exemplars > options.maxExemplars || this.#canFreeSlots(series))) {
        this.#giveUpOldest(series);
      } else if (!this.#evictLongestIdle()) break;
    }
    this.rings.shrink();
  }

  /**
   * The series of a label set that a target exposes, created if there is room, or if series that are not in use make it.
   * @returns NO_SERIES if not. Its generation rises when it is worth asking again
   */
  admit(labels: Labels, nowMs: number): SeriesRef {
    const known = this.index.find(labels);
    if (known !== undefined) return known;
    if (!this.#hasRoomFor(labels) && !this.#makeRoomFor(labels, nowMs)) {
      this.seriesRefused++;
      return NO_SERIES;
    }
    return this.seriesOf(labels, nowMs);
  }

  #hasRoomFor(labels: Labels): boolean {
    if (this.index.size === 0) return true;
    return this.index.size < this.#options.maxSeries && !this.#wouldExceedBytes(this.#costOf(labels));
  }

  #makeRoomFor(labels: Labels, nowMs: number): boolean {
    if (Math.abs(nowMs - this.#allInUseMs) < LOOK_AGAIN_MS) return false;
    const idleSinceMs = nowMs - IN_USE_MS;
    const count = this.#idle.share;
    while (!this.#hasRoomFor(labels)) {
      let evicted = 0;
      while (evicted < count && this.#evictLongestIdle(undefined, idleSinceMs)) evicted++;
      this.index.sweep();
      if (evicted > 0) continue;
      this.#allInUseMs = nowMs;
      return false;
    }
    return true;
  }

  /** The series of a label set, created if need be. */
  seriesOf(labels: Labels, nowMs: number): SeriesRef {
    const known = this.index.find(labels);
    if (known !== undefined) return known;
    this.#nowMs = nowMs;
    while (this.index.size > 0 && this.index.size >= this.#options.maxSeries) this.#evictLongestIdle();
    while (this.index.size > 0 && this.#wouldExceedBytes(this.#costOf(labels))) this.#evictForBytes();
    const series = this.index.add(labels);
    this.#growSeries(series + 1);
    this.stats.begin(series, nowMs);
    this.totals.seriesCreated++;
    if (this.#forwardedMs !== undefined) this.#forwardedMs[series] = Number.NEGATIVE_INFINITY;
    return series;
  }

  generation(series: SeriesRef): number {
    return this.#generations[series]!;
  }

  /** Shows an exemplar to its series, and decides. */
  append(series: SeriesRef, exemplar: EncodedExemplar, nowMs: number): Verdict {
    this.#nowMs = nowMs;
    this.stats.lastExposedMs[series] = nowMs;
    if (exemplar.labelsLength === 0) return this.countRejected(series, Verdict.blank);
    if (exemplar.codePoints > MAX_EXEMPLAR_CODE_POINTS) return this.countRejected(series, Verdict.tooLong);
    if (exemplar.timestampMs > nowMs + this.#options.maxFutureMs)
      return this.countRejected(series, Verdict.future);
    this.rings.layOut(exemplar);
    const verdict = this.rings.judge(series, this.#options.perSeries, this.#options.outOfOrderTimeWindowMs);
    if (verdict === Verdict.duplicate) {
      this.countDuplicate(series);
      return verdict;
    }
    if (verdict !== Verdict.accepted) return this.countRejected(series, verdict);
    const verdictOnRoom = this.#makeRoom(series);
    if (verdictOnRoom !== Verdict.accepted) return this.countRejected(series, verdictOnRoom);
    this.#insert(series);
    return verdict;
  }

  /**
   * Takes in again what was accepted before a restart. It was judged then: only what the ring has already, or had
   * and gave up, stays out, and is not counted again.
   */
  replay(series: SeriesRef, exemplar: EncodedExemplar, acceptedMs: number): void {
    this.#nowMs = acceptedMs;
    if (acceptedMs > this.stats.lastExposedMs[series]!) this.stats.lastExposedMs[series] = acceptedMs;
    this.rings.layOut(exemplar);
    const verdict = this.rings.judgeAgain(series, this.#options.perSeries);
    if (verdict === Verdict.accepted && this.#makeRoom(series) === Verdict.accepted) this.#insert(series);
    else if (verdict !== Verdict.duplicate) this.noteForgotten(exemplar.timestampMs);
  }

  /** An exemplar that the ring of a series without exemplars had given up: nothing at or below it comes in again. */
  restoreFloor(series: SeriesRef, exemplar: EncodedExemplar): void {
    this.replay(series, exemplar, this.#nowMs);
    if (this.rings.held(series) > 0) this.#giveUpOldest(series);
  }

  /** Once everything is restored: counters as they were. */
  restoreStats(series: SeriesRef, stats: SavedStats, forwardedMs: number): void {
    this.stats.restore(series, stats);
    if (this.#forwardedMs !== undefined) this.#forwardedMs[series] = forwardedMs;
  }

  restoreTotals(totals: StoreTotals): void {
    const { forgottenUntilMs } = this.totals;
    Object.assign(this.totals, totals);
    this.noteForgotten(forgottenUntilMs);
  }

  /** Exemplars up to this time were accepted once, and may be in no ring. */
  noteForgotten(timestampMs: number): void {
    if (timestampMs > this.totals.forgottenUntilMs) this.totals.forgottenUntilMs = timestampMs;
  }

  /** Whatever was accepted of a series later than this, its ring has. */
  completeAfterMs(series: SeriesRef): number {
    const floor = this.rings.floorSlot(series);
    const floorMs = floor === NO_SLOT ? Number.NEGATIVE_INFINITY : this.rings.timestampMs(floor);
    return Math.max(floorMs, this.totals.forgottenUntilMs);
  }

  /** Exemplars of this series up to here have reached every sink. */
  forwardedMs(series: SeriesRef): number {
    return this.#forwardedMs?.[series] ?? Number.NEGATIVE_INFINITY;
  }

  /** An exemplar was refused, here or before it came here. */
  countRejected(series: SeriesRef, verdict: Verdict): Verdict {
    this.stats.rejected[series * REJECT_REASONS.length + verdict]!++;
    this.totals.rejected[verdict]!++;
    return verdict;
  }

  countDuplicate(series: SeriesRef): void {
    this.stats.duplicates[series]!++;
    this.totals.duplicates++;
  }

  /** A target shows again just what it showed last time: nothing to judge. `verdict`: what it was then. */
  seenAgain(series: SeriesRef, verdict: Verdict, nowMs: number): void {
    this.stats.lastExposedMs[series] = nowMs;
    if (verdict === Verdict.accepted || verdict === Verdict.duplicate) this.countDuplicate(series);
    else this.countRejected(series, verdict);
  }

  /** Forgets series that no target exposed for the idle timeout and whose newest exemplar is older than it. */
  forgetIdle(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#generations[NO_SERIES]!++;
    const limitMs = nowMs - this.#options.seriesIdleTimeoutMs;
    for (const series of this.index.all()) {
      const newestMs = this.rings.newestMs(series);
      if (this.stats.lastExposedMs[series]! <= limitMs && !(newestMs > limitMs)) {
        this.#forget(series);
        this.totals.seriesForgottenIdle++;
      }
    }
  }

  /** The series as sinks hold it. */
  sinkSeries(series: SeriesRef): Series {
    let known = this.#sinkSeries[series];
    if (known === undefined) {
      known = this.#createSinkSeries(series, this.index.labels(series));
      this.#sinkSeries[series] = known;
    }
    return known;
  }

  /** The series of a label set as sinks hold it, also of one that is not known here (any more). */
  resolveSinkSeries(labels: Labels): Series {
    const series = this.index.find(labels);
    return series === undefined ? this.#createSinkSeries(NO_SERIES, labels) : this.sinkSeries(series);
  }

  /** The number of a series that sinks hold: a new one if it was forgotten meanwhile. */
  refOf(series: Series, nowMs: number): SeriesRef {
    return this.#sinkSeries[series.ref] === series ? series.ref : this.seriesOf(series.labels, nowMs);
  }

  /** What the exposition says of the metric of this series. */
  describe(series: SeriesRef, metadata: Metadata): void {
    this.metadata.describe(this.index.metricName(series), metadata);
  }

  /** From now on, what is overwritten before `markForwarded` is counted. */
  set isForwarding(isForwarding: boolean) {
    if (!isForwarding) this.#forwardedMs = undefined;
    else this.#forwardedMs ??= new Float64Array(this.#seriesCapacity).fill(Number.NEGATIVE_INFINITY);
  }

  /** Every sink has everything held now. */
  markAllForwarded(): void {
    if (this.#forwardedMs === undefined) return;
    for (const series of this.index.all()) {
      const newestMs = this.rings.newestMs(series);
      // NaN, of a series that never had any, would be less than no time ever after.
      if (!Number.isNaN(newestMs)) this.#forwardedMs[series] = newestMs;
    }
  }

  /** Every sink has this exemplar now. Harmless for a series forgotten since. */
  markForwarded(series: Series, timestampMs: number): void {
    if (this.#forwardedMs === undefined || this.#sinkSeries[series.ref] !== series) return;
    if (timestampMs > this.#forwardedMs[series.ref]!) this.#forwardedMs[series.ref] = timestampMs;
  }

  #createSinkSeries(ref: SeriesRef, labels: Labels): Series {
    const metadata = this.metadata.of(labelValue(labels, METRIC_NAME));
    return { ref, labels, hash: hashLabels(labels), metadata };
  }

  /** The candidate, for which there is room. */
  #insert(series: SeriesRef): void {
    this.rings.insert(series);
    this.#exemplars++;
    this.#holdings.set(series, this.rings.held(series));
    this.stats.countAccepted(series, this.#nowMs);
    this.totals.accepted++;
  }

  /** Some sink will never get this exemplar, though the ring may still have it. Harmless for a forgotten series. */
  countUndeliverable(series: Series, timestampMs: number): void {
    if (this.#forwardedMs === undefined || this.#sinkSeries[series.ref] !== series) return;
    // What the ring gave up before was counted then.
    if (!(timestampMs >= this.rings.oldestMs(series.ref))) return;
    this.stats.overwrittenUnforwarded[series.ref]!++;
    this.totals.overwrittenUnforwarded++;
    this.markForwarded(series, timestampMs);
  }

  /** Room for the candidate under all caps, or why it gets none: it would be the next to go, or fits nowhere. */
  #makeRoom(series: SeriesRef): Verdict {
    const { rings } = this;
    while (rings.held(series) >= this.#options.perSeries) this.#giveUpOldest(series);
    for (;;) {
      const isFull = this.#exemplars >= this.#options.maxExemplars;
      if (!isFull && rings.hasRoomForCandidate()) return Verdict.accepted;
      const holdsMost = rings.held(series) > 0 && rings.held(series) >= this.#holdings.most;
      const giver = holdsMost ? series : this.#holdings.holdingMost();
      if (giver !== undefined && (isFull || this.#canFreeSlots(giver))) {
        if (giver === series && rings.isCandidateBelowOldest(series)) return Verdict.outOfOrder;
        // The first that a series gives up stays as its floor. Were that left at one, slots would only come
        // free once every series had given one up.
        if (!isFull && !rings.hasFloor(giver)) this.#giveUpOldest(giver);
        this.#giveUpOldest(giver);
      } else if (!this.#evictLongestIdle(series)) return Verdict.tooLong;
    }
  }

  /** Whether a series can give up slots without losing all that it holds and frees none by it. */
  #canFreeSlots(series: SeriesRef): boolean {
    return this.rings.hasFloor(series) || this.rings.held(series) > 1;
  }

  #giveUpOldest(series: SeriesRef): void {
    this.rings.giveUpOldest(series);
    this.#exemplars--;
    this.#holdings.set(series, this.rings.held(series));
  }

  #countOverwritten(series: SeriesRef, timestampMs: number): void {
    this.stats.recordLifetime(series, Math.max(0, this.#nowMs - timestampMs));
    this.stats.overwritten[series]!++;
    this.totals.overwritten++;
    if (this.#forwardedMs !== undefined && timestampMs > this.#forwardedMs[series]!) {
      this.stats.overwrittenUnforwarded[series]!++;
      this.totals.overwrittenUnforwarded++;
    }
  }

  /** What a new series of these labels adds. */
  #costOf(labels: Labels): number {
    return this.index.costOf(labels) + COLUMN_BYTES_PER_SERIES;
  }

  #wouldExceedBytes(cost: number): boolean {
    const { labels, index } = this.bytes;
    // Slots may not have taken their share yet, but will: labels must not live on what is promised to them. And
    // no series that goes takes a shape with it: names of exemplar labels are a constant beside the cap.
    const bytes = slotBytes(this.#options) + labels - this.rings.shapeBytes + index;
    return bytes + cost > this.#options.maxBytes;
  }

  /** Labels of forgotten series come free when they are swept, which pays for many at once. */
  #evictForBytes(): void {
    const count = this.#idle.share;
    for (let i = 0; i < count; i++) this.#evictLongestIdle();
    this.index.sweep();
  }

  /**
   * @param idleSinceMs only a series that was not exposed after this
   * @returns false when there is no such series but `except`
   */
  #evictLongestIdle(except?: SeriesRef, idleSinceMs = Number.POSITIVE_INFINITY): boolean {
    const excess = this.index.size - this.#options.maxSeries;
    const series = this.#idle.longest(excess, except, idleSinceMs);
    if (series === undefined) return false;
    // What it still held goes for something newer, and is counted as such.
    while (this.rings.held(series) > 0) this.#giveUpOldest(series);
    this.#forget(series);
    this.totals.seriesEvicted++;
    return true;
  }

  #forget(series: SeriesRef): void {
    this.noteForgotten(this.rings.newestMs(series));
    this.#exemplars -= this.rings.held(series);
    this.#holdings.set(series, 0);
    this.rings.clear(series);
    this.index.forget(series);
    this.#sinkSeries[series] = undefined;
    this.#generations[series]!++;
  }

  #growSeries(limit: number): void {
    if (limit <= this.#seriesCapacity) return;
    this.#seriesCapacity = nextCapacity(this.#seriesCapacity, limit);
    this.rings.growSeries(this.#seriesCapacity);
    this.#holdings.growSeries(this.#seriesCapacity);
    this.stats.growSeries(this.#seriesCapacity);
    this.#generations = grown(this.#generations, this.#seriesCapacity);
    if (this.#forwardedMs !== undefined) this.#forwardedMs = grown(this.#forwardedMs, this.#seriesCapacity);
  }
}

function slotBytes(options: StoreOptions): number {
  return options.maxBytes * SLOT_SHARE;
}

function maxSlots(options: StoreOptions): number {
  return Math.max(2, Math.floor(slotBytes(options) / SlotSlab.BYTES_PER_SLOT));
}
