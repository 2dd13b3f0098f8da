/** Metrics of all remote writes: made once a registry, one set of label values a remote write. */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { MetricsRegistry } from '../telemetry/registry.js';
import { INVALID_REASONS } from './validate.js';

/** Why an exemplar was given up, besides a receiver's final answer. */
const DROP_REASONS = [...INVALID_REASONS, 'out_of_order', 'too_old', 'refused', 'shutdown'] as const;
export type DropReason = (typeof DROP_REASONS)[number] | `status_${number}`;

/** What is read when somebody looks, rather than kept up to date. */
export interface RemoteWriteGauges {
  readonly pending: number;
  readonly lost: number;
  readonly shards: number;
  readonly minShards: number;
  readonly maxShards: number;
  readonly desiredShards: number;
}

export interface SentBatch {
  readonly exemplars: number;
  readonly samples: number;
  readonly bytes: number;
  readonly durationMs: number;
  readonly newestMs: number;
}

/** The metrics of one remote write. */
export interface RemoteWriteMeter {
  sent(batch: SentBatch): void;
  retried(exemplars: number): void;
  dropped(reason: DropReason, exemplars: number): void;
  samplesRefused(samples: number): void;
  /** Takes this remote write's label values off `/metrics`. */
  remove(): void;
}

const LABELS = ['remote_name', 'url'] as const;
type LabelName = (typeof LABELS)[number];
type LabelValues = Record<LabelName, string>;

interface Source {
  readonly labels: LabelValues;
  readonly read: () => RemoteWriteGauges;
  lostSoFar: number;
}

export class RemoteWriteMetrics {
  readonly #registers: MetricsRegistry[];
  readonly #sources = new Set<Source>();
  readonly #exemplars;
  readonly #samples;
  readonly #bytes;
  readonly #retried;
  readonly #dropped;
  readonly #samplesRefused;
  readonly #lost;
  readonly #highestSent;
  readonly #duration;
  readonly #gauges;

  constructor(registry: MetricsRegistry) {
    this.#registers = [registry];
    this.#exemplars = this.#counter('exemplars_total', 'Exemplars a receiver answered with success.');
    this.#samples = this.#counter(
      'samples_total',
      'Samples sent along with exemplars, answered with success.',
    );
    this.#bytes = this.#counter('bytes_total', 'Compressed bytes of requests answered with success.');
    this.#retried = this.#counter('exemplars_retried_total', 'Exemplars in requests that were sent again.');
    this.#dropped = this.#counter('exemplars_dropped_total', 'Exemplars given up, by reason.', ['reason']);
    this.#samplesRefused = this.#counter(
      'samples_refused_total',
      'Samples a receiver refused, whose exemplars were then sent alone.',
    );
    this.#lost = this.#counter(
      'exemplars_lost_total',
      'Exemplars overwritten in the batch log before this remote write read them.',
      [],
      () => this.#collectLost(),
    );
    this.#highestSent = this.#gauge('highest_sent_timestamp_seconds', 'Newest exemplar time sent.');
    this.#duration = new Histogram({
      name: 'exemplard_remote_write_sent_batch_duration_seconds',
      help: 'Duration of requests answered with success.',
      labelNames: LABELS,
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: this.#registers,
    });
    this.#gauges = [
      this.#readGauge('exemplars_pending', 'Exemplars not yet sent or given up.', (now) => now.pending),
      this.#readGauge('shards', 'Shards that send in parallel now.', (now) => now.shards),
      this.#readGauge('shards_min', 'Least shards allowed.', (now) => now.minShards),
      this.#readGauge('shards_max', 'Most shards allowed.', (now) => now.maxShards),
      this.#readGauge('shards_desired', 'Shards the traffic asks for.', (now) => now.desiredShards),
    ];
  }

  /** @param url without credentials */
  meter(name: string, url: string, read: () => RemoteWriteGauges): RemoteWriteMeter {
    const labels: LabelValues = { remote_name: name, url };
    const source: Source = { labels, read, lostSoFar: 0 };
    this.#sources.add(source);
    const reasons = new Set<DropReason>(DROP_REASONS);
    // A counter that is not there yet hides its first increase from rate().
    for (const counter of this.#counters()) counter.inc(labels, 0);
    for (const reason of reasons) this.#dropped.inc({ ...labels, reason }, 0);
    let newestMs = 0;
    return {
      sent: (batch) => {
        this.#exemplars.inc(labels, batch.exemplars);
        this.#samples.inc(labels, batch.samples);
        this.#bytes.inc(labels, batch.bytes);
        this.#duration.observe(labels, batch.durationMs / 1000);
        newestMs = Math.max(newestMs, batch.newestMs);
        this.#highestSent.set(labels, newestMs / 1000);
      },
      retried: (exemplars) => this.#retried.inc(labels, exemplars),
      dropped: (reason, exemplars) => {
        reasons.add(reason);
        this.#dropped.inc({ ...labels, reason }, exemplars);
      },
      samplesRefused: (samples) => this.#samplesRefused.inc(labels, samples),
      remove: () => {
        this.#sources.delete(source);
        for (const reason of reasons) this.#dropped.remove({ ...labels, reason });
        const others = [this.#highestSent, this.#duration, ...this.#gauges];
        for (const metric of [...this.#counters(), ...others]) metric.remove(labels);
      },
    };
  }

  /** Those with the labels of a remote write and no more. */
  #counters() {
    return [this.#exemplars, this.#samples, this.#bytes, this.#retried, this.#samplesRefused, this.#lost];
  }

  #collectLost(): void {
    for (const source of this.#sources) {
      const { lost } = source.read();
      this.#lost.inc(source.labels, lost - source.lostSoFar);
      source.lostSoFar = lost;
    }
  }

  #counter(name: string, help: string, more: readonly 'reason'[] = [], collect: () => void = () => {}) {
    return new Counter<LabelName | 'reason'>({
      name: `exemplard_remote_write_${name}`,
      help,
      labelNames: [...LABELS, ...more],
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
      for (const { labels, read } of this.#sources) gauge.set(labels, value(read()));
    });
    return gauge;
  }
}
