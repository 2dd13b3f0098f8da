/** Says what does not work: at once, then at most once a minute each, and once when it is over. */
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';

const REPEAT_MS = 60_000;
/** Different failures of one pass are few; errors whose texts all differ are not remembered for ever. */
const MAX_REMEMBERED = 50;

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
  readonly #warnedMs = new Map<string, number>();
  #failsNow = false;
  #failingSinceMs: number | undefined;

  constructor(parts: FailureLogParts) {
    this.#parts = parts;
  }

  failed(error: string): void {
    const { log, clock, fields, failed } = this.#parts;
    const nowMs = clock.monotonicMs();
    this.#failsNow = true;
    this.#failingSinceMs ??= nowMs;
    // Figures in it, such as sizes and times, make no other failure of it.
    const kind = error.replace(/\d+/g, '0');
    const lastMs = this.#warnedMs.get(kind);
    if (lastMs !== undefined && nowMs - lastMs < REPEAT_MS) return;
    if (this.#warnedMs.size >= MAX_REMEMBERED) this.#warnedMs.clear();
    this.#warnedMs.set(kind, nowMs);
    log.warn({ ...fields, error }, failed);
  }

  /** A pass has ended, in which everything was tried that is due. */
  passed(): void {
    const failedNow = this.#failsNow;
    this.#failsNow = false;
    if (failedNow || this.#failingSinceMs === undefined) return;
    const { log, clock, fields, recovered } = this.#parts;
    const seconds = (clock.monotonicMs() - this.#failingSinceMs) / 1000;
    this.#failingSinceMs = undefined;
    this.#warnedMs.clear();
    log.info({ ...fields, seconds }, recovered);
  }
}
