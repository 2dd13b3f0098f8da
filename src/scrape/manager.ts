import { isDeepStrictEqual } from 'node:util';
import type { TargetLoop } from './loop.js';
import type { ScrapeJobOptions } from './options.js';
import { type ScrapeParts, ScrapePool } from './pool.js';

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
    const applied = this.#applying.then(() => this.#replace(jobs));
    // One that fails is its caller's to handle; the next must still have its turn.
    this.#applying = applied.catch(() => {});
    return applied;
  }

  stop(): Promise<void> {
    return this.apply([]);
  }

  *targets(): Generator<ScrapedTarget> {
    for (const pool of this.#pools.values()) for (const loop of pool.loops) yield { job: pool.job, loop };
  }

  async #replace(jobs: readonly ScrapeJobOptions[]): Promise<void> {
    const kept = new Map<string, ScrapePool>();
    for (const job of jobs) {
      const pool = this.#pools.get(job.jobName);
      if (pool !== undefined && isDeepStrictEqual(pool.job, job)) kept.set(job.jobName, pool);
    }
    const gone = [...this.#pools.values()].filter((pool) => kept.get(pool.job.jobName) !== pool);
    await Promise.all(gone.map((pool) => pool.stop()));
    const pools = new Map<string, ScrapePool>();
    for (const job of jobs) {
      const pool = kept.get(job.jobName) ?? new ScrapePool(job, this.#parts);
      pools.set(job.jobName, pool);
      if (!kept.has(job.jobName)) pool.start();
    }
    this.#pools = pools;
  }
}
