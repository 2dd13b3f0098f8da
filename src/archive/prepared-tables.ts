import { type Database, DatabaseError, rowsOf, type StatementOptions } from '../clickhouse/database.js';
import { checkColumns, migrate } from '../clickhouse/migrations.js';
import type { Placement } from '../clickhouse/tables.js';
import type { Log } from '../util/log.js';
import type { ArchiveOptions } from './options.js';
import {
  ALTER_SETTINGS,
  archiveMigrations,
  EXEMPLARS_COLUMNS,
  EXEMPLARS_TABLE,
  fsyncAlterations,
  SERIES_COLUMNS,
  SERIES_TABLE,
  ttlAlterations,
} from './schema.js';

/** The table, its database, or a column is not there (any more). */
const TABLE_IS_GONE = new Set([10, 16, 47, 60, 81]);

/** Changes to tables of a cluster take their time. */
const STATEMENT_TIMEOUT_MS = 120_000;

export interface PreparedTablesParts {
  readonly database: Database;
  readonly options: ArchiveOptions;
  readonly placement: Placement;
  readonly isEmbedded: boolean;
  readonly log: Log;
  /** The archive stops: nobody waits for tables any more. */
  readonly stop: AbortSignal;
  /** They are there, for the first time or again: perhaps empty. */
  readonly onPrepared?: () => void;
}

/** Makes sure that the tables are there and fit, before the first statement, and again after they were found missing. */
export class PreparedTables {
  readonly #parts: PreparedTablesParts;
  #prepared: Promise<void> | undefined;

  constructor(parts: PreparedTablesParts) {
    this.#parts = parts;
  }

  /** Work that needs the tables. @throws {DatabaseError} */
  async use<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.ready();
    try {
      return await work();
    } catch (error) {
      if (error instanceof DatabaseError && TABLE_IS_GONE.has(error.code ?? 0)) this.#prepared = undefined;
      throw error;
    }
  }

  /** @throws {DatabaseError} and the next call tries again */
  ready(): Promise<void> {
    this.#prepared ??= this.#prepare().catch((error) => {
      this.#prepared = undefined;
      throw error;
    });
    return this.#prepared;
  }

  get #statement(): StatementOptions {
    return { timeoutMs: STATEMENT_TIMEOUT_MS, signal: this.#parts.stop };
  }

  async #prepare(): Promise<void> {
    const { database, options, placement, log } = this.#parts;
    if (options.createSchema) {
      const migrations = archiveMigrations(placement);
      const statement = this.#statement;
      await migrate({ database, placement, component: 'archive', migrations, log, statement });
      await this.#alter();
    }
    await checkColumns(database, EXEMPLARS_TABLE, EXEMPLARS_COLUMNS, this.#statement);
    await checkColumns(database, SERIES_TABLE, SERIES_COLUMNS, this.#statement);
    this.#parts.onPrepared?.();
  }

  /** Altering writes to every part, so it is only done where something is to change. */
  async #alter(): Promise<void> {
    const { database, options, placement, isEmbedded } = this.#parts;
    const tables = await rowsOf<{ name: string; definition: string }>(
      database,
      'SELECT name, create_table_query AS definition FROM system.tables WHERE database = currentDatabase()',
      this.#statement,
    );
    const definitions = new Map(tables.map(({ name, definition }) => [name, definition]));
    const alterations = [
      ...ttlAlterations(options.ttlMs, placement),
      ...(isEmbedded ? fsyncAlterations(options.fsync) : []),
    ];
    for (const { table, sql, applySql, isIn } of alterations) {
      if (isIn(definitions.get(table) ?? '')) continue;
      const statement = { ...this.#statement, settings: ALTER_SETTINGS };
      await database.command(sql, statement);
      if (applySql !== undefined) await database.command(applySql, statement);
    }
  }
}
