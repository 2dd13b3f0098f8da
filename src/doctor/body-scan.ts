import { ExemplarText, isExemplarStart } from '../exposition/exemplar-text.js';
import { SampleText, seriesEnd } from '../exposition/sample-line.js';
import { METRIC_TYPES } from '../exposition/verdict/openmetrics-types.js';
import { type ExemplarPlace, type ExemplarRules, ExemplarTally } from './exemplar-tally.js';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const OPEN = 0x7b;

/** Of one metric family, as far as its lines can be read. */
export interface FamilyFigures {
  readonly name: string;
  /** As the TYPE line has it; `unknown` without one. */
  type: string;
  unit: string;
  /** Lines of samples. */
  series: number;
  exemplars: number;
  /** Of all its lines. */
  bytes: number;
}

/** `# TYPE name text` and the like, in either text format. */
const METADATA = /^#[ \t]+(TYPE|UNIT|HELP)[ \t]+(?:"((?:[^"\\]|\\.)*)"|([^ \t"]+))(?:[ \t](.*))?$/s;
const MAX_METADATA_BYTES = 1024;
const NODE_TELEMETRY = 'telemetry_sdk_language="nodejs"';

/**
 * Goes through a body line by line: families, and every exemplar. Lines that are no samples are passed over; what is
 * wrong with them is for the verdicts to say.
 */
export class BodyScan {
  readonly families = new Map<string, FamilyFigures>();
  readonly exemplars: ExemplarTally;
  seriesLines = 0;
  /** Lines that another line has the series of, neither having a timestamp. */
  repeatedSeries = 0;
  /** The line of the first of them, from 1; 0 without any. */
  repeatedAtLine = 0;
  /** A counter whose samples have no `_total`: the first, and how many families. */
  counterWithoutTotal = '';
  countersWithoutTotal = 0;
  isNodeTelemetry = false;

  readonly #body: Buffer;
  readonly #length: number;
  readonly #sample = new SampleText();
  readonly #exemplar = new ExemplarText();
  /** Hashes of series met. */
  readonly #series = new Set<number>();
  #line = 0;
  /** The next hash of the body: lines before it have no exemplars. */
  #hash = -1;
  #typed: FamilyFigures | undefined;
  /** The name of the sample before, and what followed from it. */
  #name: Buffer = Buffer.alloc(0);
  #family: FamilyFigures | undefined;
  #suffix = '';

  constructor(body: Buffer, length: number, rules: ExemplarRules) {
    this.#body = body;
    this.#length = length;
    this.exemplars = new ExemplarTally(body, rules);
    for (let at = 0; at < length; ) {
      const newline = body.indexOf(NEWLINE, at);
      const next = newline < 0 || newline >= length ? length : newline + 1;
      this.#takeLine(at, next === length && body[length - 1] !== NEWLINE ? length : next - 1, next);
      at = next;
    }
  }

  #takeLine(start: number, newline: number, next: number): void {
    const body = this.#body;
    this.#line++;
    const end = newline > start && body[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline;
    if (start === end) return;
    if (body[start] === HASH) this.#takeMetadata(start, end, next);
    else this.#takeSample(start, end, next);
  }

