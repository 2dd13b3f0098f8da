import type { buildConnector } from 'undici';
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import type { BodyBufferPool } from './body-buffer.js';
import { ScrapeClient } from './client.js';
import type { ExemplarSink } from './exemplar-sink.js';
import { type LoopParts, TargetLoop } from './loop.js';
import type { ScrapeMetrics } from './metrics.js';
import type { ScrapeJobOptions } from './options.js';
import { type Target, targetsOf } from './target.js';

/** What all jobs share. */
export interface ScrapeParts {
  readonly sink: ExemplarSink;
  readonly buffers: BodyBufferPool;
  readonly connect: buildConnector.connector;
  readonly metrics: ScrapeMetrics;
  readonly clock: Clock;
  readonly log: Log;
  readonly userAgent: string;
}

/** One job: its connections, and a loop for every target. */
export class ScrapePool {
  readonly job: ScrapeJobOptions;
  readonly #client: ScrapeClient;
  readonly #loopParts: LoopParts;
  readonly #metrics: ScrapeMetrics;
  readonly #loops = new Map<string, TargetLoop>();

  constructor(job: ScrapeJobOptions, parts: ScrapeParts) {
    this.job = job;
    this.#metrics = parts.metrics;
    this.#client = new ScrapeClient(job, parts.userAgent, parts.clock, parts.connect);
    this.#loopParts = { ...parts, job, client: this.#client };
  }

  get loops(): Iterable<TargetLoop> {
    return this.#loops.values();
  }

  start(): void {
    for (const target of targetsOf(this.job, this.job.staticConfigs)) this.#add(target);
  }

  /** @param isGone whether a target is gone from the configuration, and its series end */
  async stop(isGone: (target: Target) => boolean): Promise<void> {
    await Promise.all([...this.#loops.values()].map((loop) => loop.stop(isGone(loop.target))));
    this.#loops.clear();
    await this.#client.close();
    this.#metrics.forgetJob(this.job.jobName);
  }

  #add(target: Target): void {
    const loop = new TargetLoop(target, this.#loopParts);
    this.#loops.set(target.identity, loop);
    loop.start();
  }
}
