/** Says what does not work: at once, then at most once a minute each, and once when it is over. */
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { OncePerMinute } from '../util/once-per-minute.js';

export interface FailureLogParts {
  readonly log: Log;
  readonly clock: Clock;
  /** Whose failures these are, for every line. */
  readonly fields: object;
  readonly failed: string;
  readonly recovered: string;
}

export class FailureLog {
  readonly #parts: FailureLogParts;
  readonly #warning: OncePerMinute;
  #failsNow = false;
  #failingSinceMs: number | undefined;

  constructor(parts: FailureLogParts) {
    this.#parts = parts;
    this.#warning = new OncePerMinute(parts.clock);
  }

  failed(error: string): void {
    const { log, clock, fields, failed } = this.#parts;
    this.#failsNow = true;
    this.#failingSinceMs ??= clock.monotonicMs();
    // Figures in it, such as sizes and times, make no other failure of it.
    if (this.#warning.isDue(error.replace(/\d+/g, '0'))) log.warn({ ...fields, error }, failed);
  }

  /** A pass has ended, in which everything was tried that is due. */
  passed(): void {
    const failedNow = this.#failsNow;
    this.#failsNow = false;
    if (failedNow || this.#failingSinceMs === undefined) return;
    const { log, clock, fields, recovered } = this.#parts;
    const seconds = (clock.monotonicMs() - this.#failingSinceMs) / 1000;
    this.#failingSinceMs = undefined;
    this.#warning.reset();
    log.info({ ...fields, seconds }, recovered);
  }
}
