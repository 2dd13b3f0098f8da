import type { SampleLine } from '../exposition/sample-line.js';
import { canonicalFloat } from '../model/canonical-float.js';
import {
  compareBytewise,
  type Labels,
  labelPairs,
  labelsFromPairs,
  labelValue,
  METRIC_NAME,
} from '../model/labels.js';
import { type CompiledRules, relabel } from '../model/relabel.js';
import type { NameValidationScheme } from './options.js';

/** What a job says about the labels of its series; 0 means no limit. */
export interface SeriesLabelRules {
  readonly honorLabels: boolean;
  /** Whether the buckets of a classic histogram count as the histogram as a whole. */
  readonly joinsBuckets: boolean;
  /** `metric_relabel_configs` */
  readonly metricRelabelRules: CompiledRules;
  readonly nameValidation: NameValidationScheme;
  readonly labelLimit: number;
  readonly labelNameLengthLimitBytes: number;
  readonly labelValueLengthLimitBytes: number;
}

/** More labels than any series has, and few enough that one line cannot take all memory. */
const MAX_LABELS = 512;

/** The labels a series is stored under, or what is wrong with it. */
export type SeriesLabels =
  /** `isWhole`: it stands for a histogram as a whole, whose samples are not numbers. */
  | { readonly labels: Labels; readonly isWhole: boolean }
  /** A relabelling rule says so. */
  | { readonly dropped: true }
  /** Costs the line. */
  | { readonly malformed: string }
  /** Costs the scrape, as in Prometheus: a limit is exceeded, or relabelling took the name away. */
  | { readonly refused: string };

/** Names before UTF-8 ones were allowed. */
const LEGACY_METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LEGACY_LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * Exposed labels and those of the target → labels of the series (Prometheus `mutateSampleLabels`).
 * @param targetLabels those that reach series: none with `__` in front
 * @param metricType of the last TYPE line: `le` and `quantile` are rewritten by it
 */
export function seriesLabels(
  sample: SampleLine,
  metricType: string | undefined,
  targetLabels: Labels,
  rules: SeriesLabelRules,
): SeriesLabels {
  const exposed = new Map<string, string>();
  for (const [name, value] of sample.labels) {
    if (exposed.has(name)) return { malformed: `label ${name} stands twice in a series` };
    exposed.set(name, isBound(name, metricType) ? canonicalFloat(value) : value);
  }
  if (rules.joinsBuckets && metricType === 'histogram') joinBucket(exposed);
  if (exposed.size > MAX_LABELS) return { malformed: `a series has ${exposed.size} labels` };
  const merged = rules.honorLabels ? exposedWin(exposed, targetLabels) : targetWins(exposed, targetLabels);
  const labels = relabel(merged, rules.metricRelabelRules);
  if (labels === undefined || labels.length === 0) return { dropped: true };
  const refused = checkNames(labels, rules) ?? checkLimits(labels, rules);
  if (refused !== undefined) return { refused };
  const isWhole = metricType === 'histogram' && !PART_OF_HISTOGRAM.test(exposed.get(METRIC_NAME) ?? '');
  return { labels, isWhole };
}

const PART_OF_HISTOGRAM = /_(?:bucket|count|sum|created)$/;

/** `http_seconds_bucket{le="1"}` becomes `http_seconds`. */
function joinBucket(exposed: Map<string, string>): void {
  const name = exposed.get(METRIC_NAME) ?? '';
  if (!name.endsWith('_bucket') || !exposed.has('le')) return;
  exposed.set(METRIC_NAME, name.slice(0, -'_bucket'.length));
  exposed.delete('le');
}

function checkNames(labels: Labels, { nameValidation }: SeriesLabelRules): string | undefined {
  const metricName = labelValue(labels, METRIC_NAME);
  if (metricName === '') return 'missing metric name (__name__ label)';
  if (nameValidation === 'utf8') return undefined;
  if (!LEGACY_METRIC_NAME.test(metricName)) return `invalid metric name: ${JSON.stringify(metricName)}`;
  for (const [name] of labelPairs(labels))
    if (!LEGACY_LABEL_NAME.test(name)) return `invalid label name: ${JSON.stringify(name)}`;
  return undefined;
}

function isBound(name: string, metricType: string | undefined): boolean {
  return (name === 'le' && metricType === 'histogram') || (name === 'quantile' && metricType === 'summary');
}

/** An exposed empty value takes the target's label away. */
function exposedWin(exposed: ReadonlyMap<string, string>, targetLabels: Labels): Labels {
  return labelsFromPairs([...labelPairs(targetLabels), ...exposed]);
}

/** An exposed label in the way of the target's gets `exported_` in front, again until the name is free. */
function targetWins(exposed: ReadonlyMap<string, string>, targetLabels: Labels): Labels {
  const result = new Map(exposed);
  const clashing: string[] = [];
  for (const [name] of labelPairs(targetLabels)) if ((exposed.get(name) ?? '') !== '') clashing.push(name);
  for (const [name, value] of labelPairs(targetLabels)) result.set(name, value);
  // Shorter names first, so that `foo` takes `exported_foo` before an exposed `exported_foo` has to move.
  clashing.sort((a, b) => a.length - b.length || compareBytewise(a, b));
  for (const name of clashing) {
    let free = `exported_${name}`;
    while ((result.get(free) ?? '') !== '') free = `exported_${free}`;
    result.set(free, exposed.get(name)!);
  }
  return labelsFromPairs(result);
}

/** Limits count the target's labels too; lengths are bytes (Prometheus `verifyLabelLimits`). */
function checkLimits(labels: Labels, rules: SeriesLabelRules): string | undefined {
  const metric = `metric: ${labelValue(labels, METRIC_NAME).slice(0, 50)}`;
  const count = labels.length / 2;
  if (rules.labelLimit > 0 && count > rules.labelLimit) {
    return `label_limit exceeded (${metric}, number of labels: ${count}, limit: ${rules.labelLimit})`;
  }
  for (const [name, value] of labelPairs(labels)) {
    const label = `${metric}, label name: ${name.slice(0, 50)}`;
    const nameBytes = Buffer.byteLength(name);
    const nameLimit = rules.labelNameLengthLimitBytes;
    if (nameLimit > 0 && nameBytes > nameLimit) {
      return `label_name_length_limit exceeded (${label}, length: ${nameBytes}, limit: ${nameLimit})`;
    }
    const valueBytes = Buffer.byteLength(value);
    const valueLimit = rules.labelValueLengthLimitBytes;
    if (valueLimit > 0 && valueBytes > valueLimit) {
      return `label_value_length_limit exceeded (${label}, value: ${value.slice(0, 50)}, length: ${valueBytes}, limit: ${valueLimit})`;
    }
  }
  return undefined;
}
