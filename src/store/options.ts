/** How much the rings may hold. Keys of `storage.exemplars`. */
export interface StoreOptions {
  /** Slots of each series' ring. */
  readonly perSeries: number;
  readonly maxExemplars: number;
  /** Memory of slots, labels and index together. */
  readonly maxBytes: number;
  readonly maxSeries: number;
  readonly outOfOrderTimeWindowMs: number;
  readonly maxFutureMs: number;
  readonly seriesIdleTimeoutMs: number;
}

/** Of `maxBytes`, the part that slots may take; the rest is left to labels and index, which come later. */
export const SLOT_SHARE = 0.75;

export const DEFAULT_STORE_OPTIONS: StoreOptions = {
  perSeries: 128,
  maxExemplars: 1_000_000,
  maxBytes: 512 * 1024 * 1024,
  maxSeries: 1_000_000,
  outOfOrderTimeWindowMs: 10 * 60_000,
  maxFutureMs: 10 * 60_000,
  seriesIdleTimeoutMs: 60 * 60_000,
};
