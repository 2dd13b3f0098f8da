import { ExemplarText } from '../../src/exposition/exemplar-text.js';
import { parseSampleLine, SampleText } from '../../src/exposition/sample-line.js';
import { decodeLabels } from '../../src/model/encoded-labels.js';
import {
  type EncodedExemplar,
  MAX_EXEMPLAR_CODE_POINTS,
  type Sample,
  Verdict,
} from '../../src/model/exemplar.js';
import { formatLabels, type Labels, labelsToJson } from '../../src/model/labels.js';
import type { Metadata } from '../../src/model/metadata.js';
import type { SeriesRef } from '../../src/model/refs.js';
import { BodyReader } from '../../src/scrape/body-reader.js';
import { type BodyRules, bodyRulesOf } from '../../src/scrape/body-rules.js';
import { ExemplarRelabelling } from '../../src/scrape/exemplar-relabelling.js';
import type { ExemplarSink } from '../../src/scrape/exemplar-sink.js';
import { DEFAULT_SCRAPE_JOB } from '../../src/scrape/options.js';
import { seriesLabels } from '../../src/scrape/series-labels.js';
import { viewOf } from '../../src/util/bytes.js';
import { parseGoFloat } from '../../src/util/go-float.js';
import { doAtOnce } from '../../src/util/time-slices.js';

export const NO_RULES: BodyRules = bodyRulesOf({ ...DEFAULT_SCRAPE_JOB, jobName: 'j' });

/** An exemplar as it was appended. */
export interface Row {
  readonly series: string;
  readonly labels: string;
  readonly value: number;
  readonly timestampMs: number;
  readonly isTimed: boolean;
  readonly sample: Sample;
}

/** A sink that writes down what it is shown, and judges as it is told to. */
export class RecordingSink implements ExemplarSink {
  rows: Row[] = [];
  /** Since the last commit. */
  #uncommitted: Row[] = [];
  seenAgainCount = 0;
  readonly rejected: string[] = [];
  hasReaders = true;
  judge: (row: Row) => Verdict = () => Verdict.accepted;
  readonly #refs = new Map<string, SeriesRef>();
  readonly #names: string[] = [''];
  readonly #generations: number[] = [0];

  seriesOf(labels: Labels): SeriesRef {
    const name = formatLabels(labels);
    const known = this.#refs.get(name);
    if (known !== undefined) return known;
    const ref = this.#names.push(name) - 1;
    this.#generations[ref] = 7;
    this.#refs.set(name, ref as SeriesRef);
    return ref as SeriesRef;
  }

  /** As if the store had needed the place of the series. */
  forget(series: string): void {
    const ref = this.#refs.get(series);
    if (ref === undefined) return;
    this.#generations[ref]!++;
    this.#refs.delete(series);
  }

  generation(series: SeriesRef): number {
    return this.#generations[series]!;
  }

