/**
 * Metrics of all remote writes: made once a registry, one set of label values a remote write. Their meaning is that
 * of Prometheus' `prometheus_remote_storage_…`, except where the help says otherwise.
 *
 * Every exemplar is counted once on its way in, and once when it is gone:
 *
 *     exemplars_in_total = exemplars_total + exemplars_dropped_total (all reasons) + exemplars on their way
 *
 * and `exemplars_pending` is those on their way and those still unread in the log.
 */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { MetricsRegistry } from '../telemetry/registry.js';
import type { Load } from './judgement.js';
import { INVALID_REASONS } from './validate.js';

/** Why an exemplar was given up, besides a receiver's final answer. */
const DROP_REASONS = [
  ...INVALID_REASONS,
  'out_of_order',
  'too_old',
  'refused',
  'unwritten',
  'shutdown',
] as const;
export type DropReason = (typeof DROP_REASONS)[number] | `status_${number}`;

/** What is read when somebody looks, rather than kept up to date. */
export interface RemoteWriteGauges {
  readonly pending: number;
  readonly lost: number;
  readonly shards: number;
  readonly minShards: number;
  readonly maxShards: number;
  readonly desiredShards: number;
  readonly shardCapacity: number;
  readonly maxSamplesPerSend: number;
}

/** The metrics of one remote write. */
export interface RemoteWriteMeter {
  /** Exemplars were read from the log. */
  received(exemplars: number, newestMs: number): void;
  /** Reading waits, because a shard is full. */
  blocked(): void;
  requestSucceeded(bytes: number, durationMs: number): void;
  /** The receiver has so much, as far as it says. */
  delivered(written: Load, newestMs: number): void;
  /** The receiver answered with success, and says that it did not write so much: dropped. */
  unwritten(load: Load): void;
  retried(load: Load): void;
  trimmed(exemplars: number): void;
  dropped(reason: DropReason, exemplars: number): void;
  /** Their exemplars were written, or are sent alone. */
  samplesRefused(samples: number): void;
  /** Given up with their exemplars. */
  samplesFailed(samples: number): void;
  protocolSwitched(): void;
  /** Takes this remote write's label values off `/metrics`. */
  remove(): void;
}

const LABELS = ['remote_name', 'url'] as const;
type LabelName = (typeof LABELS)[number];
type LabelValues = Record<LabelName, string>;

