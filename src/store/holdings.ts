import { NO_SERIES, type SeriesRef } from '../model/refs.js';
import { grown } from '../util/columns.js';

/**
 * Series by how many exemplars they hold, so that the one holding most is known at once.
 *
 *   lists   [1] a ⇄ b ⇄ c    [2]    [3] d        most = 3
 *
 * A list is in the order of joining it: of several holding most, the one that has done so longest comes first.
 * Every change is by one exemplar, so a series only ever moves to a neighbouring list.
 */
export class Holdings {
  static readonly BYTES_PER_SERIES = 3 * 4;

  /** By count. */
  #heads = new Uint32Array(2);
  #tails = new Uint32Array(2);
  /** By series. */
  #counts = new Uint32Array(0);
  #next = new Uint32Array(0);
  #prev = new Uint32Array(0);
  #most = 0;

  growSeries(capacity: number): void {
    this.#counts = grown(this.#counts, capacity);
    this.#next = grown(this.#next, capacity);
    this.#prev = grown(this.#prev, capacity);
  }

  /** The most that any series holds. */
  get most(): number {
    return this.#most;
  }

  /** Who gives up next; undefined when nobody holds anything. */
  holdingMost(): SeriesRef | undefined {
    return this.#most === 0 ? undefined : (this.#heads[this.#most] as SeriesRef);
  }

  set(series: SeriesRef, count: number): void {
    const before = this.#counts[series]!;
    if (before === count) return;
    if (before > 0) this.#leave(series, before);
    if (count > 0) this.#join(series, count);
    if (count > this.#most) this.#most = count;
    while (this.#most > 0 && this.#heads[this.#most] === NO_SERIES) this.#most--;
  }

  #join(series: SeriesRef, count: number): void {
    if (count >= this.#heads.length) {
      this.#heads = grown(this.#heads, count * 2);
      this.#tails = grown(this.#tails, count * 2);
    }
    const tail = this.#tails[count]!;
    this.#counts[series] = count;
    this.#prev[series] = tail;
    this.#next[series] = NO_SERIES;
    if (tail === NO_SERIES) this.#heads[count] = series;
    else this.#next[tail] = series;
    this.#tails[count] = series;
  }

  #leave(series: SeriesRef, count: number): void {
    const next = this.#next[series]!;
    const prev = this.#prev[series]!;
    if (prev === NO_SERIES) this.#heads[count] = next;
    else this.#next[prev] = next;
    if (next === NO_SERIES) this.#tails[count] = prev;
    else this.#prev[next] = prev;
    this.#counts[series] = 0;
  }
}
