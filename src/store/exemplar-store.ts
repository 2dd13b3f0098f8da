import type { Series } from '../model/batch.js';
import {
  type EncodedExemplar,
  MAX_EXEMPLAR_CODE_POINTS,
  REJECT_REASONS,
  Verdict,
} from '../model/exemplar.js';
import type { Labels } from '../model/labels.js';
import type { SeriesRef } from '../model/refs.js';
import { grown, nextCapacity } from '../util/columns.js';
import { Holdings } from './holdings.js';
import type { StoreOptions } from './options.js';
import { RingStore } from './ring-store.js';
import { SeriesIndex } from './series-index.js';
import { SeriesStats } from './series-stats.js';
import { SlotSlab } from './slot-slab.js';

/** Of `maxBytes`, the part that slots may take; the rest is left to labels and index, which come later. */
const SLOT_SHARE = 0.75;
/** At the cap of series this share of them is looked up at once, so that looking is rare. */
const EVICTION_SHARE = 0.01;

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
  };

  readonly #holdings = new Holdings();
  #options: StoreOptions;
  #exemplars = 0;
  #seriesCapacity = 1;
  /** Time of the append or sweep under way. */
  #nowMs = 0;

  /** Rises when a number is given to another series: a cached ref is only good with its generation. */
  #generations = new Uint32Array(1);
  #evictionCandidates: SeriesRef[] = [];

  /** What sinks hold of a series, made when first wanted. */
  readonly #sinkSeries = new Map<SeriesRef, Series>();
  /** Exemplars up to this time have reached every sink; by series, empty while nobody forwards. */
  #forwardedMs: Float64Array | undefined;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.rings = new RingStore(maxSlots(options), (series, timestampMs) =>
      this.#countOverwritten(series, timestampMs),
    );
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
    const perSeries =
      RingStore.BYTES_PER_SERIES + Holdings.BYTES_PER_SERIES + SeriesStats.BYTES_PER_SERIES + 4;
    return {
      slots: this.rings.slotBytes,
      labels: this.index.labelBytes + this.rings.shapeBytes,
      index: this.index.indexBytes + this.index.size * perSeries + this.stats.lifetimeBytes,
    };
  }

  /** New caps and limits. What no longer fits goes, the oldest of each ring first. */
  setOptions(options: StoreOptions, nowMs: number): void {
    this.#options = options;
    this.#nowMs = nowMs;
    this.rings.maxSlots = maxSlots(options);
    for (const series of this.index.all()) {
      while (this.rings.held(series) > options.perSeries) this.#giveUpOldest(series);
    }
    while (this.#exemplars > options.maxExemplars || this.rings.slotBytesInUse > slotBytes(options)) {
      const series = this.#holdings.holdingMost();
      if (series === undefined) break;
      this.#giveUpOldest(series);
    }
    while (this.index.size > options.maxSeries) this.#evictLongestIdle();
  }

  /** The series of a label set, created if need be. */
  seriesOf(labels: Labels, nowMs: number): SeriesRef {
    const known = this.index.find(labels);
    if (known !== undefined) return known;
    this.#nowMs = nowMs;
    const cost = this.index.costOf(labels);
    while (
      this.index.size > 0 &&
      (this.index.size >= this.#options.maxSeries || this.#wouldExceedBytes(cost))
    ) {
      this.#evictLongestIdle();
    }
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
    if (!this.#makeRoom(series)) return this.countRejected(series, Verdict.tooLong);
    this.rings.insert(series);
    this.#exemplars++;
    this.#holdings.set(series, this.rings.held(series));
    this.stats.countAccepted(series, nowMs);
    this.totals.accepted++;
    return verdict;
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
    let known = this.#sinkSeries.get(series);
    if (known === undefined) {
      known = { ref: series, labels: this.index.labels(series) };
      this.#sinkSeries.set(series, known);
    }
    return known;
  }

  /** From now on, what is overwritten before `markForwarded` is counted. */
  set isForwarding(isForwarding: boolean) {
    if (!isForwarding) this.#forwardedMs = undefined;
    else this.#forwardedMs ??= new Float64Array(this.#seriesCapacity).fill(Number.NEGATIVE_INFINITY);
  }

  /** Every sink has this exemplar now. Harmless for a series forgotten since. */
  markForwarded(series: Series, timestampMs: number): void {
    if (this.#forwardedMs === undefined || this.#sinkSeries.get(series.ref) !== series) return;
    if (timestampMs > this.#forwardedMs[series.ref]!) this.#forwardedMs[series.ref] = timestampMs;
  }

  /** Room for the candidate under all caps. False where the whole memory could not hold it. */
  #makeRoom(series: SeriesRef): boolean {
    while (this.rings.held(series) >= this.#options.perSeries) this.#giveUpOldest(series);
    while (this.#exemplars >= this.#options.maxExemplars || !this.rings.hasRoomForCandidate()) {
      const holdsMost = this.rings.held(series) > 0 && this.rings.held(series) >= this.#holdings.most;
      const giver = holdsMost ? series : this.#holdings.holdingMost();
      if (giver !== undefined) this.#giveUpOldest(giver);
      // Nobody holds anything, so all slots are floors: those of series long gone are in the way.
      else if (!this.#evictLongestIdle(series)) return false;
    }
    return true;
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

  #wouldExceedBytes(cost: number): boolean {
    const { slots, labels, index } = this.bytes;
    // Slots may not have taken their share yet, but will: labels must not live on what is promised to them.
    const slotsPromised = Math.max(slots, slotBytes(this.#options));
    return slotsPromised + labels + index + cost > this.#options.maxBytes;
  }

  /** @returns false when there is no series but `except` */
  #evictLongestIdle(except?: SeriesRef): boolean {
    let series = this.#evictionCandidates.pop();
    while (series !== undefined && (series === except || !this.index.isLive(series))) {
      series = this.#evictionCandidates.pop();
    }
    if (series === undefined) {
      this.#evictionCandidates = this.#longestIdle(Math.ceil(this.index.size * EVICTION_SHARE), except);
      series = this.#evictionCandidates.pop();
    }
    if (series === undefined) return false;
    this.#forget(series);
    this.totals.seriesEvicted++;
    return true;
  }

  /** The longest idle comes last. */
  #longestIdle(count: number, except: SeriesRef | undefined): SeriesRef[] {
    const idleSinceMs = this.stats.lastExposedMs;
    const others = [...this.index.all()].filter((series) => series !== except);
    return others
      .sort((a, b) => idleSinceMs[a]! - idleSinceMs[b]!)
      .slice(0, count)
      .reverse();
  }

  #forget(series: SeriesRef): void {
    this.#exemplars -= this.rings.held(series);
    this.#holdings.set(series, 0);
    this.rings.clear(series);
    this.index.forget(series);
    this.#sinkSeries.delete(series);
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
