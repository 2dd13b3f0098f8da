/**
 * The protobuf exposition as OpenMetrics text, line for line what Prometheus' parser makes of it, so that everything
 * behind the parser knows one format.
 *
 * Messages are read field by field where they lie. Making objects of them, as protobufjs does it by itself, was
 * measured at four times the cost.
 */
import protobuf from 'protobufjs';
import { canonicalFloat } from '../model/canonical-float.js';
import { goFloat } from '../util/json.js';
import { readTags } from '../util/proto-tags.js';
import { exemplarText, familyText, type LabelPair, secondsText, seriesText } from './line-text.js';

export interface HistogramOptions {
  /** Whether histograms are read as native ones where they are. */
  readonly scrapeNativeHistograms: boolean;
  /** Whether the classic buckets of a native histogram are read, too. */
  readonly alwaysScrapeClassicHistograms: boolean;
}

const FAMILY = readTags('metrics.proto', {
  name: 'MetricFamily.name',
  help: 'MetricFamily.help',
  type: 'MetricFamily.type',
  metric: 'MetricFamily.metric',
  unit: 'MetricFamily.unit',
});
const METRIC = readTags('metrics.proto', {
  label: 'Metric.label',
  gauge: 'Metric.gauge',
  counter: 'Metric.counter',
  summary: 'Metric.summary',
  untyped: 'Metric.untyped',
  histogram: 'Metric.histogram',
  timestampMs: 'Metric.timestamp_ms',
});
const LABEL = readTags('metrics.proto', { name: 'LabelPair.name', value: 'LabelPair.value' });
const COUNTER = readTags('metrics.proto', {
  value: 'Counter.value',
  exemplar: 'Counter.exemplar',
  start: 'Counter.start_timestamp',
});
const GAUGE = readTags('metrics.proto', { value: 'Gauge.value' });
const SUMMARY = readTags('metrics.proto', {
  count: 'Summary.sample_count',
  sum: 'Summary.sample_sum',
  quantile: 'Summary.quantile',
  start: 'Summary.start_timestamp',
});
const QUANTILE = readTags('metrics.proto', { bound: 'Quantile.quantile', value: 'Quantile.value' });
const HISTOGRAM = readTags('metrics.proto', {
  count: 'Histogram.sample_count',
  countFloat: 'Histogram.sample_count_float',
  sum: 'Histogram.sample_sum',
  bucket: 'Histogram.bucket',
  start: 'Histogram.start_timestamp',
  zeroThreshold: 'Histogram.zero_threshold',
  zeroCount: 'Histogram.zero_count',
  zeroCountFloat: 'Histogram.zero_count_float',
  negativeSpan: 'Histogram.negative_span',
  positiveSpan: 'Histogram.positive_span',
  exemplars: 'Histogram.exemplars',
});
const BUCKET = readTags('metrics.proto', {
  count: 'Bucket.cumulative_count',
  countFloat: 'Bucket.cumulative_count_float',
  bound: 'Bucket.upper_bound',
  exemplar: 'Bucket.exemplar',
});
const EXEMPLAR = readTags('metrics.proto', {
  label: 'Exemplar.label',
  value: 'Exemplar.value',
  timestamp: 'Exemplar.timestamp',
});
const TIMESTAMP = readTags('metrics.proto', { seconds: 'Timestamp.seconds', nanos: 'Timestamp.nanos' });

/** By the number of `MetricType`. */
const TYPES = ['counter', 'gauge', 'summary', 'unknown', 'histogram', 'gaugehistogram'];

/** What is more may be the work of somebody who wishes to fill our memory: labels are repeated for every bucket. */
const MAX_EXPANSION = 64;
const MIN_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * @param body messages in `[0, length)`, each behind its length
 * @returns lines of samples and comments, `# EOF` at the end
 * @throws {Error} when it is no such body, or stands for too much text
 */
export function protobufToText(body: Buffer, length: number, options: HistogramOptions): Buffer {
  return new ProtobufText(body.subarray(0, length), options).convert();
}

interface Bucket {
  readonly bound: number;
  readonly count: number;
  readonly exemplar: Exemplar | undefined;
}

interface Exemplar {
  /** As it stands behind a sample, from the space before it. */
  readonly text: string;
  readonly isTimed: boolean;
}