  append(series: SeriesRef, exemplar: EncodedExemplar, sample: Sample): Verdict {
    const row = rowOf(this.#names[series]!, exemplar, sample);
    this.#uncommitted.push(row);
    return this.judge(row);
  }

  seenAgain(): void {
    this.seenAgainCount++;
  }

  countRejected(series: SeriesRef, verdict: Verdict): void {
    this.rejected.push(`${this.#names[series]} ${verdict}`);
  }

  readonly described = new Map<string, Metadata>();
  readonly stale: string[] = [];

  describe(series: SeriesRef, metadata: Metadata): void {
    this.described.set(this.#names[series]!, metadata);
  }

  markStale(series: SeriesRef): void {
    this.stale.push(this.#names[series]!);
  }

  commit(): void {
    this.rows = this.rows.concat(this.#uncommitted);
    this.#uncommitted = [];
  }

  /** What has come since the last call. */
  take(): Row[] {
    const { rows } = this;
    this.rows = [];
    return rows;
  }
}

function rowOf(series: string, exemplar: EncodedExemplar, sample: Sample): Row {
  const isTooLong = exemplar.codePoints > MAX_EXEMPLAR_CODE_POINTS;
  return {
    series,
    labels: isTooLong ? 'too long' : labelsToJson(decodeLabels(exemplar.labels, 0, exemplar.labelsLength)),
    value: exemplar.value,
    timestampMs: exemplar.timestampMs,
    isTimed: exemplar.hasOwnTimestamp,
    sample: { value: sample.value, timestampMs: sample.timestampMs, startMs: sample.startMs },
  };
}

/** A body reader, and the buffer its bodies come in, full of what was in it before. */
export class ReusedBuffer {
  readonly reader: BodyReader;
  #bytes = Buffer.alloc(16, 'a 1 # {x="y"} 1\n');

  constructor(sink: ExemplarSink, targetLabels: Labels = [], rules: BodyRules = NO_RULES) {
    this.reader = new BodyReader(sink, targetLabels, rules);
  }

  read(body: Buffer | string, scrapeMs = 1000) {
    const bytes = Buffer.from(body);
    if (bytes.length > this.#bytes.length) {
      this.#bytes = Buffer.concat([bytes, this.#bytes]);
    } else bytes.copy(this.#bytes);
    return doAtOnce(this.reader.read(this.#bytes, viewOf(this.#bytes), bytes.length, scrapeMs));
  }
}

/** All a body reader does, line by line and without a memory of earlier bodies. */
export function readSlowly(
  body: Buffer,
  targetLabels: Labels,
  rules: BodyRules,
  scrapeMs: number,
): Row[] | { error: string } {
  if (body.length === 0) return [];
  const text = body.at(-1) === 0x0a ? body.subarray(0, -1) : body;
  const lines = splitLines(text);
  if (lines.pop()?.equals(EOF) !== true) return { error: 'no EOF' };
  if (lines.some((line) => line.equals(EOF))) return { error: 'text after EOF' };
  const rows: Row[] = [];
  let type: string | undefined;
  for (const [i, line] of lines.entries()) {
    if (line.subarray(0, 7).toString('latin1') === '# TYPE ')
      type = line.toString('latin1').split(' ').at(-1);
    const found = rowsOfLine(line, type, targetLabels, rules, scrapeMs, () => startMsOf(lines, i));
    if ('error' in found) return found;
    rows.push(...found);
  }
  return rows;
}

const EOF = Buffer.from('# EOF');

function splitLines(text: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', start)) {
    lines.push(text.subarray(start, at));
    start = at + 1;
  }
  return [...lines, text.subarray(start)];
}

function rowsOfLine(
  line: Buffer,
  type: string | undefined,
  targetLabels: Labels,
  rules: BodyRules,
  scrapeMs: number,
  startMs: () => number,
): Row[] | { error: string } {
  const sample = parseSampleLine(line, 0, line.length);
  if (sample === undefined || sample.sampleEnd === line.length) return [];
  const result = seriesLabels(sample, type, targetLabels, rules);
  if ('refused' in result) return { error: result.refused };
  if (!('labels' in result)) return [];
  const value = new SampleText();
  value.parse(line, sample.seriesEnd, line.length);
  const isTimed = rules.honorTimestamps && !Number.isNaN(value.timestampMs);
  const sampleMs = isTimed ? value.timestampMs : scrapeMs;
  const rows: Row[] = [];
  const exemplar = new ExemplarText();
  const relabelling = new ExemplarRelabelling(rules.exemplarRelabelRules);
  for (let at = sample.sampleEnd + 3; at < line.length; ) {
    const end = exemplar.parse(line, at, line.length);
    if (end < 0) break;
    if (!exemplar.hasOwnTimestamp) exemplar.timestampMs = sampleMs;
    const shown = { value: value.value, timestampMs: sampleMs, startMs: startMs() };
    const rewritten = relabelling.rewrite(exemplar);
    if (rewritten !== undefined) rows.push(rowOf(formatLabels(result.labels), rewritten, shown));
    at = end + 3;
  }
  return rows;
}

/** By the first `_created` line behind the line, or the last before it. */
function startMsOf(lines: readonly Buffer[], i: number): number {
  const texts = lines.map((line) => line.toString('latin1'));
  const wanted = createdOf(texts[i]!.slice(0, parseSampleLine(lines[i]!, 0, lines[i]!.length)!.seriesEnd));
  const isCreated = (text: string) => wanted !== undefined && text.startsWith(`${wanted} `);
  const found = texts.slice(i + 1).find(isCreated) ?? texts.slice(0, i).findLast(isCreated);
  const value =
    found === undefined ? undefined : parseGoFloat(found.slice(wanted!.length + 1).split(' ')[0]!);
  const startMs = Math.trunc((value ?? 0) * 1000);
  return startMs > 0 && Number.isSafeInteger(startMs) ? startMs : 0;
}

/** The raw series of the `_created` line that goes with a raw series. */
function createdOf(raw: string): string | undefined {
  const [, open, family, suffix = '', close, labels] =
    /^(\{"|)((?:\\.|[^"\\{])+?)(_total|_bucket|_count|_sum|_created)?("|)((?:[{,].*)?\}?)$/s.exec(raw) ?? [];
  if (family === undefined || suffix === '_created') return undefined;
  const bound = suffix === '' ? 'quantile' : 'le';
  const rest = labels!.replace(new RegExp(`([{,])${bound}="(?:[^"\\\\]|\\\\.)*"(,?)`), (_, before, after) =>
    before === ',' && after === '' ? '' : before,
  );
  return `${open}${family}_created${close}${rest === '{}' && rest !== labels ? '' : rest}`;
}
