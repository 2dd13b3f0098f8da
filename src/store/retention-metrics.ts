import { Gauge } from 'prom-client';
import { labelValue } from '../model/labels.js';
import type { MetricsRegistry } from '../telemetry/registry.js';
import type { Clock } from '../util/clock.js';
import { TimeSlices } from '../util/time-slices.js';
import type { ExemplarStore } from './exemplar-store.js';
import type { GroupRetention } from './group-retention.js';
import { type RetentionQuery, retentionGroups } from './retention.js';

/** Figures are shown again for so long, because they take a look at every series … */
const MIN_AGE_MS = 5_000;
/** … and for so many times as long as that took. */
const AGE_PER_COST = 20;

const BY_JOB: Omit<RetentionQuery, 'targetMs'> = {
  selectors: undefined,
  by: { kind: 'label', name: 'job' },
  sort: undefined,
  order: 'asc',
  limit: undefined,
};

const WINDOW_QUANTILES = { min: '0', p10: '0.1', p50: '0.5', p90: '0.9', max: '1' } as const;

/**
 * What `/api/v1/retention?by=job` shows, as metrics; worked out anew every few seconds at most.
 * @param targetMs `retention_target`, asked for when metrics are rendered
 */
export function addRetentionMetrics(
  registry: MetricsRegistry,
  store: ExemplarStore,
  clock: Clock,
  targetMs: () => number | undefined = () => undefined,
): void {
  const retention = new JobRetention(store, clock, targetMs);
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    show: (gauge: Gauge<'job' | Label>, job: string, group: GroupRetention) => void,
  ) =>
    new Gauge<'job' | Label>({
      name: `exemplard_retention_${name}`,
      help,
      labelNames: ['job', ...labelNames],
      registers: [registry],
      async collect() {
        const groups = await retention.groups();
        this.reset();
        for (const group of groups) show(this, labelValue(group.labels, 'job'), group);
      },
    });
  const perJob = (name: string, help: string, read: (group: GroupRetention) => number | null) =>
    gauge(name, help, [], (shown, job, group) => {
      const value = read(group);
      if (value !== null) shown.set({ job }, value);
    });
  perJob('series', 'Series known, by job.', (group) => group.series);
  perJob('full_series', 'Series whose ring is full, by job.', (group) => group.fullSeries);
  perJob('exemplars', 'Exemplars held, by job.', (group) => group.exemplars);
  perJob('slots', 'Exemplars that full rings would hold, by job.', (group) => group.slots);
  perJob('oldest_timestamp_seconds', 'Time of the oldest exemplar held.', (group) => group.oldest);
  perJob('newest_timestamp_seconds', 'Time of the newest exemplar held.', (group) => group.newest);
  perJob(
    'steady_window_seconds',
    "What the job's ring that turns over fastest will remember at the last hour's rate.",
    (group) => group.forecast.steadyWindowSeconds,
  );
  perJob(
    'until_full_seconds',
    "Time until the last of the job's rings that receive exemplars is full, at the last hour's rate.",
    (group) => group.forecast.secondsToFull,
  );
  perJob('target_seconds', 'How far back you wish to see: retention_target of the configuration.', () =>
    targetSeconds(targetMs()),
  );
  perJob(
    'per_series_for_target',
    "The least per_series with which the job's ring that turns over fastest remembers the target.",
    (group) => group.forecast.perSeriesForTarget,
  );
  perJob(
    'bytes_for_target',
    'The part of max_bytes that the job needs for rings of that size.',
    (group) => group.forecast.bytesForTarget,
  );
  gauge(
    'window_seconds',
    'Newest minus oldest exemplar held: quantiles over the series of a job.',
    ['quantile'],
    (shown, job, { windowSeconds }) => {
      for (const [key, quantile] of Object.entries(WINDOW_QUANTILES)) {
        shown.set({ job, quantile }, windowSeconds[key as keyof typeof WINDOW_QUANTILES]);
      }
    },
  );
  gauge(
    'accepted_per_second',
    'Exemplars accepted a second, averaged over about 5m or 1h.',
    ['over'],
    (shown, job, { rate }) => {
      for (const [over, perSecond] of Object.entries(rate)) shown.set({ job, over }, perSecond);
    },
  );
}

function targetSeconds(targetMs: number | undefined): number | null {
  return targetMs === undefined ? null : targetMs / 1000;
}

/** One answer for everyone who asks at the same time, and for a while after. */
class JobRetention {
  readonly #store: ExemplarStore;
  readonly #clock: Clock;
  readonly #targetMs: () => number | undefined;
  #groups: Promise<GroupRetention[]> | undefined;
  #expiresMs = Number.POSITIVE_INFINITY;

  constructor(store: ExemplarStore, clock: Clock, targetMs: () => number | undefined) {
    this.#store = store;
    this.#clock = clock;
    this.#targetMs = targetMs;
  }

  groups(): Promise<GroupRetention[]> {
    if (this.#groups === undefined || this.#clock.monotonicMs() >= this.#expiresMs) {
      this.#expiresMs = Number.POSITIVE_INFINITY;
      this.#groups = this.#workOut();
    }
    return this.#groups;
  }

  async #workOut(): Promise<GroupRetention[]> {
    const startMs = this.#clock.monotonicMs();
    try {
      const groups: GroupRetention[] = [];
      const slices = new TimeSlices(this.#clock);
      const query = { ...BY_JOB, targetMs: this.#targetMs() };
      for await (const group of retentionGroups(this.#store, query, this.#clock.nowMs(), slices)) {
        groups.push(group);
      }
      return groups;
    } finally {
      const endMs = this.#clock.monotonicMs();
      this.#expiresMs = endMs + Math.max(MIN_AGE_MS, AGE_PER_COST * (endMs - startMs));
    }
  }
}
