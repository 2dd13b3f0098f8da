/** Exemplars that the OpenTelemetry collector's ClickHouse exporter wrote, as series of Prometheus. */
import t from 'tap';
import { type OtelMetric, prometheusName } from '../../src/archive/otel-metric-name.js';
import type { ArchiveFilter } from '../../src/model/archive.js';
import { labelsToRecord } from '../../src/model/labels.js';
import { archiveQuery, EVERYTHING, openArchive, selector, shown } from '../support/archives.js';
import { seriesOf } from '../support/batch.js';
import { openChdb } from '../support/chdb.js';
import { engineDirectory, WITHOUT_CHDB } from '../support/databases.js';
import { createMetricsTable, insertPoints, type Point, type TableForm } from '../support/otel-metrics.js';
import { until } from '../support/until.js';

t.test('names of metrics, as Prometheus has them', async (t) => {
  const cases: readonly (readonly [
    OtelMetric['kind'] | 'counter',
    name: string,
    unit: string,
    expected: string,
  ])[] = [
    ['counter', 'requests', '', 'requests_total'],
    ['counter', 'requests_total', '', 'requests_total'],
    ['counter', 'total.requests', '{request}', 'requests_total'],
    ['counter', 'items', '1', 'items_total'],
    ['counter', 'requests', '1/s', 'requests_per_second_total'],
    ['sum', 'active.connections', '', 'active_connections'],
    ['gauge', 'cpu_usage', '1', 'cpu_usage_ratio'],
    ['gauge', 'cpu_usage_ratio', '1', 'cpu_usage_ratio'],
    ['gauge', 'throughput', 'By/s', 'throughput_bytes_per_second'],
    ['gauge', 'response_time_seconds', 's', 'response_time_seconds'],
    ['gauge', 'custom_metric', 'By/{custom}', 'custom_metric_bytes'],
    ['gauge', 'custom_metric', 'unit@with#special/chars', 'custom_metric_unit_with_special_per_chars'],
    ['gauge', 'metric__with__multiple__underscores', 'unit__multiple__underscores', 'metric_with_multiple_underscores_unit_multiple_underscores'], // biome-ignore format: a row
    ['gauge', '5xx.rate', '%', '_5xx_rate_percent'],
    ['gauge', '@#$%', '', ''],
    ['histogram', 'http.server.request.duration', 's', 'http_server_request_duration_seconds_bucket'],
    ['exponential_histogram', 'request_size', 'By', 'request_size_bytes'],
  ];
  for (const [kind, name, unit, expected] of cases) {
    const metric = {
      kind: kind === 'counter' ? 'sum' : kind,
      name,
      unit,
      isMonotonic: kind === 'counter',
    } as const;
    t.equal(prometheusName(metric), expected, `${name} in ${unit}`);
  }
});

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const DAY = '2026-11-20';
const at = (time: string) => Date.parse(`${DAY}T${time}Z`);
const resource = {
  'service.name': 'shop',
  'service.namespace': 'web',
  'service.instance.id': 'a:1',
  'host.name': 'h',
};
const HOSTILE = '\'"`\\\n\n{p0:String}; DROP TABLE exemplars --\u0000😀';

