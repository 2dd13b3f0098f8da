import { ExemplarText } from '../exposition/exemplar-text.js';
import type { TextFormat } from '../exposition/format-text.js';
import { scanExemplars, scanOpenMetrics } from '../exposition/openmetrics.js';
import { type SampleLine, SampleText } from '../exposition/sample-line.js';
import { type EncodedExemplar, Verdict } from '../model/exemplar.js';
import type { Labels } from '../model/labels.js';
import type { SeriesRef } from '../model/refs.js';
import type { BodyRules } from './body-rules.js';
import { DROPPED, MALFORMED, type TakeLine } from './cache-contract.js';
import { ExemplarRelabelling } from './exemplar-relabelling.js';
import type { ExemplarSink } from './exemplar-sink.js';
import type { BodyCounts } from './line-counts.js';
import { SeriesCache } from './series-cache.js';
import { seriesLabels } from './series-labels.js';
import { refusalOfBody } from './whole-body.js';

/** A line costs the whole scrape. */
class ScrapeRefused extends Error {}

// Bodies are read one at a time, so one of each serves all targets; of thousands, they would take megabytes.
const exemplarText = new ExemplarText();
const sampleText = new SampleText();

/** Takes in the bodies of one target, one after the other. */
export class BodyReader {
  readonly #sink: ExemplarSink;
  readonly #targetLabels: Labels;
  readonly #rules: BodyRules;
  readonly #cache: SeriesCache;
  readonly #exemplarRelabelling: ExemplarRelabelling | undefined;
  /** Series that have no samples to send along with their exemplars. */
  readonly #wholeHistograms = new Set<SeriesRef>();
  #format: TextFormat = 'openmetrics';
  #nowMs = 0;
  /** Whether the sample in hand has a time of its own. */
  #isTimed = false;

  constructor(sink: ExemplarSink, targetLabels: Labels, rules: BodyRules) {
    this.#sink = sink;
    this.#targetLabels = targetLabels;
    this.#rules = rules;
    this.#cache = new SeriesCache((sample, type) => this.#resolve(sample, type), sink);
    if (rules.exemplarRelabelRules.length > 0)
      this.#exemplarRelabelling = new ExemplarRelabelling(rules.exemplarRelabelRules);
  }

  /** Memory of what is remembered between bodies. */
  get cacheBytes(): number {
    return this.#cache.bytes;
  }

