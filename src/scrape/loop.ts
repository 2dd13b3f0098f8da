import { isDeepStrictEqual } from 'node:util';
import type { Exposition } from '../doctor/examination.js';
import type { Finding } from '../doctor/finding.js';
import { guessTextFormat } from '../doctor/guess-format.js';
import { protobufFinding } from '../doctor/lookalikes.js';
import { type ExpositionFormat, expositionFormat } from '../exposition/content-type.js';
import { type FormatText, type TextFormat, textOfFormat } from '../exposition/format-text.js';
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { doInSlices } from '../util/time-slices.js';
import type { BodyBuffer, BodyBufferPool } from './body-buffer.js';
import { BodyReader } from './body-reader.js';
import type { BodyRules } from './body-rules.js';
import type { CheckUps } from './check-ups.js';
import type { ScrapeClient, ScrapeRequest } from './client.js';
import type { ExemplarSink } from './exemplar-sink.js';
import { ScrapeFailure } from './failure.js';
import type { ScrapeMetrics } from './metrics.js';
import type { ScrapeJobOptions } from './options.js';
import { PROTOCOL_FORMATS } from './protocols.js';
import type { Target } from './target.js';
import { findingOfFailure, TargetFindings } from './target-findings.js';
import { NEVER_SCRAPED, type TargetStatus } from './target-status.js';

/** Lateness up to which the scrape still counts as on time, so that the times of a series are evenly spaced. */
const MAX_SNAP_MS = 2;

export interface LoopParts {
  readonly job: ScrapeJobOptions;
  readonly client: ScrapeClient;
  readonly rules: BodyRules;
  /** Why no target of the job is to be scraped, if so. */
  readonly refusal: () => string | undefined;
  readonly buffers: BodyBufferPool;
  readonly checkUps: CheckUps;
  readonly sink: ExemplarSink;
  readonly metrics: ScrapeMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

type BodyFormats = Pick<Exposition, 'format' | 'textFormat' | 'contentType'>;

/** What was wrong with a body that arrived whole. */
class BodyRefused extends Error {
  readonly reason: string;
  /** What the doctor says of it, where no examination will. */
  readonly finding: Finding | undefined;

  constructor(reason: string, message: string, finding?: Finding) {
    super(message);
    this.reason = reason;
    this.finding = finding;
  }
}

function findingOf(failure: Error): Finding {
  const told = failure instanceof BodyRefused ? failure.finding : undefined;
  return told ?? findingOfFailure(failure);
}

/** Scrapes one target at its interval, never twice at once. */
export class TargetLoop {
  /** May be exchanged for one that differs in nothing but its discovered labels. */
  target: Target;
  readonly #parts: LoopParts;
  readonly #reader: BodyReader;
  readonly #request: ScrapeRequest;
  readonly #stop = new AbortController();
  #status = NEVER_SCRAPED;
  #findings = new TargetFindings();
  #lacksRoom = false;
  /** How the body in hand is to be read; undefined before it has come. */
  #formats: BodyFormats | undefined;
  #cancelTimer = () => {};
  #running: Promise<void> = Promise.resolve();

  /** @param before a loop of the same target, which has stopped or is about to, and whose work this one takes over */
  constructor(target: Target, parts: LoopParts, before?: TargetLoop) {
    this.target = target;
    this.#parts = parts;
    this.#reader = (before && this.#readerOf(before)) ?? this.#createReader();
    if (before !== undefined) {
      this.#status = before.#status;
      this.#findings = before.#findings;
    }
    this.#request = parts.client.requestTo(target);
  }

  #createReader(): BodyReader {
    const { alwaysScrapeClassicHistograms, convertClassicHistogramsToNhcb } = this.target.histograms;
    // With both, exemplars stay where `histogram_quantile` over buckets finds them.
    const joinsBuckets = convertClassicHistogramsToNhcb && !alwaysScrapeClassicHistograms;
    const { sink, rules } = this.#parts;
    return new BodyReader(sink, this.target.labels, { ...rules, joinsBuckets });
  }

