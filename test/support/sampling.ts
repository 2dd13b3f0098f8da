/** The sampler over a real engine: the archive's tables, spans as the OpenTelemetry exporter writes them, and a clock of one's own. */
import { archiveMigrations } from '../../src/archive/schema.js';
import { type Database, rowsOf } from '../../src/clickhouse/database.js';
import { migrate } from '../../src/clickhouse/migrations.js';
import { SamplerManager, type SamplerParts } from '../../src/sampler/manager.js';
import { SamplerMetrics } from '../../src/sampler/metrics.js';
import {
  DEFAULT_SAMPLING_JOB,
  DEFAULT_TRACE_TABLES,
  type PolicyOptions,
  type SamplingJobOptions,
} from '../../src/sampler/options.js';
import { createRegistry, type MetricsRegistry } from '../../src/telemetry/registry.js';
import { silentLog } from '../../src/util/log.js';
import { temporaryDirectory } from './build.js';
import { openChdb } from './chdb.js';
import { FakeClock } from './fake-clock.js';

export const PLACEMENT = { cluster: undefined };

/** Start of a window of five minutes, and of an hour: lately, because the engine itself forgets what is old. */
export const START_MS = Math.floor(Date.now() / 3_600_000 - 2) * 3_600_000;
export const WINDOW_MS = 5 * 60_000;
/** When the first window is closed and settled. */
export const SETTLED_MS = START_MS + WINDOW_MS + 60_000;

/** As exporter version 0.120 makes it, apart from codecs and indexes of attributes. */
export const OTEL_TRACES = `CREATE TABLE otel_traces (
  Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  TraceId String CODEC(ZSTD(1)), SpanId String CODEC(ZSTD(1)), ParentSpanId String CODEC(ZSTD(1)),
  TraceState String CODEC(ZSTD(1)), SpanName LowCardinality(String) CODEC(ZSTD(1)),
  SpanKind LowCardinality(String) CODEC(ZSTD(1)), ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)), ScopeVersion String CODEC(ZSTD(1)),
  SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  Duration UInt64 CODEC(ZSTD(1)), StatusCode LowCardinality(String) CODEC(ZSTD(1)), StatusMessage String CODEC(ZSTD(1)),
  Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
  Links Nested (TraceId String, SpanId String, TraceState String, Attributes Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toDate(Timestamp) ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
SETTINGS ttl_only_drop_parts = 1`;

export interface TestExemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly traceId: string;
  readonly value?: number;
  /** After `START_MS`. */
  readonly atMs?: number;
}

/** `1` → 32 digits. */
export function id(number: number): string {
  return number.toString(16).padStart(32, '0');
}

export interface Sampling {
  readonly database: Database;
  readonly clock: FakeClock;
  readonly registry: MetricsRegistry;
  readonly manager: SamplerManager;
  addExemplars(exemplars: readonly TestExemplar[]): Promise<void>;
  /** Two spans a trace, unless said otherwise. */
  addTraces(ids: readonly string[], atMs?: number, spans?: readonly string[]): Promise<void>;
  rows<Row>(sql: string): Promise<Row[]>;
  number(sql: string): Promise<number>;
  /** The value of a metric, labels as text: `exemplard_sampler_x_total{job="j"}`. */
  metric(name: string): Promise<number | undefined>;
  /** Another sampler over the same database, as another process would have it. */
  another(parts?: Partial<SamplerParts>): SamplerManager;
}

type Teardown = { teardown(work: () => Promise<void>): unknown };

export async function openSampling(t: Teardown, parts: Partial<SamplerParts> = {}): Promise<Sampling> {
  const directory = await temporaryDirectory(t);
  const database = openChdb(directory);
  t.teardown(() => database.close());
  return samplingOver(t, database, parts);
}

