/**
 * How late the event loop comes to what is due. prom-client's own gauges contain the pace at which it looks, so that an
 * idle process seems 100 ms late, and forget at every read, so that a second reader sees other figures than the first.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { addReadGauge, type MetricsRegistry } from './registry.js';

/**
 * The loop is woken at this pace to see how late it is; what is recorded is the time between two wakings. At 10 ms the
 * waking alone took 0.8 % of a core, a quarter of what scraping some MB a second does.
 */
const PACE_MS = 100;
const NS_PER_S = 1e9;

const FIGURES: Readonly<
  Record<string, readonly [what: string, read: (delays: IntervalHistogram) => number]>
> = {
  mean: ['Mean', ({ mean }) => mean],
  p50: ['Median', (delays) => delays.percentile(50)],
  p90: ['90th percentile', (delays) => delays.percentile(90)],
  p99: ['99th percentile', (delays) => delays.percentile(99)],
  max: ['Longest', ({ max }) => max],
};

/**
 * Two histograms that overlap, each begun anew every other minute; figures come from the one that has run for longer.
 * With a single one, lateness around its reset would be lost, as nothing is recorded at the first waking after it.
 */
export class EventLoopLag {
  #older = startedHistogram();
  #younger = startedHistogram();

  constructor(registry: MetricsRegistry) {
    for (const [name, [what, read]] of Object.entries(FIGURES)) {
      const help = `${what} lateness of the event loop over the last one to two minutes.`;
      addReadGauge(registry, `exemplard_nodejs_eventloop_lag_${name}_seconds`, help, () =>
        // Without any waking yet the mean is no number.
        Math.max(0, (read(this.#older) || 0) / NS_PER_S - PACE_MS / 1000),
      );
    }
  }

  /** To be called once a minute. */
  endMinute(): void {
    this.#older.reset();
    [this.#older, this.#younger] = [this.#younger, this.#older];
  }
}

function startedHistogram(): IntervalHistogram {
  const delays = monitorEventLoopDelay({ resolution: PACE_MS });
  delays.enable();
  return delays;
}
