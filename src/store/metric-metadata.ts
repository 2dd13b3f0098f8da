import { type Metadata, NO_METADATA } from '../model/metadata.js';

/** More metrics than any fleet has; past it, new ones stay undescribed. */
const MAX_METRICS = 50_000;
/** Help text is prose of a line or two. */
const MAX_HELP_LENGTH = 1024;

/** What expositions say of metrics, by the name of the series (`…_bucket`, `…_total`); the latest word counts. */
export class MetricMetadata {
  readonly #byName = new Map<string, Metadata>();

  of(metricName: string): Metadata {
    return this.#byName.get(metricName) ?? NO_METADATA;
  }

  entries(): Iterable<readonly [metricName: string, metadata: Metadata]> {
    return this.#byName;
  }

  describe(metricName: string, { type, help, unit }: Metadata): void {
    if (type === '' && help === '' && unit === '') return;
    if (this.#byName.size >= MAX_METRICS && !this.#byName.has(metricName)) return;
    this.#byName.set(metricName, { type, help: help.slice(0, MAX_HELP_LENGTH), unit });
  }
}
