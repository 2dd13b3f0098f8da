import type { FamilyFigures } from '../doctor/body-scan.js';
import type { Examination } from '../doctor/examination.js';
import { countOf, type Finding } from '../doctor/finding.js';
import { isNoMetrics } from '../doctor/lookalikes.js';
import type { Repeats } from '../doctor/repeats.js';
import { paragraph } from './paragraph.js';
import { readableBytes } from './readable.js';
import { type Column, textTable } from './text-table.js';

/** What an endpoint answered when asked for one format. */
export interface VariantReport {
  /** What it was asked for. */
  readonly name: string;
  /** Why there is no answer. */
  readonly problem: string | undefined;
  readonly contentType: string | undefined;
  /** Of the body, inflated. */
  readonly bytes: number;
  /** As it was sent. */
  readonly wireBytes: number;
  readonly isGzip: boolean;
  readonly tookMs: number;
  readonly exemplars: number;
}

/** What `check metrics` has to say. */
export interface MetricsReport {
  /** For people: a URL without secrets, or a file. */
  readonly source: string;
  /** None for a file. */
  readonly answers: readonly VariantReport[];
  /** Undefined where nothing could be read. */
  readonly examination: Examination | undefined;
  readonly repeats: Repeats | undefined;
  /** All of them, the worst first. */
  readonly findings: readonly Finding[];
}

const WIDTH = 92;
const MAX_LISTED = 15;

