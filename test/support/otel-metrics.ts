/** Tables as the OpenTelemetry collector's ClickHouse exporter makes them, and points in them. */
import type { Database } from '../../src/clickhouse/database.js';

/** How versions of the exporter differ: `DateTime` or nanoseconds, maps or JSON, nested columns flat or not. */
export interface TableForm {
  readonly time?: 'DateTime' | 'DateTime64(9)';
  readonly attributes?: 'Map(LowCardinality(String), String)' | 'JSON';
  readonly isNested?: boolean;
}

const OWN_COLUMNS: Readonly<Record<string, string>> = {
  gauge: 'Value Float64 CODEC(ZSTD(1)), Flags UInt32 CODEC(ZSTD(1)), ',
  sum: 'Value Float64 CODEC(ZSTD(1)), Flags UInt32 CODEC(ZSTD(1)), AggregationTemporality Int32 CODEC(ZSTD(1)), IsMonotonic Boolean CODEC(Delta, ZSTD(1)), ',
  histogram:
    'Count UInt64 CODEC(Delta, ZSTD(1)), Sum Float64 CODEC(ZSTD(1)), BucketCounts Array(UInt64) CODEC(ZSTD(1)), ExplicitBounds Array(Float64) CODEC(ZSTD(1)), Flags UInt32 CODEC(ZSTD(1)), Min Float64 CODEC(ZSTD(1)), Max Float64 CODEC(ZSTD(1)), AggregationTemporality Int32 CODEC(ZSTD(1)), ',
  exponential_histogram:
    'Count UInt64 CODEC(Delta, ZSTD(1)), Sum Float64 CODEC(ZSTD(1)), Scale Int32 CODEC(ZSTD(1)), ZeroCount UInt64 CODEC(ZSTD(1)), PositiveOffset Int32 CODEC(ZSTD(1)), PositiveBucketCounts Array(UInt64) CODEC(ZSTD(1)), Flags UInt32 CODEC(ZSTD(1)), AggregationTemporality Int32 CODEC(ZSTD(1)), ',
};

export async function createMetricsTable(
  database: Database,
  kind: 'gauge' | 'sum' | 'histogram' | 'exponential_histogram',
  form: TableForm = {},
  name = `otel_metrics_${kind}`,
): Promise<void> {
  const {
    time = 'DateTime64(9)',
    attributes = 'Map(LowCardinality(String), String)',
    isNested = false,
  } = form;
  const indexes =
    attributes === 'JSON'
      ? ''
      : `,
  INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_attr_key mapKeys(Attributes) TYPE bloom_filter(0.01) GRANULARITY 1`;
  await database.command(
    `CREATE TABLE ${name} (
  ResourceAttributes ${attributes} CODEC(ZSTD(1)),
  ResourceSchemaUrl String CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion String CODEC(ZSTD(1)),
  ScopeAttributes ${attributes} CODEC(ZSTD(1)),
  ScopeDroppedAttrCount UInt32 CODEC(ZSTD(1)),
  ScopeSchemaUrl String CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  MetricName ${time === 'DateTime' ? 'LowCardinality(String)' : 'String'} CODEC(ZSTD(1)),
  MetricDescription String CODEC(ZSTD(1)),
  MetricUnit String CODEC(ZSTD(1)),
  Attributes ${attributes} CODEC(ZSTD(1)),
  StartTimeUnix ${time} CODEC(Delta, ZSTD(1)),
  TimeUnix ${time} CODEC(Delta, ZSTD(1)),
  ${OWN_COLUMNS[kind]}
  Exemplars Nested (
    FilteredAttributes ${attributes},
    TimeUnix ${time},
    Value Float64,
    SpanId String,
    TraceId String
  ) CODEC(ZSTD(1))${indexes}
) ENGINE = MergeTree() PARTITION BY toDate(TimeUnix)
ORDER BY (ServiceName, MetricName, TimeUnix)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1`,
    { settings: { flatten_nested: isNested ? 0 : 1 } },
  );
}

export interface PointExemplar {
  /** `2026-11-22 10:00:00.123456789` */
  readonly time: string;
  readonly value: number;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

export interface Point {
  readonly name: string;
  readonly unit?: string;
  readonly time: string;
  readonly service?: string;
  readonly resource?: Readonly<Record<string, unknown>>;
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly isMonotonic?: boolean;
  readonly bounds?: readonly number[];
  readonly exemplars?: readonly PointExemplar[];
}

/** As the exporter does: zeros where there is no id, and the service's name in a column too. */
export async function insertPoints(
  database: Database,
  table: string,
  points: readonly Point[],
  form: TableForm = {},
): Promise<void> {
  const lines = points.map((point) => {
    const exemplars = (point.exemplars ?? []).map((exemplar) => ({
      FilteredAttributes: exemplar.attributes ?? {},
      TimeUnix: timeOf(exemplar.time, form),
      Value: exemplar.value,
      SpanId: exemplar.spanId ?? '0'.repeat(16),
      TraceId: exemplar.traceId ?? '0'.repeat(32),
    }));
    const columns = ['FilteredAttributes', 'TimeUnix', 'Value', 'SpanId', 'TraceId'] as const;
    const flat = columns.map((column) => [`Exemplars.${column}`, exemplars.map((one) => one[column])]);
    return `${JSON.stringify({
      ResourceAttributes: point.resource ?? {},
      ServiceName: point.service ?? point.resource?.['service.name'] ?? '',
      MetricName: point.name,
      MetricUnit: point.unit ?? '',
      Attributes: point.attributes ?? {},
      TimeUnix: timeOf(point.time, form),
      ...(point.isMonotonic === undefined ? {} : { IsMonotonic: point.isMonotonic }),
      ...(point.bounds === undefined ? {} : { ExplicitBounds: point.bounds }),
      ...(form.isNested === true ? { Exemplars: exemplars } : Object.fromEntries(flat)),
    })}\n`;
  });
  await database.insert({ table, lines: Buffer.from(lines.join('')), rows: lines.length });
}

function timeOf(text: string, { time }: TableForm): string {
  return time === 'DateTime' ? text.slice(0, 19) : text;
}
