import { HistogramPoint } from './openmetrics-histogram.js';
import { named, type OpenMetricsReport, type Place, quoted } from './openmetrics-report.js';
import type { OpenMetricsSample } from './openmetrics-sample.js';
import type { MetricType, SampleRole } from './openmetrics-types.js';

/** The metrics of one family, sample by sample: one label set after the other, of each one point in time after the other. */
export class OpenMetricsPoints {
  readonly #report: OpenMetricsReport;
  readonly #body: Buffer;
  readonly #family: string;
  readonly #type: MetricType;
  /** Label sets of metrics met, by key. */
  readonly #metrics = new Set<string>();
  #metric: string | undefined;
  /** Which label of the sample remembered is not its metric's own; -1 where all are. */
  #bound = -1;
  #hasTold = false;
  /** Of the point in hand. */
  #timestamp = Number.NaN;
  #timestampText = '';
  #place: Place;
  readonly #series = new Set<string>();
  #hasTotal = false;
  readonly #histogram: HistogramPoint | undefined;

  constructor(report: OpenMetricsReport, body: Buffer, family: string, type: MetricType) {
    this.#report = report;
    this.#body = body;
    this.#family = family;
    this.#type = type;
    this.#place = report.place(report.lineStart);
    const isHistogram = type.name === 'histogram' || type.name === 'gaugehistogram';
    this.#histogram = isHistogram ? new HistogramPoint(report, type.name === 'gaugehistogram') : undefined;
  }

  take(sample: OpenMetricsSample, suffix: string, role: SampleRole): void {
    const bound = this.#checkBound(sample, suffix, role);
    const isSame = this.#metric !== undefined && bound === this.#bound && sample.labels.isAsRemembered(bound);
    const metric = isSame ? this.#metric! : this.#keyOf(sample, bound);
    if (!isSame) {
      sample.labels.remember();
      this.#bound = bound;
    }
    if (metric === this.#metric) this.#goOn(sample);
    else this.#beginMetric(metric, sample);
    // A bucket that stands twice is out of order.
    if (suffix !== '_bucket') this.#tellRepeated(sample, suffix, bound);
    if (suffix === '_total') this.#hasTotal = true;
    this.#histogram?.take(sample, suffix, bound);
  }

  /** The family is over. */
  end(): void {
    this.#endPoint();
  }

  /** @returns the label that is not the metric's own, -1 without one */
  #checkBound(sample: OpenMetricsSample, suffix: string, role: SampleRole): number {
    const { labels } = sample;
    const type = this.#type.name;
    if (role.bound === 'state') {
      const state = labels.find(this.#family);
      if (state < 0) this.#tell(`a sample of a stateset needs a label with the name of its family, ${named(this.#family)}, which names the state`); // biome-ignore format: one text
      return state;
    }
    if (role.bound !== undefined) {
      const bound = labels.find(role.bound);
      if (bound < 0) this.#tell(`the label ${role.bound} is missing: a ${type} needs it here`);
      else if (role.bound === 'quantile') this.#checkQuantile(sample, bound);
      return bound;
    }
    const misplaced = type === 'summary' ? 'quantile' : this.#histogram === undefined ? '' : 'le';
    const label = misplaced === '' ? -1 : labels.find(misplaced);
    if (label >= 0)
      this.#report.add(labels.nameAt(label), `${suffix} of a ${type} must not have a label ${misplaced}`);
    return -1;
  }

  #checkQuantile(sample: OpenMetricsSample, label: number): void {
    const text = sample.labels.value(label);
    const quantile = text.trim() === text && text !== '' ? Number(text) : Number.NaN;
    if (!(quantile >= 0 && quantile <= 1))
      this.#report.add(sample.labels.valueAt(label), `the quantile must be a number from 0 to 1, not ${quoted(text)}`); // biome-ignore format: one text
  }

  /** The label set of the metric that the sample is of, the same whatever order its labels stand in. */
  #keyOf({ labels }: OpenMetricsSample, bound: number): string {
    if (labels.count === 0) return '';
    const pairs: string[] = [];
    for (let i = 0; i < labels.count; i++)
      if (i !== bound) pairs.push(`${labels.name(i)}=${JSON.stringify(labels.value(i))}`);
    if (pairs.length > 1) pairs.sort();
    return pairs.join();
  }

  #beginMetric(metric: string, sample: OpenMetricsSample): void {
    this.#endPoint();
    if (this.#metrics.has(metric) && !this.#hasTold) {
      // One is enough: where metrics are interleaved, most lines are.
      this.#hasTold = true;
      this.#tell(`samples of one label set must stand together, and those of ${named(this.#family)} with these labels stood further up`); // biome-ignore format: one text
    }
    this.#metrics.add(metric);
    this.#metric = metric;
    this.#beginPoint(sample);
  }

  #beginPoint(sample: OpenMetricsSample): void {
    this.#place = this.#report.place(this.#report.lineStart);
    this.#timestamp = sample.timestamp;
    this.#timestampText = this.#textOfTimestamp(sample);
    this.#series.clear();
    this.#hasTotal = false;
    this.#histogram?.begin(this.#place);
  }

  #endPoint(): void {
    if (this.#metric === undefined) return;
    this.#histogram?.end();
    if (this.#type.name === 'counter' && !this.#hasTotal)
      this.#report.addAt(this.#place, `a counter needs a sample ${named(this.#family)}_total for each of its label sets`); // biome-ignore format: one text
  }

  /** Another sample of the metric in hand: of the same point, or of a later one. */
  #goOn(sample: OpenMetricsSample): void {
    if (sample.hasTimestamp !== !Number.isNaN(this.#timestamp)) {
      this.#tell('samples of one label set must all have timestamps, or none of them');
      this.#endPoint();
      this.#beginPoint(sample);
    } else if (sample.timestamp < this.#timestamp) {
      this.#report.add(sample.timestampAt, 'timestamps of one label set must not go back');
      this.#endPoint();
      this.#beginPoint(sample);
    } else if (sample.timestamp > this.#timestamp) {
      this.#endPoint();
      this.#beginPoint(sample);
    }
  }

  #tellRepeated(sample: OpenMetricsSample, suffix: string, bound: number): void {
    const series = bound < 0 ? suffix : `${suffix} ${sample.labels.value(bound)}`;
    // Timestamps that only a longer number would tell apart.
    const isSame = !sample.hasTimestamp || this.#textOfTimestamp(sample) === this.#timestampText;
    if (this.#series.has(series) && isSame)
      this.#tell('this sample stands twice, with the same labels and no later timestamp');
    this.#series.add(series);
  }

  #textOfTimestamp(sample: OpenMetricsSample): string {
    if (!sample.hasTimestamp) return '';
    return this.#body.toString('latin1', sample.timestampAt, sample.timestampEnd);
  }

  #tell(message: string): void {
    this.#report.add(this.#report.lineStart, message);
  }
}
