import { forEachSampleLine } from '../exposition/openmetrics.js';
import { seriesEnd } from '../exposition/sample-line.js';
import { NO_SERIES, type SeriesRef } from '../model/refs.js';
import { grown } from '../util/columns.js';

/** Whether series are gone is looked up no more often: it costs a pass over all lines of a body. */
const CHECK_INTERVAL_MS = 60_000;

/**
 * Which entries of a series cache had an exemplar taken in, and have not been told to be gone since. Nothing is done
 * for it line by line: only when a check is due, it is asked which of them a body does not show.
 */
export class LiveSeries {
  #isLive = new Uint8Array(64);
  #checkedMs = Number.NEGATIVE_INFINITY;
  #checkedCount = 0;
  count = 0;

  has(entry: number): boolean {
    return this.#isLive[entry] === 1;
  }

  add(entry: number): void {
    this.count += 1 - this.#isLive[entry]!;
    this.#isLive[entry] = 1;
  }

  delete(entry: number): void {
    this.count -= this.#isLive[entry]!;
    this.#isLive[entry] = 0;
  }

  clear(): void {
    this.#isLive.fill(0);
    this.count = 0;
  }

  grow(capacity: number): void {
    this.#isLive = grown(this.#isLive, capacity);
  }

  /** An entry takes the place of another one, which must not be live. */
  move(from: number, to: number): void {
    if (from === to || !this.has(from)) return;
    this.delete(from);
    this.add(to);
  }

  /**
   * Whether it is time to check: by the clock, also if it has jumped, or because they have become many since, which
   * must not take memory until the clock says so.
   */
  isDue(nowMs: number): boolean {
    const isTime = Math.abs(nowMs - this.#checkedMs) >= CHECK_INTERVAL_MS;
    if (this.count === 0 || (!isTime && this.count <= 2 * this.#checkedCount + 1024)) return false;
    this.#checkedMs = nowMs;
    return true;
  }

  /** The check that was due is done. */
  checked(): void {
    this.#checkedCount = this.count;
  }

  /** Those below `limit` that are not known to be there. */
  entries(limit: number, isThere: (entry: number) => boolean = () => false): Set<number> {
    const entries = new Set<number>();
    for (let entry = 1; entry < limit; entry++) if (this.has(entry) && !isThere(entry)) entries.add(entry);
    return entries;
  }

  /**
   * Entries are gone; calls back once for each series gone by it. Two entries may mean one series, written in two
   * ways: while one of them is live or there, so is the series.
   * @param refOf the series of an entry, NO_SERIES if there is none any more
   */
  end(
    entries: ReadonlySet<number>,
    limit: number,
    refOf: (entry: number) => SeriesRef,
    isThere: (entry: number) => boolean,
    gone: (series: SeriesRef) => void,
  ): void {
    const series = new Set<SeriesRef>();
    for (const entry of entries) {
      this.delete(entry);
      series.add(refOf(entry));
    }
    series.delete(NO_SERIES);
    for (let entry = 1; entry < limit && series.size > 0; entry++)
      if (this.has(entry) || isThere(entry)) series.delete(refOf(entry));
    for (const each of series) gone(each);
  }
}

/** Calls back for the bounds of the series of every line of `body[0, length)`, until `visit` returns false. */
export function forEachSeries(
  body: Buffer,
  length: number,
  visit: (start: number, end: number) => boolean,
): void {
  forEachSampleLine(body, length, (start, lineEnd) => {
    const end = seriesEnd(body, start, lineEnd);
    return end <= start || visit(start, end);
  });
}
