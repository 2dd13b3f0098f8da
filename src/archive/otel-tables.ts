/**
 * The tables in which the OpenTelemetry collector's ClickHouse exporter keeps metrics, as they are found: their columns
 * and types differ by its version, and their owners change them.
 */
import { type Database, rowsOf, type StatementOptions } from '../clickhouse/database.js';
import type { OtelKind } from './otel-metric-name.js';

/** By its name; the exporter has had two for one kind. Summaries have no exemplars. */
const TABLES: readonly (readonly [name: string, kind: OtelKind])[] = [
  ['otel_metrics_gauge', 'gauge'],
  ['otel_metrics_sum', 'sum'],
  ['otel_metrics_histogram', 'histogram'],
  ['otel_metrics_exponential_histogram', 'exponential_histogram'],
  ['otel_metrics_exp_histogram', 'exponential_histogram'],
];

/** Without these there is nothing to read. */
const NEEDED = [
  'MetricName',
  'Attributes',
  'TimeUnix',
  'Exemplars.TimeUnix',
  'Exemplars.Value',
  'Exemplars.TraceId',
  'Exemplars.SpanId',
];

export interface OtelTable {
  readonly name: string;
  readonly kind: OtelKind;
  /** Name → type. */
  readonly columns: ReadonlyMap<string, string>;
}

export interface OtelTables {
  readonly tables: readonly OtelTable[];
  /** What is there and cannot be read, and why; for people. */
  readonly problems: readonly string[];
}

/** @throws {DatabaseError} */
export async function findOtelTables(database: Database, options: StatementOptions): Promise<OtelTables> {
  const tables: OtelTable[] = [];
  const problems: string[] = [];
  const found = await columnsOf(database, options);
  for (const [name, kind] of TABLES) {
    const columns = withNested(found.get(name) ?? new Map());
    if (columns.size === 0) continue;
    const needed = kind === 'histogram' ? [...NEEDED, 'ExplicitBounds'] : NEEDED;
    const missing = needed.filter((column) => !columns.has(column));
    if (missing.length === 0) tables.push({ name, kind, columns });
    else problems.push(`table ${name} is not read, it has no column ${missing.join(', ')}`);
  }
  if (tables.length === 0 && problems.length === 0)
    problems.push("there is no table otel_metrics_… of the OpenTelemetry exporter's");
  return { tables, problems };
}

/** Table → column → type. */
async function columnsOf(
  database: Database,
  options: StatementOptions,
): Promise<Map<string, Map<string, string>>> {
  const rows = await rowsOf<{ table: string; name: string; type: string }>(
    database,
    'SELECT table, name, type FROM system.columns WHERE database = currentDatabase() AND table IN {tables:Array(String)}',
    { ...options, params: { tables: TABLES.map(([name]) => name) } },
  );
  const columns = new Map<string, Map<string, string>>();
  for (const { table, name, type } of rows)
    columns.set(table, (columns.get(table) ?? new Map<string, string>()).set(name, type));
  return columns;
}

const NESTED = /^(?:Nested\(|Array\(Tuple\()/;

/** With `flatten_nested = 0` the columns of `Exemplars` are told as its type. */
function withNested(columns: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const type = columns.get('Exemplars');
  if (type === undefined || !NESTED.test(type)) return columns;
  const nested = ['FilteredAttributes', 'TimeUnix', 'Value', 'TraceId', 'SpanId'].flatMap((name) => {
    const found = new RegExp(`[(\\s]${name} (\\w+)`).exec(type);
    return found === null ? [] : [[`Exemplars.${name}`, `Array(${found[1]!})`] as const];
  });
  return new Map([...columns, ...nested]);
}
