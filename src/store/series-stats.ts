import { REJECT_REASONS } from '../model/exemplar.js';
import type { SeriesRef } from '../model/refs.js';
import { grown, nextCapacity } from '../util/columns.js';
import { ewmaAfterEvent, ewmaPerSecond } from '../util/ewma.js';

export const SHORT_RATE_WINDOW_MS = 5 * 60_000;
export const LONG_RATE_WINDOW_MS = 60 * 60_000;

/** Lifetimes kept of each series: those of the last so many overwritten exemplars. */
const LIFETIMES = 8;

/** All that is known of one series, but what it is called. */
export interface SavedStats {
  readonly accepted: number;
  readonly duplicates: number;
  readonly overwritten: number;
  readonly overwrittenUnforwarded: number;
  readonly rejected: readonly number[];
  readonly lastExposedMs: number;
  readonly createdMs: number;
  readonly lastAcceptedMs: number;
  readonly shortRate: number;
  readonly longRate: number;
  readonly lifetimesMs: readonly number[];
}

/** What has happened to each series since it is known: columns by series. */
export class SeriesStats {
  static readonly BYTES_PER_SERIES = 4 * 4 + 4 * REJECT_REASONS.length + 8 * 3 + 4 * 2 + 4;

  accepted = new Uint32Array(0);
  duplicates = new Uint32Array(0);
  overwritten = new Uint32Array(0);
  overwrittenUnforwarded = new Uint32Array(0);
  /** `REJECT_REASONS.length` counters a series. */
  rejected = new Uint32Array(0);

  /** When the series was last exposed with an exemplar. */
  lastExposedMs = new Float64Array(0);
  #createdMs = new Float64Array(0);
  #lastAcceptedMs = new Float64Array(0);
  #shortRates = new Float32Array(0);
  #longRates = new Float32Array(0);

  /** By series: its row of lifetimes plus one; 0 until something was overwritten, as most series never see. */
  #lifetimeRows = new Uint32Array(0);
  #lifetimes = new Float32Array(0);
  #lifetimeRowsUsed = 0;
  readonly #freeLifetimeRows: number[] = [];

  get lifetimeBytes(): number {
    return this.#lifetimeRowsUsed * LIFETIMES * 4;
  }

  growSeries(capacity: number): void {
    this.accepted = grown(this.accepted, capacity);
    this.duplicates = grown(this.duplicates, capacity);
    this.overwritten = grown(this.overwritten, capacity);
    this.overwrittenUnforwarded = grown(this.overwrittenUnforwarded, capacity);
    this.rejected = grown(this.rejected, capacity * REJECT_REASONS.length);
    this.lastExposedMs = grown(this.lastExposedMs, capacity);
    this.#createdMs = grown(this.#createdMs, capacity);
    this.#lastAcceptedMs = grown(this.#lastAcceptedMs, capacity);
    this.#shortRates = grown(this.#shortRates, capacity);
    this.#longRates = grown(this.#longRates, capacity);
    this.#lifetimeRows = grown(this.#lifetimeRows, capacity);
  }

  begin(series: SeriesRef, nowMs: number): void {
    this.accepted[series] = this.duplicates[series] = 0;
    this.overwritten[series] = this.overwrittenUnforwarded[series] = 0;
    const reasons = REJECT_REASONS.length;
    this.rejected.fill(0, series * reasons, (series + 1) * reasons);
    this.lastExposedMs[series] = this.#createdMs[series] = this.#lastAcceptedMs[series] = nowMs;
    this.#shortRates[series] = this.#longRates[series] = 0;
    const row = this.#lifetimeRows[series]!;
    if (row > 0) this.#freeLifetimeRows.push(row - 1);
    this.#lifetimeRows[series] = 0;
  }

