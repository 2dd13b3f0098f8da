import type { Labels } from '../api/answers.js';

/** `status/sinks` */
export interface SinksAnswer {
  /** What does not work, as a sentence. */
  readonly impairment: string | null;
  readonly journal: readonly Sink[];
  readonly remote_write: readonly Sink[];
  readonly archive: readonly Sink[];
  readonly sampler: readonly Sink[];
}

export interface Sink {
  readonly labels: Labels;
  /** The metrics of the sink by their names, without what these have in common. */
  readonly figures: Readonly<Record<string, number>>;
  /** Those with one more label, by its values. */
  readonly parts: Readonly<Record<string, Readonly<Record<string, number>>>>;
}
