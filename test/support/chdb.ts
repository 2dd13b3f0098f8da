import { ChdbDatabase } from '../../src/clickhouse/chdb/chdb-database.js';
import { isChdbInstalled } from '../../src/clickhouse/chdb/installed.js';
import {
  type Database,
  DatabaseError,
  type RowBlock,
  type StatementOptions,
} from '../../src/clickhouse/database.js';
import { systemClock } from '../../src/util/clock.js';
import { silentLog } from '../../src/util/log.js';

/** Options of a test that needs the engine. In CI it is always there. */
export function skipWithoutChdb(): { readonly skip?: string } {
  return isChdbInstalled() || process.env.CI === 'true' ? {} : { skip: 'chdb is not installed' };
}

export function openChdb(directory: string): ChdbDatabase {
  return new ChdbDatabase({ directory, maxMemoryBytes: 1.5e9, clock: systemClock, log: silentLog });
}

/** An engine that can be made to fail. */
export class FailingDatabase implements Database {
  /** Nobody answers. */
  isDown = false;
  /** What is inserted is in, and nobody says so. */
  losesAnswers = false;
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get name(): string {
    return this.#database.name;
  }

  async command(sql: string, options?: StatementOptions): Promise<void> {
    this.#refuseWhenDown();
    await this.#database.command(sql, options);
  }

  async *query<Row>(sql: string, options?: StatementOptions): AsyncGenerator<readonly Row[]> {
    this.#refuseWhenDown();
    yield* this.#database.query<Row>(sql, options);
  }

  async insert(block: RowBlock, options?: Omit<StatementOptions, 'params'>): Promise<void> {
    this.#refuseWhenDown();
    await this.#database.insert(block, options);
    if (this.losesAnswers) throw new DatabaseError('connection reset', { isTransient: true });
  }

  /** The engine goes on, for the next who asks. */
  async close(): Promise<void> {}

  #refuseWhenDown(): void {
    if (this.isDown) throw new DatabaseError('connection refused', { isTransient: true });
  }
}
