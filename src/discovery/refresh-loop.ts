import { type Clock, sleep } from '../util/clock.js';

/** Runs something at once and then at an interval, never twice at a time. */
export class RefreshLoop {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #refresh: (signal: AbortSignal) => Promise<void>;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  /** @param refresh must not reject; the signal asks it to end soon */
  constructor(clock: Clock, intervalMs: number, refresh: (signal: AbortSignal) => Promise<void>) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#refresh = refresh;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const startMs = this.#clock.monotonicMs();
      await this.#refresh(signal);
      const tookMs = this.#clock.monotonicMs() - startMs;
      // What takes longer than the interval gets a pause all the same.
      await sleep(this.#clock, Math.max(this.#intervalMs - tookMs, this.#intervalMs / 10), signal);
    }
  }
}
