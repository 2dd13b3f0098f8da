import type { Database } from '../clickhouse/database.js';
import { checkColumns, type Migration, migrate } from '../clickhouse/migrations.js';
import type { Placement } from '../clickhouse/tables.js';
import type { Log } from '../util/log.js';
import {
  DECISIONS_COLUMNS,
  DECISIONS_COMPONENT,
  DECISIONS_TABLE,
  decisionMigrations,
  SAMPLER_COMPONENT,
  SPANS_COLUMNS,
  SPANS_TABLE,
  samplerMigrations,
  WINDOWS_COLUMNS,
  WINDOWS_TABLE,
} from './schema.js';

/** A database in which the sampler has tables. */
export interface SamplingDatabase {
  readonly database: Database;
  readonly placement: Placement;
  /** Whether missing tables are made; if not, they are only looked at. */
  readonly createSchema: boolean;
}

type Tables = readonly (readonly [table: string, columns: Readonly<Record<string, string>>])[];

const ALL_TABLES: Tables = [
  [DECISIONS_TABLE, DECISIONS_COLUMNS],
  [WINDOWS_TABLE, WINDOWS_COLUMNS],
  [SPANS_TABLE, SPANS_COLUMNS],
];

/** Makes the sampler's tables in each database that it comes to, once. */
export class PreparedDatabases {
  readonly #log: Log;
  #prepared = new WeakMap<Database, Promise<void>>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** All tables. @throws {DatabaseError}; the next call tries again */
  archive(database: SamplingDatabase): Promise<void> {
    return this.#once(database, SAMPLER_COMPONENT, samplerMigrations(database.placement), ALL_TABLES);
  }

  /** Only decisions. @throws {DatabaseError}; the next call tries again */
  decisions(database: SamplingDatabase): Promise<void> {
    const migrations = decisionMigrations(database.placement);
    return this.#once(database, DECISIONS_COMPONENT, migrations, ALL_TABLES.slice(0, 1));
  }

  /** After something failed: the tables may be gone. */
  forget({ database }: SamplingDatabase): void {
    this.#prepared.delete(database);
  }

  #once(
    database: SamplingDatabase,
    component: string,
    migrations: readonly Migration[],
    tables: Tables,
  ): Promise<void> {
    const known = this.#prepared.get(database.database);
    if (known !== undefined) return known;
    const preparing = this.#prepare(database, component, migrations, tables).catch((error) => {
      this.forget(database);
      throw error;
    });
    this.#prepared.set(database.database, preparing);
    return preparing;
  }

  async #prepare(
    { database, placement, createSchema }: SamplingDatabase,
    component: string,
    migrations: readonly Migration[],
    tables: Tables,
  ): Promise<void> {
    if (createSchema) await migrate({ database, placement, component, migrations, log: this.#log });
    for (const [table, columns] of tables) await checkColumns(database, table, columns);
  }
}
