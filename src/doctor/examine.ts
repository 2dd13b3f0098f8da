import { openmetricsVerdict } from '../exposition/verdict/openmetrics.js';
import { prometheusVerdict } from '../exposition/verdict/prometheus.js';
import { MAX_EXEMPLAR_CODE_POINTS } from '../model/exemplar.js';
import { BodyScan } from './body-scan.js';
import type { BodyVerdict, Examination, Exposition } from './examination.js';
import { exemplarFindings } from './exemplar-findings.js';
import type { ExemplarRules } from './exemplar-tally.js';
import { bySeverity } from './finding.js';
import { formatFindings } from './format-findings.js';
import { libraryOf } from './libraries.js';
import { verdictFindings } from './verdict-findings.js';

export type ExamineOptions = Partial<Omit<ExemplarRules, 'nowMs'>> & {
  readonly nowMs: number;
  /** Of the specification's errors, and of the families listed. */
  readonly maxErrors?: number;
  readonly maxFamilies?: number;
};

export const DEFAULT_TRACE_ID_LABELS: readonly string[] = ['trace_id', 'traceID', 'TraceID', 'traceId'];

const DEFAULTS = {
  traceIdLabels: DEFAULT_TRACE_ID_LABELS,
  maxFutureMs: 10 * 60_000,
  maxCodePoints: MAX_EXEMPLAR_CODE_POINTS,
  // Several scrapes at any usual interval: what is older only repeats.
  oldMs: 10 * 60_000,
  maxErrors: 100,
  maxFamilies: 500,
};

/** Linear in the length of the body, and bounded in what it returns; never throws, whatever the bytes. */
export function examine(exposition: Exposition, options: ExamineOptions): Examination {
  const { maxErrors, maxFamilies, ...rules } = { ...DEFAULTS, ...options };
  const { body, length, format, contentType } = exposition;
  const scan = new BodyScan(body, length, rules);
  const library = libraryOf(scan.families.values(), scan.isNodeTelemetry);
  const verdict = verdictOf(exposition, maxErrors);
  const findings = [
    ...formatFindings(exposition, scan, library),
    ...verdictFindings(exposition.textFormat, verdict, scan, library),
    ...exemplarFindings(scan.exemplars, rules, { isText: format === 'text', library, hasSeries: scan.seriesLines > 0 }), // biome-ignore format: one call
  ];
  const families = [...scan.families.values()].sort((a, b) => b.exemplars - a.exemplars || b.bytes - a.bytes);
  return {
    format,
    contentType,
    bytes: length,
    ...verdict,
    library,
    seriesLines: scan.seriesLines,
    exemplars: scan.exemplars.count,
    families: families.slice(0, maxFamilies),
    familiesLeftOut: Math.max(0, families.length - maxFamilies),
    findings: bySeverity(findings),
  };
}

function verdictOf({ body, length, format, textFormat }: Exposition, maxErrors: number): BodyVerdict {
  if (format === 'protobuf' || format === 'openmetrics2')
    return { verdicts: undefined, errors: [], prometheusError: undefined };
  const prometheusError = prometheusVerdict(body, length, textFormat);
  const prometheus = prometheusError === undefined ? 'accept' : 'reject';
  if (textFormat === 'text') {
    const errors = prometheusError === undefined ? [] : [prometheusError];
    return { verdicts: { openmetrics: 'reject', prometheus }, errors, prometheusError };
  }
  const errors = openmetricsVerdict(body, length, maxErrors);
  const openmetrics = errors.length === 0 ? 'accept' : 'reject';
  return { verdicts: { openmetrics, prometheus }, errors, prometheusError };
}
