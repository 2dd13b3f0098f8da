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
import {
  COUNTERS,
  type CounterName,
  type Instruments,
  LABELS,
  type LabelName,
  type LabelValues,
  RemoteWriteMeter,
} from './meter.js';

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
  readonly #instruments: Instruments;
  readonly #lost: Counter<LabelName>;
  readonly #gauges: readonly Gauge<LabelName>[];

  constructor(registry: MetricsRegistry) {
    this.#registers = [registry];
    const counters = Object.entries(COUNTERS).map(([name, help]) => [name, this.#counter(name, help)]);
    this.#instruments = {
      counters: Object.fromEntries(counters) as Record<CounterName, Counter<LabelName>>,
      dropped: new Counter({
        name: 'exemplard_remote_write_exemplars_dropped_total',
        help: 'Exemplars given up, by reason.',
        labelNames: [...LABELS, 'reason'],
        registers: this.#registers,
      }),
      highestIn: this.#gauge('highest_timestamp_seconds', 'Newest exemplar time read from the batch log.'),
      highestSent: this.#gauge('highest_sent_timestamp_seconds', 'Newest exemplar time sent.'),
      duration: new Histogram({
        name: 'exemplard_remote_write_sent_batch_duration_seconds',
        help: 'Duration of requests answered with success.',
        labelNames: LABELS,
        buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
        registers: this.#registers,
      }),
    };
    this.#lost = this.#counter(
      'exemplars_lost_total',
      'Exemplars that the batch log had to let go before this remote write read them.',
      () => this.#collectLost(),
    );
    this.#gauges = Object.entries(GAUGES).map(([name, [help, value]]) => this.#readGauge(name, help, value));
  }

  /**
   * One a name and URL: whoever asks again, as after a reload, counts on, and is read from then on.
   * @param url as it may be shown: without credentials, secrets in its query masked
   */
  meter(name: string, url: string, read: () => RemoteWriteGauges): RemoteWriteMeter {
    const key = sourceKey(name, url);
    const known = this.#sources.get(key);
    if (known !== undefined) {
      known.read = read;
      return known.meter;
    }
    const labels: LabelValues = { remote_name: name, url };
    this.#lost.inc(labels, 0);
    const meter = new RemoteWriteMeter(this.#instruments, labels);
    this.#sources.set(key, { labels, read, meter, lostSoFar: 0 });
    return meter;
  }

  /** Takes a remote write's label values off `/metrics`. */
  remove(name: string, url: string): void {
    const key = sourceKey(name, url);
    const source = this.#sources.get(key);
    if (source === undefined) return;
    this.#sources.delete(key);
    source.meter.remove();
    for (const metric of [this.#lost, ...this.#gauges]) metric.remove(source.labels);
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

function sourceKey(name: string, url: string): string {
  return JSON.stringify([name, url]);
}
