/** Tables of the sampler: what was decided, and which windows are done. Beside the archive; decisions also where traces are. */
import type { Migration } from '../clickhouse/migrations.js';
import { createTable, type Placement, type TableDefinition } from '../clickhouse/tables.js';

/** One row a window of a job and trace. */
export const DECISIONS_TABLE = 'trace_keep';
/** One row a window of a job: how far it has come, and what came out. */
export const WINDOWS_TABLE = 'sampler_windows';
/** Spans that were copied, by job and day: what the daily budget is counted from. */
export const SPANS_TABLE = 'sampler_spans';

export const DECISIONS_COLUMNS: Readonly<Record<string, string>> = {
  /** As spans have it: 32 lower-case hex digits. */
  trace_id: 'String',
  /** `pinned`: of no job, somebody asked. */
  job: 'LowCardinality(String)',
  window_start: "DateTime64(3, 'UTC')",
  window_ms: 'UInt64',
  /** Policies that picked it, the first that did in front. */
  reasons: 'Array(LowCardinality(String))',
  /** Of a probabilistic policy among the reasons; 0: none. */
  rate: 'Float64',
  /** What it stands for: the labels of the first group that it was picked for, long values cut. */
  group_labels: 'Map(LowCardinality(String), String)',
  /** Hashes of all groups that it was picked for. */
  group_ids: 'Array(UInt64)',
  service: 'LowCardinality(String)',
  /** Of its exemplar. */
  value: 'Float64',
  ref_ts: "DateTime64(3, 'UTC')",
  /** Whether there were spans of it. True where nobody could look. */
  found: 'Bool',
  /** Place in its run, the most important first. */
  priority: 'UInt32',
  /** Somebody's own words, of a pinned one. */
  note: 'String',
  decided_at: "DateTime64(3, 'UTC')",
  version: 'UInt64',
};

export const WINDOWS_COLUMNS: Readonly<Record<string, string>> = {
  job: 'LowCardinality(String)',
  window_start: "DateTime64(3, 'UTC')",
  window_ms: 'UInt64',
  stage: 'UInt16',
  exemplars: 'UInt64',
  groups: 'UInt32',
  covered: 'UInt32',
  chosen: 'UInt32',
  found: 'UInt32',
  missing: 'UInt32',
  spans: 'UInt64',
  late_spans: 'UInt64',
  source_spans: 'UInt64',
  updated_at: "DateTime64(3, 'UTC')",
};

export const SPANS_COLUMNS: Readonly<Record<string, string>> = {
  job: 'LowCardinality(String)',
  day: 'Date',
  /** Names a part of a copy; the same part copied again takes the place of itself. */
  entry: 'String',
  spans: 'UInt64',
  version: 'UInt64',
};

/** Who the versions of these tables are counted for. */
export const SAMPLER_COMPONENT = 'sampler';
export const DECISIONS_COMPONENT = 'sampler decisions';

/** Longer than kept traces live by default, and far longer than windows can be made up for. */
const DECISIONS_TTL_DAYS = 400;
const WINDOWS_TTL_DAYS = 40;

export function samplerMigrations(placement: Placement): readonly Migration[] {
  const tables = [DECISIONS, WINDOWS, SPANS];
  return [
    {
      version: 1,
      detail: 'decisions, windows that are done, and spans by day',
      statements: tables.flatMap((table) => createTable(table, placement)),
    },
  ];
}

/** Where traces live, if that is elsewhere. */
export function decisionMigrations(placement: Placement): readonly Migration[] {
  return [{ version: 1, detail: 'decisions', statements: createTable(DECISIONS, placement) }];
}

const columnsOf = (columns: Readonly<Record<string, string>>) =>
  Object.entries(columns).map(([name, type]) => `${name} ${type}`);

const DECISIONS: TableDefinition = {
  name: DECISIONS_TABLE,
  columns: [
    ...columnsOf(DECISIONS_COLUMNS),
    'INDEX trace_id_index trace_id TYPE bloom_filter(0.001) GRANULARITY 1',
    'INDEX decided_at_index decided_at TYPE minmax GRANULARITY 1',
  ],
  engine: 'ReplacingMergeTree(version)',
  layout: `PARTITION BY toYYYYMM(window_start)
ORDER BY (window_start, job, trace_id)
TTL toDateTime(window_start) + toIntervalDay(${DECISIONS_TTL_DAYS})`,
  settings: { ttl_only_drop_parts: 1 },
  shardBy: 'sipHash64(trace_id)',
};

const WINDOWS: TableDefinition = {
  name: WINDOWS_TABLE,
  columns: columnsOf(WINDOWS_COLUMNS),
  // The furthest stage counts, whoever wrote it last.
  engine: 'ReplacingMergeTree(stage)',
  layout: `PARTITION BY toYYYYMM(window_start)
ORDER BY (job, window_start, window_ms)
TTL toDateTime(window_start) + toIntervalDay(${WINDOWS_TTL_DAYS})`,
  shardBy: 'sipHash64(job)',
};

const SPANS: TableDefinition = {
  name: SPANS_TABLE,
  columns: columnsOf(SPANS_COLUMNS),
  engine: 'ReplacingMergeTree(version)',
  layout: `PARTITION BY toYYYYMM(day)
ORDER BY (job, day, entry)
TTL day + toIntervalDay(${WINDOWS_TTL_DAYS})`,
  shardBy: 'sipHash64(job)',
};
