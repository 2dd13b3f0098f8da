import { canonicalFloat } from '../exposition/canonical-float.js';
import type { SampleLine } from '../exposition/sample-line.js';
import {
  compareBytewise,
  type Labels,
  labelPairs,
  labelsFromPairs,
  labelValue,
  METRIC_NAME,
} from '../model/labels.js';

/** What a job says about the labels of its series; 0 means no limit. */
export interface SeriesLabelRules {
  readonly honorLabels: boolean;
  readonly labelLimit: number;
  readonly labelNameLengthLimitBytes: number;
  readonly labelValueLengthLimitBytes: number;
}

/** More labels than any series has, and few enough that one line cannot take all memory. */
const MAX_LABELS = 512;

/** The labels a series is stored under, or what is wrong with it. */
export type SeriesLabels =
  | { readonly labels: Labels }
  /** Costs the line. */
  | { readonly malformed: string }
  /** Costs the scrape, as in Prometheus. */
  | { readonly overLimit: string };

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
  if (exposed.size > MAX_LABELS) return { malformed: `a series has ${exposed.size} labels` };
  const labels = rules.honorLabels ? exposedWin(exposed, targetLabels) : targetWins(exposed, targetLabels);
  const overLimit = checkLimits(labels, rules);
  return overLimit === undefined ? { labels } : { overLimit };
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
