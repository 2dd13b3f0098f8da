/**
 * Tables of spans that others made: the source, which forgets soon, and the kept one with the same columns. Nobody's DDL
 * is taken for granted: columns are asked for each time, and those that both have are copied.
 */
import { type Database, DatabaseError, rowsOf } from '../clickhouse/database.js';
import { createTable, type Placement } from '../clickhouse/tables.js';
import type { Log } from '../util/log.js';
import { quoteColumn, quoteTable } from './identifier.js';
import type { TraceTableOptions } from './options.js';

/** Names that the OpenTelemetry exporter gives, in all its versions. */
const NEEDED_COLUMNS = { Timestamp: 'time', TraceId: 'text', SpanId: 'text' } as const;
const TIMES_NEEDED_COLUMNS = { TraceId: 'text', Start: 'time', End: 'time' } as const;
type NeededColumns = Readonly<Record<string, keyof typeof TYPES>>;

/** What they are compared with is of these types. */
const TYPES = {
  text: { pattern: /^(LowCardinality\()?(String|FixedString\(\d+\))\)?$/, names: 'String' },
  time: { pattern: /^DateTime(64)?(\(.*\))?$/, names: 'DateTime64 or DateTime' },
} as const;
const TIMES_SUFFIX = '_trace_id_ts';

/** What is there, as it was a moment ago. */
export interface TraceTables {
  /** Quoted. */
  readonly source: string;
  /** Quoted; undefined: nothing is copied. */
  readonly kept: string | undefined;
  /** First and last time of each trace, where the exporter keeps such a table; quoted. */
  readonly times: string | undefined;
  /** Columns of both source and kept, quoted. */
  readonly columns: readonly string[];
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly kind: string;
  readonly codec: string;
}

export interface TraceTablesParts {
  readonly database: Database;
  readonly placement: Placement;
  readonly options: TraceTableOptions;
  readonly log: Log;
}

/** @throws {DatabaseError} where the source is not there, or is no table of spans */
export async function findTraceTables(parts: TraceTablesParts): Promise<TraceTables> {
  const { database, options, log } = parts;
  const sourceColumns = await columnsOf(database, options.source);
  requireColumns(database, options.source, sourceColumns, NEEDED_COLUMNS);
  const timesTable = `${options.source}${TIMES_SUFFIX}`;
  const times = await columnsOf(database, timesTable);
  const hasTimes = unfitColumns(times, TIMES_NEEDED_COLUMNS).length === 0;
  const found = {
    source: quoteTable(options.source),
    times: hasTimes ? quoteTable(timesTable) : undefined,
  };
  if (!options.copy) return { ...found, kept: undefined, columns: [] };
  const keptColumns = await keptColumnsOf(parts, sourceColumns);
  const written = new Set(keptColumns.filter(isStored).map(({ name }) => name));
  const copied = sourceColumns.filter(isReadable).filter(({ name }) => written.has(name));
  const left = sourceColumns.filter((column) => isStored(column) && !written.has(column.name));
  if (left.length > 0) {
    const columns = left.map(({ name }) => name).join(', ');
    log.debug(
      { kept: options.kept, columns },
      'columns of spans that the table of kept traces does not have',
    );
  }
  const columns = copied.map(({ name }) => quoteColumn(name));
  return { ...found, kept: quoteTable(options.kept), columns };
}

async function keptColumnsOf(parts: TraceTablesParts, source: readonly Column[]): Promise<Column[]> {
  const { database, options } = parts;
  const existing = await columnsOf(database, options.kept);
  if (existing.length > 0) {
    requireColumns(database, options.kept, existing, NEEDED_COLUMNS);
    await adjustTtl(parts);
    return existing;
  }
  if (!options.createSchema) throw missingTable(database, options.kept);
  await createKept(parts, source.filter(isStored));
  return columnsOf(database, options.kept);
}