class ProtobufText {
  readonly #reader: protobuf.Reader;
  readonly #options: HistogramOptions;
  readonly #limit: number;
  readonly #parts: Buffer[] = [];
  #bytes = 0;
  /** Of the family in hand. */
  #text = '';
  #name = '';
  #type = '';
  /** Of the metric in hand: its labels, and the time behind each of its samples. */
  #labels: readonly LabelPair[] = [];
  #time = '';
  readonly #bounds = new Map<number, string>();

  constructor(body: Buffer, options: HistogramOptions) {
    this.#reader = protobuf.Reader.create(body);
    this.#options = options;
    this.#limit = Math.max(MIN_LIMIT_BYTES, MAX_EXPANSION * body.length);
  }

  convert(): Buffer {
    const reader = this.#reader;
    while (reader.pos < reader.len) {
      this.#family(this.#messageEnd(reader.len));
      const part = Buffer.from(this.#text);
      this.#bytes += part.length;
      this.#parts.push(part);
    }
    return Buffer.concat([...this.#parts, Buffer.from('# EOF\n')]);
  }

  /** Calls back at the value of each field up to `end`; a field that nobody reads is skipped. */
  #fields(end: number, read: (tag: number) => boolean): void {
    const reader = this.#reader;
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (!read(tag)) reader.skipType(tag & 7);
    }
    if (reader.pos !== end) throw new Error('a message does not end where it should');
  }

  /** 64 bits, signed: counts stay below that. By way of text, as `Number` goes, it costs as much as all the rest. */
  #integer(): number {
    const { high, low } = this.#reader.int64();
    return high * 2 ** 32 + (low >>> 0);
  }

