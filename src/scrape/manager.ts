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
    return this.#inTurn(() => this.#replace(jobs, true));
  }

  /** The process ends: targets stay what they are, and so do their series. */
  stop(): Promise<void> {
    return this.#inTurn(() => this.#replace([], false));
  }

  *targets(): Generator<ScrapedTarget> {
    for (const pool of this.#pools.values()) for (const loop of pool.loops) yield { job: pool.job, loop };
  }

  get pools(): Iterable<ScrapePool> {
    return this.#pools.values();
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const changed = this.#applying.then(change);
    // One that fails is its caller's to handle; the next must still have its turn.
    this.#applying = changed.catch(() => {});
    return changed;
  }

  async #replace(jobs: readonly ScrapeJobOptions[], isGone: boolean): Promise<void> {
    const names = new Set(jobs.map(({ jobName }) => jobName));
    const gone = [...this.#pools].filter(([name]) => !names.has(name));
    await Promise.all(gone.map(([, pool]) => pool.stop(isGone)));
    const before = this.#pools;
    this.#pools = new Map();
    const begun: Promise<void>[] = [];
    for (const job of jobs) {
      const pool = before.get(job.jobName) ?? new ScrapePool(job, this.#parts);
      this.#pools.set(job.jobName, pool);
      if (!before.has(job.jobName)) begun.push(pool.start());
    }
    await Promise.all(begun);
    const changed = jobs.filter((job) => !isDeepStrictEqual(this.#pools.get(job.jobName)!.job, job));
    await Promise.all(changed.map((job) => this.#pools.get(job.jobName)!.reconfigure(job)));
  }
}
