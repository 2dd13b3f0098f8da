import { isDeepStrictEqual } from 'node:util';
import type { TargetLoop } from './loop.js';
import type { ScrapeJobOptions } from './options.js';
import { type ScrapeParts, ScrapePool } from './pool.js';
import { type Target, targetsOf } from './target.js';

export interface ScrapedTarget {
  readonly job: ScrapeJobOptions;
  readonly loop: TargetLoop;
}

/** All jobs. */
export class ScrapeManager {
  readonly #parts: ScrapeParts;
  #pools = new Map<string, ScrapePool>();
  /** Changes are applied one after the other. */
  #applying: Promise<void> = Promise.resolve();

  constructor(parts: ScrapeParts) {
    this.#parts = parts;
  }

  /** Makes the running jobs those given. A job whose options did not change goes on untouched. */
  apply(jobs: readonly ScrapeJobOptions[]): Promise<void> {
    return this.#inTurn(() => this.#replace(jobs, targetsBeyond(jobs)));
  }

  /** The process ends: targets stay what they are, and so do their series. */
  stop(): Promise<void> {
    return this.#inTurn(() => this.#replace([], () => false));
  }

  *targets(): Generator<ScrapedTarget> {
    for (const pool of this.#pools.values()) for (const loop of pool.loops) yield { job: pool.job, loop };
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const changed = this.#applying.then(change);
    // One that fails is its caller's to handle; the next must still have its turn.
    this.#applying = changed.catch(() => {});
    return changed;
  }

  async #replace(jobs: readonly ScrapeJobOptions[], isGone: (target: Target) => boolean): Promise<void> {
    const kept = new Map<string, ScrapePool>();
    for (const job of jobs) {
      const pool = this.#pools.get(job.jobName);
      if (pool !== undefined && isDeepStrictEqual(pool.job, job)) kept.set(job.jobName, pool);
    }
    const gone = [...this.#pools.values()].filter((pool) => kept.get(pool.job.jobName) !== pool);
    await Promise.all(gone.map((pool) => pool.stop(isGone)));
    const pools = new Map<string, ScrapePool>();
    for (const job of jobs) {
      const pool = kept.get(job.jobName) ?? new ScrapePool(job, this.#parts);
      pools.set(job.jobName, pool);
      if (!kept.has(job.jobName)) pool.start();
    }
    this.#pools = pools;
  }
}

/** A job that changed has most of its targets still: their series go on. */
function targetsBeyond(jobs: readonly ScrapeJobOptions[]): (target: Target) => boolean {
  const targets = jobs.flatMap((job) => targetsOf(job, job.staticConfigs));
  const remaining = new Set(targets.map(({ identity }) => identity));
  return ({ identity }) => !remaining.has(identity);
}
