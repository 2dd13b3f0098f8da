import { NumberText } from '../number-text.js';
import { NumberKind, numberKind } from './number-bytes.js';
import { OpenMetricsLabels } from './openmetrics-labels.js';
import { METRIC_PART, METRIC_START, NAME_BYTES } from './prometheus-tokens.js';

const SPACE = 0x20;
const HASH = 0x23;
const OPEN = 0x7b;

/** One sample line by the grammar of OpenMetrics 1.0. Fields hold until the next `read`. */
export class OpenMetricsSample {
  nameEnd = 0;
  readonly labels: OpenMetricsLabels;
  value = 0;
  valueAt = 0;
  /** Seconds; NaN without one. */
  timestamp = Number.NaN;
  timestampAt = 0;
  timestampEnd = 0;
  /** Its opening brace; -1 without one. */
  exemplarAt = -1;
  readonly exemplarLabels: OpenMetricsLabels;
  exemplarValue = 0;
  exemplarValueAt = 0;

  /** What is wrong, and where, after `read` returned false. */
  problem = '';
  problemAt = 0;

  readonly #body: Buffer;
  readonly #number = new NumberText();

  constructor(body: Buffer) {
    this.#body = body;
    this.labels = new OpenMetricsLabels(body);
    this.exemplarLabels = new OpenMetricsLabels(body);
  }

  get hasTimestamp(): boolean {
    return !Number.isNaN(this.timestamp);
  }

  /** Reads the line `[start, end)`, its newline left out. */
  read(start: number, end: number): boolean {
    const body = this.#body;
    this.labels.count = 0;
    this.timestamp = Number.NaN;
    this.exemplarAt = -1;
    let at = this.#readName(start, end);
    if (at < 0) return false;
    if (body[at] === OPEN && at < end) at = this.#readLabels(this.labels, at, end);
    if (at < 0) return false;
    at = this.#readNumber(at, end, 'the value');
    if (at < 0) return false;
    this.value = this.#number.value;
    this.valueAt = this.#tokenAt;
    if (at < end && !isExemplarStart(body, at, end)) {
      at = this.#readTimestamp(at, end, 'the timestamp');
      if (at < 0) return false;
      this.timestamp = this.#number.value;
      this.timestampAt = this.#tokenAt;
      this.timestampEnd = at;
    }
    return at === end || this.#readExemplar(at, end);
  }

  #tokenAt = 0;

  #readName(start: number, end: number): number {
    const body = this.#body;
    if ((NAME_BYTES[body[start]!]! & METRIC_START) === 0) {
      const isBlank = body[start] === SPACE;
      return this.#fail(
        start,
        isBlank ? 'no line may start with a space' : 'a metric name must stand here: letters, digits, underscores and colons, no digit first', // biome-ignore format: two texts
      );
    }
    let at = start + 1;
    while (at < end && (NAME_BYTES[body[at]!]! & METRIC_PART) !== 0) at++;
    this.nameEnd = at;
    return at;
  }

  #readLabels(labels: OpenMetricsLabels, open: number, end: number): number {
    const at = labels.read(open, end);
    return at < 0 ? this.#fail(labels.problemAt, labels.problem) : at;
  }

  /** Reads ` number`. @returns its end, -1 without one */
  #readNumber(at: number, end: number, what: string): number {
    const body = this.#body;
    if (at >= end) return this.#fail(at, `${what} is missing`);
    if (body[at] !== SPACE) return this.#fail(at, `one space, and then ${what}, must stand here`);
    const from = at + 1;
    let to = from;
    while (to < end && body[to] !== SPACE) to++;
    this.#tokenAt = from;
    if (to === from) return this.#fail(from, `${what} is missing, or there is a space too many`);
    const kind = numberKind(body, from, to);
    if (kind === NumberKind.outOfRange) return this.#fail(from, `${what} does not fit into 64 bits`);
    if (kind === NumberKind.none || !this.#number.parse(body, from, to))
      return this.#fail(from, `${what} is not a number (decimal, NaN, +Inf or -Inf)`);
    return to;
  }

  #readTimestamp(at: number, end: number, what: string): number {
    const after = this.#readNumber(at, end, what);
    if (after < 0 || Number.isFinite(this.#number.value)) return after;
    return this.#fail(at + 1, `${what} must be a number of seconds, not NaN or infinite`);
  }

  #readExemplar(start: number, end: number): boolean {
    if (!isExemplarStart(this.#body, start, end)) {
      this.#fail(start, 'only an exemplar, ` # {labels} value`, may follow here');
      return false;
    }
    const open = start + 3;
    if (this.#body[open] !== OPEN || open >= end) {
      this.#fail(open, 'the labels of the exemplar must stand in braces; without labels {}');
      return false;
    }
    const labelsEnd = this.#readLabels(this.exemplarLabels, open, end);
    if (labelsEnd < 0) return false;
    let at = this.#readNumber(labelsEnd, end, 'the value of the exemplar');
    if (at < 0) return false;
    this.exemplarValue = this.#number.value;
    this.exemplarValueAt = this.#tokenAt;
    if (at < end) at = this.#readTimestamp(at, end, 'the timestamp of the exemplar');
    if (at < 0) return false;
    if (at < end) {
      this.#fail(at, 'nothing may follow the exemplar, in OpenMetrics 1.0 no second one either');
      return false;
    }
    this.exemplarAt = open;
    return true;
  }

  #fail(at: number, problem: string): -1 {
    this.problemAt = at;
    this.problem = problem;
    return -1;
  }
}

/** Whether ` # ` stands there. */
function isExemplarStart(body: Buffer, at: number, end: number): boolean {
  return at + 2 < end && body[at] === SPACE && body[at + 1] === HASH && body[at + 2] === SPACE;
}