const POINTS: Readonly<Record<string, readonly Point[]>> = {
  histogram: [
    {
      name: 'http.server.duration',
      unit: 's',
      time: `${DAY} 10:00:30.5`,
      resource,
      attributes: { 'http.method': 'GET', '1st': 'x', _own: 'y', empty: '' },
      bounds: [0.005, 1, 2.5, 1048576],
      exemplars: [
        {
          time: `${DAY} 10:00:01.123456789`,
          value: 0.7,
          traceId: ID.toUpperCase(),
          spanId: '00f067aa0ba902b7',
          attributes: { 'user.id': '7' },
        },
        { time: `${DAY} 10:00:02`, value: 0.005, traceId: ID },
        { time: `${DAY} 10:00:03`, value: 7 },
        { time: `${DAY} 10:00:04`, value: 1e9, traceId: 'abc' },
      ],
    },
    { name: 'http.server.duration', unit: 's', time: `${DAY} 10:01:00`, resource, bounds: [1] },
  ],
  sum: [
    {
      name: 'jobs',
      isMonotonic: true,
      time: `${DAY} 10:00:30`,
      service: 'cron',
      exemplars: [{ time: `${DAY} 10:00:05`, value: 1, traceId: ID }],
    },
    {
      name: 'queue',
      isMonotonic: false,
      time: `${DAY} 10:00:30`,
      attributes: { 'a.b': '2', a_b: '3', 'a-b': '1' },
      exemplars: [{ time: `${DAY} 10:00:06`, value: -1 }],
    },
  ],
  gauge: [
    {
      name: HOSTILE,
      unit: "'; DROP TABLE exemplars --{custom}",
      time: `${DAY} 10:00:30`,
      resource: { 'service.name': HOSTILE },
      attributes: { [HOSTILE]: HOSTILE, __name__: 'not_this', job: 'not this', big: 'x'.repeat(100_000) },
      exemplars: [
        {
          time: `${DAY} 10:00:07`,
          value: 1,
          traceId: HOSTILE,
          attributes: { [HOSTILE]: HOSTILE, trace_id: 'not this' },
        },
      ],
    },
  ],
  exponential_histogram: [
    {
      name: 'size',
      unit: 'By',
      time: `${DAY} 10:00:30`,
      exemplars: [{ time: `${DAY} 10:00:08`, value: 3, traceId: ID }],
    },
  ],
};

const duration = (le: string, attributes: object = {}) => ({
  __name__: 'http_server_duration_seconds_bucket',
  http_method: 'GET',
  key_1st: 'x',
  key_own: 'y',
  instance: 'a:1',
  job: 'web/shop',
  le,
  ...attributes,
});
const CLEAN = HOSTILE.replaceAll(/[^a-zA-Z0-9_]/gu, '_');
const HOSTILE_NAME = 'p0:String_DROP_TABLE_exemplars';

/** @param isExact whether there are fractions of seconds */
function expected(isExact: boolean): object[] {
  const all = [
    { series: duration('1.0'), timestampMs: at(isExact ? '10:00:01.123' : '10:00:01'), value: 0.7, labels: { span_id: '00f067aa0ba902b7', trace_id: ID, user_id: '7' } },
    { series: duration('0.005'), timestampMs: at('10:00:02'), value: 0.005, labels: { trace_id: ID } },
    { series: duration('1.048576e+06'), timestampMs: at('10:00:03'), value: 7, labels: {} },
    { series: duration('+Inf'), timestampMs: at('10:00:04'), value: 1e9, labels: { trace_id: 'abc'.padStart(32, '0') } },
    { series: { __name__: 'jobs_total', job: 'cron' }, timestampMs: at('10:00:05'), value: 1, labels: { trace_id: ID } },
    { series: { __name__: 'queue', a_b: '1;2;3' }, timestampMs: at('10:00:06'), value: -1, labels: {} },
    { series: { __name__: HOSTILE_NAME, [CLEAN]: HOSTILE, big: 'x'.repeat(100_000), job: HOSTILE }, timestampMs: at('10:00:07'), value: 1, labels: { [CLEAN]: HOSTILE, trace_id: HOSTILE } },
    { series: { __name__: 'size_bytes' }, timestampMs: at('10:00:08'), value: 3, labels: { trace_id: ID } },
  ]; // biome-ignore format: a table
  return all;
}

type Line = {
  series: Record<string, string>;
  timestampMs: number;
  value: number;
  labels: Record<string, string>;
};
const inOrder = (lines: readonly object[]) =>
  (lines as Line[])
    .map(({ series, timestampMs, value, labels }) => ({
      timestampMs,
      value,
      series: Object.fromEntries(Object.entries(series).sort()),
      labels: Object.fromEntries(Object.entries(labels).sort()),
    }))
    .sort((a, b) => a.timestampMs - b.timestampMs);

