/** What the process with the engine and its parent say to each other. Sent as V8 serializes it, so Buffers stay bytes. */
import type { Param } from '../database.js';
import type { Settings } from '../statement-settings.js';

export interface EngineOptions {
  /** Made where it is not there. */
  readonly directory: string;
  readonly maxMemoryBytes: number;
}

/** A statement; `id` names it from then on. */
export interface InsertRequest {
  readonly type: 'insert';
  readonly id: number;
  readonly table: string;
  readonly lines: Buffer;
  readonly settings: Settings;
  readonly timeoutMs: number;
}

export interface SqlRequest {
  readonly type: 'command' | 'query';
  readonly id: number;
  readonly sql: string;
  readonly params: Readonly<Record<string, Param>>;
  readonly settings: Settings;
  readonly timeoutMs: number;
}

export type StatementRequest = InsertRequest | SqlRequest;

/** A request before it has a number. */
export type Statement = Omit<InsertRequest, 'id'> | Omit<SqlRequest, 'id'>;

export type ToEngine =
  | { readonly type: 'open'; readonly options: EngineOptions }
  | StatementRequest
  /** The parent has room for so many pages more. */
  | { readonly type: 'credit'; readonly id: number; readonly pages: number }
  /** Nobody waits for it any more. It is answered all the same. */
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'close' };

export interface StatementFailure {
  readonly message: string;
  readonly code: number | undefined;
  readonly failedAtRow: number | undefined;
}

export type FromEngine =
  | { readonly type: 'opened' }
  | { readonly type: 'refused'; readonly reason: string; readonly isTransient: boolean }
  /** Whole lines of a query's result. */
  | { readonly type: 'page'; readonly id: number; readonly lines: Buffer }
  /** The last about a statement: how it ended. */
  | { readonly type: 'done'; readonly id: number }
  | { readonly type: 'failed'; readonly id: number; readonly failure: StatementFailure };
