import type { StatementOptions } from '../clickhouse/database.js';
import type { Archived } from '../model/archive.js';
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { OncePerMinute } from '../util/once-per-minute.js';
import type { ArchiveMeter } from './meter.js';

/** What an archive that has just not answered is given: dashboards ask for many graphs at once. */
const SUSPECT_TIMEOUT_MS = 1_000;
/** For so long; then one that is only slow gets its time again. */
const SUSPECT_MS = 30_000;

const QUERY_SETTINGS = {
  // A day's parts are merged with no other day's: the day is part of what tells rows apart.
  do_not_merge_across_partitions_select_final: 1,
  // The last digit of a bound counts.
  precise_float_parsing: 1,
};

export interface AskingParts {
  readonly timeoutMs: number;
  readonly meter: ArchiveMeter;
  readonly clock: Clock;
  readonly log: Log;
}

/** Asks, and waits no longer than whoever asked would. Whatever goes wrong becomes a warning. */
export class Asking {
  readonly #parts: AskingParts;
  /** There was no answer in time, and none since; until then it is given less. */
  #suspectUntilMs = Number.NEGATIVE_INFINITY;
  readonly #warning: OncePerMinute;

  constructor(parts: AskingParts) {
    this.#parts = parts;
    this.#warning = new OncePerMinute(parts.clock);
  }

  /** @param nothing what stands for an answer that does not come */
  async answer<Found>(
    nothing: Found,
    read: (options: StatementOptions) => Promise<Found>,
  ): Promise<Archived<Found>> {
    const { meter, clock } = this.#parts;
    const startMs = clock.monotonicMs();
    const deadline = new AbortController();
    const timeoutMs = this.timeoutMs;
    const cancel = clock.after(timeoutMs, () => deadline.abort());
    try {
      const options = { timeoutMs, signal: deadline.signal, settings: QUERY_SETTINGS };
      const found = await Promise.race([read(options), rejectedBy(deadline.signal, timeoutMs)]);
      this.#suspectUntilMs = Number.NEGATIVE_INFINITY;
      meter.queried((clock.monotonicMs() - startMs) / 1000, true);
      return { found, warnings: [] };
    } catch (error) {
      if (deadline.signal.aborted && !this.#isSuspect)
        this.#suspectUntilMs = clock.monotonicMs() + SUSPECT_MS;
      meter.queried((clock.monotonicMs() - startMs) / 1000, false);
      const { message } = error as Error;
      this.#warn(message);
      return { found: nothing, warnings: [`archive: ${message}; what only it has is missing`] };
    } finally {
      cancel();
    }
  }

  /** Whoever asked is told each time. */
  #warn(error: string): void {
    if (!this.#warning.isDue()) return;
    this.#parts.log.warn(
      { error },
      'the archive did not answer a query; what only it has was missing in the answer',
    );
  }

  get #isSuspect(): boolean {
    return this.#parts.clock.monotonicMs() < this.#suspectUntilMs;
  }

  /** What the next question is given. */
  get timeoutMs(): number {
    const { timeoutMs } = this.#parts;
    return this.#isSuspect ? Math.min(timeoutMs, SUSPECT_TIMEOUT_MS) : timeoutMs;
  }
}

function rejectedBy(signal: AbortSignal, timeoutMs: number): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(new Error(`no answer within ${timeoutMs / 1000} s`));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
