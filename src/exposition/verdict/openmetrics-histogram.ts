import { type OpenMetricsReport, type Place, quoted } from './openmetrics-report.js';
import type { OpenMetricsSample } from './openmetrics-sample.js';

/** The samples of one histogram, or gauge histogram, at one time. */
export class HistogramPoint {
  readonly #report: OpenMetricsReport;
  readonly #isGauge: boolean;
  #place: Place;
  /** Upper bound and count of the bucket met last; NaN before the first. */
  #bound = Number.NaN;
  #count = Number.NaN;
  #hasNegativeBound = false;
  #sum = Number.NaN;
  #total = Number.NaN;
  #sumPlace: Place;
  #totalPlace: Place;

  constructor(report: OpenMetricsReport, isGauge: boolean) {
    this.#report = report;
    this.#isGauge = isGauge;
    this.#place = this.#sumPlace = this.#totalPlace = report.place(report.lineStart);
  }

  begin(place: Place): void {
    this.#place = this.#sumPlace = this.#totalPlace = place;
    this.#bound = this.#count = this.#sum = this.#total = Number.NaN;
    this.#hasNegativeBound = false;
  }

  /** @param bound the label `le`, -1 without one */
  take(sample: OpenMetricsSample, suffix: string, bound: number): void {
    if (suffix === '_bucket') this.#takeBucket(sample, bound);
    else if (suffix === '_sum' || suffix === '_gsum') {
      this.#sum = sample.value;
      this.#sumPlace = this.#report.place(sample.valueAt);
    } else if (suffix === '_count' || suffix === '_gcount') {
      this.#total = sample.value;
      this.#totalPlace = this.#report.place(sample.valueAt);
    }
  }

  #takeBucket(sample: OpenMetricsSample, label: number): void {
    if (label < 0) return;
    const report = this.#report;
    const text = sample.labels.value(label);
    const at = sample.labels.valueAt(label);
    const bound = boundOf(text);
    if (Number.isNaN(bound)) {
      report.add(at, `le must be a number, and infinity be written +Inf; it is ${quoted(text)}`);
      return;
    }
    if (bound <= this.#bound)
      report.add(at, `buckets must stand in the order of le, each once: ${quoted(text)} follows ${this.#bound}`); // biome-ignore format: one text
    if (sample.value < this.#count)
      report.add(
        sample.valueAt,
        'buckets are cumulative: no count may be less than that of the bucket before',
      );
    if (sample.exemplarAt >= 0 && !(sample.exemplarValue <= bound))
      report.add(
        sample.exemplarValueAt,
        `the exemplar is not in its bucket: its value is above ${quoted(text)}`,
      );
    if (bound < 0) this.#hasNegativeBound = true;
    this.#bound = bound;
    this.#count = sample.value;
  }

  end(): void {
    const report = this.#report;
    const [sumName, countName] = this.#isGauge ? ['_gsum', '_gcount'] : ['_sum', '_count'];
    const hasSum = !Number.isNaN(this.#sum);
    const hasTotal = !Number.isNaN(this.#total);
    const hasInfinite = this.#bound === Number.POSITIVE_INFINITY;
    if (!hasInfinite)
      report.addAt(this.#place, 'a histogram needs a bucket with le="+Inf" for each of its label sets, and it must be the last'); // biome-ignore format: one text
    if (hasTotal && hasInfinite && this.#total !== this.#count)
      report.addAt(this.#totalPlace, `${countName} must equal the count of the bucket +Inf`);
    if (hasSum && !hasTotal)
      report.addAt(this.#sumPlace, `where there is ${sumName}, there must be ${countName}`);
    if (hasTotal && !hasSum)
      report.addAt(this.#totalPlace, `${countName} may only stand where there is ${sumName}`);
    if (hasSum && this.#hasNegativeBound && !this.#isGauge)
      report.addAt(
        this.#sumPlace,
        'a histogram with buckets below 0 must not have _sum, which would be no counter',
      );
    if (this.#isGauge && this.#sum < 0 && !this.#hasNegativeBound)
      report.addAt(this.#sumPlace, '_gsum may only be negative where there is a bucket below 0');
  }
}

/** NaN for what is none. */
function boundOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  const isDecimal = /^[+-]?[0-9.]/.test(text) && /^[0-9.eE+-]+$/.test(text);
  const bound = isDecimal ? Number(text) : Number.NaN;
  return Number.isFinite(bound) ? bound : Number.NaN;
}
