import type { TextFormat } from '../exposition/format-text.js';
import { countSamples, forEachSampleLine } from '../exposition/openmetrics.js';
import { parseSampleLine } from '../exposition/sample-line.js';
import { prometheusVerdict } from '../exposition/verdict/prometheus.js';
import type { Labels } from '../model/labels.js';
import type { BodyRules } from './body-rules.js';
import { seriesLabels } from './series-labels.js';

/**
 * What a job asks of a body beyond its exemplars: not more samples than it may have, and with
 * `exemplar_validation: full` that every line is sound, and every series within the limits, as in Prometheus.
 * Costs nothing where neither is asked for.
 * @returns undefined, or why nothing of the body counts
 */
export function refusalOfBody(
  body: Buffer,
  length: number,
  format: TextFormat,
  targetLabels: Labels,
  rules: BodyRules,
): string | undefined {
  const { sampleLimit, metricRelabelRules } = rules;
  const isFull = rules.exemplarValidation === 'full';
  if (isFull) {
    const error = prometheusVerdict(body, length, format);
    if (error !== undefined) return `line ${error.line}, column ${error.column}: ${error.message}`;
  }
  // Relabelling drops samples, and adds none.
  const mayExceed = sampleLimit > 0 && countSamples(body, length) > sampleLimit;
  if (mayExceed && metricRelabelRules.length === 0) return 'sample limit exceeded';
  if (!mayExceed && !(isFull && mayRefuseSeries(rules))) return undefined;
  let kept = 0;
  let refusal: string | undefined;
  forEachSampleLine(body, length, (start, end) => {
    const sample = parseSampleLine(body, start, end);
    if (sample === undefined) return true;
    const result = seriesLabels(sample, undefined, targetLabels, rules);
    if ('refused' in result) refusal = result.refused;
    if ('labels' in result && ++kept > sampleLimit && sampleLimit > 0) refusal = 'sample limit exceeded';
    return refusal === undefined;
  });
  return refusal;
}

/** Whether a series may be refused that Prometheus' parser takes. */
function mayRefuseSeries(rules: BodyRules): boolean {
  const { labelLimit, labelNameLengthLimitBytes, labelValueLengthLimitBytes } = rules;
  const hasLimits = labelLimit + labelNameLengthLimitBytes + labelValueLengthLimitBytes > 0;
  return hasLimits || rules.nameValidation === 'legacy' || rules.metricRelabelRules.length > 0;
}
