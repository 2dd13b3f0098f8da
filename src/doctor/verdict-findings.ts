import type { BodyScan } from './body-scan.js';
import type { BodyVerdict, Exposition } from './examination.js';
import { countOf, type Finding } from './finding.js';
import { isGo, type Library } from './libraries.js';

/** What the verdicts mean for exemplars, and what else is odd about series and families. */
export function verdictFindings(
  { textFormat, format }: Exposition,
  { errors, prometheusError }: BodyVerdict,
  scan: BodyScan,
  library: Library | undefined,
): readonly Finding[] {
  const findings: (Finding | undefined)[] = [
    prometheusFinding(prometheusError),
    textFormat === 'openmetrics' ? specificationFinding(errors) : undefined,
    repeatedSeriesFinding(scan),
    textFormat === 'openmetrics' ? counterFinding(scan) : undefined,
    // In protobuf, what is of no known type was declared so.
    isGo(library) && format !== 'protobuf' ? unknownTypeFinding(scan) : undefined,
  ];
  return findings.filter((finding) => finding !== undefined);
}

function prometheusFinding(error: BodyVerdict['prometheusError']): Finding | undefined {
  if (error === undefined) return undefined;
  const { line, column, message } = error;
  return {
    code: 'prometheus_rejects',
    severity: 'error',
    message: `Prometheus fails the whole scrape: ${message}.`,
    next: `Mend line ${line}: none of the metrics of this endpoint arrive in Prometheus until then.`,
    line,
    column,
  };
}

function specificationFinding(errors: BodyVerdict['errors']): Finding | undefined {
  const [first] = errors;
  if (first === undefined) return undefined;
  const { line, column, message } = first;
  return {
    code: 'specification_violated',
    severity: 'warning',
    message: `The body does not conform to OpenMetrics 1.0: ${message}${errors.length > 1 ? `; and ${countOf(errors.length - 1, 'more error')}` : ''}.`,
    next: 'Mend it, or use a client library to write the body: stricter receivers than Prometheus refuse it.',
    line,
    column,
    count: errors.length,
  };
}

function repeatedSeriesFinding({ repeatedSeries, repeatedAtLine }: BodyScan): Finding | undefined {
  if (repeatedSeries === 0) return undefined;
  return {
    code: 'series_repeated',
    severity: 'warning',
    message: `${countOf(repeatedSeries, 'line')} of a series that stood further up: Prometheus drops the second sample, and its exemplar.`,
    next: 'Register each metric once, and give series that differ labels that differ.',
    line: repeatedAtLine,
    column: 1,
    count: repeatedSeries,
  };
}

function counterFinding({ countersWithoutTotal, counterWithoutTotal }: BodyScan): Finding | undefined {
  if (countersWithoutTotal === 0) return undefined;
  return {
    code: 'counter_without_total',
    severity: 'warning',
    message: `Samples of ${countOf(countersWithoutTotal, 'counter')} do not end in _total, as those of counters must: ${shown(counterWithoutTotal)}.`,
    next: 'Name the counter with _total at its end.',
    count: countersWithoutTotal,
  };
}

/** What client_golang makes of such counters. */
function unknownTypeFinding({ families }: BodyScan): Finding | undefined {
  const names: string[] = [];
  for (const { name, type, series } of families.values())
    if (type === 'unknown' && series > 0 && !name.endsWith('_total')) names.push(name);
  if (names.length === 0) return undefined;
  return {
    code: 'type_unknown',
    severity: 'info',
    message: `${names.length === 1 ? '1 family is' : `${names.length} families are`} of type unknown, ${shown(names[0]!)} for one: client_golang makes that of counters without _total.`,
    next: 'If they are counters, name them with _total at the end.',
    count: names.length,
  };
}

function shown(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}
