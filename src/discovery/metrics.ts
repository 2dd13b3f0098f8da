import { Counter, Gauge, Histogram } from 'prom-client';
import type { TargetGroup } from '../model/target-group.js';
import type { MetricsRegistry } from '../telemetry/registry.js';

const LABELS = ['job', 'mechanism'] as const;
type LabelName = (typeof LABELS)[number];
type Labels = Readonly<Record<LabelName, string>>;

const KUBERNETES_EVENTS = ['add', 'update', 'delete'] as const;
export type KubernetesEvent = (typeof KUBERNETES_EVENTS)[number];

/** Why objects are no longer watched by the request they were watched by. */
const WATCH_ENDS = ['ended', 'disconnected', 'silent', 'expired', 'failed'] as const;
export type WatchEnd = (typeof WATCH_ENDS)[number];

/** Figures of discovery, by job and mechanism. One object a process. */
export class DiscoveryMetrics {
  readonly #failures: Counter<LabelName>;
  readonly #refreshSeconds: Histogram<LabelName>;
  readonly #groups: Gauge<LabelName>;
  readonly #targets: Gauge<LabelName>;
  readonly #events: Counter<'job' | 'event'>;
  readonly #watchEnds: Counter<'job' | 'reason'>;
  readonly #meters = new Set<DiscoveryMeter>();
  readonly #mechanisms = new Set<string>();

  constructor(registry: MetricsRegistry) {
    const registers = [registry];
    this.#failures = new Counter({
      name: 'exemplard_discovery_failures_total',
      help: 'Attempts to find targets that failed. The targets found last stay.',
      labelNames: LABELS,
      registers,
    });
    this.#refreshSeconds = new Histogram({
      name: 'exemplard_discovery_refresh_duration_seconds',
      help: 'Duration of attempts to find targets: files read, requests, lookups, lists of Kubernetes objects.',
      labelNames: LABELS,
      buckets: [0.01, 0.1, 1, 10],
      registers,
    });
    this.#groups = new Gauge({
      name: 'exemplard_discovery_groups',
      help: 'Target groups found.',
      labelNames: LABELS,
      registers,
      collect: () => this.#collect(),
    });
    this.#targets = new Gauge({
      name: 'exemplard_discovery_targets',
      help: 'Targets found, before relabelling.',
      labelNames: LABELS,
      registers,
    });
    this.#events = new Counter({
      name: 'exemplard_discovery_kubernetes_events_total',
      help: 'Changes of Kubernetes objects, those found by listing them among them.',
      labelNames: ['job', 'event'],
      registers,
    });
    this.#watchEnds = new Counter({
      name: 'exemplard_discovery_kubernetes_watch_ends_total',
      help: 'Watches of Kubernetes objects that ended, by reason. They are resumed, or the objects listed again.',
      labelNames: ['job', 'reason'],
      registers,
    });
  }

  /** For one mechanism of a job, of which there may be several of the same kind. */
  meter(job: string, mechanism: string): DiscoveryMeter {
    const labels = { job, mechanism };
    const instruments: Instruments = {
      failures: this.#failures,
      refreshSeconds: this.#refreshSeconds,
      events: this.#events,
      watchEnds: this.#watchEnds,
    };
    const meter: DiscoveryMeter = new DiscoveryMeter(instruments, labels, () => this.#meters.delete(meter));
    this.#failures.inc(labels, 0);
    this.#meters.add(meter);
    this.#mechanisms.add(mechanism);
    return meter;
  }

  /** Takes a job's figures off `/metrics`. */
  forgetJob(job: string): void {
    for (const meter of this.#meters) if (meter.labels.job === job) this.#meters.delete(meter);
    for (const mechanism of this.#mechanisms) {
      for (const metric of [this.#failures, this.#refreshSeconds]) metric.remove({ job, mechanism });
    }
    for (const event of KUBERNETES_EVENTS) this.#events.remove({ job, event });
    for (const reason of WATCH_ENDS) this.#watchEnds.remove({ job, reason });
  }

  #collect(): void {
    this.#groups.reset();
    this.#targets.reset();
    for (const { labels, groups, targets } of this.#meters) {
      this.#groups.inc(labels, groups);
      this.#targets.inc(labels, targets);
    }
  }
}

interface Instruments {
  readonly failures: Counter<LabelName>;
  readonly refreshSeconds: Histogram<LabelName>;
  readonly events: Counter<'job' | 'event'>;
  readonly watchEnds: Counter<'job' | 'reason'>;
}

/** Counts for one mechanism, until it is closed. */
export class DiscoveryMeter {
  readonly labels: Labels;
  readonly #instruments: Instruments;
  readonly #onClose: () => void;
  #groups = 0;
  #targets = 0;

  constructor(instruments: Instruments, labels: Labels, onClose: () => void) {
    this.#instruments = instruments;
    this.labels = labels;
    this.#onClose = onClose;
  }

  get groups(): number {
    return this.#groups;
  }

  get targets(): number {
    return this.#targets;
  }

  failed(): void {
    this.#instruments.failures.inc(this.labels);
  }

  refreshed(seconds: number): void {
    this.#instruments.refreshSeconds.observe(this.labels, seconds);
  }

  found(groups: readonly TargetGroup[]): void {
    this.#groups = groups.length;
    this.#targets = groups.reduce((sum, { targets }) => sum + targets.length, 0);
  }

  objectChanged(event: KubernetesEvent): void {
    this.#instruments.events.inc({ job: this.labels.job, event });
  }

  watchEnded(reason: WatchEnd): void {
    this.#instruments.watchEnds.inc({ job: this.labels.job, reason });
  }

  close(): void {
    this.#onClose();
  }
}