  /**
   * @param body the exposition in `[0, length)`
   * @param scrapeMs time of the scrape, which stands in where nothing has a timestamp
   * @param format `text`: the classic one, read for exemplars all the same
   * @returns steps, between which others may have their turn, but for other bodies of this target; in the end what was
   * found, or why nothing of the body counts
   */
  *read(
    body: Buffer,
    view: DataView,
    length: number,
    scrapeMs: number,
    format: TextFormat = 'openmetrics',
  ): Generator<void, BodyCounts | { readonly error: string }> {
    this.#nowMs = scrapeMs;
    this.#format = format;
    const cache = this.#cache;
    cache.begin(body, view, scrapeMs);
    const error = yield* this.#scan(body, length);
    if (error !== undefined) {
      this.endAll(scrapeMs);
      cache.end();
      return { error };
    }
    const take: TakeLine = (series, seriesEnd, exemplarAt, lineEnd, startMs) =>
      this.#takeLine(body, series, seriesEnd, exemplarAt, lineEnd, startMs);
    for (const _ of cache.forEachChange(length, this.#sink.hasReaders, take)) {
      this.#sink.commit();
      yield;
    }
    this.#tellGone(length);
    this.#sink.commit();
    const counts = { ...cache.counts };
    cache.end();
    return counts;
  }

  /** Reads a body in which no exemplars can be: only what it does not expose any more is of interest. */
  readWithoutExemplars(body: Buffer, view: DataView, length: number, scrapeMs: number): void {
    this.#nowMs = scrapeMs;
    this.#cache.begin(body, view, scrapeMs);
    this.#tellGone(length);
    this.#sink.commit();
    this.#cache.leave();
  }

  /** The scrape failed, or the target is gone: all its series end. Each is told once, until it shows something new. */
  endAll(nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#sink.hasReaders) this.#cache.forEachLive((series) => this.#sink.markStale(series, nowMs));
    else this.#cache.forgetLive();
    this.#sink.commit();
  }

  #tellGone(length: number): void {
    if (this.#sink.hasReaders)
      this.#cache.forEachGone(length, (series) => this.#sink.markStale(series, this.#nowMs));
    else this.#cache.forgetLive();
  }

  *#scan(body: Buffer, length: number): Generator<void, string | undefined> {
    const refusal = refusalOfBody(body, length, this.#format, this.#targetLabels, this.#rules);
    if (refusal !== undefined) return refusal;
    try {
      if (this.#format === 'openmetrics') return yield* scanOpenMetrics(body, length, this.#cache);
      yield* scanExemplars(body, length, this.#cache);
      return undefined;
    } catch (error) {
      if (error instanceof ScrapeRefused) return error.message;
      throw error;
    }
  }

  #resolve(sample: SampleLine, metricType: string | undefined): SeriesRef {
    const result = seriesLabels(sample, metricType, this.#targetLabels, this.#rules);
    if ('labels' in result) {
      const series = this.#sink.seriesOf(result.labels, this.#nowMs);
      // The number may have been another series' before.
      if (result.isWhole) this.#wholeHistograms.add(series);
      else if (this.#wholeHistograms.size > 0) this.#wholeHistograms.delete(series);
      return series;
    }
    if ('refused' in result) throw new ScrapeRefused(result.refused);
    return 'dropped' in result ? DROPPED : MALFORMED;
  }

  /** A line with something new: each of its exemplars goes to the series. @returns what to remember of it */
  #takeLine(
    body: Buffer,
    series: SeriesRef,
    seriesEnd: number,
    exemplarAt: number,
    lineEnd: number,
    startMs: number,
  ): Verdict {
    const sampleMs = this.#readSample(body, seriesEnd, lineEnd);
    if (Number.isNaN(sampleMs)) return this.#refuse(series);
    // The end of a series with times of its own is not ours to tell, as in Prometheus.
    const isWhole = this.#wholeHistograms.size > 0 && this.#wholeHistograms.has(series);
    const endsAreTold = this.#sink.hasReaders && !this.#isTimed && !isWhole;
    sampleText.timestampMs = isWhole ? Number.NaN : sampleMs;
    sampleText.startMs = startMs;
    let verdict: Verdict = Verdict.malformed;
    for (let at = exemplarAt; at < lineEnd; ) {
      const end = exemplarText.parse(body, at, lineEnd);
      if (end < 0) return this.#refuse(series);
      if (!exemplarText.hasOwnTimestamp) exemplarText.timestampMs = sampleMs;
      const each = this.#takeExemplar(series, exemplarText);
      if (each === Verdict.accepted && endsAreTold) this.#cache.tookIn();
      // While one of them lies in the future, the line is judged again in every body.
      if (verdict !== Verdict.future) verdict = each;
      at = end + 3;
    }
    return verdict;
  }

  #takeExemplar(series: SeriesRef, exposed: EncodedExemplar): Verdict {
    const exemplar =
      this.#exemplarRelabelling === undefined ? exposed : this.#exemplarRelabelling.rewrite(exposed);
    return exemplar === undefined
      ? Verdict.relabelled
      : this.#sink.append(series, exemplar, sampleText, this.#nowMs);
  }

  /** @returns the time of the sample, NaN when it is none */
  #readSample(body: Buffer, seriesEnd: number, lineEnd: number): number {
    if (sampleText.parse(body, seriesEnd, lineEnd) < 0) return Number.NaN;
    // The classic format counts milliseconds.
    if (this.#format === 'text') sampleText.timestampMs = Math.trunc(sampleText.timestampMs / 1000);
    this.#isTimed = this.#rules.honorTimestamps && !Number.isNaN(sampleText.timestampMs);
    return this.#isTimed ? sampleText.timestampMs : this.#nowMs;
  }

  #refuse(series: SeriesRef): Verdict {
    this.#sink.countRejected(series, Verdict.malformed);
    return Verdict.malformed;
  }
}