/** The shape that the contract gives, and more. */
export function reportAsJson({ source, answers, examination, repeats, findings }: MetricsReport): string {
  const json = {
    source,
    format: examination?.format ?? null,
    contentType: examination?.contentType ?? null,
    bytes: examination?.bytes ?? 0,
    verdicts: examination?.verdicts ?? null,
    errors: examination?.errors ?? [],
    prometheusError: examination?.prometheusError ?? null,
    library: examination?.library?.name ?? null,
    series: examination?.seriesLines ?? 0,
    exemplars: examination?.exemplars ?? 0,
    families: examination?.families ?? [],
    familiesLeftOut: examination?.familiesLeftOut ?? 0,
    findings,
    answers: answers.map(({ name, problem, contentType, bytes, wireBytes, isGzip, tookMs, exemplars }) => ({
      askedFor: name,
      problem: problem ?? null,
      contentType: contentType ?? null,
      bytes,
      wireBytes,
      gzip: isGzip,
      milliseconds: Math.round(tookMs),
      exemplars,
    })),
    repeats: repeats ?? null,
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

export function reportAsText(report: MetricsReport): string {
  const { source, answers, findings } = report;
  const examination = report.examination?.findings.some(isNoMetrics) ? undefined : report.examination;
  const parts = [
    `${source}\n`,
    answers.length > 0 ? textTable(ANSWER_COLUMNS, answers) : '',
    examination === undefined ? '' : summary(examination),
    examination === undefined ? '' : familyTable(examination),
    examination === undefined ? '' : errorList(examination),
    findingList(findings),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

const ANSWER_COLUMNS: readonly Column<VariantReport>[] = [
  { title: 'ASKED FOR', cell: ({ name }) => name },
  { title: 'ANSWER', cell: ({ problem, contentType }) => shortened(problem ?? contentType ?? 'no Content-Type', 42) },
  { title: 'BYTES', cell: ({ bytes, problem }) => (problem === undefined ? readableBytes(bytes) : '-'), align: 'right' },
  { title: 'GZIP', cell: ({ isGzip, wireBytes }) => (isGzip ? readableBytes(wireBytes) : '-'), align: 'right' },
  { title: 'TIME', cell: ({ tookMs }) => `${Math.round(tookMs)}ms`, align: 'right' },
  { title: 'EXEMPLARS', cell: ({ exemplars, problem }) => (problem === undefined ? String(exemplars) : '-'), align: 'right' },
]; // biome-ignore format: a table

const FORMAT_NAMES: ReadonlyMap<string, string> = new Map([
  ['openmetrics', 'OpenMetrics'],
  ['openmetrics2', 'OpenMetrics 2.0'],
  ['text', 'classic text'],
  ['protobuf', 'protobuf'],
]);

function summary({ format, verdicts, errors, prometheusError, contentTypeError, exemplars, seriesLines, families, familiesLeftOut, library, bytes }: Examination): string {
  const more = errors.length >= 100 ? ' or more' : '';
  const specification =
    format === 'openmetrics2' ? 'is another version'
    : verdicts === undefined ? 'has no rules for protobuf'
    : verdicts.openmetrics === 'accept' ? 'conforms'
    : format === 'text' ? 'is another format'
    : `does not conform: ${countOf(errors.length, 'error')}${more}`;
  const prometheus =
    format === 'openmetrics2' ? 'does not read it'
    : verdicts === undefined ? 'reads protobuf; its verdict is given on text alone'
    : verdicts.prometheus === 'accept' ? 'takes it in'
    : contentTypeError === undefined ? 'fails the whole scrape'
    : prometheusError === undefined ? 'fails the whole scrape for its Content-Type; the body itself would be taken in'
    : 'fails the whole scrape, for its Content-Type and for its body';
  const rows: readonly (readonly [string, string])[] = [
    ['Format', `${FORMAT_NAMES.get(format) ?? format}, ${readableBytes(bytes)}`],
    ['Written by', library?.name ?? 'an unknown library'],
    ['OpenMetrics 1.0', specification],
    ['Prometheus 3', prometheus],
    ['Exemplars', `${exemplars}, on ${countOf(seriesLines, 'line')} of samples (metric families: ${families.length + familiesLeftOut})`],
  ];
  return rows.map(([title, text]) => `${title.padEnd(17)}${text}\n`).join('');
} // biome-ignore format: a table

function familyTable({ families, exemplars }: Examination): string {
  if (exemplars === 0) return '';
  const withExemplars = families.filter((family) => family.exemplars > 0);
  const listed = withExemplars.slice(0, MAX_LISTED);
  const others = withExemplars.length - listed.length;
  const more = others > 0 ? `and ${others} more\n` : '';
  return `${textTable(FAMILY_COLUMNS, listed)}${more}`;
}

const FAMILY_COLUMNS: readonly Column<FamilyFigures>[] = [
  { title: 'FAMILY', cell: ({ name }) => shortened(name, 50) },
  { title: 'TYPE', cell: ({ type }) => shortened(type, 14) },
  { title: 'LINES', cell: ({ series }) => String(series), align: 'right' },
  { title: 'EXEMPLARS', cell: ({ exemplars }) => String(exemplars), align: 'right' },
  { title: 'BYTES', cell: ({ bytes }) => readableBytes(bytes), align: 'right' },
];

function errorList({ errors }: Examination): string {
  if (errors.length < 2) return '';
  const listed = errors.slice(0, MAX_LISTED);
  const others = errors.length - listed.length;
  const lines = listed.map(({ line, column, message }) =>
    paragraph(message, WIDTH, `${line}:${column}: `, '    '),
  );
  return `Errors\n${lines.join('')}${others > 0 ? `and ${others} more\n` : ''}`;
}

const TITLES = { error: 'ERROR    ', warning: 'WARNING  ', info: 'INFO     ' };

function findingList(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'Nothing to complain about.\n';
  return findings
    .map(({ severity, message, next, line, column }) => {
      const place =
        line === undefined ? '' : `line ${line}${column === undefined ? '' : `, column ${column}`}: `;
      const text = paragraph(`${place}${message}`, WIDTH, TITLES[severity]);
      return `${text}${next === '' ? '' : paragraph(next, WIDTH, '       → ', ' '.repeat(9))}`;
    })
    .join('\n');
}

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
