import type { SeriesRef } from '../model/refs.js';
import type { SeriesIndex } from './series-index.js';
import type { SeriesStats } from './series-stats.js';

/** This share of all series is looked up at once, so that looking is rare. */
const LOOK_UP_SHARE = 0.01;

/** Which series has not been exposed for longest: asked for at the cap, one after another. */
export class IdleSeries {
  readonly #index: SeriesIndex;
  readonly #stats: SeriesStats;
  /** The longest idle comes last. */
  #candidates: SeriesRef[] = [];
  /** No candidate had been exposed after this when it was chosen. */
  #idleSinceMs = 0;

  constructor(index: SeriesIndex, stats: SeriesStats) {
    this.#index = index;
    this.#stats = stats;
  }

  /** As many as are looked up at once. */
  get share(): number {
    return Math.ceil(this.#index.size * LOOK_UP_SHARE);
  }

  /**
   * @param count how many will be asked for, at least
   * @param idleSinceMs only one that was not exposed after this
   * @returns undefined when there is no such series but `except`
   */
  longest(count: number, except: SeriesRef | undefined, idleSinceMs: number): SeriesRef | undefined {
    const series = this.#nextCandidate(except, idleSinceMs);
    if (series !== undefined) return series;
    this.#chooseCandidates(Math.max(count, this.share), except, idleSinceMs);
    return this.#nextCandidate(except, idleSinceMs);
  }

  /** The next that has not been exposed since it became a candidate. */
  #nextCandidate(except: SeriesRef | undefined, idleSinceMs: number): SeriesRef | undefined {
    const limitMs = Math.min(this.#idleSinceMs, idleSinceMs);
    for (;;) {
      const series = this.#candidates.pop();
      if (series === undefined) return undefined;
      const isIdle = this.#index.isLive(series) && this.#stats.lastExposedMs[series]! <= limitMs;
      if (isIdle && series !== except) return series;
    }
  }

  #chooseCandidates(count: number, except: SeriesRef | undefined, limitOfIdleMs: number): void {
    const idleSinceMs = this.#stats.lastExposedMs;
    const others: SeriesRef[] = [];
    for (const series of this.#index.all())
      if (series !== except && idleSinceMs[series]! <= limitOfIdleMs) others.push(series);
    // Numbers alone sort natively, ten times as fast as series by a comparison of ours.
    const timesMs = Float64Array.from(others, (series) => idleSinceMs[series]!).sort();
    const limitMs = timesMs[Math.min(count, others.length) - 1] ?? 0;
    this.#idleSinceMs = limitMs;
    this.#candidates = others
      .filter((series) => idleSinceMs[series]! <= limitMs)
      .sort((a, b) => idleSinceMs[a]! - idleSinceMs[b]!)
      .slice(0, count)
      .reverse();
  }
}
