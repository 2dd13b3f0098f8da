/** Exemplars as they are accepted, for those who watch. */
import { type Batch, labelsStartOf, type Series } from '../model/batch.js';
import { decodeLabels } from '../model/encoded-labels.js';
import { type Labels, labelsToJson, labelValue } from '../model/labels.js';
import type { Matcher } from '../model/matcher.js';
import { type Clock, sleep } from '../util/clock.js';
import { exemplarJson } from './exemplars.js';
import { withExternalLabels } from './external-labels.js';

/** Watching is for people: each has a page open. */
export const MAX_WATCHERS = 20;
/** How long exemplars are gathered before they are handed on together. */
const PAGE_MS = 250;
/** More than this in a page no eye can follow; what is left out is counted. */
const MAX_PAGE_EXEMPLARS = 1_000;

export interface LiveFilter {
  readonly selectors: readonly (readonly Matcher[])[];
  readonly minValue: number | undefined;
  readonly maxValue: number | undefined;
  /** Which series are shown with, unless they have them. */
  readonly externalLabels: Labels;
}

export interface LivePage {
  /** In the shape of a query's answer; undefined where there were none. */
  readonly json: string | undefined;
  /** Left out, because they came too fast. */
  readonly skipped: number;
}

/** Hands what is accepted to all who watch. While nobody does, it costs nothing: batches need not even be made. */
export class LiveExemplars {
  readonly #clock: Clock;
  readonly #watchers = new Set<Watcher>();
  /** The first watcher has come, or the last has gone. */
  onWatched: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  get isFull(): boolean {
    return this.#watchers.size >= MAX_WATCHERS;
  }

  offer(batch: Batch): void {
    for (const watcher of this.#watchers) watcher.take(batch);
  }

  /** What is accepted from now on, a page at a time; an empty one now and then shows that all is well. Ends with the signal. */
  async *follow(filter: LiveFilter, signal: AbortSignal): AsyncGenerator<LivePage> {
    const watcher = new Watcher(filter);
    this.#watchers.add(watcher);
    if (this.#watchers.size === 1) this.onWatched();
    try {
      while (!signal.aborted) {
        yield watcher.page();
        await sleep(this.#clock, PAGE_MS, signal);
      }
    } finally {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.onWatched();
    }
  }
}

class Watcher {
  readonly #filter: LiveFilter;
  /** Series are judged once: a batch names the same objects as those before it. */
  readonly #verdicts = new WeakMap<Series, boolean>();
  #waiting = new Map<Series, string[]>();
  #count = 0;
  #skipped = 0;

  constructor(filter: LiveFilter) {
    this.#filter = filter;
  }

  take(batch: Batch): void {
    for (let row = 0; row < batch.length; row++) {
      const series = batch.series[row]!;
      if (!this.#isWanted(series, batch.values[row]!)) continue;
      if (this.#count === MAX_PAGE_EXEMPLARS) {
        this.#skipped++;
        continue;
      }
      this.#count++;
      const exemplars = this.#waiting.get(series) ?? [];
      exemplars.push(rowJson(batch, row));
      this.#waiting.set(series, exemplars);
    }
  }

  page(): LivePage {
    const { externalLabels } = this.#filter;
    const series = [...this.#waiting].map(
      ([{ labels }, exemplars]) =>
        `{"seriesLabels":${labelsToJson(withExternalLabels(labels, externalLabels))},"exemplars":[${exemplars.join(',')}]}`,
    );
    const page = { json: series.length === 0 ? undefined : `[${series.join(',')}]`, skipped: this.#skipped };
    this.#waiting = new Map();
    this.#count = 0;
    this.#skipped = 0;
    return page;
  }

  #isWanted(series: Series, value: number): boolean {
    const { selectors, minValue, maxValue } = this.#filter;
    // Written so that NaN fails a bound that is given.
    if (minValue !== undefined && !(value >= minValue)) return false;
    if (maxValue !== undefined && !(value <= maxValue)) return false;
    let verdict = this.#verdicts.get(series);
    if (verdict === undefined) {
      verdict = selectors.some((matchers) => matchesAll(matchers, series.labels));
      this.#verdicts.set(series, verdict);
    }
    return verdict;
  }
}

function matchesAll(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every((matcher) => matcher.matches(labelValue(labels, matcher.name)));
}

function rowJson(batch: Batch, row: number): string {
  const labels = decodeLabels(batch.labelBytes, labelsStartOf(batch, row), batch.labelEnds[row]!);
  return exemplarJson(labelsToJson(labels), batch.values[row]!, batch.timestampsMs[row]!);
}
