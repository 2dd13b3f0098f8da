import type { Clock } from './clock.js';

const INTERVAL_MS = 60_000;
/** What goes wrong at one time is of few kinds; those that all differ are not remembered for ever. */
const MAX_KINDS = 50;

/** Says when to say what goes on for long: at once, then once a minute, each kind by itself. */
export class OncePerMinute {
  readonly #clock: Clock;
  readonly #saidMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns true at most once a minute; whoever asks then says it */
  isDue(kind = ''): boolean {
    const nowMs = this.#clock.monotonicMs();
    const saidMs = this.#saidMs.get(kind);
    if (saidMs !== undefined && nowMs - saidMs < INTERVAL_MS) return false;
    if (this.#saidMs.size >= MAX_KINDS) this.#saidMs.clear();
    this.#saidMs.set(kind, nowMs);
    return true;
  }

  /** It is over: the next time is the first again. */
  reset(): void {
    this.#saidMs.clear();
  }
}
