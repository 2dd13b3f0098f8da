/**
 * Decisions as they are made, to any number of readers up to a limit. A reader has nothing but its cursor: it reads page
 * by page from the table, as fast as it takes them, so a slow one costs no memory and misses nothing.
 */
import { type Clock, sleep } from '../util/clock.js';
import type { Cursor, DecisionTable, PlacedDecision } from './decisions.js';

export interface FeedParts {
  /** @throws when the table cannot be read at the moment */
  readonly read: (...parameters: Parameters<DecisionTable['since']>) => Promise<PlacedDecision[]>;
  readonly clock: Clock;
}

export interface FeedReader {
  readonly cursor: Cursor;
  readonly job: string | undefined;
  /** The reader went away. */
  readonly signal: AbortSignal;
}

export const MAX_READERS = 32;
const PAGE_DECISIONS = 500;
/** Other samplers write to the same table, and nobody wakes us for them; and connections want a sign of life. */
const POLL_MS = 15_000;

export class DecisionFeed {
  readonly #parts: FeedParts;
  readonly #stop = new AbortController();
  #readers = 0;
  #wakeup = new AbortController();

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  /** There is something new. */
  wake(): void {
    const sleeping = this.#wakeup;
    this.#wakeup = new AbortController();
    sleeping.abort();
  }

  /** Sends all readers away, and takes no more. */
  close(): void {
    this.#stop.abort();
  }

  get isFull(): boolean {
    return this.#readers >= MAX_READERS;
  }

  /**
   * Pages of decisions behind the cursor, as they come. An empty page is a sign of life; so is one where the table cannot
   * be read at the moment. Ends when the reader goes away or the sampler stops.
   */
  async *follow({ cursor: start, job, signal }: FeedReader): AsyncGenerator<readonly PlacedDecision[]> {
    const stopped = AbortSignal.any([signal, this.#stop.signal]);
    let cursor = start;
    this.#readers++;
    try {
      while (!stopped.aborted) {
        const wakeup = this.#wakeup.signal;
        const page = await this.#page(cursor, job, stopped);
        if (stopped.aborted) return;
        yield page;
        cursor = page.at(-1)?.cursor ?? cursor;
        if (page.length < PAGE_DECISIONS)
          await sleep(this.#parts.clock, POLL_MS, AbortSignal.any([stopped, wakeup]));
      }
    } finally {
      this.#readers--;
    }
  }

  async #page(cursor: Cursor, job: string | undefined, signal: AbortSignal): Promise<PlacedDecision[]> {
    try {
      return await this.#parts.read(cursor, { job, limit: PAGE_DECISIONS, signal });
    } catch {
      // The archive is away; the next look may find it.
      return [];
    }
  }
}
