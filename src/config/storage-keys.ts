/** The keys of `storage`. */
import { DEFAULT_STORE_OPTIONS, type StoreOptions } from '../store/options.js';
import type { IssueReport } from './issue.js';
import { prometheusOnly, type Section, subsection, withDefault } from './table.js';
import { bytes, count, duration, positiveDuration } from './value-type.js';

export const EXEMPLARS_KEYS = {
  per_series: withDefault(count(1), DEFAULT_STORE_OPTIONS.perSeries, "Slots of each series' ring."),
  max_exemplars: withDefault(
    count(0),
    DEFAULT_STORE_OPTIONS.maxExemplars,
    'Exemplars of the whole process. At the cap the series holding most gives up its oldest first.',
  ),
  max_bytes: withDefault(
    bytes(1024 * 1024),
    DEFAULT_STORE_OPTIONS.maxBytes,
    'The same, in memory of slots, labels and index.',
  ),
  max_series: withDefault(
    count(1),
    DEFAULT_STORE_OPTIONS.maxSeries,
    'Series of the whole process. At the cap a new series takes the place of the longest idle; where all are in use, it is refused.',
  ),
  out_of_order_time_window: withDefault(
    duration,
    DEFAULT_STORE_OPTIONS.outOfOrderTimeWindowMs,
    "An exemplar older than its series' newest by less than this is put in its place; an older one is refused.",
  ),
  max_future: withDefault(
    duration,
    DEFAULT_STORE_OPTIONS.maxFutureMs,
    'An exemplar further ahead of the clock is refused.',
  ),
  series_idle_timeout: withDefault(
    positiveDuration,
    DEFAULT_STORE_OPTIONS.seriesIdleTimeoutMs,
    'A series that no target has exposed for so long is forgotten.',
  ),
};

export const STORAGE_KEYS = {
  exemplars: subsection(EXEMPLARS_KEYS, 'How many exemplars are kept in memory.'),
  tsdb: prometheusOnly('exemplard keeps no samples'),
};

export function resolveStore(section: Section<typeof EXEMPLARS_KEYS>, report: IssueReport): StoreOptions {
  const { values } = section;
  if (values.max_exemplars === 0)
    report.warn(
      section.at('max_exemplars'),
      `${section.path}.max_exemplars is 0, with which Prometheus keeps none, and counts as not given`,
    );
  return {
    perSeries: values.per_series,
    maxExemplars: values.max_exemplars || DEFAULT_STORE_OPTIONS.maxExemplars,
    maxBytes: values.max_bytes,
    maxSeries: values.max_series,
    outOfOrderTimeWindowMs: values.out_of_order_time_window,
    maxFutureMs: values.max_future,
    seriesIdleTimeoutMs: values.series_idle_timeout,
  };
}
