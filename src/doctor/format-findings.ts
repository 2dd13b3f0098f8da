import { expositionFormat } from '../exposition/content-type.js';
import type { BodyScan } from './body-scan.js';
import type { Exposition } from './examination.js';
import { countOf, type Finding } from './finding.js';
import { ALL_LIBRARIES, type Library } from './libraries.js';

const OPENMETRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

const OPENMETRICS_2: Finding = {
  code: 'openmetrics_2',
  severity: 'info',
  message:
    'This is OpenMetrics 2.0, of which there is a release candidate: Prometheus 3.14 does not read it.',
  next: 'exemplard reads it. A job asks for it with scrape_protocols: [OpenMetricsText2.0.0, OpenMetricsText1.0.0]; Prometheus has to be answered in 1.0.',
};

export const EMPTY: Finding = noSamples('The body is empty.');

/** How the body is read, and what became of its header. */
export interface FormatTraits {
  /** Why Prometheus 3 refuses the header. */
  readonly contentTypeError: string | undefined;
  readonly hasFallback: boolean;
  readonly readsTextExemplars: boolean;
}

/** What there is to say about the format, before anything in the body counts. */
export function formatFindings(
  exposition: Exposition,
  scan: BodyScan,
  library: Library | undefined,
  traits: FormatTraits,
): readonly Finding[] {
  const isText = exposition.format === 'text' && !traits.readsTextExemplars;
  const findings = [
    contentTypeFinding(exposition, traits),
    scan.seriesLines === 0 ? noSamples('No line of the body is a sample.') : undefined,
    isText ? textFinding(scan, library) : undefined,
    exposition.format === 'openmetrics2' ? OPENMETRICS_2 : undefined,
  ];
  return findings.filter((finding) => finding !== undefined);
}

function contentTypeFinding(
  { isAnswer, contentType }: Exposition,
  { contentTypeError, hasFallback }: FormatTraits,
): Finding | undefined {
  const isMissing = contentType === undefined || contentType.trim() === '';
  const what = isMissing
    ? 'The answer has no Content-Type'
    : `The Content-Type ${JSON.stringify(contentType.slice(0, 200))} is no format of metrics`;
  if (contentTypeError !== undefined)
    return {
      code: isMissing ? 'content_type_missing' : 'content_type_unusable',
      severity: 'error',
      message: `${what}, so scrapes by Prometheus 3 fail.`,
      next: `Answer with Content-Type: ${OPENMETRICS_TYPE}, or set fallback_scrape_protocol for the job.`,
    };
  const isFallback = isAnswer && hasFallback && 'error' in expositionFormat(contentType, undefined);
  if (!isFallback) return undefined;
  return {
    code: 'content_type_fallback',
    severity: 'info',
    message: `${what}: fallback_scrape_protocol of the job stands in for it.`,
    next: `Other scrapers need the same; better answer with Content-Type: ${OPENMETRICS_TYPE}.`,
  };
}

function noSamples(message: string): Finding {
  return {
    code: 'no_samples',
    severity: 'warning',
    message,
    next: 'Check that this is the endpoint of the service, and that its metrics are registered.',
  };
}

function textFinding({ exemplars }: BodyScan, library: Library | undefined): Finding {
  if (exemplars.count > 0) {
    return {
      code: 'exemplars_in_text_format',
      severity: 'error',
      message: `${countOf(exemplars.count, 'exemplar')} under text/plain, a format without exemplars: Prometheus fails the whole scrape, and exemplard passes them over.`,
      next: `Answer with Content-Type: ${OPENMETRICS_TYPE} and end the body with # EOF, or set text_exemplars: read for the job.`,
      count: exemplars.count,
    };
  }
  return {
    code: 'text_format_only',
    severity: 'error',
    message: `This is the classic text format (text/plain), which has no exemplars${library === undefined ? '' : `; the metrics look like those of ${library.name}`}.`,
    next: `To switch OpenMetrics on, ${openmetricsHint(library)}.`,
  };
}

function openmetricsHint(library: Library | undefined): string {
  if (library !== undefined) return library.openmetrics;
  return ALL_LIBRARIES.map(({ name, openmetrics }) => `with ${name}: ${openmetrics}`).join('; ');
}