const FORMS: Readonly<Record<string, TableForm>> = {
  'with nanoseconds and maps': {},
  'with seconds': { time: 'DateTime' },
  'with JSON': { attributes: 'JSON' },
  'with nested columns kept together': { isNested: true },
};

for (const [form, options] of Object.entries(FORMS)) {
  t.test(`tables ${form}`, WITHOUT_CHDB, async (t) => {
    const database = openChdb(await engineDirectory(t));
    t.teardown(() => database.close());
    for (const [kind, points] of Object.entries(POINTS)) {
      await createMetricsTable(database, kind as 'sum', options);
      await insertPoints(database, `otel_metrics_${kind}`, points, options);
    }
    const { archive } = openArchive(t, database, { otelMetricsTables: true });
    t.equal(archive.isShared, true, 'memory cannot know what is there');
    const answer = await archive.exemplars(archiveQuery());
    t.same(answer.warnings, []);
    t.same(inOrder(shown(answer.found)), inOrder(expected(options.time !== 'DateTime')));
  });
}

t.test('the same selectors, ranges and bounds; what is ours once', WITHOUT_CHDB, async (t) => {
  const database = openChdb(await engineDirectory(t));
  t.teardown(() => database.close());
  for (const [kind, points] of Object.entries(POINTS)) {
    // One table is missing, and one has its other name.
    if (kind === 'gauge') continue;
    const name = kind === 'exponential_histogram' ? 'otel_metrics_exp_histogram' : `otel_metrics_${kind}`;
    await createMetricsTable(database, kind as 'sum', {}, name);
    await insertPoints(database, name, points);
    // A cumulative point shows the same exemplars again.
    await insertPoints(database, name, points);
  }
  const { archive, append } = openArchive(t, database, { otelMetricsTables: true, queryMaxRows: 5 });
  const times = async (query: Parameters<typeof archiveQuery>[0]) => {
    const { found, warnings } = await archive.exemplars(archiveQuery(query));
    t.same(warnings, []);
    return inOrder(shown(found)).map(({ timestampMs }) => new Date(timestampMs).getUTCSeconds());
  };
  const select = (...selectors: readonly string[][]) => ({
    selectors: selectors.map((one) => selector(...one)),
  });
  t.same(await times(select(['__name__=http_server_duration_seconds_bucket'])), [1, 2, 3, 4]);
  t.same(await times(select(['__name__=~http.*', 'le=1.0'])), [1]);
  t.same(await times(select(['__name__=~http.*', 'le!~0.005|.Inf'])), [1, 3]);
  t.same(await times(select(['job=web/shop', 'http_method=~(GET|POST)', 'le=0.005'])), [2]);
  t.same(await times(select(['job='])), [6, 8], 'a label that is not there is empty');
  t.same(await times(select(['__name__=jobs_total'], ['__name__=~.*', 'a_b=1;2;3'])), [5, 6], 'any of them');
  t.same(await times(select(['__name__=jobs'])), [], 'not by the names they have there');
  t.same(await times(select(['__name__=jobs_total', "job=' OR 1=1"])), []);
  t.same(
    await times({ startMs: at('10:00:02'), endMs: at('10:00:05') }),
    [2, 3, 4, 5],
    'both ends inclusive',
  );
  t.same(await times({ startMs: at('10:00:01.124'), endMs: at('10:00:01.999') }), []);
  t.same(await times({ endMs: at('10:00:00') }), []);
  t.same(await times({ ...select(['__name__=~.+']), minValue: 1, maxValue: 3 }), [5, 8]);
  // The range without a limit has more.
  const cut = await archive.exemplars(archiveQuery());
  t.match(cut.warnings.join(), /^archive: more than 5 exemplars/);

  const trace = await archive.exemplarsOfTrace(ID);
  t.same(
    inOrder(shown(trace.found)).map(({ timestampMs }) => new Date(timestampMs).getUTCSeconds()),
    [1, 2, 5, 8],
  );
  t.same((await archive.exemplarsOfTrace("x' OR 1=1 --")).found, []);

  const ours = { ...duration('1.0'), only: 'ours' };
  append([
    { series: seriesOf(1, duration('1.0')), timestampMs: at('10:00:01.123'), value: 0.7, labels: { span_id: '00f067aa0ba902b7', trace_id: ID, user_id: '7' } }, // biome-ignore format: a row
    { series: seriesOf(2, ours), timestampMs: at('10:00:09'), labels: { trace_id: ID } },
  ]); // biome-ignore format: a table
  await until(() => archive.status.pendingRows === 0, 'ours to be archived');
  t.same(await times(select(['le=1.0'])), [1, 9], 'the same exemplar is one');

  const names = async (filter: ArchiveFilter) =>
    [...new Set((await archive.labelNames(filter)).found)].sort();
  t.same(await names(EVERYTHING), ['__name__', 'a_b', 'http_method', 'instance', 'job', 'key_1st', 'key_own', 'le', 'only']); // biome-ignore format: one list
  t.same(await names({ ...EVERYTHING, ...select(['__name__=queue']) }), ['__name__', 'a_b']);
  t.same(await names({ ...EVERYTHING, endMs: at('09:00:00') - 86_400_000 }), [], 'our own are known by day');
  const values = async (name: string, filter = EVERYTHING) =>
    [...new Set((await archive.labelValues(name, filter)).found)].sort();
  t.same(await values('le'), ['+Inf', '0.005', '1.0', '1.048576e+06']);
  t.same(await values('__name__'), [
    'http_server_duration_seconds_bucket',
    'jobs_total',
    'queue',
    'size_bytes',
  ]);
  t.same(await values('job', { ...EVERYTHING, ...select(['__name__=~jobs.*']) }), ['cron']);
  t.same(await values("no'such"), []);
  const sets = await archive.labelSets({ ...EVERYTHING, ...select(['__name__=~http.*']) }, 100);
  t.equal(sets.found.length, 5, 'one of them is in both, and one only ours');
  t.same(sets.found.map((labels) => labelsToRecord(labels).le).sort(), [
    '+Inf',
    '0.005',
    '1.0',
    '1.0',
    '1.048576e+06',
  ]);
  t.equal((await archive.labelSets(EVERYTHING, 2)).found.length >= 2, true);
});

