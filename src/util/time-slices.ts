import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from './clock.js';

/** Does work that can pause between its steps, in slices. */
export async function doInSlices<Result>(steps: Generator<void, Result>, clock: Clock): Promise<Result> {
  const slices = new TimeSlices(clock);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (slices.isOver) await slices.pause();
  }
}

/** Does all steps at once. */
export function doAtOnce<Result>(steps: Generator<void, Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/**
 * The turn of the event loop that the last who paused goes on in. One a turn: otherwise several bodies, a snapshot and a
 * block for the archive take a slice each before a socket is read again.
 */
let lastTurn: Promise<void> = Promise.resolve();

/** Long work in slices, so that scrapes and other requests get their turn in between. */
export class TimeSlices {
  readonly #clock: Clock;
  readonly #sliceMs: number;
  readonly #signal: AbortSignal | undefined;
  #sliceEndMs: number;

  /** @param signal once aborted, `pause` rejects with its reason: nobody wants the work any more */
  constructor(clock: Clock, sliceMs = 10, signal?: AbortSignal) {
    this.#clock = clock;
    this.#sliceMs = sliceMs;
    this.#signal = signal;
    this.#sliceEndMs = clock.monotonicMs() + sliceMs;
  }

  /** Whether it is time to `pause`. Cheap enough to ask after every few microseconds of work. */
  get isOver(): boolean {
    return this.#clock.monotonicMs() >= this.#sliceEndMs;
  }

  async pause(): Promise<void> {
    const turn = lastTurn.then(() => nextTurn());
    lastTurn = turn;
    await turn;
    this.#signal?.throwIfAborted();
    this.#sliceEndMs = this.#clock.monotonicMs() + this.#sliceMs;
  }
}
