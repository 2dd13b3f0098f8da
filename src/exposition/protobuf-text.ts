/**
 * The protobuf exposition as OpenMetrics text, line for line what Prometheus' parser makes of it, so that everything
 * behind the parser knows one format. Only a family at a time is held as objects.
 */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { goFloat } from '../util/json.js';
import { canonicalFloat } from './canonical-float.js';
import { type ExemplarParts, exemplarText, familyText, type LabelPair, secondsText, seriesText } from './line-text.js'; // biome-ignore format: one line

export interface HistogramOptions {
  /** Whether histograms are read as native ones where they are. */
  readonly scrapeNativeHistograms: boolean;
  /** Whether the classic buckets of a native histogram are read, too. */
  readonly alwaysScrapeClassicHistograms: boolean;
}

/** What is more may be the work of somebody who wishes to fill our memory: labels are repeated for every bucket. */
const MAX_EXPANSION = 64;
const MIN_LIMIT_BYTES = 16 * 1024 * 1024;

// What protobufjs makes of proto/metrics.proto: 64-bit numbers as numbers, fields not given left out.
interface TimestampMessage {
  readonly seconds?: number;
  readonly nanos?: number;
}
interface ExemplarMessage {
  readonly label?: readonly { readonly name?: string; readonly value?: string }[];
  readonly value?: number;
  readonly timestamp?: TimestampMessage;
}
interface HistogramMessage {
  readonly sampleCount?: number;
  readonly sampleCountFloat?: number;
  readonly sampleSum?: number;
  readonly bucket?: readonly {
    readonly cumulativeCount?: number;
    readonly cumulativeCountFloat?: number;
    readonly upperBound?: number;
    readonly exemplar?: ExemplarMessage;
  }[];
  readonly startTimestamp?: TimestampMessage;
  readonly zeroThreshold?: number;
  readonly zeroCount?: number;
  readonly zeroCountFloat?: number;
  readonly negativeSpan?: readonly unknown[];
  readonly positiveSpan?: readonly unknown[];
  readonly exemplars?: readonly ExemplarMessage[];
}
interface MetricMessage {
  readonly label?: readonly { readonly name?: string; readonly value?: string }[];
  readonly gauge?: { readonly value?: number };
  readonly counter?: {
    readonly value?: number;
    readonly exemplar?: ExemplarMessage;
    readonly startTimestamp?: TimestampMessage;
  };
  readonly summary?: {
    readonly sampleCount?: number;
    readonly sampleSum?: number;
    readonly quantile?: readonly { readonly quantile?: number; readonly value?: number }[];
    readonly startTimestamp?: TimestampMessage;
  };
  readonly untyped?: { readonly value?: number };
  readonly histogram?: HistogramMessage;
  readonly timestampMs?: number;
}
interface FamilyMessage {
  readonly name?: string;
  readonly help?: string;
  readonly type?: number;
  readonly metric?: readonly MetricMessage[];
  readonly unit?: string;
}

/** By the number of `MetricType`. */
const TYPES = ['counter', 'gauge', 'summary', 'unknown', 'histogram', 'gaugehistogram'];

/**
 * @param body messages in `[0, length)`, each behind its length
 * @returns lines of samples and comments, `# EOF` at the end
 * @throws {Error} when it is no such body, or stands for too much text
 */
export function protobufToText(body: Buffer, length: number, options: HistogramOptions): Buffer {
  const reader = protobuf.Reader.create(body.subarray(0, length));
  const limit = Math.max(MIN_LIMIT_BYTES, MAX_EXPANSION * length);
  const parts: Buffer[] = [];
  let bytes = 0;
  const family = familyType();
  while (reader.pos < reader.len) {
    const message: FamilyMessage = family.toObject(family.decodeDelimited(reader), { longs: Number });
    const lines = new FamilyLines(message, options, limit - bytes);
    const part = Buffer.from(lines.text());
    bytes += part.length;
    parts.push(part);
  }
  return Buffer.concat([...parts, Buffer.from('# EOF\n')]);
}

let loaded: protobuf.Type | undefined;

/** Loaded when it is first needed: few targets speak protobuf. */
function familyType(): protobuf.Type {
  loaded ??= loadFamilyType();
  return loaded;
}

function loadFamilyType(): protobuf.Type {
  const text = readFileSync(new URL('../../proto/metrics.proto', import.meta.url), 'utf8');
  const { root } = protobuf.parse(text);
  return root.lookupType('io.prometheus.client.MetricFamily');
}

/** The lines of one family. */
class FamilyLines {
  readonly #message: FamilyMessage;
  readonly #name: string;
  readonly #type: string;
  readonly #options: HistogramOptions;
  readonly #maxLength: number;
  #text = '';

  constructor(message: FamilyMessage, options: HistogramOptions, maxLength: number) {
    this.#message = message;
    this.#name = message.name ?? '';
    this.#type = TYPES[message.type ?? 0] ?? 'unknown';
    this.#options = options;
    this.#maxLength = maxLength;
  }

