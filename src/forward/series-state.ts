/** What forwarding remembers of a series: its labels on the wire, and how far it was sent. */
import type { Series } from '../model/batch.js';
import { compareLabels, type Labels, mergeLabels, NO_LABELS } from '../model/labels.js';
import { type CompiledRules, relabel } from '../model/relabel.js';
import type { ExemplarMode } from './options.js';
import type { LabelSymbol } from './symbol-table.js';

/**
 * How many series are remembered per remote write, at about 0.5 KB each. Forgetting one is harmless: its labels
 * are encoded again, its order is not checked once (receivers ignore an exemplar out of order), in mode `auto` a
 * refusal is learnt again, and its end is not marked.
 */
export const MAX_REMEMBERED_SERIES = 100_000;

/** In mode `auto`, how long a series is sent without samples after they were refused. */
export const ATTACH_MS = 60 * 60_000;

export class SeriesState {
  /** The object met last; another may stand for the same series after a restart, or once the store forgot it. */
  series: Series;
  /** With the external ones, and relabelled; empty where a rule drops the series. */
  readonly labels: Labels;
  /** Kept by the encoder of remote write 1.0: the labels as messages. */
  labelMessages: Buffer | undefined;
  /** Kept by the encoder of remote write 2.0. */
  labelSymbols: readonly LabelSymbol[] | undefined;
  lastExemplarMs = Number.NEGATIVE_INFINITY;
  lastSampleMs = Number.NEGATIVE_INFINITY;
  /** Samples of this series were refused: until then, on the monotonic clock, exemplars go alone. */
  attachUntilMs = Number.NEGATIVE_INFINITY;

  constructor(series: Series, labels: Labels) {
    this.series = series;
    this.labels = labels;
  }

  /** Nothing of it is sent. */
  get isDropped(): boolean {
    return this.labels.length === 0;
  }

  /** @param atMs monotonic, so that wall time may jump */
  sendsSamples(mode: ExemplarMode, atMs: number): boolean {
    return mode === 'self_contained' || (mode === 'auto' && atMs >= this.attachUntilMs);
  }

  /** Whether samples before the end of the series are ours, or perhaps another sender's, who marks it then. */
  mayMarkEnd(mode: ExemplarMode): boolean {
    return mode === 'self_contained' || this.lastSampleMs > Number.NEGATIVE_INFINITY;
  }
}

/**
 * The states of the series sent most recently, by the hash of their labels. Of two series with one hash the one met
 * last is remembered: some such pair is likely among 100,000 series, and forgetting is harmless.
 *
 * Two generations instead of a list in order of use: a series found among the old moves to the young; when the young
 * are half of what is allowed they become the old, and the old are forgotten.
 */
export class SeriesStates {
  readonly #externalLabels: Labels;
  readonly #rules: CompiledRules;
  readonly #generationSize: number;
  #young = new Map<number, SeriesState>();
  #old = new Map<number, SeriesState>();

  /** @param rules over the labels of series with the external ones, as in Prometheus */
  constructor(externalLabels: Labels, max = MAX_REMEMBERED_SERIES, rules: CompiledRules = []) {
    this.#externalLabels = externalLabels;
    this.#rules = rules;
    this.#generationSize = Math.max(1, Math.floor(max / 2));
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  of(series: Series): SeriesState {
    const young = this.#young.get(series.hash);
    if (young !== undefined && isOf(young, series)) return young;
    const old = this.#old.get(series.hash);
    this.#old.delete(series.hash);
    const state = old !== undefined && isOf(old, series) ? old : this.#create(series);
    this.#remember(state);
    return state;
  }

  #create(series: Series): SeriesState {
    const labels = mergeLabels(series.labels, this.#externalLabels);
    return new SeriesState(series, relabel(labels, this.#rules) ?? NO_LABELS);
  }

  #remember(state: SeriesState): void {
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(state.series.hash, state);
  }
}

function isOf(state: SeriesState, series: Series): boolean {
  if (state.series === series) return true;
  if (compareLabels(state.series.labels, series.labels) !== 0) return false;
  state.series = series;
  return true;
}
