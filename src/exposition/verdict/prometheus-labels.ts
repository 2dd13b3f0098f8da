import { isUtf8 } from 'node:buffer';
import { METRIC_NAME } from '../../model/labels.js';
import { unescapeText } from '../sample-line.js';

/** Up to here, comparing each with each is quicker than any table. */
const MAX_COMPARED = 16;

const BACKSLASH = 0x5c;
const METRIC_NAME_BYTES = Buffer.from(METRIC_NAME);

/** The label set of one sample, as offsets into the body: what Prometheus checks when it appends the sample. */
export class PrometheusLabels {
  readonly #body: Buffer;
  /** Of each label: start and end of its name, start and end of its value, without quotes. */
  #bounds = new Int32Array(4 * MAX_COMPARED);
  #count = 0;
  /** A quoted name or metric name, whose text may be anything. */
  #hasQuotedName = false;
  #nameStart = 0;
  /** Below `#nameStart` while there is none. */
  #nameEnd = -1;

  constructor(body: Buffer) {
    this.#body = body;
  }

  get hasMetricName(): boolean {
    return this.#nameEnd >= this.#nameStart;
  }

  begin(): void {
    this.#count = 0;
    this.#hasQuotedName = false;
    this.#nameStart = 0;
    this.#nameEnd = -1;
  }

  setMetricName(start: number, end: number, isQuoted: boolean): void {
    this.#nameStart = start;
    this.#nameEnd = end;
    if (isQuoted) this.#hasQuotedName = true;
  }

  add(nameStart: number, nameEnd: number, isQuoted: boolean, valueStart: number, valueEnd: number): void {
    const at = 4 * this.#count++;
    if (at === this.#bounds.length) {
      const larger = new Int32Array(2 * at);
      larger.set(this.#bounds);
      this.#bounds = larger;
    }
    this.#bounds[at] = nameStart;
    this.#bounds[at + 1] = nameEnd;
    this.#bounds[at + 2] = valueStart;
    this.#bounds[at + 3] = valueEnd;
    if (isQuoted) this.#hasQuotedName = true;
  }

  /** Why the sample would be refused, and with it the scrape; undefined if it is not. */
  refusal(): string | undefined {
    if (!this.#hasQuotedName && this.#count <= MAX_COMPARED && !this.#mayRepeat()) return undefined;
    return this.#refusalOfTexts();
  }

  /** Whether a name stands twice, or is that of the metric name. */
  #mayRepeat(): boolean {
    const bounds = this.#bounds;
    const end = 4 * this.#count;
    for (let i = 0; i < end; i += 4) {
      const length = bounds[i + 1]! - bounds[i]!;
      if (length === METRIC_NAME_BYTES.length && this.#isMetricNameLabel(bounds[i]!)) return true;
      for (let j = 0; j < i; j += 4) {
        if (bounds[j + 1]! - bounds[j]! === length && this.#isSame(bounds[i]!, bounds[j]!, length))
          return true;
      }
    }
    return false;
  }

  #isMetricNameLabel(at: number): boolean {
    const end = at + METRIC_NAME_BYTES.length;
    return this.#body.compare(METRIC_NAME_BYTES, 0, METRIC_NAME_BYTES.length, at, end) === 0;
  }

  #isSame(a: number, b: number, length: number): boolean {
    const body = this.#body;
    for (let i = 0; i < length; i++) if (body[a + i] !== body[b + i]) return false;
    return true;
  }

  #refusalOfTexts(): string | undefined {
    const names = new Map<string, { count: number; isEmpty: boolean }>();
    const tell = (name: string, isEmpty: boolean) => {
      const known = names.get(name);
      if (known === undefined) names.set(name, { count: 1, isEmpty });
      else {
        known.count++;
        known.isEmpty ||= isEmpty;
      }
    };
    let hasInvalidUtf8 = !this.#isValid(this.#nameStart, this.#nameEnd);
    tell(METRIC_NAME, this.#nameEnd === this.#nameStart);
    for (let at = 0; at < 4 * this.#count; at += 4) {
      const bounds = this.#bounds;
      const isEmpty = bounds[at + 2] === bounds[at + 3];
      if (!isEmpty && !this.#isValid(bounds[at]!, bounds[at + 1]!)) hasInvalidUtf8 = true;
      tell(this.#text(bounds[at]!, bounds[at + 1]!), isEmpty);
    }
    // Where one value is empty, all labels of that name are left out.
    for (const [name, { isEmpty }] of names) if (isEmpty) names.delete(name);
    if (!names.has(METRIC_NAME)) return 'missing metric name (__name__ label)';
    if (hasInvalidUtf8 || names.has('')) return 'invalid metric name or label names';
    for (const [name, { count }] of names) {
      if (count > 1) return `label name "${shortened(name)}" is not unique: invalid sample`;
    }
    return undefined;
  }

  #isValid(start: number, end: number): boolean {
    return isUtf8(this.#body.subarray(start, end));
  }

  #text(start: number, end: number): string {
    const text = this.#body.toString('utf8', start, end);
    return this.#body.subarray(start, end).includes(BACKSLASH) ? unescapeText(text) : text;
  }
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
