/**
 * The tables of the archive, as ordered statements: each database remembers how many of them it has seen. The same
 * for the embedded engine, for one server, and for a cluster, where each table is a local one and a distributed one
 * before it. What was measured on the way to them: docs/archive.md.
 */
import type { Migration } from '../clickhouse/migrations.js';
import { createTable, createView, onCluster, type Placement, storedTable } from '../clickhouse/tables.js';

/** Name and type of each column, as DESCRIBE gives them. */
export type Columns = Readonly<Record<string, string>>;

/** One row an exemplar. A row is its sorting key: rows with an equal one are the same exemplar, and become one. */
export const EXEMPLARS_TABLE = 'exemplars';
/** One row a series and day (after merges): what a selector is asked of, instead of every exemplar. */
export const SERIES_TABLE = 'exemplar_series';

export const EXEMPLARS_COLUMNS: Columns = {
  /** `__name__` */
  metric: 'LowCardinality(String)',
  /** Of the whole label set, `__name__` included: `seriesFingerprint`. */
  fp: 'UInt64',
  /** Without `__name__`. */
  labels: 'Map(LowCardinality(String), String)',
  ts: "DateTime64(3, 'UTC')",
  value: 'Float64',
  /** 32 lower-case hex digits where the text can be read as an id, else the text; empty: none. */
  trace_id: 'String',
  /** The same with 16. */
  span_id: 'String',
  /** The exemplar label whose value is, byte for byte, `trace_id`; empty where that is spelled otherwise, in `ex_labels`. */
  trace_label: 'LowCardinality(String)',
  span_label: 'LowCardinality(String)',
  /** Labels of the exemplar that the columns before do not give back. */
  ex_labels: 'Map(LowCardinality(String), String)',
  /** 1 where the view is to tell `exemplar_series` of the row's series and day; whoever writes does that for the first of each. */
  announces: 'UInt8',
};

export const SERIES_COLUMNS: Columns = {
  metric: 'LowCardinality(String)',
  fp: 'UInt64',
  day: 'Date',
  labels: 'Map(LowCardinality(String), String)',
};

const SERIES_VIEW = 'exemplar_series_view';

/** Blocks whose tokens one engine remembers, so that one sent again is not counted again. */
const DEDUPLICATION = { non_replicated_deduplication_window: 1000 };

export function archiveMigrations(placement: Placement): readonly Migration[] {
  return [
    {
      version: 1,
      detail: 'exemplars, and the series that have them by day',
      statements: [
        ...createTable(exemplarsTable(), placement),
        ...createTable(seriesTable(), placement),
        createView(
          {
            name: SERIES_VIEW,
            from: EXEMPLARS_TABLE,
            to: SERIES_TABLE,
            // Of the few rows that announce: of all, it would take nearly as long as the insert itself.
            select: 'SELECT metric, fp, toDate(ts) AS day, labels FROM {from} WHERE announces = 1',
          },
          placement,
        ),
      ],
    },
  ];
}

/** The sorting key has all that tells two exemplars apart; the index of it only what queries ask for. */
function exemplarsTable() {
  const type = EXEMPLARS_COLUMNS;
  return {
    name: EXEMPLARS_TABLE,
    columns: [
      `metric ${type.metric}`,
      `fp ${type.fp} CODEC(ZSTD(1))`,
      `labels ${type.labels} CODEC(ZSTD(1))`,
      `ts ${type.ts} CODEC(Delta(8), ZSTD(1))`,
      `value ${type.value} CODEC(ZSTD(1))`,
      `trace_id ${type.trace_id} CODEC(ZSTD(1))`,
      `span_id ${type.span_id} CODEC(ZSTD(1))`,
      `trace_label ${type.trace_label}`,
      `span_label ${type.span_label}`,
      `ex_labels ${type.ex_labels} CODEC(ZSTD(1))`,
      `announces ${type.announces} CODEC(ZSTD(1))`,
      'INDEX trace_id_index trace_id TYPE bloom_filter(0.001) GRANULARITY 1',
    ],
    // Without a version: rows with an equal key are equal, and a byte a row would tell them apart.
    engine: 'ReplacingMergeTree',
    layout: `PARTITION BY toDate(ts)
PRIMARY KEY (metric, fp, ts)
ORDER BY (metric, fp, ts, trace_id, span_id, value, trace_label, span_label, sipHash64(ex_labels))`,
    settings: { ttl_only_drop_parts: 1 },
    unreplicatedSettings: DEDUPLICATION,
    // A series stays on one shard, and with it what replaces what, and the series that stand for it.
    shardBy: 'fp',
  };
}

function seriesTable() {
  return {
    name: SERIES_TABLE,
    columns: Object.entries(SERIES_COLUMNS).map(([name, type]) => `${name} ${type}`),
    engine: 'ReplacingMergeTree',
    layout: `PARTITION BY toYYYYMM(day)
ORDER BY (metric, day, fp)`,
    unreplicatedSettings: DEDUPLICATION,
    shardBy: 'fp',
  };
}

/** A change to a table that is there already. */
export interface Alteration {
  readonly table: string;
  readonly sql: string;
  /** Whether a table's definition, as the engine shows it, says so already. */
  isIn(definition: string): boolean;
  /** Applies it to what is in the table already. */
  readonly applySql?: string;
}

/** Nobody waits until parts are rewritten: of a large table that takes long, and of a damaged one for ever. */
export const ALTER_SETTINGS = { materialize_ttl_after_modify: 0, mutations_sync: 0, alter_sync: 0 };

/** The time to live of the configuration, which may be another at the next start. */
export function ttlAlterations(ttlMs: number, placement: Placement): Alteration[] {
  const seconds = Math.ceil(ttlMs / 1000);
  // A day's series go when the last of its exemplars may.
  const ttls = { [EXEMPLARS_TABLE]: ['ts', seconds], [SERIES_TABLE]: ['day', seconds + 86_400] } as const;
  return Object.entries(ttls).map(([name, [column, ttlSeconds]]) => {
    const table = storedTable(name, placement);
    const alter = `ALTER TABLE ${table}${onCluster(placement)}`;
    const ttl = `toDateTime(${column}) + toIntervalSecond(${ttlSeconds})`;
    return ttlMs === 0
      ? { table, sql: `${alter} REMOVE TTL`, isIn: (definition) => !definition.includes(' TTL ') }
      : {
          table,
          sql: `${alter} MODIFY TTL ${ttl}`,
          applySql: `${alter} MATERIALIZE TTL`,
          isIn: (definition) => definition.includes(` TTL ${ttl} `),
        };
  });
}

/** Whether the embedded engine has the disk write every insert before it says that it has it. */
export function fsyncAlterations(fsync: boolean): Alteration[] {
  const settings = ['fsync_after_insert', 'fsync_part_directory'].map((name) => `${name} = ${Number(fsync)}`);
  return [EXEMPLARS_TABLE, SERIES_TABLE].map((table) => ({
    table,
    sql: `ALTER TABLE ${table} MODIFY SETTING ${settings.join(', ')}`,
    isIn: (definition) => settings.every((setting) => definition.includes(setting)),
  }));
}