  #takeMetadata(start: number, end: number, next: number): void {
    const line = this.#body.toString('utf8', start, Math.min(end, start + MAX_METADATA_BYTES));
    const [, keyword, quotedName, plainName, text = ''] = METADATA.exec(line) ?? [];
    const name = quotedName ?? plainName;
    if (name === undefined) return;
    const family = this.#familyOf(name);
    family.bytes += next - start;
    if (keyword === 'TYPE') {
      family.type = text;
      this.#typed = family;
      this.#name = Buffer.alloc(0);
    } else if (keyword === 'UNIT') family.unit = text;
  }

  #familyOf(name: string): FamilyFigures {
    const known = this.families.get(name);
    if (known !== undefined) return known;
    const family = { name, type: 'unknown', unit: '', series: 0, exemplars: 0, bytes: 0 };
    this.families.set(name, family);
    return family;
  }

  #takeSample(start: number, end: number, next: number): void {
    const seriesTo = seriesEnd(this.#body, start, end);
    if (seriesTo < 0) return;
    this.#meetName(start, seriesTo);
    const family = this.#family!;
    family.bytes += next - start;
    family.series++;
    this.seriesLines++;
    this.#meetSeries(start, seriesTo, end);
    if (this.#mayHaveExemplar(seriesTo, end)) this.#takeExemplars(start, seriesTo, end);
  }

  #mayHaveExemplar(from: number, end: number): boolean {
    if (this.#hash < from) {
      const found = this.#body.indexOf(HASH, from);
      this.#hash = found < 0 ? this.#length : found;
    }
    return this.#hash < end;
  }

  #takeExemplars(start: number, seriesTo: number, end: number): void {
    const body = this.#body;
    const first = this.#firstExemplar(seriesTo, end);
    if (first < 0) return;
    const family = this.#family!;
    const place = {
      line: this.#line,
      lineStart: start,
      lineEnd: end,
      at: first,
      family: family.name,
      isAllowed: METRIC_TYPES.get(family.type)?.samples.get(this.#suffix)?.mayHaveExemplar === true,
      isWholeHistogram: this.#suffix === '' && family.type.endsWith('histogram'),
    };
    const before = this.exemplars.count;
    if (this.#sample.parse(body, seriesTo, end) < 0) this.exemplars.addMalformed(place);
    else this.#readExemplars(place);
    family.exemplars += this.exemplars.count - before;
  }

  #readExemplars(place: ExemplarPlace): void {
    const { lineEnd } = place;
    for (let at = place.at; at < lineEnd; ) {
      const after = this.#exemplar.parse(this.#body, at, lineEnd);
      if (after < 0) {
        this.exemplars.addMalformed({ ...place, at });
        return;
      }
      this.exemplars.add(this.#exemplar, { ...place, at });
      at = after + 3;
    }
  }

  /** @returns the opening brace of the first exemplar behind the sample, -1 without one */
  #firstExemplar(from: number, end: number): number {
    for (let at = Math.max(from, this.#hash - 1); at < end; at++)
      if (isExemplarStart(this.#body, at) && at + 3 < end) return at + 3;
    return -1;
  }

  /** A line without a timestamp may stand only once. */
  #meetSeries(start: number, seriesTo: number, end: number): void {
    const body = this.#body;
    let valueEnd = seriesTo + 1;
    while (valueEnd < end && body[valueEnd] !== SPACE) valueEnd++;
    if (valueEnd < end && body[valueEnd + 1] !== HASH) return;
    const hash = seriesHash(body, start, seriesTo);
    const before = this.#series.size;
    this.#series.add(hash);
    if (this.#series.size > before) return;
    this.repeatedSeries++;
    if (this.repeatedAtLine === 0) this.repeatedAtLine = this.#line;
  }

  #meetName(start: number, seriesTo: number): void {
    const body = this.#body;
    const { length } = this.#name;
    const isAsBefore =
      length > 0 &&
      start + length <= seriesTo &&
      (start + length === seriesTo || body[start + length] === OPEN) &&
      body.compare(this.#name, 0, length, start, start + length) === 0;
    if (isAsBefore) return;
    const name = metricName(body, start, seriesTo);
    this.#name = body[start] === OPEN ? Buffer.alloc(0) : Buffer.from(name);
    const typed = this.#typed;
    const suffix =
      typed !== undefined && name.startsWith(typed.name) ? name.slice(typed.name.length) : undefined;
    const isOfTyped =
      typed !== undefined &&
      suffix !== undefined &&
      (suffix === '' || METRIC_TYPES.get(typed.type)?.samples.has(suffix) === true);
    this.#family = isOfTyped ? typed : this.#familyOf(name);
    this.#suffix = isOfTyped ? suffix : '';
    if (isOfTyped && typed.type === 'counter' && suffix === '') this.#meetCounterWithoutTotal(typed);
    if (name === 'target_info' && body.toString('latin1', start, seriesTo).includes(NODE_TELEMETRY))
      this.isNodeTelemetry = true;
  }

  #meetCounterWithoutTotal({ name }: FamilyFigures): void {
    if (name.endsWith('_total') || name === this.counterWithoutTotal) return;
    this.countersWithoutTotal++;
    this.counterWithoutTotal ||= name;
  }
}

function metricName(body: Buffer, start: number, seriesTo: number): string {
  if (body[start] !== OPEN) {
    const open = body.subarray(start, seriesTo).indexOf(OPEN);
    return body.toString('utf8', start, open < 0 ? seriesTo : start + open);
  }
  // `{"name",…}`
  if (body[start + 1] !== QUOTE) return '';
  const close = body.subarray(start + 2, seriesTo).indexOf(QUOTE);
  return close < 0 ? '' : body.toString('utf8', start + 2, start + 2 + close);
}

/** FNV-1a, of 32 bits twice: 53 bits that hardly ever meet by chance. */
function seriesHash(body: Buffer, start: number, end: number): number {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  for (let at = start; at < end; at++) {
    const byte = body[at]!;
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x85ebca6b);
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}
