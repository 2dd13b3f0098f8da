/**
 * Brings tables to what this version of exemplard needs: ordered, numbered statements, each done once. Two processes
 * may do this at a time, so each statement does no harm when it is done again.
 *
 *     exemplard_schema     component │ version │ applied_at │ detail
 *                          archive   │ 1       │ …          │ make exemplars
 */
import type { Log } from '../util/log.js';
import { type Database, DatabaseError, rowsOf, type StatementOptions } from './database.js';
import { createTable, type Placement } from './tables.js';

/** One step. Never changed once it was released: what is wrong with it is mended by a later one. */
export interface Migration {
  readonly version: number;
  readonly detail: string;
  readonly statements: readonly string[];
}

export interface MigrationParts {
  readonly database: Database;
  readonly placement: Placement;
  /** Who the tables belong to: each has its own numbers. */
  readonly component: string;
  readonly migrations: readonly Migration[];
  readonly log: Log;
  /** How long each statement may take. */
  readonly statement?: StatementOptions;
}

const VERSIONS_TABLE = 'exemplard_schema';

/** What DDL on a cluster may take. */
const STATEMENT: StatementOptions = { timeoutMs: 120_000 };

/** @throws {DatabaseError} also where the tables are of a later version, which this one might damage */
export async function migrate(parts: MigrationParts): Promise<void> {
  const { database, component, migrations, log } = parts;
  await createVersionsTable(parts);
  const applied = await appliedVersion(database, component);
  const known = migrations.at(-1)?.version ?? 0;
  if (applied > known) {
    throw new DatabaseError(
      `the tables of ${component} in ${database.name} are of version ${applied}, and this exemplard knows ${known}`,
      { isTransient: false },
    );
  }
  for (const { version, detail, statements } of migrations) {
    if (version <= applied) continue;
    for (const sql of statements) await database.command(sql, parts.statement ?? STATEMENT);
    await database.insert({
      table: VERSIONS_TABLE,
      lines: Buffer.from(`${JSON.stringify({ component, version, detail })}\n`),
      rows: 1,
    });
    log.info({ component, version, detail, database: database.name }, 'tables migrated');
  }
}

async function createVersionsTable(parts: MigrationParts): Promise<void> {
  const { database, placement } = parts;
  const statements = createTable(
    {
      name: VERSIONS_TABLE,
      columns: [
        'component String',
        'version UInt32',
        'detail String',
        "applied_at DateTime('UTC') DEFAULT now()",
      ],
      engine: 'ReplacingMergeTree(applied_at)',
      layout: 'ORDER BY (component, version)',
      shardBy: 'sipHash64(component)',
    },
    placement,
  );
  for (const sql of statements) await database.command(sql, parts.statement ?? STATEMENT);
}

async function appliedVersion(database: Database, component: string): Promise<number> {
  const [row] = await rowsOf<{ version: number }>(
    database,
    `SELECT max(version) AS version FROM ${VERSIONS_TABLE} WHERE component = {component:String}`,
    { params: { component } },
  );
  return row?.version ?? 0;
}

/**
 * Whether a table that somebody else made has what is needed.
 * @throws {DatabaseError} that names what is missing, or has another type
 */
export async function checkColumns(
  database: Database,
  table: string,
  columns: Readonly<Record<string, string>>,
  statement?: StatementOptions,
): Promise<void> {
  const found = await columnTypes(database, table, statement);
  if (found.size === 0) {
    throw new DatabaseError(`${database.name} has no table ${table}`, { isTransient: false });
  }
  const problems = Object.entries(columns).flatMap(([name, type]) => {
    const has = found.get(name);
    if (has === undefined) return [`has no column ${name} ${type}`];
    return isSameType(has, type) ? [] : [`has column ${name} as ${has}, not as ${type}`];
  });
  if (problems.length === 0) return;
  throw new DatabaseError(`table ${table} in ${database.name} ${problems.join('; ')}`, {
    isTransient: false,
  });
}

/** Name → type of the columns of a table; empty where there is no such table. */
export async function columnTypes(
  database: Database,
  table: string,
  statement?: StatementOptions,
): Promise<Map<string, string>> {
  const rows = await rowsOf<{ name: string; type: string }>(
    database,
    'SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String} ORDER BY position',
    { ...statement, params: { table } },
  );
  return new Map(rows.map(({ name, type }) => [name, type]));
}

/** Whether it is kept as a dictionary or not makes no difference to who reads and writes. */
function isSameType(a: string, b: string): boolean {
  const plain = (type: string) =>
    type
      .replaceAll(/LowCardinality\((\w+)\)/g, '$1')
      .replaceAll(/^SimpleAggregateFunction\(\w+, (.*)\)$/g, '$1')
      .replaceAll(' ', '');
  return plain(a) === plain(b);
}