  /** Reads the length of a message. @returns where it ends */
  #messageEnd(outerEnd: number): number {
    const length = this.#reader.uint32();
    const end = this.#reader.pos + length;
    if (end > outerEnd) throw new Error('a message is cut off');
    return end;
  }

  /** What belongs to all metrics may stand behind them, so those are read in the end. */
  #family(end: number): void {
    const reader = this.#reader;
    const metrics: number[] = [];
    let [help, unit, type] = ['', '', 0];
    this.#name = '';
    this.#fields(end, (tag) => {
      if (tag === FAMILY.metric) {
        const metricEnd = this.#messageEnd(end);
        metrics.push(reader.pos, metricEnd);
        reader.pos = metricEnd;
      } else if (tag === FAMILY.name) this.#name = reader.string();
      else if (tag === FAMILY.help) help = reader.string();
      else if (tag === FAMILY.type) type = reader.int32();
      else if (tag === FAMILY.unit) unit = reader.string();
      else return false;
      return true;
    });
    if (this.#name === '') throw new Error('a metric family has no name');
    this.#type = TYPES[type] ?? 'unknown';
    this.#text = familyText(this.#name, this.#type, help, unit);
    for (let i = 0; i < metrics.length; i += 2) {
      reader.pos = metrics[i]!;
      this.#metric(metrics[i + 1]!);
    }
    reader.pos = end;
  }

  #metric(end: number): void {
    const reader = this.#reader;
    const labels: LabelPair[] = [];
    let timestampMs = 0;
    let [valueTag, valueAt, valueEnd] = [0, 0, 0];
    this.#fields(end, (tag) => {
      if (tag === METRIC.label) labels.push(this.#label(this.#messageEnd(end)));
      else if (tag === METRIC.timestampMs) timestampMs = this.#integer();
      else if ((tag & 7) === 2) {
        valueEnd = this.#messageEnd(end);
        [valueTag, valueAt] = [tag, reader.pos];
        reader.pos = valueEnd;
      } else return false;
      return true;
    });
    this.#labels = labels;
    this.#time = timestampMs === 0 ? '' : ` ${secondsText(timestampMs)}`;
    reader.pos = valueAt;
    if (valueTag === METRIC.counter) this.#counter(valueEnd);
    else if (valueTag === METRIC.histogram) this.#histogram(valueEnd);
    else if (valueTag === METRIC.summary) this.#summary(valueEnd);
    else this.#gauge(valueTag === METRIC.gauge || valueTag === METRIC.untyped ? valueEnd : valueAt);
    reader.pos = end;
  }

  #label(end: number): LabelPair {
    const reader = this.#reader;
    let [name, value] = ['', ''];
    this.#fields(end, (tag) => {
      if (tag === LABEL.name) name = reader.string();
      else if (tag === LABEL.value) value = reader.string();
      else return false;
      return true;
    });
    return [name, value];
  }

  #counter(end: number): void {
    const reader = this.#reader;
    let value = 0;
    let exemplar: Exemplar | undefined;
    let startMs: number | undefined;
    this.#fields(end, (tag) => {
      if (tag === COUNTER.value) value = reader.double();
      else if (tag === COUNTER.exemplar) exemplar = this.#exemplar(this.#messageEnd(end));
      else if (tag === COUNTER.start) startMs = this.#timestampMs(this.#messageEnd(end));
      else return false;
      return true;
    });
    this.#add(
      `${seriesText(this.#name, this.#labels)} ${goFloat(value)}${this.#time}${exemplar?.text ?? ''}\n`,
    );
    this.#created(startMs);
  }

  /** Untyped metrics are alike. */
  #gauge(end: number): void {
    let value = 0;
    this.#fields(end, (tag) => {
      if (tag !== GAUGE.value) return false;
      value = this.#reader.double();
      return true;
    });
    this.#sample('', value);
  }

  #summary(end: number): void {
    const reader = this.#reader;
    let [count, sum] = [0, 0];
    let startMs: number | undefined;
    const quantiles: (readonly [bound: number, value: number])[] = [];
    this.#fields(end, (tag) => {
      if (tag === SUMMARY.quantile) quantiles.push(this.#quantile(this.#messageEnd(end)));
      else if (tag === SUMMARY.count) count = this.#integer();
      else if (tag === SUMMARY.sum) sum = reader.double();
      else if (tag === SUMMARY.start) startMs = this.#timestampMs(this.#messageEnd(end));
      else return false;
      return true;
    });
    for (const [bound, value] of quantiles) {
      const labels: LabelPair[] = [...this.#labels, ['quantile', this.#boundText(bound)]];
      this.#add(`${seriesText(this.#name, labels)} ${goFloat(value)}${this.#time}\n`);
    }
    this.#sample('_sum', sum);
    this.#sample('_count', count);
    this.#created(startMs);
  }

  #quantile(end: number): readonly [bound: number, value: number] {
    let [bound, value] = [0, 0];
    this.#fields(end, (tag) => {
      if (tag === QUANTILE.bound) bound = this.#reader.double();
      else if (tag === QUANTILE.value) value = this.#reader.double();
      else return false;
      return true;
    });
    return [bound, value];
  }

  #histogram(end: number): void {
    const reader = this.#reader;
    const buckets: Bucket[] = [];
    const exemplars: Exemplar[] = [];
    let [count, countFloat, sum] = [0, 0, 0];
    let startMs: number | undefined;
    let hasNativeParts = false;
    this.#fields(end, (tag) => {
      if (tag === HISTOGRAM.bucket) buckets.push(this.#bucket(this.#messageEnd(end)));
      else if (tag === HISTOGRAM.count) count = this.#integer();
      else if (tag === HISTOGRAM.countFloat) countFloat = reader.double();
      else if (tag === HISTOGRAM.sum) sum = reader.double();
      else if (tag === HISTOGRAM.exemplars) exemplars.push(this.#exemplar(this.#messageEnd(end)));
      else if (tag === HISTOGRAM.start) startMs = this.#timestampMs(this.#messageEnd(end));
      else if (tag === HISTOGRAM.zeroThreshold || tag === HISTOGRAM.zeroCountFloat)
        hasNativeParts = reader.double() > 0 || hasNativeParts;
      else if (tag === HISTOGRAM.zeroCount) hasNativeParts = this.#integer() > 0 || hasNativeParts;
      else {
        hasNativeParts ||= tag === HISTOGRAM.positiveSpan || tag === HISTOGRAM.negativeSpan;
        return false;
      }
      return true;
    });
    const all = countFloat > 0 ? countFloat : count;
    const isNative = this.#options.scrapeNativeHistograms && hasNativeParts;
    if (isNative) this.#whole(all, exemplars, buckets);
    if (!isNative || this.#options.alwaysScrapeClassicHistograms) {
      this.#buckets(buckets, all);
      this.#sample('_sum', sum);
      this.#sample('_count', all);
    }
    this.#created(startMs);
  }

  /** With the exemplars of its own, or else those of its buckets. Without a timestamp they could not be told apart. */
  #whole(count: number, own: readonly Exemplar[], buckets: readonly Bucket[]): void {
    const exemplars = own.length > 0 ? own : buckets.flatMap(({ exemplar }) => exemplar ?? []);
    const texts = exemplars.filter(({ isTimed }) => isTimed).map(({ text }) => text);
    this.#add(`${seriesText(this.#name, this.#labels)} ${goFloat(count)}${this.#time}${texts.join('')}\n`);
  }

  #buckets(buckets: readonly Bucket[], all: number): void {
    // All but the bound, which has nothing to escape, is the same in every line.
    const [before, after] = seriesText(`${this.#name}_bucket`, [...this.#labels, ['le', '\0']]).split(
      '\0',
    ) as [string, string];
    let hasInfinity = false;
    for (const { bound, count, exemplar } of buckets) {
      hasInfinity ||= bound === Number.POSITIVE_INFINITY;
      const series = `${before}${this.#boundText(bound)}${after}`;
      this.#add(`${series} ${goFloat(count)}${this.#time}${exemplar?.text ?? ''}\n`);
    }
    if (!hasInfinity) this.#add(`${before}+Inf${after} ${goFloat(all)}${this.#time}\n`);
  }

  #bucket(end: number): Bucket {
    const reader = this.#reader;
    let [bound, count, countFloat] = [0, 0, 0];
    let exemplar: Exemplar | undefined;
    this.#fields(end, (tag) => {
      if (tag === BUCKET.count) count = this.#integer();
      else if (tag === BUCKET.bound) bound = reader.double();
      else if (tag === BUCKET.exemplar) exemplar = this.#exemplar(this.#messageEnd(end));
      else if (tag === BUCKET.countFloat) countFloat = reader.double();
      else return false;
      return true;
    });
    return { bound, count: countFloat > 0 ? countFloat : count, exemplar };
  }

  #exemplar(end: number): Exemplar {
    const labels: LabelPair[] = [];
    let value = 0;
    let timestampMs: number | undefined;
    this.#fields(end, (tag) => {
      if (tag === EXEMPLAR.label) labels.push(this.#label(this.#messageEnd(end)));
      else if (tag === EXEMPLAR.value) value = this.#reader.double();
      else if (tag === EXEMPLAR.timestamp) timestampMs = this.#timestampMs(this.#messageEnd(end));
      else return false;
      return true;
    });
    return { text: exemplarText({ labels, value, timestampMs }), isTimed: timestampMs !== undefined };
  }

  #timestampMs(end: number): number {
    let [seconds, nanos] = [0, 0];
    this.#fields(end, (tag) => {
      if (tag === TIMESTAMP.seconds) seconds = this.#integer();
      else if (tag === TIMESTAMP.nanos) nanos = this.#reader.int32();
      else return false;
      return true;
    });
    return seconds * 1000 + Math.trunc(nanos / 1_000_000);
  }

  #sample(suffix: string, value: number): void {
    this.#add(`${seriesText(this.#name + suffix, this.#labels)} ${goFloat(value)}${this.#time}\n`);
  }

  #created(startMs: number | undefined): void {
    if (startMs === undefined) return;
    const family = this.#type === 'counter' ? this.#name.replace(/_total$/, '') : this.#name;
    this.#add(`${seriesText(`${family}_created`, this.#labels)} ${secondsText(startMs)}\n`);
  }

  /** As Prometheus writes it. Bounds are few, and in every histogram the same. */
  #boundText(bound: number): string {
    let text = this.#bounds.get(bound);
    if (text === undefined) {
      text = canonicalFloat(goFloat(bound));
      if (this.#bounds.size < 1_000) this.#bounds.set(bound, text);
    }
    return text;
  }

  #add(line: string): void {
    this.#text += line;
    if (this.#bytes + this.#text.length > this.#limit)
      throw new Error('it stands for far more text than a body of its size should');
  }
}
