/**
 * A ClickHouse engine, embedded (chDB) or on servers: what archive and sampler say to it, and what it answers. One SQL
 * text goes to both. Whatever comes from users or targets goes in as a parameter or as a row, never into the text.
 */

/** For a placeholder `{name:Type}`. A bigint for UInt64; milliseconds since 1970 as Int64, because dates lose them. */
export type Param = string | number | bigint | readonly (string | number | bigint)[];

export interface StatementOptions {
  readonly params?: Readonly<Record<string, Param>>;
  /** Settings of this statement alone. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** The engine stops the statement after so long; a little later nobody waits for an answer any more. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Rows on their way in, as the engine reads them: JSONEachRow. */
export interface RowBlock {
  readonly table: string;
  /** One `JSON.stringify`ed object a row, each ending in a newline; never an empty line (see `assertNoEmptyLine`). */
  readonly lines: Buffer;
  readonly rows: number;
  /**
   * Names these bytes: the engine takes in a block with a token it knows without adding rows, whatever is in it.
   * Undefined: nothing is remembered.
   */
  readonly token?: string;
}

export interface Database {
  /** What it is, for logs and errors, without credentials: `chDB in ./data/chdb`, `ClickHouse at http://…`. */
  readonly name: string;
  /** `INSERT … SELECT`, DDL: what answers no rows. @throws {DatabaseError} */
  command(sql: string, options?: StatementOptions): Promise<void>;
  /**
   * Rows of a SELECT (without FORMAT and SETTINGS), page by page as they come; whoever stops reading stops the statement.
   * A row is an object by column: strings, arrays, maps as objects; UInt64 and Int64 as strings; other numbers as
   * numbers, but NaN and infinities as the strings `nan`, `inf`, `-inf`.
   * @throws {DatabaseError} also in the middle
   */
  query<Row>(sql: string, options?: StatementOptions): AsyncIterable<readonly Row[]>;
  /** All rows or none are in when it resolves. @throws {DatabaseError} then they may be in all the same */
  insert(block: RowBlock, options?: Omit<StatementOptions, 'params'>): Promise<void>;
  /** Ends what is under way. Calling again gives the same. Never rejects. */
  close(): Promise<void>;
}

/** What went wrong with a statement. */
export class DatabaseError extends Error {
  /** ClickHouse's number of the error; undefined where no engine answered. */
  readonly code: number | undefined;
  /** Whether the same may work later: the engine is away, busy, out of memory, or its disk is full. */
  readonly isTransient: boolean;
  /** Of an insert that failed for what a row says: which, counted from 1. */
  readonly failedAtRow: number | undefined;

  constructor(
    message: string,
    {
      code,
      isTransient,
      failedAtRow,
    }: { readonly code?: number; readonly isTransient: boolean; readonly failedAtRow?: number },
  ) {
    super(message);
    this.code = code;
    this.isTransient = isTransient;
    this.failedAtRow = failedAtRow;
  }
}

/** All rows of a query whose answer is known to be small. */
export async function rowsOf<Row>(
  database: Database,
  sql: string,
  options?: StatementOptions,
): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of database.query<Row>(sql, options)) rows.push(...page);
  return rows;
}
