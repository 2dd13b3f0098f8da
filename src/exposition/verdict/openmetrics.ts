import { isUtf8 } from 'node:buffer';
import { MAX_EXEMPLAR_CODE_POINTS } from '../../model/exemplar.js';
import type { ExpositionError } from './exposition-error.js';
import { type Keyword, OpenMetricsFamilies } from './openmetrics-families.js';
import type { OpenMetricsLabels } from './openmetrics-labels.js';
import { named, OpenMetricsReport, quoted } from './openmetrics-report.js';
import { OpenMetricsSample } from './openmetrics-sample.js';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const HASH = 0x23;
const UNDERSCORE = 0x5f;

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const EOF = '# EOF';
const METADATA = /^# (TYPE|HELP|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) /;

/** Enough to see what is going on, and few enough to be read. */
export const MAX_ERRORS = 100;

/**
 * Whether `body[0, length)` conforms to OpenMetrics 1.0 (text format), of which this follows the grammar and each rule
 * that a single exposition can break. Canonical numbers are not asked for: parsers must take others.
 *
 * Linear in the length.
 * @returns the errors in the order of the body, at most `maxErrors`; none for a body that conforms
 */
export function openmetricsVerdict(body: Buffer, length: number, maxErrors = MAX_ERRORS): ExpositionError[] {
  return new OpenMetricsBody(body, length, maxErrors).verdict();
}

class OpenMetricsBody {
  readonly #body: Buffer;
  readonly #length: number;
  readonly #report: OpenMetricsReport;
  readonly #families: OpenMetricsFamilies;
  readonly #sample: OpenMetricsSample;
  readonly #isUtf8: boolean;
  #hasCarriageReturn = false;
  #hasEof = false;

  constructor(body: Buffer, length: number, maxErrors: number) {
    this.#body = body;
    this.#length = length;
    this.#report = new OpenMetricsReport(body, maxErrors);
    this.#families = new OpenMetricsFamilies(this.#report, body);
    this.#sample = new OpenMetricsSample(body);
    this.#isUtf8 = isUtf8(body.subarray(0, length));
  }

  verdict(): ExpositionError[] {
    const report = this.#report;
    let at = 0;
    while (at < this.#length && !this.#hasEof && !report.isFull) {
      const newline = this.#body.indexOf(NEWLINE, at);
      const end = newline < 0 || newline > this.#length ? this.#length : newline;
      report.line++;
      report.lineStart = at;
      this.#takeLine(at, end);
      at = end + 1;
    }
    if (report.isFull) return report.sorted();
    if (!this.#hasEof) this.#tellAtEnd(at, 'the exposition must end with a line # EOF');
    else if (at < this.#length) this.#tellAtEnd(at, 'nothing may follow # EOF');
    this.#families.end();
    return report.sorted();
  }

  /** @param at where a further line starts, or would start */
  #tellAtEnd(at: number, message: string): void {
    const report = this.#report;
    if (at <= this.#length) {
      report.line++;
      report.lineStart = at;
    }
    report.add(Math.min(at, this.#length), message);
  }

  #takeLine(start: number, lineEnd: number): void {
    const body = this.#body;
    const report = this.#report;
    if (start === 0 && body.subarray(0, Math.min(3, this.#length)).equals(BYTE_ORDER_MARK)) {
      report.add(start, 'no byte order mark may stand here');
      return;
    }
    const end = this.#endWithoutCarriageReturn(start, lineEnd);
    if (!this.#isUtf8 && !isUtf8(body.subarray(start, end)))
      report.add(start, 'this line is not valid UTF-8');
    else if (start === end) report.add(start, 'no line may be blank');
    else if (body[start] === HASH) this.#takeComment(start, end);
    else this.#takeSample(start, end);
  }

  /** Where all lines end so, one error is enough. */
  #endWithoutCarriageReturn(start: number, end: number): number {
    if (end === start || this.#body[end - 1] !== CARRIAGE_RETURN) return end;
    if (!this.#hasCarriageReturn)
      this.#report.add(end - 1, 'lines must end with a line feed alone, without a carriage return');
    this.#hasCarriageReturn = true;
    return end - 1;
  }

  #takeComment(start: number, end: number): void {
    const line = this.#body.toString('utf8', start, end);
    if (line === EOF) {
      this.#hasEof = true;
      return;
    }
    const [beginning, keyword, name] = METADATA.exec(line) ?? [];
    if (beginning === undefined) {
      this.#report.add(start, `a line that starts with # must be # TYPE, # HELP, # UNIT (each with a name and a text, single spaces between) or # EOF, not ${quoted(line)}`); // biome-ignore format: one text
      return;
    }
    const text = line.slice(beginning.length);
    // Up to the text, all is ASCII.
    const textAt = start + beginning.length;
    this.#families.takeMetadata(keyword as Keyword, name!, text, textAt);
    if (keyword === 'HELP' && !isEscaped(text))
      this.#report.add(
        textAt,
        'in a help text, double quotes and backslashes must be escaped by a backslash',
      );
  }

  #takeSample(start: number, end: number): void {
    const sample = this.#sample;
    if (!sample.read(start, end)) {
      this.#report.add(sample.problemAt, sample.problem);
      return;
    }
    this.#checkLabels(sample.labels, start);
    if (sample.exemplarAt >= 0) {
      this.#checkLabels(sample.exemplarLabels, sample.exemplarAt);
      this.#checkLength(sample);
    }
    this.#families.takeSample(sample);
  }

  #checkLabels(labels: OpenMetricsLabels, at: number): void {
    const repeated = labels.findRepeated();
    if (repeated >= 0)
      this.#report.add(labels.nameAt(repeated), `the label ${named(labels.name(repeated))} stands twice`);
    for (let i = 0; i < labels.count; i++) {
      if (this.#body[labels.nameAt(i)] !== UNDERSCORE) continue;
      this.#report.add(Math.max(at, labels.nameAt(i)), `label names that start with an underscore are reserved: ${named(labels.name(i))}`); // biome-ignore format: one text
      return;
    }
  }

  #checkLength({ exemplarLabels, exemplarAt }: OpenMetricsSample): void {
    const codePoints = exemplarLabels.codePoints();
    if (codePoints > MAX_EXEMPLAR_CODE_POINTS)
      this.#report.add(exemplarAt, `names and values of an exemplar's labels may have ${MAX_EXEMPLAR_CODE_POINTS} characters together; these have ${codePoints}`); // biome-ignore format: one text
  }
}

/** Whether each quote has a backslash before it, and each backslash something behind it. */
function isEscaped(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') return false;
    if (text[at] === '\\' && ++at === text.length) return false;
  }
  return true;
}
