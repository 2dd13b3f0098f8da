import type { ExpositionError } from './exposition-error.js';
import { PrometheusOpenMetrics } from './prometheus-openmetrics.js';
import { PrometheusText } from './prometheus-text.js';

/**
 * Whether a scrape by Prometheus 3.14 would take `body[0, length)`: its parser, and what makes the append of a sample
 * fail whatever is stored already (names that repeat in a label set, names that are no UTF-8). Where it accepts more
 * than the specification, so does this. An empty body is an empty scrape.
 *
 * Linear in the length, and allocates next to nothing for a sound body.
 * @returns the first error, which costs the whole scrape, in Prometheus' words; undefined if there is none
 */
export function prometheusVerdict(
  body: Buffer,
  length: number,
  format: 'openmetrics' | 'text',
): ExpositionError | undefined {
  if (length === 0) return undefined;
  const entries =
    format === 'openmetrics' ? new PrometheusOpenMetrics(body, length) : new PrometheusText(body, length);
  return entries.verdict();
}
