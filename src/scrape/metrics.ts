import { Counter, Gauge, Histogram } from 'prom-client';
import type { MetricsRegistry } from '../telemetry/registry.js';
import type { BodyCounts } from './line-counts.js';
import type { TargetStatus } from './target-status.js';

/** What drops lines: rules, and the caps of the store on series. */
const DROPPERS = ['metric_relabel_configs', 'exemplar_relabel_configs', 'max_series'];

/** A target as its figures show it. */
export interface TargetFigures {
  readonly job: string;
  readonly instance: string;
  readonly status: TargetStatus;
}

/** Figures of scraping, by job. One object a process. */
export class ScrapeMetrics {
  readonly #scrapes: Counter<'job'>;
  readonly #failures: Counter<'job' | 'reason'>;
  readonly #bodyBytes: Counter<'job'>;
  /** `target` is only a label of its exemplars. */
  readonly #scrapeSeconds: Histogram<'job' | 'target'>;
  readonly #readSeconds: Histogram<'job'>;
  /** Reasons counted so far. */
  readonly #reasons = new Set<string>();
  readonly #lines: Counter<'job'>;
  readonly #malformedLines: Counter<'job'>;
  readonly #dropped: Counter<'job' | 'by'>;
  readonly #refusedTargets: Counter<'job'>;
  readonly #targetLimitExceeded: Counter<'job'>;

  /** @param targets all of them, with their health, asked for when metrics are rendered */
  constructor(registry: MetricsRegistry, targets: () => Iterable<TargetFigures>) {
    const registers = [registry];
    this.#scrapes = new Counter({
      name: 'exemplard_scrape_scrapes_total',
      help: 'Scrapes, failed ones included.',
      labelNames: ['job'],
      registers,
    });
    this.#failures = new Counter({
      name: 'exemplard_scrape_failures_total',
      help: 'Failed scrapes.',
      labelNames: ['job', 'reason'],
      registers,
    });
    this.#bodyBytes = new Counter({
      name: 'exemplard_scrape_body_bytes_total',
      help: 'Bytes of scraped bodies after inflating.',
      labelNames: ['job'],
      registers,
    });
    this.#scrapeSeconds = new Histogram({
      name: 'exemplard_scrape_duration_seconds',
      help: 'From the request to the last exemplar taken in. The exemplars of this metric name the target.',
      labelNames: ['job'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      enableExemplars: true,
      registers,
    });
    this.#readSeconds = new Histogram({
      name: 'exemplard_scrape_read_duration_seconds',
      help: 'Scanning a body and taking in its exemplars.',
      labelNames: ['job'],
      buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1],
      registers,
    });
    this.#lines = new Counter({
      name: 'exemplard_scrape_exemplar_lines_total',
      help: 'Sample lines that carried exemplars.',
      labelNames: ['job'],
      registers,
    });
    this.#malformedLines = new Counter({
      name: 'exemplard_scrape_malformed_lines_total',
      help: 'Lines that carried exemplars but are no samples, so that there is no series to count them on.',
      labelNames: ['job'],
      registers,
    });
    this.#dropped = new Counter({
      name: 'exemplard_scrape_dropped_lines_total',
      help: 'Lines with exemplars that relabelling dropped, or whose series there was no room for, every time they were exposed.',
      labelNames: ['job', 'by'],
      registers,
    });
    this.#refusedTargets = new Counter({
      name: 'exemplard_scrape_refused_targets_total',
      help: 'Targets whose labels after relabelling are none to scrape by, each time targets were looked at.',
      labelNames: ['job'],
      registers,
    });
    this.#targetLimitExceeded = new Counter({
      name: 'exemplard_scrape_exceeded_target_limit_total',
      help: 'Times targets were looked at and found to be more than target_limit: none of the job is scraped.',
      labelNames: ['job'],
      registers,
    });
    addTargetGauges(registry, targets);
  }

  countScrape(job: string, target: string, seconds: number, bodyBytes: number): void {
    this.#scrapes.inc({ job });
    this.#bodyBytes.inc({ job }, bodyBytes);
    const exemplarLabels = { target: [...target].slice(0, 120).join('') };
    this.#scrapeSeconds.observe({ labels: { job }, value: seconds, exemplarLabels });
  }

  countRead(job: string, seconds: number, counts: BodyCounts): void {
    this.#readSeconds.observe({ job }, seconds);
    this.#lines.inc({ job }, counts.lines);
    this.#malformedLines.inc({ job }, counts.malformedLines);
    if (counts.droppedLines > 0)
      this.#dropped.inc({ job, by: 'metric_relabel_configs' }, counts.droppedLines);
    if (counts.refusedLines > 0) this.#dropped.inc({ job, by: 'max_series' }, counts.refusedLines);
    if (counts.relabelledLines > 0)
      this.#dropped.inc({ job, by: 'exemplar_relabel_configs' }, counts.relabelledLines);
  }

  /** A target that discovery found cannot be scraped, as its labels are. */
  countRefusedTarget(job: string): void {
    this.#refusedTargets.inc({ job });
  }

  countTargetLimitExceeded(job: string): void {
    this.#targetLimitExceeded.inc({ job });
  }

  countFailure(job: string, reason: string): void {
    this.#failures.inc({ job, reason });
    this.#reasons.add(reason);
  }

  forgetJob(job: string): void {
    const byJob = [
      this.#scrapes,
      this.#bodyBytes,
      this.#lines,
      this.#malformedLines,
      this.#refusedTargets,
      this.#targetLimitExceeded,
    ];
    for (const metric of byJob) metric.remove({ job });
    for (const by of DROPPERS) this.#dropped.remove({ job, by });
    for (const reason of this.#reasons) this.#failures.remove({ job, reason });
    this.#scrapeSeconds.remove({ job });
    this.#readSeconds.remove({ job });
  }
}

/** What Prometheus would write as `up` and `scrape_*` of each target. */
function addTargetGauges(registry: MetricsRegistry, targets: () => Iterable<TargetFigures>): void {
  const registers = [registry];
  new Gauge({
    name: 'exemplard_scrape_targets',
    help: 'Targets by health.',
    labelNames: ['job', 'health'],
    registers,
    collect() {
      this.reset();
      for (const { job, status } of targets()) this.inc({ job, health: status.health });
    },
  });
  const add = (name: string, help: string, figure: (status: TargetStatus) => number) =>
    new Gauge({
      name: `exemplard_target_${name}`,
      help,
      labelNames: ['job', 'instance'],
      registers,
      collect() {
        this.reset();
        for (const { job, instance, status } of targets())
          if (status.health !== 'unknown') this.set({ job, instance }, figure(status));
      },
    });
  add('up', 'Whether the last scrape went well: 1, else 0.', ({ health }) => Number(health === 'up'));
  add('scrape_duration_seconds', 'Of the last scrape.', ({ lastDurationMs }) => lastDurationMs / 1000);
  add('scrape_body_bytes', 'Body of the last scrape after inflating.', ({ lastBodyBytes }) => lastBodyBytes);
  add('scrape_exemplar_lines', 'Lines of the last body that carried exemplars.', (status) => status.lastExemplarLines); // biome-ignore format: one line
  add('last_scrape_timestamp_seconds', 'Of the last scrape.', ({ lastScrapeMs }) => lastScrapeMs / 1000);
}