  /** Its reader, with all that it remembers, if this loop would read in the same way. */
  #readerOf(before: TargetLoop): BodyReader | undefined {
    const isSame =
      before.#parts.rules === this.#parts.rules &&
      isDeepStrictEqual(before.target.histograms, this.target.histograms);
    return isSame ? before.#reader : undefined;
  }

  get status(): TargetStatus {
    return this.#status;
  }

  /** What the doctor says of the last scrape, or of one that went the same way; none before the first. */
  get findings(): readonly Finding[] {
    return this.#findings.current;
  }

  /** @param ready when the loop before has stopped */
  start(ready: Promise<void> = Promise.resolve()): void {
    this.#running = ready;
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
    const { intervalMs } = this.target;
    const nowMs = this.#parts.clock.nowMs();
    const offsetMs = Math.floor(this.target.phase * intervalMs);
    return nowMs + intervalMs - ((((nowMs - offsetMs) % intervalMs) + intervalMs) % intervalMs);
  }

  #schedule(tickMs: number): void {
    if (this.#stop.signal.aborted) return;
    const delayMs = Math.max(0, tickMs - this.#parts.clock.nowMs());
    this.#cancelTimer = this.#parts.clock.after(delayMs, () => {
      this.#running = this.#running
        .then(() => this.#scrape(this.#snap(tickMs)))
        .finally(() => this.#schedule(this.#nextTickMs()));
    });
  }

  #snap(tickMs: number): number {
    const nowMs = this.#parts.clock.nowMs();
    const toleranceMs = Math.min(this.target.intervalMs / 100, MAX_SNAP_MS);
    return Math.abs(nowMs - tickMs) <= toleranceMs ? tickMs : nowMs;
  }

  async #scrape(scrapeMs: number): Promise<void> {
    const { client, buffers, clock, job, metrics, refusal } = this.#parts;
    const startMs = clock.monotonicMs();
    const body = buffers.take();
    this.#formats = undefined;
    let failure: Error | undefined;
    let lines = 0;
    let bodyBytes = 0;
    try {
      const refused = refusal();
      if (refused !== undefined) throw new BodyRefused('target_limit', refused);
      const contentType = await client.fetch(this.#request, body, this.#stop.signal);
      bodyBytes = body.length;
      lines = await this.#read(contentType, body, scrapeMs);
    } catch (error) {
      failure = error as Error;
    }
    const durationMs = clock.monotonicMs() - startMs;
    if (failure instanceof ScrapeFailure && failure.reason === 'stopped') return;
    metrics.countScrape(job.jobName, this.target.shownUrl, durationMs / 1000, bodyBytes);
    this.#examine(body, failure, lines > 0);
    buffers.give(body);
    const figures = { lastScrapeMs: scrapeMs, lastDurationMs: durationMs, lastBodyBytes: bodyBytes };
    this.#conclude(failure, { ...figures, lastExemplarLines: lines });
  }

  /** @returns how many lines carried exemplars */
  async #read(contentType: string | undefined, body: BodyBuffer, scrapeMs: number): Promise<number> {
    const { job } = this.#parts;
    // An empty body is an empty exposition, whatever it is said to be.
    const guess = guessTextFormat(body.bytes, body.length);
    this.#formats = { format: guess, textFormat: guess, contentType };
    if (body.length === 0) return this.#readWithoutExemplars(body, scrapeMs);
    const fallback = job.fallbackScrapeProtocol;
    const result = expositionFormat(contentType, fallback && PROTOCOL_FORMATS[fallback]);
    if ('error' in result) throw new BodyRefused('content_type', result.error);
    const { format } = result;
    const { textFormat, refusedExemplars } = this.#makeText(body, format);
    this.#formats = { format, textFormat, contentType };
    const mayHaveExemplars = textFormat === 'openmetrics' || job.textExemplars === 'read';
    if (!mayHaveExemplars && job.exemplarValidation !== 'full')
      return this.#readWithoutExemplars(body, scrapeMs);
    return this.#readText(body, scrapeMs, textFormat, refusedExemplars);
  }

  #makeText(body: BodyBuffer, format: ExpositionFormat): Omit<FormatText, 'body' | 'length'> {
    try {
      const text = textOfFormat(format, body.bytes, body.length, this.target.histograms);
      if (text.body !== body.bytes) body.adopt(text.body);
      return text;
    } catch (error) {
      this.#formats = undefined;
      const { message } = error as Error;
      const finding = protobufFinding(body.bytes, body.length, true, error as Error);
      throw new BodyRefused('exposition', `${format} exposition: ${message}`, finding);
    }
  }

  #examine({ bytes, length }: BodyBuffer, failure: Error | undefined, hasExemplars: boolean): void {
    const findings = this.#findings;
    const refusal = failure && findingOf(failure);
    if (this.#formats === undefined) {
      if (refusal !== undefined) findings.fail(refusal);
      return;
    }
    const { checkUps, job } = this.#parts;
    const exposition = { ...this.#formats, body: bytes, length, isAnswer: true };
    const reasons = { contentType: this.#formats.contentType, hasExemplars, isUp: failure === undefined };
    findings.take(checkUps.of(exposition, job, reasons, findings.checkUp), refusal);
  }

  #readWithoutExemplars(body: BodyBuffer, scrapeMs: number): number {
    this.#reader.readWithoutExemplars(body.bytes, body.view, body.length, scrapeMs);
    return 0;
  }

  /** @param refused lines that were left out before, their exemplars being none */
  async #readText(body: BodyBuffer, scrapeMs: number, format: TextFormat, refused = 0): Promise<number> {
    const { job, clock, metrics } = this.#parts;
    const startMs = clock.monotonicMs();
    const steps = this.#reader.read(body.bytes, body.view, body.length, scrapeMs, format);
    const outcome = await doInSlices(steps, clock);
    if ('error' in outcome) throw new BodyRefused('exposition', outcome.error);
    metrics.countRead(job.jobName, (clock.monotonicMs() - startMs) / 1000, {
      ...outcome,
      malformedLines: outcome.malformedLines + refused,
    });
    this.#reportRoom(outcome.refusedLines);
    return outcome.lines;
  }

  /** Said when it begins. */
  #reportRoom(refusedLines: number): void {
    const { log, job } = this.#parts;
    if (refusedLines > 0 && !this.#lacksRoom) {
      const fields = { job: job.jobName, target: this.target.shownUrl, lines: refusedLines };
      log.warn(
        fields,
        'no room for new series: raise storage.exemplars.max_bytes or max_series, or drop some',
      );
    }
    this.#lacksRoom = refusedLines > 0;
  }

  #conclude(failure: Error | undefined, figures: Omit<TargetStatus, 'health' | 'lastError'>): void {
    const { job, log, metrics } = this.#parts;
    const before = this.#status.health;
    if (failure === undefined) {
      this.#status = { health: 'up', lastError: '', ...figures };
      if (before === 'down')
        log.info({ job: job.jobName, target: this.target.shownUrl }, 'target is up again');
      return;
    }
    this.#reader.endAll(figures.lastScrapeMs);
    const isExpected = failure instanceof ScrapeFailure || failure instanceof BodyRefused;
    metrics.countFailure(job.jobName, isExpected ? failure.reason : 'internal');
    this.#status = { health: 'down', lastError: failure.message, ...figures };
    const fields = { job: job.jobName, target: this.target.shownUrl, error: failure.message };
    if (!isExpected) log.error({ ...fields, stack: failure.stack }, 'scrape failed by a defect of exemplard');
    else if (before !== 'down') log.warn(fields, 'scrape failed; logged again only after it has worked');
    else log.debug(fields, 'scrape failed again');
  }
}