t.test('tables that are not what they should be are warned about', WITHOUT_CHDB, async (t) => {
  const database = openChdb(await engineDirectory(t));
  t.teardown(() => database.close());
  const { archive, append } = openArchive(t, database, { otelMetricsTables: true });
  append([{ series: seriesOf(1, { __name__: 'ours' }), timestampMs: at('10:00:00') }]);
  const ask = async () => {
    const { found, warnings } = await archive.exemplars(archiveQuery());
    t.equal(shown(found).length, 1, 'ours are shown');
    return warnings.join();
  };
  t.match(await ask(), /^archive: there is no table otel_metrics_… of the OpenTelemetry/);
  await database.command('CREATE TABLE otel_metrics_sum (MetricName String, TimeUnix DateTime, Attributes Map(String, String)) ENGINE = MergeTree ORDER BY TimeUnix'); // biome-ignore format: one statement
  t.match(
    await ask(),
    /^archive: table otel_metrics_sum is not read, it has no column Exemplars.TimeUnix, Exemplars.Value/,
  );
  await database.command('DROP TABLE otel_metrics_sum');
  await database.command(`CREATE TABLE otel_metrics_sum (MetricName String, TimeUnix DateTime, Attributes Array(UInt8),
    Exemplars Nested (TimeUnix DateTime, Value Float64, TraceId String, SpanId String)) ENGINE = MergeTree ORDER BY TimeUnix`);
  await database.command("INSERT INTO otel_metrics_sum VALUES ('a', 5, [1], [5], [1], ['a'], ['b'])");
  t.match(await ask(), /^archive: Code: /, 'an error is a warning');
});
