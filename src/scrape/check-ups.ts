import type { Exposition } from '../doctor/examination.js';
import { examine } from '../doctor/examine.js';
import type { Finding } from '../doctor/finding.js';
import type { Clock } from '../util/clock.js';
import type { ScrapeJobOptions } from './options.js';

/** Of larger bodies the examination takes longer than the others may wait; `exemplard check metrics` takes any. */
const MAX_BYTES = 2 * 1024 * 1024;

/** How long a target that goes on showing the same is not examined again. */
const INTERVAL_MS = 60 * 60_000;

/** Examinations of all targets together take no more than this share of the time. */
const MAX_SHARE = 0.01;

/** What a job does with a body, as far as it changes what is to be said of it. */
export type CheckUpOptions = Pick<
  ScrapeJobOptions,
  'traceIdLabels' | 'fallbackScrapeProtocol' | 'textExemplars'
>;

/** What a change of is reason enough to examine a target again. */
export interface CheckUpReasons {
  readonly contentType: string | undefined;
  readonly hasExemplars: boolean;
  readonly isUp: boolean;
}

/** What the doctor said of a target's body, and when. */
export interface CheckUp {
  readonly findings: readonly Finding[];
  readonly reasons: CheckUpReasons;
  /** Monotonic. */
  readonly atMs: number;
}

/** The doctor's rounds: bodies of running targets are examined when there is reason to, and time. */
export class CheckUps {
  readonly #clock: Clock;
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns the last check-up, or a new one where one is due */
  of(
    exposition: Exposition,
    job: CheckUpOptions,
    reasons: CheckUpReasons,
    last: CheckUp | undefined,
  ): CheckUp | undefined {
    const atMs = this.#clock.monotonicMs();
    const isDue = last === undefined || atMs - last.atMs >= INTERVAL_MS || !areSame(reasons, last.reasons);
    if (!isDue || atMs < this.#nextMs || exposition.length > MAX_BYTES) return last;
    const { findings } = examine(exposition, {
      traceIdLabels: job.traceIdLabels,
      hasFallback: job.fallbackScrapeProtocol !== undefined,
      readsTextExemplars: job.textExemplars === 'read',
      nowMs: this.#clock.nowMs(),
    });
    const tookMs = this.#clock.monotonicMs() - atMs;
    this.#nextMs = atMs + tookMs / MAX_SHARE;
    return { findings, reasons, atMs };
  }
}

function areSame(a: CheckUpReasons, b: CheckUpReasons): boolean {
  return a.contentType === b.contentType && a.hasExemplars === b.hasExemplars && a.isUp === b.isUp;
}
