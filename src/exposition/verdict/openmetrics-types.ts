/** What the metric types of OpenMetrics 1.0 allow. */
export interface MetricType {
  readonly name: string;
  /** What samples have behind the name of the family, and by it what they are. */
  readonly samples: ReadonlyMap<string, SampleRole>;
}

/** One kind of sample of a type. */
export interface SampleRole {
  /** A label of the sample that does not belong to the label set of its metric. */
  readonly bound?: 'le' | 'quantile' | 'state';
  /** What its value may not be. */
  readonly noNan?: true;
  readonly noNegative?: true;
  readonly integer?: true;
  readonly values?: readonly number[];
  readonly mayHaveExemplar?: true;
}

const counter: SampleRole = { noNan: true, noNegative: true };
const count: SampleRole = { ...counter, integer: true };
const bucket: SampleRole = { ...count, bound: 'le', mayHaveExemplar: true };
const plain: SampleRole = {};

export const METRIC_TYPES: ReadonlyMap<string, MetricType> = new Map(
  Object.entries<Readonly<Record<string, SampleRole>>>({
    unknown: { '': plain },
    gauge: { '': plain },
    counter: { _total: { ...counter, mayHaveExemplar: true }, _created: plain },
    histogram: { _bucket: bucket, _count: count, _sum: counter, _created: plain },
    gaugehistogram: { _bucket: bucket, _gcount: count, _gsum: { noNan: true } },
    summary: {
      '': { bound: 'quantile', noNegative: true },
      _count: count,
      _sum: counter,
      _created: plain,
    },
    info: { _info: { values: [1] } },
    stateset: { '': { bound: 'state', values: [0, 1] } },
  }).map(([name, samples]) => [name, { name, samples: new Map(Object.entries(samples)) }]),
);

export const UNKNOWN_TYPE = METRIC_TYPES.get('unknown')!;