/** A week of kept spans is dropped at a time: with days, half a year would be looked up in 180 places. */
async function createKept(
  { database, options, placement, log }: TraceTablesParts,
  columns: readonly Column[],
): Promise<void> {
  const statements = createTable(
    {
      name: options.kept,
      columns: columns.map(({ name, type, codec }) => `${quoteColumn(name)} ${type} ${codec}`.trimEnd()),
      engine: 'ReplacingMergeTree',
      layout: `PARTITION BY toMonday(Timestamp)
PRIMARY KEY TraceId
ORDER BY (TraceId, SpanId)${options.keptTtlMs === 0 ? '' : `\nTTL ${ttlSql(options.keptTtlMs)}`}`,
      settings: { ttl_only_drop_parts: 1 },
      shardBy: 'sipHash64(TraceId)',
    },
    placement,
  );
  for (const sql of statements) await database.command(sql);
  log.info({ table: options.kept, database: database.name }, 'table of kept traces made');
}

const TTL_FORM = /TTL toDateTime\(Timestamp\) \+ toIntervalSecond\((\d+)\)/;

function ttlSql(ttlMs: number): string {
  return `toDateTime(Timestamp) + toIntervalSecond(${Math.ceil(ttlMs / 1000)})`;
}

/** A time to live that has our form is ours, and follows the configuration. Any other is somebody's own. */
async function adjustTtl({ database, options, placement }: TraceTablesParts): Promise<void> {
  if (!options.createSchema || placement.cluster !== undefined || options.keptTtlMs === 0) return;
  const [name, ofDatabase] = options.kept.split('.').reverse() as [string, string | undefined];
  const [row] = await rowsOf<{ engine: string }>(
    database,
    `SELECT engine_full AS engine FROM system.tables
WHERE database = if({database:String} = '', currentDatabase(), {database:String}) AND name = {table:String}`,
    { params: { database: ofDatabase ?? '', table: name } },
  );
  const seconds = TTL_FORM.exec(row?.engine ?? '')?.[1];
  if (seconds === undefined || Number(seconds) === Math.ceil(options.keptTtlMs / 1000)) return;
  await database.command(`ALTER TABLE ${quoteTable(options.kept)} MODIFY TTL ${ttlSql(options.keptTtlMs)}`);
}

/** In their order; none where there is no such table. */
async function columnsOf(database: Database, table: string): Promise<Column[]> {
  const [name, ofDatabase] = table.split('.').reverse() as [string, string | undefined];
  return rowsOf<Column>(
    database,
    `SELECT name, type, default_kind AS kind, compression_codec AS codec FROM system.columns
WHERE database = if({database:String} = '', currentDatabase(), {database:String}) AND table = {table:String}
ORDER BY position`,
    { params: { database: ofDatabase ?? '', table: name } },
  );
}

/** Has values of its own: those of the others follow from them. */
function isStored({ kind }: Column): boolean {
  return kind === '' || kind === 'DEFAULT';
}

/** A column that is computed when rows come in is still one of the rows. */
function isReadable({ kind }: Column): boolean {
  return kind !== 'EPHEMERAL';
}

function requireColumns(
  database: Database,
  table: string,
  columns: readonly Column[],
  needed: NeededColumns,
): void {
  if (columns.length === 0) throw missingTable(database, table);
  const unfit = unfitColumns(columns, needed);
  if (unfit.length === 0) return;
  throw new DatabaseError(`table ${table} in ${database.name} ${unfit.join('; ')}`, { isTransient: false });
}

/** @returns what is wrong with them, for people; completes a sentence about their table */
function unfitColumns(columns: readonly Column[], needed: NeededColumns): string[] {
  const types = new Map(columns.map(({ name, type }) => [name, type]));
  const names = Object.keys(needed);
  const missing = names.filter((name) => !types.has(name));
  const ofOtherType = names.flatMap((name) => {
    const type = types.get(name);
    const { pattern, names: wanted } = TYPES[needed[name]!];
    return type === undefined || pattern.test(type) ? [] : `has ${name} of type ${type}, not ${wanted}`;
  });
  return missing.length === 0 ? ofOtherType : [`has no column ${missing.join(', ')}`, ...ofOtherType];
}

function missingTable(database: Database, table: string): DatabaseError {
  return new DatabaseError(`${database.name} has no table ${table}`, { isTransient: false });
}
