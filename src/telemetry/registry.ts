import { Counter, collectDefaultMetrics, Gauge, type OpenMetricsContentType, Registry } from 'prom-client';

export type MetricsRegistry = Registry<OpenMetricsContentType>;

/**
 * Where every part registers its own metrics; rendered at `/metrics` as OpenMetrics, so that exemplars show.
 * One a process (or a test): nothing is kept in a global.
 */
export function createRegistry(): MetricsRegistry {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  return registry;
}

/** Memory, CPU, garbage collection of this process; how late its event loop is, `event-loop-lag.ts` says. */
export function addProcessMetrics(registry: MetricsRegistry): void {
  // prom-client types this option as the classic-text registry only, and accepts both.
  collectDefaultMetrics({ register: registry as unknown as Registry, prefix: 'exemplard_' });
  for (const { name } of registry.getMetricsAsArray())
    if (name.startsWith('exemplard_nodejs_eventloop_lag')) registry.removeSingleMetric(name);
}

export function addBuildInfo(registry: MetricsRegistry, version: string): void {
  new Gauge({
    name: 'exemplard_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'nodeversion'],
    registers: [registry],
  }).set({ version, nodeversion: process.version }, 1);
}

/** A counter that somebody else counts: read when metrics are rendered, and free before. */
export function addReadCounter(
  registry: MetricsRegistry,
  name: string,
  help: string,
  read: () => number,
): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

/** The same for what goes up and down. */
export function addReadGauge(
  registry: MetricsRegistry,
  name: string,
  help: string,
  read: () => number,
): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}
