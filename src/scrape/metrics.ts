import { Counter, Gauge, Histogram } from 'prom-client';
import type { MetricsRegistry } from '../telemetry/registry.js';

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

  /** @param targets all of them, with their health, asked for when metrics are rendered */
  constructor(registry: MetricsRegistry, targets: () => Iterable<{ job: string; health: string }>) {
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
    new Gauge({
      name: 'exemplard_scrape_targets',
      help: 'Targets by health.',
      labelNames: ['job', 'health'],
      registers,
      collect() {
        this.reset();
        for (const { job, health } of targets()) this.inc({ job, health });
      },
    });
  }

  countScrape(job: string, target: string, seconds: number, bodyBytes: number): void {
    this.#scrapes.inc({ job });
    this.#bodyBytes.inc({ job }, bodyBytes);
    const exemplarLabels = { target: [...target].slice(0, 120).join('') };
    this.#scrapeSeconds.observe({ labels: { job }, value: seconds, exemplarLabels });
  }

  countRead(job: string, seconds: number, lines: number, malformedLines: number): void {
    this.#readSeconds.observe({ job }, seconds);
    this.#lines.inc({ job }, lines);
    this.#malformedLines.inc({ job }, malformedLines);
  }

  countFailure(job: string, reason: string): void {
    this.#failures.inc({ job, reason });
    this.#reasons.add(reason);
  }

  forgetJob(job: string): void {
    for (const metric of [this.#scrapes, this.#bodyBytes, this.#lines, this.#malformedLines])
      metric.remove({ job });
    for (const reason of this.#reasons) this.#failures.remove({ job, reason });
    this.#scrapeSeconds.remove({ job });
    this.#readSeconds.remove({ job });
  }
}