  countAccepted(series: SeriesRef, nowMs: number): void {
    this.accepted[series]!++;
    // What a series shows when it is first met may be of any age: it says nothing of how often new ones come.
    if (nowMs === this.#createdMs[series]) return;
    const sinceMs = nowMs - this.#lastAcceptedMs[series]!;
    this.#shortRates[series] = ewmaAfterEvent(this.#shortRates[series]!, sinceMs, SHORT_RATE_WINDOW_MS);
    this.#longRates[series] = ewmaAfterEvent(this.#longRates[series]!, sinceMs, LONG_RATE_WINDOW_MS);
    this.#lastAcceptedMs[series] = nowMs;
  }

  /** Accepted exemplars a second over about the last five minutes. */
  shortRate(series: SeriesRef, nowMs: number): number {
    return this.#rate(this.#shortRates, series, nowMs, SHORT_RATE_WINDOW_MS);
  }

  /** The same over about the last hour. */
  longRate(series: SeriesRef, nowMs: number): number {
    return this.#rate(this.#longRates, series, nowMs, LONG_RATE_WINDOW_MS);
  }

  recordLifetime(series: SeriesRef, lifetimeMs: number): void {
    let row = this.#lifetimeRows[series]! - 1;
    if (row < 0) {
      row = this.#freeLifetimeRows.pop() ?? this.#lifetimeRowsUsed++;
      this.#lifetimeRows[series] = row + 1;
      const needed = (row + 1) * LIFETIMES;
      if (needed > this.#lifetimes.length) {
        this.#lifetimes = grown(this.#lifetimes, nextCapacity(this.#lifetimes.length, needed));
      }
      this.#lifetimes.fill(Number.NaN, row * LIFETIMES, needed);
    }
    this.#lifetimes[row * LIFETIMES + (this.overwritten[series]! % LIFETIMES)] = lifetimeMs;
  }

  /** How old its last few exemplars were when overwritten, in no order. */
  lifetimesMs(series: SeriesRef): number[] {
    const row = this.#lifetimeRows[series]! - 1;
    if (row < 0) return [];
    const lifetimes = this.#lifetimes.subarray(row * LIFETIMES, (row + 1) * LIFETIMES);
    return Array.from(lifetimes).filter((lifetimeMs) => !Number.isNaN(lifetimeMs));
  }

  saved(series: SeriesRef): SavedStats {
    const reasons = REJECT_REASONS.length;
    return {
      accepted: this.accepted[series]!,
      duplicates: this.duplicates[series]!,
      overwritten: this.overwritten[series]!,
      overwrittenUnforwarded: this.overwrittenUnforwarded[series]!,
      rejected: Array.from(this.rejected.subarray(series * reasons, (series + 1) * reasons)),
      lastExposedMs: this.lastExposedMs[series]!,
      createdMs: this.#createdMs[series]!,
      lastAcceptedMs: this.#lastAcceptedMs[series]!,
      shortRate: this.#shortRates[series]!,
      longRate: this.#longRates[series]!,
      lifetimesMs: this.lifetimesMs(series),
    };
  }

  restore(series: SeriesRef, saved: SavedStats): void {
    this.begin(series, saved.createdMs);
    for (const lifetimeMs of saved.lifetimesMs) {
      this.recordLifetime(series, lifetimeMs);
      this.overwritten[series]!++;
    }
    this.accepted[series] = saved.accepted;
    this.duplicates[series] = saved.duplicates;
    this.overwritten[series] = saved.overwritten;
    this.overwrittenUnforwarded[series] = saved.overwrittenUnforwarded;
    this.rejected.set(saved.rejected, series * REJECT_REASONS.length);
    this.lastExposedMs[series] = saved.lastExposedMs;
    this.#lastAcceptedMs[series] = saved.lastAcceptedMs;
    this.#shortRates[series] = saved.shortRate;
    this.#longRates[series] = saved.longRate;
  }

  #rate(averages: Float32Array, series: SeriesRef, nowMs: number, windowMs: number): number {
    const sinceMs = nowMs - this.#lastAcceptedMs[series]!;
    return ewmaPerSecond(averages[series]!, sinceMs, nowMs - this.#createdMs[series]!, windowMs);
  }
}