  text(): string {
    const { help = '', unit = '', metric = [] } = this.#message;
    if (this.#name === '') throw new Error('a metric family has no name');
    this.#text = familyText(this.#name, this.#type, help, unit);
    for (const each of metric) this.#metric(each);
    return this.#text;
  }

  #metric(metric: MetricMessage): void {
    const labels = pairsOf(metric.label);
    const time = metric.timestampMs ? ` ${secondsText(metric.timestampMs)}` : '';
    const { counter, summary, histogram } = metric;
    if (counter !== undefined) {
      this.#sample('', labels, counter.value ?? 0, time, counter.exemplar ? [counter.exemplar] : []);
      this.#created(labels, counter.startTimestamp);
    } else if (histogram !== undefined) this.#histogram(labels, histogram, time);
    else if (summary !== undefined) {
      for (const { quantile = 0, value = 0 } of summary.quantile ?? [])
        this.#sample('', [...labels, ['quantile', boundText(quantile)]], value, time);
      this.#sample('_sum', labels, summary.sampleSum ?? 0, time);
      this.#sample('_count', labels, summary.sampleCount ?? 0, time);
      this.#created(labels, summary.startTimestamp);
    } else this.#sample('', labels, (metric.gauge ?? metric.untyped)?.value ?? 0, time);
  }

  #histogram(labels: readonly LabelPair[], histogram: HistogramMessage, time: string): void {
    const isNative = this.#options.scrapeNativeHistograms && isNativeHistogram(histogram);
    if (isNative) this.#sample('', labels, countOf(histogram), time, nativeExemplars(histogram));
    if (!isNative || this.#options.alwaysScrapeClassicHistograms) this.#buckets(labels, histogram, time);
    this.#created(labels, histogram.startTimestamp);
  }

  #buckets(labels: readonly LabelPair[], histogram: HistogramMessage, time: string): void {
    const { bucket = [], sampleSum = 0 } = histogram;
    let hasInfinity = false;
    for (const { upperBound = 0, cumulativeCount = 0, cumulativeCountFloat = 0, exemplar } of bucket) {
      hasInfinity ||= upperBound === Number.POSITIVE_INFINITY;
      const count = cumulativeCountFloat > 0 ? cumulativeCountFloat : cumulativeCount;
      const exemplars = exemplar === undefined ? [] : [exemplar];
      this.#sample('_bucket', [...labels, ['le', boundText(upperBound)]], count, time, exemplars);
    }
    if (!hasInfinity) this.#sample('_bucket', [...labels, ['le', '+Inf']], countOf(histogram), time);
    this.#sample('_sum', labels, sampleSum, time);
    this.#sample('_count', labels, countOf(histogram), time);
  }

  #sample(
    suffix: string,
    labels: readonly LabelPair[],
    value: number,
    time: string,
    exemplars: readonly ExemplarMessage[] = [],
  ): void {
    this.#add(`${seriesText(this.#name + suffix, labels)} ${goFloat(value)}${time}`);
    for (const exemplar of exemplars) this.#add(exemplarText(partsOf(exemplar)));
    this.#add('\n');
  }

  #created(labels: readonly LabelPair[], start: TimestampMessage | undefined): void {
    if (start === undefined) return;
    const family = this.#type === 'counter' ? this.#name.replace(/_total$/, '') : this.#name;
    this.#add(`${seriesText(`${family}_created`, labels)} ${secondsText(millisecondsOf(start))}\n`);
  }

  #add(text: string): void {
    this.#text += text;
    if (this.#text.length > this.#maxLength)
      throw new Error('it stands for far more text than a body of its size should');
  }
}

function isNativeHistogram(histogram: HistogramMessage): boolean {
  const { zeroThreshold = 0, zeroCount = 0, zeroCountFloat = 0 } = histogram;
  const { positiveSpan = [], negativeSpan = [] } = histogram;
  return (
    positiveSpan.length > 0 ||
    negativeSpan.length > 0 ||
    zeroThreshold > 0 ||
    zeroCount > 0 ||
    zeroCountFloat > 0
  );
}

/** Those of the histogram itself, or else of its classic buckets; without a timestamp they could not be told apart. */
function nativeExemplars({ exemplars = [], bucket = [] }: HistogramMessage): ExemplarMessage[] {
  const all = exemplars.length > 0 ? exemplars : bucket.flatMap(({ exemplar }) => exemplar ?? []);
  return all.filter(({ timestamp }) => timestamp !== undefined);
}

function countOf({ sampleCount = 0, sampleCountFloat = 0 }: HistogramMessage): number {
  return sampleCountFloat > 0 ? sampleCountFloat : sampleCount;
}

function partsOf({ label, value = 0, timestamp }: ExemplarMessage): ExemplarParts {
  const timestampMs = timestamp === undefined ? undefined : millisecondsOf(timestamp);
  return { labels: pairsOf(label), value, timestampMs };
}

function pairsOf(labels: MetricMessage['label']): LabelPair[] {
  return (labels ?? []).map(({ name = '', value = '' }) => [name, value]);
}

function millisecondsOf({ seconds = 0, nanos = 0 }: TimestampMessage): number {
  return seconds * 1000 + Math.trunc(nanos / 1_000_000);
}

/** A bound of a bucket or quantile, as Prometheus writes it. */
function boundText(bound: number): string {
  return canonicalFloat(goFloat(bound));
}
