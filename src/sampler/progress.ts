/** How far behind a job is, by the clock: it must show just when nobody answers, and so nothing is done. No I/O. */
import type { Clock } from '../util/clock.js';
import type { SamplingJobOptions } from './options.js';
import { COPIED, endOf, lastStage, PICKED, type Stage, type Window } from './window.js';

/** As metrics show it. */
export interface Behind {
  readonly lagSeconds: number;
  readonly pendingWindows: number;
}

type ProgressOptions = Pick<
  SamplingJobOptions,
  'windowMs' | 'settleMs' | 'catchUpMs' | 'lateWindowMs' | 'traces' | 'dryRun'
>;

export class JobProgress {
  readonly #options: ProgressOptions;
  readonly #clock: Clock;
  /** Starts of windows that were due at the last look, and are not done. */
  readonly #todo = new Set<number>();
  /** End of the last window that is known to be done. */
  #doneUntilMs: number | undefined;
  /** Where none is known, it counts from the job's start. */
  readonly #sinceMs: number;
  /** Windows that end later were not looked at yet. */
  #lookedUntilMs: number;

  /** @param before of the same job with other options: it does not begin anew */
  constructor(options: ProgressOptions, clock: Clock, before?: JobProgress) {
    this.#options = options;
    this.#clock = clock;
    this.#doneUntilMs = before === undefined ? undefined : before.#doneUntilMs;
    this.#sinceMs = before === undefined ? clock.nowMs() : before.#sinceMs;
    this.#lookedUntilMs = this.#doneUntilMs ?? this.#sinceMs;
  }

  /** All windows that are due, and those of them that nobody has decided about. */
  looked(due: readonly Window[], undecided: readonly Window[]): void {
    this.#todo.clear();
    for (const { startMs } of undecided) this.#todo.add(startMs);
    this.#lookedUntilMs = Math.max(this.#lookedUntilMs, ...due.slice(0, 1).map(endOf));
  }

  /** Traces that are chosen and not copied are as far from being kept as those that nobody has looked at. */
  reached(window: Window, stage: Stage): void {
    this.#todo.delete(window.startMs);
    const { dryRun } = this.#options;
    const done = dryRun ? PICKED : Math.min(COPIED, lastStage(this.#options));
    if (stage >= done) this.#doneUntilMs = Math.max(this.#doneUntilMs ?? 0, endOf(window));
  }

  get behind(): Behind {
    const nowMs = this.#clock.nowMs();
    return {
      lagSeconds: Math.max(0, nowMs - (this.#doneUntilMs ?? this.#sinceMs)) / 1000,
      pendingWindows: this.#pending(nowMs),
    };
  }

  /** The archive may lag: a window that waits for it is pending. Those that nobody will make up for are not. */
  #pending(nowMs: number): number {
    const { windowMs, settleMs, catchUpMs, dryRun } = this.#options;
    const newest = Math.floor((nowMs - settleMs) / windowMs) - 1;
    const oldest = dryRun ? newest : Math.min(newest, Math.ceil((nowMs - catchUpMs) / windowMs));
    const unseen = Math.max(oldest, Math.floor(this.#lookedUntilMs / windowMs));
    const left = [...this.#todo].filter((startMs) => startMs >= oldest * windowMs).length;
    return left + Math.max(0, newest - unseen + 1);
  }
}