export async function samplingOver(
  t: Teardown,
  database: Database,
  parts: Partial<SamplerParts> = {},
): Promise<Sampling> {
  await migrate({
    database,
    placement: PLACEMENT,
    component: 'archive',
    migrations: archiveMigrations(PLACEMENT),
    log: silentLog,
  });
  const clock = new FakeClock(SETTLED_MS);
  const registry = createRegistry();
  const another = (more: Partial<SamplerParts> = {}, itsRegistry = createRegistry()) => {
    const manager = new SamplerManager({
      archive: () => ({ database, placement: PLACEMENT, createSchema: true }),
      openServer: () => {
        throw new Error('no server in this test');
      },
      clock,
      log: silentLog,
      metrics: new SamplerMetrics(itsRegistry),
      userAgent: 'test',
      ...parts,
      ...more,
    });
    t.teardown(() => manager.stop());
    return manager;
  };
  const rows = <Row>(sql: string) => rowsOf<Row>(database, sql);
  return {
    database,
    clock,
    registry,
    manager: another({}, registry),
    another,
    rows,
    async number(sql) {
      const [row] = await rows<Record<string, string | number>>(sql);
      return Number(Object.values(row!)[0]);
    },
    async metric(name) {
      const line = (await registry.metrics()).split('\n').find((each) => each.startsWith(`${name} `));
      return line === undefined ? undefined : Number(line.slice(name.length + 1).split(' ')[0]);
    },
    addExemplars: (exemplars) => addExemplars(database, exemplars),
    addTraces: (ids, atMs = 0, spans = ['a', 'b']) => addTraces(database, ids, atMs, spans),
  };
}

async function addExemplars(database: Database, exemplars: readonly TestExemplar[]): Promise<void> {
  const lines = exemplars.map(({ labels, traceId, value = 1, atMs = 1000 }) => {
    const { __name__: metric = 'http_request_duration_seconds_bucket', ...others } = labels;
    return JSON.stringify({
      metric,
      fp: fingerprint(JSON.stringify(labels)),
      labels: Object.fromEntries(Object.entries(others).map(([name, text]) => [name, text.toWellFormed()])),
      ts: START_MS + atMs,
      value,
      trace_id: traceId,
      span_id: '',
      trace_label: 'trace_id',
      span_label: '',
      ex_labels: {},
    });
  });
  const block = { lines: Buffer.from(`${lines.join('\n')}\n`), rows: lines.length };
  await database.insert({ table: 'exemplars', ...block });
}

function fingerprint(text: string): string {
  let hash = 1469598103934665603n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 1099511628211n);
  return String(hash);
}

async function addTraces(
  database: Database,
  ids: readonly string[],
  atMs: number,
  spans: readonly string[],
): Promise<void> {
  const lines = ids.flatMap((TraceId) =>
    spans.map((SpanId) =>
      JSON.stringify({
        Timestamp: new Date(START_MS + atMs).toISOString(),
        TraceId,
        SpanId,
        SpanName: 'GET',
        ServiceName: 'shop',
        SpanAttributes: { 'http.path': `it's "quoted"\n\n{` },
        Duration: 1_000_000,
        'Events.Timestamp': [new Date(START_MS + atMs).toISOString()],
        'Events.Name': ['e'],
        'Events.Attributes': [{}],
      }),
    ),
  );
  const block = { lines: Buffer.from(`${lines.join('\n')}\n`), rows: lines.length };
  await database.insert({ table: 'otel_traces', ...block });
}

/** A job without traces: what is decided is not looked up. */
export function jobOptions(options: Partial<SamplingJobOptions> = {}): SamplingJobOptions {
  return { ...DEFAULT_SAMPLING_JOB, jobName: 'j', catchUpMs: 0, ...options };
}

/** The same with spans in the same database. */
export function tracesJob(options: Partial<SamplingJobOptions> = {}): SamplingJobOptions {
  return jobOptions({ traces: DEFAULT_TRACE_TABLES, ...options });
}

export function policy(type: PolicyOptions['type'], options: Partial<PolicyOptions> = {}): PolicyOptions {
  return { name: type, type, share: 1, perGroup: 1, selectors: [], rate: 1, ...options };
}
