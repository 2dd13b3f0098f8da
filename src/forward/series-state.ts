/** What forwarding remembers of a series: its labels on the wire, and how far it was sent. */

import type { Series } from '../model/batch.js';
import { type Labels, mergeLabels } from '../model/labels.js';
import type { SeriesRef } from '../model/refs.js';
import type { ExemplarMode } from './options.js';

/**
 * How many series are remembered per remote write, at about 0.5 KB each. Forgetting one is harmless: its labels
 * are encoded again, its order is not checked once (receivers ignore an exemplar out of order), and in mode
 * `auto` a refusal is learnt again.
 */
export const MAX_REMEMBERED_SERIES = 100_000;

/** In mode `auto`, how long a series is sent without samples after they were refused. */
export const ATTACH_MS = 60 * 60_000;

export class SeriesState {
  readonly series: Series;
  /** Labels with the external ones, as the encoder wants them. */
  readonly encodedLabels: Buffer;
  lastExemplarMs = Number.NEGATIVE_INFINITY;
  lastSampleMs = Number.NEGATIVE_INFINITY;
  /** Samples of this series were refused: until then, exemplars go alone. */
  attachUntilMs = 0;

  constructor(series: Series, encodedLabels: Buffer) {
    this.series = series;
    this.encodedLabels = encodedLabels;
  }

  sendsSamples(mode: ExemplarMode, nowMs: number): boolean {
    return mode === 'self_contained' || (mode === 'auto' && nowMs >= this.attachUntilMs);
  }
}

/**
 * The states of the series sent most recently. Two generations instead of a list in order of use: a series found
 * among the old moves to the young; when the young are half of what is allowed they become the old, and the old
 * are forgotten.
 */
export class SeriesStates {
  readonly #externalLabels: Labels;
  readonly #encode: (labels: Labels) => Buffer;
  readonly #generationSize: number;
  #young = new Map<SeriesRef, SeriesState>();
  #old = new Map<SeriesRef, SeriesState>();

  constructor(externalLabels: Labels, encode: (labels: Labels) => Buffer, max = MAX_REMEMBERED_SERIES) {
    this.#externalLabels = externalLabels;
    this.#encode = encode;
    this.#generationSize = Math.max(1, Math.floor(max / 2));
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  of(series: Series): SeriesState {
    const young = this.#young.get(series.ref);
    // The store reuses numbers of forgotten series, so the object decides.
    if (young?.series === series) return young;
    const old = this.#old.get(series.ref);
    this.#old.delete(series.ref);
    const state = old?.series === series ? old : this.#create(series);
    this.#remember(state);
    return state;
  }

  #create(series: Series): SeriesState {
    return new SeriesState(series, this.#encode(mergeLabels(series.labels, this.#externalLabels)));
  }

  #remember(state: SeriesState): void {
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(state.series.ref, state);
  }
}
