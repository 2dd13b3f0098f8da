import { Counter } from 'prom-client';
import type { MetricsRegistry } from '../telemetry/registry.js';

/** What became of requests that were passed on. */
export class UpstreamMetrics {
  readonly #requests: Counter<'code'>;
  readonly #failures: Counter;

  constructor(registry: MetricsRegistry) {
    this.#requests = new Counter({
      name: 'exemplard_upstream_requests_total',
      help: 'Requests that the upstream answered, by the class of its status.',
      labelNames: ['code'],
      registers: [registry],
    });
    this.#failures = new Counter({
      name: 'exemplard_upstream_failures_total',
      help: 'Requests that the upstream did not answer.',
      registers: [registry],
    });
  }

  countAnswer(statusCode: number): void {
    this.#requests.inc({ code: `${Math.trunc(statusCode / 100)}xx` });
  }

  countFailure(): void {
    this.#failures.inc();
  }
}
