import { collectDefaultMetrics, Gauge, type OpenMetricsContentType, Registry } from 'prom-client';

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

/** Event-loop lag, memory, CPU, garbage collection of this process. */
export function addProcessMetrics(registry: MetricsRegistry): void {
  // prom-client types this option as the classic-text registry only, and accepts both.
  collectDefaultMetrics({
    register: registry as unknown as Registry,
    prefix: 'exemplard_',
    // The loop is woken at this pace just to see how late it is.
    eventLoopMonitoringPrecision: 100,
  });
}

export function addBuildInfo(registry: MetricsRegistry, version: string): void {
  new Gauge({
    name: 'exemplard_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'nodeversion'],
    registers: [registry],
  }).set({ version, nodeversion: process.version }, 1);
}
