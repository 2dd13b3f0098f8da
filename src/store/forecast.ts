import type { SeriesRef } from '../model/refs.js';
import type { TimeSlices } from '../util/time-slices.js';
import type { ExemplarStore } from './exemplar-store.js';
import { SLOT_SHARE } from './options.js';
import { SlotSlab } from './slot-slab.js';

/** Fewer than one exemplar in ten hours: the average has all but forgotten the series. */
const SILENT_PER_SECOND = 0.1 / 3600;

/** What is the same for every group. */
export interface ForecastBasis {
  /**
   * Exemplars a series that receives some will hold in the end: `perSeries`, or where the caps of the process are
   * reached first, the level at which max-min fairness cuts off those who would hold more.
   */
  readonly steadyHeld: number;
  /** Bytes of slots an exemplar takes on average; text that could not be packed included. */
  readonly bytesPerExemplar: number;
  /** Bytes of labels and index a series takes on average. */
  readonly bytesPerSeries: number;
}

export interface Forecast {
  /** Until the last ring that receives exemplars is full; null where none does and there is room. */
  readonly secondsToFull: number | null;
  /** What the ring that turns over fastest will then remember; null where none receives anything. */
  readonly steadyWindowSeconds: number | null;
  /** The least `per_series` with which that ring remembers the target; null without a target. */
  readonly perSeriesForTarget: number | null;
  /** The part of `max_bytes` that the group needs for rings of that size; null without a target. */
  readonly bytesForTarget: number | null;
}

/** Looks at every series of the store. */
export async function forecastBasis(
  store: ExemplarStore,
  nowMs: number,
  slices: TimeSlices,
): Promise<ForecastBasis> {
  const { perSeries } = store.options;
  /** By number of exemplars: series that will hold so many if they may. */
  const demands = new Uint32Array(perSeries + 1);
  let floorsNow = 0;
  let floorsThen = 0;
  for (const series of store.index.all()) {
    const hasFloor = store.stats.overwritten[series]! > 0;
    const isSilent = store.stats.longRate(series, nowMs) < SILENT_PER_SECOND;
    demands[isSilent ? Math.min(store.rings.held(series), perSeries) : perSeries]!++;
    floorsNow += Number(hasFloor);
    floorsThen += Number(hasFloor || !isSilent);
    if (slices.isOver) await slices.pause();
  }
  const { labels, index } = store.bytes;
  const inSlots = store.exemplars + floorsNow;
  const bytesPerExemplar = inSlots === 0 ? SlotSlab.BYTES_PER_SLOT : store.rings.slotBytesInUse / inSlots;
  const roomForExemplars = (store.options.maxBytes * SLOT_SHARE) / bytesPerExemplar - floorsThen;
  return {
    steadyHeld: fairShare(demands, Math.min(store.options.maxExemplars, roomForExemplars)),
    bytesPerExemplar,
    bytesPerSeries: (labels + index) / Math.max(1, store.index.size),
  };
}

/** The highest level such that everybody getting what they demand, but at most that, fits into `capacity`. */
function fairShare(demands: Uint32Array, capacity: number): number {
  let wanting = demands.reduce((sum, count) => sum + count, 0) - demands[0]!;
  let given = 0;
  for (let level = 1; level < demands.length; level++) {
    given += wanting;
    if (given > capacity) return level - 1;
    wanting -= demands[level]!;
  }
  return demands.length - 1;
}

/** The forecast of a group, from its series one by one. */
export class ForecastTally {
  readonly #store: ExemplarStore;
  readonly #basis: ForecastBasis;
  #receiving = 0;
  #silent = 0;
  #silentExemplars = 0;
  #hasRoom = false;
  #secondsToFull = 0;
  #highestPerSecond = 0;

  constructor(store: ExemplarStore, basis: ForecastBasis) {
    this.#store = store;
    this.#basis = basis;
  }

  /** @param perSecond exemplars accepted in about the last hour */
  add(series: SeriesRef, perSecond: number): void {
    const held = this.#store.rings.held(series);
    const missing = Math.max(0, this.#basis.steadyHeld - held);
    if (missing > 0) this.#hasRoom = true;
    if (perSecond < SILENT_PER_SECOND) {
      this.#silent++;
      this.#silentExemplars += held;
      return;
    }
    this.#receiving++;
    this.#secondsToFull = Math.max(this.#secondsToFull, missing / perSecond);
    this.#highestPerSecond = Math.max(this.#highestPerSecond, perSecond);
  }

  forecast(targetMs: number | undefined): Forecast {
    const receives = this.#receiving > 0;
    const perSeries = targetMs === undefined ? null : this.#perSeriesFor(targetMs / 1000);
    return {
      secondsToFull: receives || !this.#hasRoom ? this.#secondsToFull : null,
      // As between fence posts: n exemplars span n - 1 intervals.
      steadyWindowSeconds: receives ? Math.max(0, this.#basis.steadyHeld - 1) / this.#highestPerSecond : null,
      perSeriesForTarget: perSeries,
      bytesForTarget: perSeries === null ? null : this.#bytesFor(perSeries),
    };
  }

  #perSeriesFor(targetSeconds: number): number {
    return Math.ceil(this.#highestPerSecond * targetSeconds) + 1;
  }

  /** In the end every ring that receives anything is full, and has a floor beside what it holds. */
  #bytesFor(perSeries: number): number {
    const { bytesPerExemplar, bytesPerSeries } = this.#basis;
    // One more, because an exemplar has to be laid out before its ring gives one up for it.
    const exemplars = this.#receiving * (perSeries + 1) + this.#silentExemplars + 1;
    const slotBytes = exemplars * bytesPerExemplar;
    const seriesBytes = (this.#receiving + this.#silent) * bytesPerSeries;
    return Math.ceil(Math.max(slotBytes / SLOT_SHARE, slotBytes + seriesBytes));
  }
}
