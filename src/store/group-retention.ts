import { REJECT_REASONS, type RejectReason } from '../model/exemplar.js';
import type { Labels } from '../model/labels.js';
import type { SeriesRef } from '../model/refs.js';
import { quantilesOf } from '../util/quantiles.js';
import type { TimeSlices } from '../util/time-slices.js';
import type { ExemplarStore } from './exemplar-store.js';
import { type Forecast, type ForecastBasis, ForecastTally } from './forecast.js';

/**
 * How long the rings of some series remember, and why. Counts are those of the series known now, since they are
 * known. Times in seconds since 1970; null where there is nothing to tell.
 */
export interface GroupRetention {
  readonly labels: Labels;
  readonly series: number;
  /** Rings that hold `perSeries` exemplars. */
  readonly fullSeries: number;
  readonly exemplars: number;
  /** Exemplars that full rings would hold. */
  readonly slots: number;
  readonly oldest: number | null;
  readonly newest: number | null;
  /** Over series that ever held an exemplar: newest minus oldest held, 0 for one that lost all to a cap. */
  readonly windowSeconds: Readonly<Record<'min' | 'p10' | 'p50' | 'p90' | 'max', number>>;
  /** Accepted exemplars a second. */
  readonly rate: Readonly<Record<'5m' | '1h', number>>;
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: Readonly<Record<RejectReason, number>>;
  readonly overwritten: number;
  readonly overwrittenUnforwarded: number;
  /** How old exemplars were when overwritten, over the last few of every series. */
  readonly lifetimeSeconds: Readonly<Record<'min' | 'p50' | 'p90', number | null>>;
  readonly forecast: Forecast;
}

/** What all groups of an answer share. */
export interface RetentionView {
  readonly store: ExemplarStore;
  readonly basis: ForecastBasis;
  readonly nowMs: number;
  /** What the forecast compares with. */
  readonly targetMs: number | undefined;
  readonly slices: TimeSlices;
  readonly isKnown: (series: SeriesRef) => boolean;
}

export async function groupRetention(
  view: RetentionView,
  labels: Labels,
  members: readonly SeriesRef[],
): Promise<GroupRetention> {
  const tally = new RetentionTally(view);
  await visitKnown(view, members, (series) => tally.add(series));
  return tally.result(labels);
}

/** In slices, without those forgotten since. */
export async function visitKnown(
  view: RetentionView,
  members: readonly SeriesRef[],
  visit: (series: SeriesRef) => void,
): Promise<void> {
  for (const series of members) {
    if (view.isKnown(series)) visit(series);
    if (view.slices.isOver) await view.slices.pause();
  }
}

/** Newest minus oldest held; undefined for a series that never held an exemplar. */
export function windowMsOf(store: ExemplarStore, series: SeriesRef): number | undefined {
  if (store.rings.held(series) > 0) return store.rings.newestMs(series) - store.rings.oldestMs(series);
  return store.stats.accepted[series] === 0 ? undefined : 0;
}

class RetentionTally {
  readonly #view: RetentionView;
  readonly #forecast: ForecastTally;
  #series = 0;
  #fullSeries = 0;
  #exemplars = 0;
  #oldestMs = Number.POSITIVE_INFINITY;
  #newestMs = Number.NEGATIVE_INFINITY;
  #shortRate = 0;
  #longRate = 0;
  #accepted = 0;
  #duplicates = 0;
  #overwritten = 0;
  #overwrittenUnforwarded = 0;
  readonly #rejected = REJECT_REASONS.map(() => 0);
  readonly #windowsMs: number[] = [];
  readonly #lifetimesMs: number[] = [];

  constructor(view: RetentionView) {
    this.#view = view;
    this.#forecast = new ForecastTally(view.store, view.basis);
  }

  add(series: SeriesRef): void {
    this.#addRing(series);
    this.#addStats(series);
  }

  async result(labels: Labels): Promise<GroupRetention> {
    const { store, targetMs, slices } = this.#view;
    const quantiles = (valuesMs: number[], ranks: number[]) =>
      quantilesOf(Float64Array.from(valuesMs), ranks, slices);
    const windows = await quantiles(this.#windowsMs, [0, 0.1, 0.5, 0.9, 1]);
    const lifetimes = await quantiles(this.#lifetimesMs, [0, 0.5, 0.9]);
    // Where no series ever held anything, nothing is remembered.
    const [min, p10, p50, p90, max] = windows.map((windowMs) => (windowMs || 0) / 1000);
    const [shortest, median, longest] = lifetimes.map(secondsOrNull);
    return {
      labels,
      series: this.#series,
      fullSeries: this.#fullSeries,
      exemplars: this.#exemplars,
      slots: this.#series * store.options.perSeries,
      oldest: secondsOrNull(this.#oldestMs),
      newest: secondsOrNull(this.#newestMs),
      windowSeconds: { min: min!, p10: p10!, p50: p50!, p90: p90!, max: max! },
      rate: { '5m': this.#shortRate, '1h': this.#longRate },
      accepted: this.#accepted,
      duplicates: this.#duplicates,
      rejected: this.#rejectedByReason(),
      overwritten: this.#overwritten,
      overwrittenUnforwarded: this.#overwrittenUnforwarded,
      lifetimeSeconds: { min: shortest!, p50: median!, p90: longest! },
      forecast: this.#forecast.forecast(targetMs),
    };
  }

  #addRing(series: SeriesRef): void {
    const { rings, options } = this.#view.store;
    const held = rings.held(series);
    this.#series++;
    this.#exemplars += held;
    if (held >= options.perSeries) this.#fullSeries++;
    if (held > 0) {
      this.#oldestMs = Math.min(this.#oldestMs, rings.oldestMs(series));
      this.#newestMs = Math.max(this.#newestMs, rings.newestMs(series));
    }
    const windowMs = windowMsOf(this.#view.store, series);
    if (windowMs !== undefined) this.#windowsMs.push(windowMs);
  }

  #addStats(series: SeriesRef): void {
    const { store, nowMs } = this.#view;
    const { stats } = store;
    const longRate = stats.longRate(series, nowMs);
    this.#shortRate += stats.shortRate(series, nowMs);
    this.#longRate += longRate;
    this.#forecast.add(series, longRate);
    this.#accepted += stats.accepted[series]!;
    this.#duplicates += stats.duplicates[series]!;
    this.#overwritten += stats.overwritten[series]!;
    this.#overwrittenUnforwarded += stats.overwrittenUnforwarded[series]!;
    for (let reason = 0; reason < REJECT_REASONS.length; reason++) {
      this.#rejected[reason]! += stats.rejected[series * REJECT_REASONS.length + reason]!;
    }
    if (stats.overwritten[series]! > 0) this.#lifetimesMs.push(...stats.lifetimesMs(series));
  }

  #rejectedByReason(): Record<RejectReason, number> {
    const entries = REJECT_REASONS.map((reason, i) => [reason, this.#rejected[i]!] as const);
    return Object.fromEntries(entries) as Record<RejectReason, number>;
  }
}

function secondsOrNull(ms: number): number | null {
  return Number.isFinite(ms) ? ms / 1000 : null;
}
