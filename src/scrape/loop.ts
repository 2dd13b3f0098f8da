import { expositionFormat } from '../exposition/content-type.js';
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import type { BodyBuffer, BodyBufferPool } from './body-buffer.js';
import { BodyReader } from './body-reader.js';
import type { ScrapeClient } from './client.js';
import type { ExemplarSink } from './exemplar-sink.js';
import { ScrapeFailure } from './failure.js';
import type { ScrapeMetrics } from './metrics.js';
import type { ScrapeJobOptions } from './options.js';
import { PROTOCOL_FORMATS } from './protocols.js';
import type { Target } from './target.js';

/** Lateness up to which the scrape still counts as on time, so that the times of a series are evenly spaced. */
const MAX_SNAP_MS = 2;

export type Health = 'unknown' | 'up' | 'down';

export interface TargetStatus {
  readonly health: Health;
  /** Empty when the last scrape went well. */
  readonly lastError: string;
  /** NaN before the first scrape. */
  readonly lastScrapeMs: number;
  readonly lastDurationMs: number;
}

export interface LoopParts {
  readonly job: ScrapeJobOptions;
  readonly client: ScrapeClient;
  readonly buffers: BodyBufferPool;
  readonly sink: ExemplarSink;
  readonly metrics: ScrapeMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

/** What was wrong with a body that arrived whole. */
class BodyRefused extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Scrapes one target at its interval, never twice at once. */
export class TargetLoop {
  readonly target: Target;
  readonly #parts: LoopParts;
  readonly #reader: BodyReader;
  readonly #url: URL;
  readonly #stop = new AbortController();
  #status: TargetStatus = { health: 'unknown', lastError: '', lastScrapeMs: Number.NaN, lastDurationMs: 0 };
  #cancelTimer = () => {};
  #running: Promise<void> = Promise.resolve();

  constructor(target: Target, parts: LoopParts) {
    this.target = target;
    this.#parts = parts;
    this.#reader = new BodyReader(parts.sink, target.labels, parts.job);
    this.#url = new URL(target.url);
  }

  get status(): TargetStatus {
    return this.#status;
  }

  start(): void {
    this.#schedule(this.#nextTickMs());
  }

  /**
   * Resolves when nothing of the target is under way any more.
   * @param isGone the target is not to be scraped any more, by nobody else either: its series end
   */
  async stop(isGone: boolean): Promise<void> {
    this.#cancelTimer();
    this.#stop.abort();
    await this.#running;
    if (isGone) this.#reader.endAll(this.#parts.clock.nowMs());
  }

  /** Every target has its own place in the interval, the same after a restart. */
  #nextTickMs(): number {
    const { intervalMs } = this.#parts.job;
    const nowMs = this.#parts.clock.nowMs();
    const offsetMs = Math.floor(this.target.phase * intervalMs);
    return nowMs + intervalMs - ((((nowMs - offsetMs) % intervalMs) + intervalMs) % intervalMs);
  }

  #schedule(tickMs: number): void {
    if (this.#stop.signal.aborted) return;
    const delayMs = Math.max(0, tickMs - this.#parts.clock.nowMs());
    this.#cancelTimer = this.#parts.clock.after(delayMs, () => {
      this.#running = this.#scrape(this.#snap(tickMs)).finally(() => this.#schedule(this.#nextTickMs()));
    });
  }

  #snap(tickMs: number): number {
    const nowMs = this.#parts.clock.nowMs();
    const toleranceMs = Math.min(this.#parts.job.intervalMs / 100, MAX_SNAP_MS);
    return Math.abs(nowMs - tickMs) <= toleranceMs ? tickMs : nowMs;
  }

  async #scrape(scrapeMs: number): Promise<void> {
    const { client, buffers, clock, job, metrics } = this.#parts;
    const startMs = clock.monotonicMs();
    const body = buffers.take();
    let failure: Error | undefined;
    try {
      const contentType = await client.fetch(this.#url, body, this.#stop.signal);
      this.#read(contentType, body, scrapeMs);
    } catch (error) {
      failure = error as Error;
    }
    const durationMs = clock.monotonicMs() - startMs;
    if (failure instanceof ScrapeFailure && failure.reason === 'stopped') return;
    metrics.countScrape(job.jobName, this.target.url, durationMs / 1000, body.length);
    buffers.give(body);
    this.#conclude(failure, scrapeMs, durationMs);
  }

  #read(contentType: string | undefined, body: BodyBuffer, scrapeMs: number): void {
    const { job, clock, metrics } = this.#parts;
    const fallback = job.fallbackScrapeProtocol;
    // An empty body is an empty exposition, whatever it is said to be.
    const result: ReturnType<typeof expositionFormat> =
      body.length === 0
        ? { format: 'text' }
        : expositionFormat(contentType, fallback && PROTOCOL_FORMATS[fallback]);
    if ('error' in result) throw new BodyRefused('content_type', result.error);
    if (result.format === 'protobuf') {
      throw new BodyRefused('content_type', 'protobuf exposition is not read by this version');
    }
    // Classic text has no exemplars.
    if (result.format === 'text') {
      this.#reader.readWithoutExemplars(body.bytes, body.view, body.length, scrapeMs);
      return;
    }
    const startMs = clock.monotonicMs();
    const outcome = this.#reader.read(body.bytes, body.view, body.length, scrapeMs);
    if ('error' in outcome) throw new BodyRefused('exposition', outcome.error);
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    metrics.countRead(job.jobName, seconds, outcome.lines, outcome.malformedLines);
  }

  #conclude(failure: Error | undefined, lastScrapeMs: number, lastDurationMs: number): void {
    const { job, log, metrics } = this.#parts;
    const before = this.#status.health;
    if (failure === undefined) {
      this.#status = { health: 'up', lastError: '', lastScrapeMs, lastDurationMs };
      if (before === 'down') log.info({ job: job.jobName, target: this.target.url }, 'target is up again');
      return;
    }
    this.#reader.endAll(lastScrapeMs);
    const isExpected = failure instanceof ScrapeFailure || failure instanceof BodyRefused;
    metrics.countFailure(job.jobName, isExpected ? failure.reason : 'internal');
    this.#status = { health: 'down', lastError: failure.message, lastScrapeMs, lastDurationMs };
    const fields = { job: job.jobName, target: this.target.url, error: failure.message };
    if (!isExpected) log.error({ ...fields, stack: failure.stack }, 'scrape failed by a defect of exemplard');
    else if (before !== 'down') log.warn(fields, 'scrape failed; logged again only after it has worked');
    else log.debug(fields, 'scrape failed again');
  }
}
