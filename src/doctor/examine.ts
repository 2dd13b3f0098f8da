import { expositionFormat } from '../exposition/content-type.js';
import { openmetricsVerdict } from '../exposition/verdict/openmetrics.js';
import { prometheusVerdict } from '../exposition/verdict/prometheus.js';
import { MAX_EXEMPLAR_CODE_POINTS, TRACE_ID_LABELS } from '../model/exemplar.js';
import { BodyScan } from './body-scan.js';
import type { BodyVerdict, Examination, Exposition } from './examination.js';
import { exemplarFindings } from './exemplar-findings.js';
import { type ExemplarRules, MAX_FUTURE_MS } from './exemplar-tally.js';
import { bySeverity, type Finding } from './finding.js';
import { EMPTY, formatFindings } from './format-findings.js';
import { libraryOf } from './libraries.js';
import { hasSample, htmlFinding, lookalikeFinding } from './lookalikes.js';
import { verdictFindings } from './verdict-findings.js';

export type ExamineOptions = Partial<Omit<ExemplarRules, 'nowMs'>> & {
  readonly nowMs: number;
  /** `fallback_scrape_protocol`: what stands in for an unusable Content-Type. */
  readonly hasFallback?: boolean;
  /** `text_exemplars: read` */
  readonly readsTextExemplars?: boolean;
  /** Of the specification's errors, and of the families listed. */
  readonly maxErrors?: number;
  readonly maxFamilies?: number;
};

const DEFAULTS = {
  traceIdLabels: TRACE_ID_LABELS,
  maxFutureMs: MAX_FUTURE_MS,
  maxCodePoints: MAX_EXEMPLAR_CODE_POINTS,
  // Several scrapes at any usual interval: what is older only repeats.
  oldMs: 10 * 60_000,
  hasFallback: false,
  readsTextExemplars: false,
  maxErrors: 100,
  maxFamilies: 500,
};

/** Linear in the length of the body, and bounded in what it returns; never throws, whatever the bytes. */
export function examine(exposition: Exposition, options: ExamineOptions): Examination {
  const settled = { ...DEFAULTS, ...options };
  const { maxErrors, maxFamilies } = settled;
  const { body, length, format, contentType } = exposition;
  const scan = new BodyScan(body, length, settled);
  const library = libraryOf(scan.families.values(), scan.isNodeTelemetry);
  const contentTypeError = contentTypeErrorOf(exposition, settled.hasFallback);
  const verdict = verdictOf(exposition, maxErrors, contentTypeError);
  const findings = noMetricsFinding(exposition, contentTypeError) ?? [
    ...formatFindings(exposition, scan, library, { ...settled, contentTypeError }),
    ...verdictFindings(exposition, verdict, scan, library),
    ...exemplarFindings(scan.exemplars, settled, {
      hasNoExemplars: format === 'text' && !settled.readsTextExemplars,
      hasSeries: scan.seriesLines > 0 && hasSample(body, length),
      isSound: format !== 'text' && contentTypeError === undefined && verdict.errors.length === 0,
      library,
    }),
  ];
  const families = [...scan.families.values()].sort((a, b) => b.exemplars - a.exemplars || b.bytes - a.bytes);
  return {
    format,
    contentType,
    bytes: length,
    ...verdict,
    contentTypeError,
    library,
    seriesLines: scan.seriesLines,
    exemplars: scan.exemplars.count,
    families: families.slice(0, maxFamilies),
    familiesLeftOut: Math.max(0, families.length - maxFamilies),
    findings: bySeverity(findings),
  };
}

/** An empty answer is an empty exposition to Prometheus, whatever it is said to be. */
function contentTypeErrorOf(exposition: Exposition, hasFallback: boolean): string | undefined {
  if (!exposition.isAnswer || hasFallback || exposition.length === 0) return undefined;
  const result = expositionFormat(exposition.contentType, undefined);
  return 'error' in result ? result.error : undefined;
}

/** Where there are no metrics, all else that could be said would only mislead. */
function noMetricsFinding(
  { body, length, format, contentType = '', isAnswer }: Exposition,
  contentTypeError: string | undefined,
): readonly Finding[] | undefined {
  if (length === 0) return [EMPTY];
  if (contentTypeError !== undefined && /html/i.test(contentType))
    return [htmlFinding(`The answer is a web page (${contentType.slice(0, 100)}), not metrics.`)];
  // The text that stands for protobuf is ours.
  if (format === 'protobuf' || hasSample(body, length)) return undefined;
  const lookalike = lookalikeFinding(body, length, isAnswer);
  return lookalike && [lookalike];
}

function verdictOf(
  { body, length, format, textFormat }: Exposition,
  maxErrors: number,
  contentTypeError: string | undefined,
): BodyVerdict {
  if (format === 'protobuf' || format === 'openmetrics2')
    return { verdicts: undefined, errors: [], prometheusError: undefined };
  const prometheusError = prometheusVerdict(body, length, textFormat);
  const prometheus = (prometheusError ?? contentTypeError) === undefined ? 'accept' : 'reject';
  if (textFormat === 'text') {
    const errors = prometheusError === undefined ? [] : [prometheusError];
    return { verdicts: { openmetrics: 'reject', prometheus }, errors, prometheusError };
  }
  const errors = openmetricsVerdict(body, length, maxErrors);
  const openmetrics = errors.length === 0 ? 'accept' : 'reject';
  return { verdicts: { openmetrics, prometheus }, errors, prometheusError };
}
