/** The metrics of one remote write. */
import type { Counter, Gauge, Histogram } from 'prom-client';
import type { Load } from './judgement.js';
import { INVALID_REASONS } from './validate.js';

/** Why an exemplar was given up, besides a receiver's final answer. */
const DROP_REASONS = [
  ...INVALID_REASONS,
  'out_of_order',
  'dropped_series',
  'too_old',
  'refused',
  'unwritten',
  'shutdown',
] as const;
export type DropReason = (typeof DROP_REASONS)[number] | `status_${number}`;

export const LABELS = ['remote_name', 'url'] as const;
export type LabelName = (typeof LABELS)[number];
export type LabelValues = Record<LabelName, string>;

/** Counters with the labels of a remote write and no more. */
export const COUNTERS = {
  exemplars_in_total: 'Exemplars read from the batch log.',
  exemplars_total: 'Exemplars that a receiver has, as far as it says.',
  samples_total: 'Samples sent along with exemplars, stale markers among them, that a receiver has.',
  bytes_total: 'Compressed bytes of requests answered with success.',
  exemplars_retried_total: 'Exemplars in requests that were sent again.',
  samples_retried_total: 'Samples in requests that were sent again.',
  exemplars_failed_total:
    'Exemplars given up because of what the receiver answered; they are among those dropped.',
  samples_failed_total: 'Samples that a receiver refused or did not write, for good.',
  samples_refused_total:
    'Samples a receiver refused, whose exemplars it wrote, or which were then sent alone.',
  exemplars_unwritten_total:
    'Exemplars in requests answered with success, which the receiver does not say to have written; they are among those dropped.',
  samples_unwritten_total:
    'Samples in requests answered with success, which the receiver does not say to have written.',
  exemplars_trimmed_total:
    'Exemplars sent without some of their labels, because receivers refuse them whole.',
  enqueue_retries_total: 'How often reading waited for a full shard.',
  protocol_switches_total: 'How often the other message of remote write was taken to.',
} as const;
export type CounterName = keyof typeof COUNTERS;

/** The metrics of all remote writes, of which each has its own label values. */
export interface Instruments {
  readonly counters: Readonly<Record<CounterName, Counter<LabelName>>>;
  readonly dropped: Counter<LabelName | 'reason'>;
  readonly highestIn: Gauge<LabelName>;
  readonly highestSent: Gauge<LabelName>;
  readonly duration: Histogram<LabelName>;
}

export class RemoteWriteMeter {
  readonly #to: Instruments;
  readonly #labels: LabelValues;
  readonly #reasons = new Set<DropReason>(DROP_REASONS);
  #newestInMs = 0;
  #newestSentMs = 0;

  constructor(to: Instruments, labels: LabelValues) {
    this.#to = to;
    this.#labels = labels;
    // A counter that is not there yet hides its first increase from rate().
    for (const counter of Object.values(to.counters)) counter.inc(labels, 0);
    for (const reason of this.#reasons) to.dropped.inc({ ...labels, reason }, 0);
  }

  /** Exemplars were read from the log. */
  received(exemplars: number, newestMs: number): void {
    this.#count('exemplars_in_total', exemplars);
    if (newestMs <= this.#newestInMs) return;
    this.#newestInMs = newestMs;
    this.#to.highestIn.set(this.#labels, newestMs / 1000);
  }

  /** Reading waits, because a shard is full. */
  blocked(): void {
    this.#count('enqueue_retries_total', 1);
  }

  requestSucceeded(bytes: number, durationMs: number): void {
    this.#count('bytes_total', bytes);
    this.#to.duration.observe(this.#labels, durationMs / 1000);
  }

  /** The receiver has so much, as far as it says. */
  delivered({ samples, exemplars }: Load, newestMs: number): void {
    this.#count('samples_total', samples);
    this.#count('exemplars_total', exemplars);
    if (newestMs <= this.#newestSentMs) return;
    this.#newestSentMs = newestMs;
    this.#to.highestSent.set(this.#labels, newestMs / 1000);
  }

  /** The receiver answered with success, and does not say to have written so much: dropped. */
  unwritten({ samples, exemplars }: Load): void {
    this.#count('samples_unwritten_total', samples);
    this.#count('exemplars_unwritten_total', exemplars);
    this.samplesFailed(samples);
    this.dropped('unwritten', exemplars);
  }

  retried({ samples, exemplars }: Load): void {
    this.#count('samples_retried_total', samples);
    this.#count('exemplars_retried_total', exemplars);
  }

  trimmed(exemplars: number): void {
    this.#count('exemplars_trimmed_total', exemplars);
  }

  dropped(reason: DropReason, exemplars: number): void {
    this.#reasons.add(reason);
    this.#to.dropped.inc({ ...this.#labels, reason }, exemplars);
    if (isReceiversAnswer(reason)) this.#count('exemplars_failed_total', exemplars);
  }

  /** Their exemplars were written, or are sent alone. */
  samplesRefused(samples: number): void {
    this.#count('samples_refused_total', samples);
    this.samplesFailed(samples);
  }

  samplesFailed(samples: number): void {
    this.#count('samples_failed_total', samples);
  }

  protocolSwitched(): void {
    this.#count('protocol_switches_total', 1);
  }

  /** Takes this remote write's label values off `/metrics`. */
  remove(): void {
    const { counters, dropped, highestIn, highestSent, duration } = this.#to;
    for (const reason of this.#reasons) dropped.remove({ ...this.#labels, reason });
    for (const metric of [...Object.values(counters), highestIn, highestSent, duration]) {
      metric.remove(this.#labels);
    }
  }

  #count(name: CounterName, more: number): void {
    this.#to.counters[name].inc(this.#labels, more);
  }
}

/** Prometheus' "failed", as against what we gave up by ourselves. */
function isReceiversAnswer(reason: DropReason): boolean {
  return reason === 'refused' || reason === 'unwritten' || reason.startsWith('status_');
}
