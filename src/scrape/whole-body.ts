import { countSamples, forEachSampleLine } from '../exposition/openmetrics.js';
import { parseSampleLine } from '../exposition/sample-line.js';
import type { Labels } from '../model/labels.js';
import type { BodyRules, TextFormat } from './body-rules.js';
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
  // Relabelling drops samples, and adds none.
  const mayExceed = sampleLimit > 0 && countSamples(body, length) > sampleLimit;
  if (mayExceed && metricRelabelRules.length === 0) return 'sample limit exceeded';
  if (!isFull && !mayExceed) return undefined;
  let kept = 0;
  let refusal: string | undefined;
  forEachSampleLine(body, length, (start, end) => {
    const sample = parseSampleLine(body, start, end);
    if (sample === undefined) return true;
    const result = seriesLabels(sample, undefined, targetLabels, rules);
    if ('malformed' in result && isFull) refusal = result.malformed;
    if ('refused' in result) refusal = result.refused;
    if ('labels' in result && ++kept > sampleLimit && sampleLimit > 0) refusal = 'sample limit exceeded';
    return refusal === undefined;
  });
  return refusal;
}
