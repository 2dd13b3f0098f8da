/**
 * OpenMetrics 2.0 (2.0.0-rc0) as OpenMetrics 1.0 text, so that everything behind knows one format: start timestamps
 * become `_created` lines, histograms and summaries on one line become their samples, and the exemplars of a classic
 * histogram go to their buckets.
 *
 *     h {count:3,sum:4.5,bucket:[1.0:2,+Inf:3]} st@9 # {trace_id="a"} 0.5 10
 *     ─►  h_bucket{le="1.0"} 2 # {trace_id="a"} 0.5 10
 *         h_bucket{le="+Inf"} 3
 *         h_sum 4.5
 *         h_count 3
 *         h_created 9
 */
import { parseGoFloat } from '../util/go-float.js';
import { ExemplarText } from './exemplar-text.js';
import { seriesText } from './line-text.js';
import { forEachSampleLine, typeOfComment } from './openmetrics.js';
import type { HistogramOptions } from './protobuf-text.js';
import { parseSeries } from './sample-line.js';

export interface ConvertedText {
  readonly text: Buffer;
  /** Exemplars without a timestamp, which 2.0 demands: left out. */
  readonly refusedExemplars: number;
}

type LabelPair = readonly [name: string, value: string];

interface Exemplar {
  /** As it stands in the line, from the space before it. */
  readonly text: string;
  readonly value: number;
}

/** One line in parts. */
interface Sample {
  readonly name: string;
  readonly labels: readonly LabelPair[];
  /** A number, or `{…}`. */
  readonly value: string;
  /** From the space before it; empty without one. */
  readonly time: string;
  /** Empty without one. */
  readonly start: string;
  readonly exemplars: readonly Exemplar[];
}