/** Counters with the labels of a remote write and no more. */
const COUNTERS = {
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
type CounterName = keyof typeof COUNTERS;

/** Gauges that are read when somebody looks. */
const GAUGES: Readonly<Record<string, readonly [help: string, value: (now: RemoteWriteGauges) => number]>> = {
  exemplars_pending: ['Exemplars not yet sent or given up.', (now) => now.pending],
  shards: ['Shards that send in parallel now.', (now) => now.shards],
  shards_min: ['Least shards allowed.', (now) => now.minShards],
  shards_max: ['Most shards allowed.', (now) => now.maxShards],
  shards_desired: ['Shards the traffic asks for.', (now) => now.desiredShards],
  shard_capacity: ['Exemplars and samples that a shard buffers.', (now) => now.shardCapacity],
  max_samples_per_send: ['Most exemplars and samples in one request.', (now) => now.maxSamplesPerSend],
};

interface Source {
  read: () => RemoteWriteGauges;
  readonly labels: LabelValues;
  readonly meter: RemoteWriteMeter;
  lostSoFar: number;
}

export class RemoteWriteMetrics {
  readonly #registers: MetricsRegistry[];
  readonly #sources = new Map<string, Source>();
  readonly #counters: Readonly<Record<CounterName, Counter<LabelName>>>;
  readonly #dropped;
  readonly #lost;
  readonly #highestIn;
  readonly #highestSent;
  readonly #duration;
  readonly #gauges;

  constructor(registry: MetricsRegistry) {
    this.#registers = [registry];
    const counters = Object.entries(COUNTERS).map(([name, help]) => [name, this.#counter(name, help)]);
    this.#counters = Object.fromEntries(counters) as Record<CounterName, Counter<LabelName>>;
    this.#dropped = new Counter<LabelName | 'reason'>({
      name: 'exemplard_remote_write_exemplars_dropped_total',
      help: 'Exemplars given up, by reason.',
      labelNames: [...LABELS, 'reason'],
      registers: this.#registers,
    });
    this.#lost = this.#counter(
      'exemplars_lost_total',
      'Exemplars that the batch log had to let go before this remote write read them.',
      () => this.#collectLost(),
    );
    this.#highestIn = this.#gauge(
      'highest_timestamp_seconds',
      'Newest exemplar time read from the batch log.',
    );
    this.#highestSent = this.#gauge('highest_sent_timestamp_seconds', 'Newest exemplar time sent.');
    this.#duration = new Histogram({
      name: 'exemplard_remote_write_sent_batch_duration_seconds',
      help: 'Duration of requests answered with success.',
      labelNames: LABELS,
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: this.#registers,
    });
    this.#gauges = Object.entries(GAUGES).map(([name, [help, value]]) => this.#readGauge(name, help, value));
  }

  /**
   * One a name and URL: whoever asks again, as after a reload, counts on, and is read from then on.
   * @param url without credentials
   */
  meter(name: string, url: string, read: () => RemoteWriteGauges): RemoteWriteMeter {
    const key = JSON.stringify([name, url]);
    const known = this.#sources.get(key);
    if (known !== undefined) {
      known.read = read;
      return known.meter;
    }
    const labels: LabelValues = { remote_name: name, url };
    const meter = this.#createMeter(labels, () => this.#sources.delete(key));
    this.#sources.set(key, { labels, read, meter, lostSoFar: 0 });
    return meter;
  }

  #createMeter(labels: LabelValues, forget: () => void): RemoteWriteMeter {
    const reasons = new Set<DropReason>(DROP_REASONS);
    // A counter that is not there yet hides its first increase from rate().
    for (const counter of this.#allCounters()) counter.inc(labels, 0);
    for (const reason of reasons) this.#dropped.inc({ ...labels, reason }, 0);
    const count = (name: CounterName, more: number) => this.#counters[name].inc(labels, more);
    const rise = (gauge: Gauge<LabelName>) => {
      let newestMs = 0;
      return (timeMs: number) => {
        newestMs = Math.max(newestMs, timeMs);
        gauge.set(labels, newestMs / 1000);
      };
    };
    const newestIn = rise(this.#highestIn);
    const newestSent = rise(this.#highestSent);
    const dropped = (reason: DropReason, exemplars: number) => {
      reasons.add(reason);
      this.#dropped.inc({ ...labels, reason }, exemplars);
      if (isReceiversAnswer(reason)) count('exemplars_failed_total', exemplars);
    };
    return {
      received: (exemplars, newestMs) => {
        count('exemplars_in_total', exemplars);
        newestIn(newestMs);
      },
      blocked: () => count('enqueue_retries_total', 1),
      requestSucceeded: (bytes, durationMs) => {
        count('bytes_total', bytes);
        this.#duration.observe(labels, durationMs / 1000);
      },
      delivered: ({ samples, exemplars }, newestMs) => {
        count('samples_total', samples);
        count('exemplars_total', exemplars);
        newestSent(newestMs);
      },
      unwritten: ({ samples, exemplars }) => {
        count('samples_unwritten_total', samples);
        count('samples_failed_total', samples);
        count('exemplars_unwritten_total', exemplars);
        dropped('unwritten', exemplars);
      },
      retried: ({ samples, exemplars }) => {
        count('samples_retried_total', samples);
        count('exemplars_retried_total', exemplars);
      },
      trimmed: (exemplars) => count('exemplars_trimmed_total', exemplars),
      dropped,
      samplesRefused: (samples) => {
        count('samples_refused_total', samples);
        count('samples_failed_total', samples);
      },
      samplesFailed: (samples) => count('samples_failed_total', samples),
      protocolSwitched: () => count('protocol_switches_total', 1),
      remove: () => {
        forget();
        for (const reason of reasons) this.#dropped.remove({ ...labels, reason });
        const others = [this.#highestIn, this.#highestSent, this.#duration, ...this.#gauges];
        for (const metric of [...this.#allCounters(), ...others]) metric.remove(labels);
      },
    };
  }

  #allCounters(): readonly Counter<LabelName>[] {
    return [...Object.values(this.#counters), this.#lost];
  }

  #collectLost(): void {
    for (const source of this.#sources.values()) {
      const { lost } = source.read();
      // A reader that began anew, as after a removal, counts from 0.
      this.#lost.inc(source.labels, lost >= source.lostSoFar ? lost - source.lostSoFar : lost);
      source.lostSoFar = lost;
    }
  }

  #counter(name: string, help: string, collect: () => void = () => {}) {
    return new Counter<LabelName>({
      name: `exemplard_remote_write_${name}`,
      help,
      labelNames: LABELS,
      registers: this.#registers,
      collect,
    });
  }

  #gauge(name: string, help: string, collect: () => void = () => {}) {
    return new Gauge<LabelName>({
      name: `exemplard_remote_write_${name}`,
      help,
      labelNames: LABELS,
      registers: this.#registers,
      collect,
    });
  }

  #readGauge(name: string, help: string, value: (now: RemoteWriteGauges) => number): Gauge<LabelName> {
    const gauge = this.#gauge(name, help, () => {
      for (const { labels, read } of this.#sources.values()) gauge.set(labels, value(read()));
    });
    return gauge;
  }
}

/** Prometheus' "failed", as against what we gave up by ourselves. */
function isReceiversAnswer(reason: DropReason): boolean {
  return reason === 'refused' || reason === 'unwritten' || reason.startsWith('status_');
}
