/** Scrapes endpoints for a while into a store of its own, to learn how many exemplars they yield. */
import { type ExpositionFormat, expositionFormat } from '../exposition/content-type.js';
import { type FormatText, textOfFormat } from '../exposition/format-text.js';
import { labelsFromRecord } from '../model/labels.js';
import type { SeriesRef } from '../model/refs.js';
import { BodyReader } from '../scrape/body-reader.js';
import { bodyRulesOf } from '../scrape/body-rules.js';
import { DEFAULT_SCRAPE_JOB, DEFAULT_SCRAPE_PROTOCOLS } from '../scrape/options.js';
import { acceptHeader } from '../scrape/protocols.js';
import { ExemplarStore } from '../store/exemplar-store.js';
import { Intake } from '../store/intake.js';
import { DEFAULT_STORE_OPTIONS } from '../store/options.js';
import { viewOf } from '../util/bytes.js';
import { type Clock, sleep } from '../util/clock.js';
import { doAtOnce } from '../util/time-slices.js';
import { type Answer, type Endpoint, EndpointClient, EndpointFailure } from './endpoint.js';

/** What nothing pushes out in a watch of any sensible length; the process has its cap all the same. */
const UNLIMITED_PER_SERIES = 1_000_000;

/** As a job takes them that asks for protobuf; only such an answer has native ones. */
const HISTOGRAMS = { scrapeNativeHistograms: true, alwaysScrapeClassicHistograms: false };

export interface WatchOptions {
  readonly forMs: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** What became of the scrapes of one endpoint. */
export interface WatchedEndpoint {
  readonly shown: string;
  scrapes: number;
  failures: number;
  /** Empty when the last scrape went well. */
  lastProblem: string;
}

/** What a series did in the watch. */
export interface WatchedSeries {
  readonly ref: SeriesRef;
  /** A second. */
  readonly rate: number;
}

/** @param elapsedMs since the first scrape */
export type Progress = (elapsedMs: number, watch: Watch) => void;

/** One watch: `run` it, then ask. */
export class Watch {
  readonly store = new ExemplarStore({ ...DEFAULT_STORE_OPTIONS, perSeries: UNLIMITED_PER_SERIES });
  readonly endpoints: readonly WatchedEndpoint[];
  /** From the first scrape to the last. */
  elapsedMs = 0;
  readonly #targets: readonly WatchedTarget[];
  readonly #options: WatchOptions;
  readonly #clock: Clock;
  /** By series: exemplars that stood there when it was first met, of whatever age. */
  readonly #baseline = new Map<SeriesRef, number>();

  constructor(endpoints: readonly Endpoint[], options: WatchOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    const intake = new Intake(this.store);
    this.#targets = endpoints.map(
      (endpoint) => new WatchedTarget(endpoint, intake, options.timeoutMs, clock),
    );
    this.endpoints = this.#targets.map(({ endpoint }) => endpoint);
  }

  /** Watches until the time is over, or the signal says so. */
  async run(signal: AbortSignal, progress: Progress): Promise<void> {
    const { forMs, intervalMs } = this.#options;
    const startMs = this.#clock.monotonicMs();
    try {
      await this.#scrapeAll(signal);
      for (let dueMs = intervalMs; dueMs <= forMs && !signal.aborted; dueMs += intervalMs) {
        progress(this.elapsedMs, this);
        await sleep(this.#clock, startMs + dueMs - this.#clock.monotonicMs(), signal);
        if (signal.aborted) break;
        await this.#scrapeAll(signal);
        this.elapsedMs = this.#clock.monotonicMs() - startMs;
      }
    } finally {
      await Promise.all(this.#targets.map((target) => target.close()));
    }
  }

  /** Exemplars that came in after the first scrape. */
  get newExemplars(): number {
    let count = 0;
    for (const series of this.store.index.all()) count += this.#newOf(series);
    return count;
  }

  /** Series with exemplars, the fastest first. */
  series(): WatchedSeries[] {
    const seconds = Math.max(this.elapsedMs, this.#options.intervalMs) / 1000;
    return [...this.store.index.all()]
      .filter((ref) => this.store.rings.held(ref) > 0)
      .map((ref) => ({ ref, rate: this.#newOf(ref) / seconds }))
      .sort((a, b) => b.rate - a.rate);
  }

  #newOf(series: SeriesRef): number {
    return this.store.stats.accepted[series]! - (this.#baseline.get(series) ?? 0);
  }

  async #scrapeAll(signal: AbortSignal): Promise<void> {
    const known = this.#targets.filter((target) => target.isKnown);
    await Promise.all(this.#targets.map((target) => target.scrape(signal)));
    if (this.#targets.every((target) => known.includes(target) || !target.isKnown)) return;
    // What a target shows when it first answers may be of any age: it says nothing of how often new ones come.
    for (const series of this.store.index.all())
      if (!this.#baseline.has(series)) this.#baseline.set(series, this.store.stats.accepted[series]!);
  }
}

class WatchedTarget {
  readonly endpoint: WatchedEndpoint;
  /** It has answered, with exemplars or without. */
  isKnown = false;
  readonly #client: EndpointClient;
  readonly #reader: BodyReader;
  readonly #clock: Clock;

  constructor(endpoint: Endpoint, intake: Intake, timeoutMs: number, clock: Clock) {
    this.endpoint = { shown: endpoint.shown, scrapes: 0, failures: 0, lastProblem: '' };
    this.#client = new EndpointClient(endpoint, timeoutMs, clock);
    this.#clock = clock;
    const labels = labelsFromRecord({ job: 'size', instance: endpoint.url.host });
    this.#reader = new BodyReader(intake, labels, bodyRulesOf({ ...DEFAULT_SCRAPE_JOB, jobName: 'size' }));
  }

  async scrape(signal: AbortSignal): Promise<void> {
    const { endpoint } = this;
    try {
      const answer = await this.#client.ask(acceptHeader(DEFAULT_SCRAPE_PROTOCOLS), signal);
      endpoint.lastProblem = this.#read(answer) ?? '';
    } catch (error) {
      if (!(error instanceof EndpointFailure)) throw error;
      if (signal.aborted) return;
      endpoint.lastProblem = error.message;
    }
    endpoint.scrapes++;
    if (endpoint.lastProblem !== '') endpoint.failures++;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** @returns why there are no exemplars to be had */
  #read({ body, contentType }: Answer): string | undefined {
    const result = expositionFormat(contentType, undefined);
    if ('error' in result) return result.error;
    if (result.format === 'text') return 'only the classic text format, which has no exemplars';
    const text = readableText(result.format, body);
    if (typeof text === 'string') return text;
    const steps = this.#reader.read(text.body, viewOf(text.body), text.length, this.#clock.nowMs());
    const outcome = doAtOnce(steps);
    if ('error' in outcome) return outcome.error;
    this.isKnown = true;
    return undefined;
  }
}

/** @returns a text instead where the body is malformed: what is wrong with it */
function readableText(format: ExpositionFormat, body: Buffer): FormatText | string {
  try {
    return textOfFormat(format, body, body.length, HISTOGRAMS);
  } catch (error) {
    return `${format} exposition: ${(error as Error).message}`;
  }
}