const VALUE = /^ (\{[^{}]*\}|[^ ]+)((?: [^ #{}@]+)?)(?: st@([^ ]+))?$/;

/** @param body in `[0, length)` */
export function openMetrics2ToText(body: Buffer, length: number, options: HistogramOptions): ConvertedText {
  const conversion = new Conversion(body, length, options);
  return { text: conversion.text(), refusedExemplars: conversion.refusedExemplars };
}

class Conversion {
  refusedExemplars = 0;
  readonly #body: Buffer;
  readonly #length: number;
  readonly #options: HistogramOptions;
  readonly #exemplar = new ExemplarText();
  readonly #parts: (Buffer | string)[] = [];
  /** Everything before it is in `#parts`. */
  #copiedTo = 0;

  constructor(body: Buffer, length: number, options: HistogramOptions) {
    this.#body = body;
    this.#length = length;
    this.#options = options;
  }

  text(): Buffer {
    let afterLastLine = 0;
    let type = '';
    forEachSampleLine(this.#body, this.#length, (start, end) => {
      type = this.#typeAfter(afterLastLine, start) ?? type;
      afterLastLine = end + 1;
      const lines = this.#convert(start, end, type);
      if (lines !== undefined) this.#replace(start, end, lines);
      return true;
    });
    this.#parts.push(this.#body.subarray(this.#copiedTo, this.#length));
    return Buffer.concat(this.#parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  }

  /** Of the last TYPE line among the comments in `[start, end)`. */
  #typeAfter(start: number, end: number): string | undefined {
    if (start === end) return undefined;
    const at = this.#body.subarray(start, end).lastIndexOf('# TYPE ');
    return at < 0 ? undefined : typeOfComment(this.#body, start + at);
  }

  #replace(start: number, end: number, lines: string): void {
    this.#parts.push(this.#body.subarray(this.#copiedTo, start), lines);
    this.#copiedTo = end;
  }

  /** @returns undefined where the line stays as it is, be it sound or not */
  #convert(start: number, end: number, type: string): string | undefined {
    const sample = this.#read(start, end);
    if (sample === undefined) return undefined;
    const lines = sample.value.startsWith('{') ? this.#composite(sample, type) : simple(sample);
    if (lines === undefined) return undefined;
    if (sample.start === '') return lines.join('\n');
    const family = type === 'counter' ? sample.name.replace(/_total$/, '') : sample.name;
    return [...lines, `${seriesText(`${family}_created`, sample.labels)} ${sample.start}`].join('\n');
  }

  #read(start: number, end: number): Sample | undefined {
    const series = parseSeries(this.#body, start, end);
    if (series === undefined) return undefined;
    const [name, ...labels] = series.labels;
    const line = this.#body.subarray(series.end, end);
    const hash = line.indexOf(' # {');
    const exemplarsAt = hash < 0 ? end : series.end + hash;
    const value = VALUE.exec(this.#body.toString('utf8', series.end, exemplarsAt));
    if (value === null) return undefined;
    const exemplars = this.#exemplars(exemplarsAt, end);
    return {
      name: name![1],
      labels,
      value: value[1]!,
      time: value[2]!,
      start: value[3] ?? '',
      exemplars,
    };
  }

  /** Up to the first that is malformed; what follows it goes with it. */
  #exemplars(at: number, end: number): Exemplar[] {
    const exemplars: Exemplar[] = [];
    while (at < end) {
      const next = this.#exemplar.parse(this.#body, at + 3, end);
      if (next < 0 || !this.#exemplar.hasOwnTimestamp) this.refusedExemplars++;
      else exemplars.push({ text: this.#body.toString('utf8', at, next), value: this.#exemplar.value });
      if (next < 0) break;
      at = next;
    }
    return exemplars;
  }

  #composite(sample: Sample, type: string): string[] | undefined {
    const fields = fieldsOf(sample.value);
    const count = fields?.get('count');
    const sum = fields?.get('sum');
    if (fields === undefined || count === undefined || sum === undefined) return undefined;
    const { name, labels, time } = sample;
    const line = (suffix: string, value: string, more: readonly LabelPair[] = []) =>
      `${seriesText(name + suffix, [...labels, ...more])} ${value}${time}`;
    const quantiles = pairsOf(fields.get('quantile'));
    if (type === 'summary')
      return [
        ...quantiles.map(([bound, value]) => line('', value, [['quantile', bound]])),
        line('_sum', sum),
        line('_count', count),
      ];
    const lines: string[] = [];
    const buckets = pairsOf(fields.get('bucket'));
    const isNative = fields.has('schema') && (this.#options.scrapeNativeHistograms || buckets.length === 0);
    if (isNative) lines.push(`${line('', count)}${sample.exemplars.map(({ text }) => text).join('')}`);
    if (isNative && !this.#options.alwaysScrapeClassicHistograms) return lines;
    const rest = new Set(sample.exemplars);
    for (const [bound, value] of buckets)
      lines.push(`${line('_bucket', value, [['le', bound]])}${takeUpTo(bound, rest)}`);
    const letter = type === 'gaugehistogram' ? 'g' : '';
    return [...lines, line(`_${letter}sum`, sum), line(`_${letter}count`, count)];
  }
}

/** A line whose value is a number: the same, its start timestamp and its refused exemplars left out. */
function simple({ name, labels, value, time, exemplars }: Sample): string[] {
  return [`${seriesText(name, labels)} ${value}${time}${exemplars.map(({ text }) => text).join('')}`];
}

/** Takes out the exemplars that fall below the bound of a bucket; those of smaller ones are gone already. */
function takeUpTo(bound: string, rest: Set<Exemplar>): string {
  const limit = parseGoFloat(bound) ?? Number.NaN;
  let text = '';
  for (const exemplar of rest) {
    if (!(exemplar.value <= limit)) continue;
    text += exemplar.text;
    rest.delete(exemplar);
  }
  return text;
}

/** `{count:3,bucket:[1.0:2,+Inf:3]}` → `count` → `3`, `bucket` → `1.0:2,+Inf:3`. */
function fieldsOf(value: string): Map<string, string> | undefined {
  const fields = new Map<string, string>();
  let rest = value.slice(1, -1);
  while (rest !== '') {
    const [whole, name, list, number] = /^([a-z_]+):(?:\[([^[\]]*)\]|([^,[\]]+))(?:,|$)/.exec(rest) ?? [];
    if (whole === undefined) return undefined;
    fields.set(name!, list ?? number!);
    rest = rest.slice(whole.length);
  }
  return fields;
}

function pairsOf(list = ''): LabelPair[] {
  return list.split(',').flatMap((pair) => {
    const colon = pair.lastIndexOf(':');
    return colon < 0 ? [] : [[pair.slice(0, colon), pair.slice(colon + 1)] as const];
  });
}
