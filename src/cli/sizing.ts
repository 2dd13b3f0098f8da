import { SLOT_SHARE } from '../store/options.js';
import { SlotSlab } from '../store/slot-slab.js';
import type { Watch } from './size-watch.js';

/** Of an exemplar in the journal, as `npm run bench` measures it. */
export const JOURNAL_BYTES_PER_EXEMPLAR = 113;
/** Of an exemplar in the archive once merged, its share of the series included, as measured with five million rows. */
export const ARCHIVE_BYTES_PER_EXEMPLAR = 44;

/** Traffic is not even: what was watched, and a quarter. */
export const HEADROOM = 1.25;

/** The least that is recommended: what comes unforeseen needs room, too. */
export const MIN_BYTES = 32 * 1024 * 1024;
const DAY_SECONDS = 86_400;

/** What the watch measured. */
export interface Traffic {
  readonly seconds: number;
  readonly series: number;
  /** Of them, those that got new exemplars. */
  readonly receivingSeries: number;
  readonly exemplarsHeld: number;
  readonly newExemplars: number;
  /** A second, all series together. */
  readonly rate: number;
  /** A second, of the fastest series. */
  readonly fastestRate: number;
  readonly bytesPerExemplar: number;
  readonly bytesPerSeries: number;
  readonly journalBytesPerDay: number;
  readonly archiveBytesPerDay: number;
}

/** What a retention needs of `storage.exemplars`. */
export interface Needs {
  readonly retentionMs: number;
  readonly perSeries: number;
  readonly maxExemplars: number;
  /** Of slots, labels and index. */
  readonly maxBytes: number;
}

export function trafficOf(watch: Watch): Traffic {
  const { store, elapsedMs } = watch;
  const series = watch.series();
  const rate = series.reduce((sum, each) => sum + each.rate, 0);
  const { labels, index } = store.bytes;
  // One slot is that of the candidate, whatever the number of exemplars.
  const slotBytes = (store.rings.slotBytesInUse - SlotSlab.BYTES_PER_SLOT) / Math.max(1, store.exemplars);
  return {
    seconds: elapsedMs / 1000,
    series: series.length,
    receivingSeries: series.filter((each) => each.rate > 0).length,
    exemplarsHeld: store.exemplars,
    newExemplars: watch.newExemplars,
    rate,
    fastestRate: series[0]?.rate ?? 0,
    bytesPerExemplar: Math.max(SlotSlab.BYTES_PER_SLOT, slotBytes),
    bytesPerSeries: (labels + index) / Math.max(1, store.index.size),
    journalBytesPerDay: rate * DAY_SECONDS * JOURNAL_BYTES_PER_EXEMPLAR,
    archiveBytesPerDay: rate * DAY_SECONDS * ARCHIVE_BYTES_PER_EXEMPLAR,
  };
}

/**
 * The ring of the fastest series must reach back so far, and in the end every ring that receives anything is full:
 * the same reckoning as the forecast of a running exemplard.
 */
export function needsFor(traffic: Traffic, retentionMs: number): Needs {
  const { fastestRate, receivingSeries, series, bytesPerExemplar, bytesPerSeries } = traffic;
  const perSeries = Math.ceil(fastestRate * HEADROOM * (retentionMs / 1000)) + 1;
  const silentSeries = series - receivingSeries;
  const maxExemplars = receivingSeries * perSeries + silentSeries;
  // Each ring has a floor beside what it holds, and one exemplar is laid out before another goes.
  const slotBytes = (maxExemplars + series + 1) * bytesPerExemplar;
  const needed = Math.max(slotBytes / SLOT_SHARE, slotBytes + series * bytesPerSeries);
  return { retentionMs, perSeries, maxExemplars, maxBytes: Math.max(MIN_BYTES, Math.ceil(needed)) };
}
