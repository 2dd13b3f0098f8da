import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from './clock.js';

/** Long work in slices, so that scrapes and other requests get their turn in between. */
export class TimeSlices {
  readonly #clock: Clock;
  readonly #sliceMs: number;
  #sliceEndMs: number;

  constructor(clock: Clock, sliceMs = 10) {
    this.#clock = clock;
    this.#sliceMs = sliceMs;
    this.#sliceEndMs = clock.monotonicMs() + sliceMs;
  }

  /** Whether it is time to `pause`. Cheap enough to ask after every few microseconds of work. */
  get isOver(): boolean {
    return this.#clock.monotonicMs() >= this.#sliceEndMs;
  }

  async pause(): Promise<void> {
    await nextTurn();
    this.#sliceEndMs = this.#clock.monotonicMs() + this.#sliceMs;
  }
}
