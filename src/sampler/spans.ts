/** Which traces there are, and the copy of their spans from source to kept table. */

import { BoundValues } from '../clickhouse/bound-values.js';
import { type Database, DatabaseError, rowsOf } from '../clickhouse/database.js';
import { statementOptions } from './candidates.js';
import type { SamplerLimits, TraceTableOptions } from './options.js';
import type { TraceTables } from './trace-tables.js';

/** Time within which spans of some traces are looked for; undefined: at any. */
export interface SpanTimes {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface TraceSpans {
  readonly traceId: string;
  /** In the source, and not yet kept. */
  readonly spans: number;
}

/** Ids of one statement: they travel with it, over HTTP in its URL where the client does not know better. */
const MAX_CHUNK_IDS = 10_000;
const MAX_CHUNK_BYTES = 512 * 1024;
/** Of one INSERT … SELECT, which is written in blocks of as many. */
const MAX_COPIED_SPANS = 100_000;
const COPY_BLOCK_SPANS = 20_000;
const COPY_SETTINGS = {
  max_block_size: COPY_BLOCK_SPANS / 2,
  max_insert_block_size: COPY_BLOCK_SPANS,
  min_insert_block_size_rows: COPY_BLOCK_SPANS,
  min_insert_block_size_bytes: 64 * 1024 * 1024,
  // A distributed table would otherwise acknowledge what is only queued.
  distributed_foreground_insert: 1,
};
/** The exporter's table of times has whole seconds. */
const TIMES_ROUNDING_MS = 1_000;
/** Spans further from their exemplars than this are not looked for, whatever the table of times says. */
const MAX_STRETCH_MS = 24 * 60 * 60_000;

/** The database with the spans did not do what it was asked. */
export class TracesError extends DatabaseError {
  static rethrow(error: unknown): never {
    if (!(error instanceof DatabaseError) || error instanceof TracesError) throw error;
    const { code, isTransient } = error;
    throw new TracesError(`traces: ${error.message}`, {
      isTransient,
      ...(code === undefined ? {} : { code }),
    });
  }
}

export interface SpanStoreParts {
  readonly database: Database;
  readonly tables: TraceTables;
  readonly options: Pick<TraceTableOptions, 'marginMs'>;
  readonly limits: SamplerLimits;
  readonly signal?: AbortSignal | undefined;
}

export class SpanStore {
  readonly #parts: SpanStoreParts;

  constructor(parts: SpanStoreParts) {
    this.#parts = parts;
  }

  /** Which of the traces have a span in the source around these times, or are kept already. */
  async existing(traceIds: readonly string[], times: SpanTimes): Promise<Set<string>> {
    const { tables } = this.#parts;
    const found = new Set<string>();
    for (const ids of chunks(traceIds, MAX_CHUNK_IDS)) {
      const values = new BoundValues();
      const list = values.texts(ids);
      const around = { fromMs: times.fromMs - this.#margin, toMs: times.toMs + this.#margin };
      const parts = [
        `SELECT TraceId AS id FROM ${tables.source} WHERE TraceId IN ${list} AND ${timesSql(around, values)}`,
        ...[tables.kept, tables.times].flatMap((table) =>
          table === undefined ? [] : [`SELECT TraceId AS id FROM ${table} WHERE TraceId IN ${list}`],
        ),
      ];
      const sql = `SELECT DISTINCT id FROM (${parts.join(' UNION ALL ')})`;
      for (const { id } of await this.#rows<{ id: string }>(sql, values)) found.add(id);
    }
    return found;
  }

  /** All spans of the source in a time: what the kept ones are a part of. */
  async countSource(times: SpanTimes): Promise<number> {
    const values = new BoundValues();
    const sql = `SELECT count() AS n FROM ${this.#parts.tables.source} WHERE ${timesSql(times, values)}`;
    const [row] = await this.#rows<{ n: string | number }>(sql, values);
    return Number(row?.n ?? 0);
  }

  /** The traces that have spans to copy, in no order. */
  async uncopied(traceIds: readonly string[], times: SpanTimes | undefined): Promise<TraceSpans[]> {
    const found: TraceSpans[] = [];
    for (const ids of chunks(traceIds, MAX_CHUNK_IDS)) {
      const values = new BoundValues();
      const sql = `SELECT TraceId AS id, count() AS spans ${this.#uncopiedSql(ids, await this.#bounds(ids, times), values)} GROUP BY TraceId`;
      for (const { id, spans } of await this.#rows<{ id: string; spans: string | number }>(sql, values))
        found.push({ traceId: id, spans: Number(spans) });
    }
    return found;
  }

  /** Copies what is not kept yet. Doing it again does no harm: rows of the same span become one. */
  async copy(traceIds: readonly string[], times: SpanTimes | undefined): Promise<void> {
    const { database, tables, limits, signal } = this.#parts;
    const columns = tables.columns.join(', ');
    const values = new BoundValues();
    const from = this.#uncopiedSql(traceIds, await this.#bounds(traceIds, times), values);
    const options = statementOptions(limits, signal);
    const settings = { ...options.settings, ...COPY_SETTINGS };
    await database
      .command(`INSERT INTO ${tables.kept} (${columns}) SELECT ${columns} ${from}`, {
        ...options,
        params: values.params,
        settings,
      })
      .catch(TracesError.rethrow);
  }

  /** `GLOBAL` is for distributed tables, whose shards would otherwise each look at their own kept spans alone. */
  #uncopiedSql(ids: readonly string[], times: SpanTimes | undefined, values: BoundValues): string {
    const { tables } = this.#parts;
    const list = values.texts(ids);
    const bounds = times === undefined ? 'true' : timesSql(times, values);
    return `FROM ${tables.source} WHERE TraceId IN ${list} AND ${bounds}
  AND (TraceId, SpanId) GLOBAL NOT IN (SELECT TraceId, SpanId FROM ${tables.kept} WHERE TraceId IN ${list})`;
  }

  get #margin(): number {
    return this.#parts.options.marginMs;
  }

  /** Around the exemplars, and as far as the exporter's table says that these traces go. */
  async #bounds(ids: readonly string[], times: SpanTimes | undefined): Promise<SpanTimes | undefined> {
    const known = await this.#knownTimes(ids);
    if (times === undefined) return known;
    const { fromMs, toMs } = { fromMs: times.fromMs - this.#margin, toMs: times.toMs + this.#margin };
    if (known === undefined) return { fromMs, toMs };
    return {
      fromMs: Math.max(times.fromMs - MAX_STRETCH_MS, Math.min(fromMs, known.fromMs)),
      toMs: Math.min(times.toMs + MAX_STRETCH_MS, Math.max(toMs, known.toMs)),
    };
  }

  async #knownTimes(ids: readonly string[]): Promise<SpanTimes | undefined> {
    const { times } = this.#parts.tables;
    if (times === undefined) return undefined;
    const values = new BoundValues();
    const sql = `SELECT count() AS n, toUnixTimestamp64Milli(toDateTime64(min(Start), 3)) AS first_ms,
  toUnixTimestamp64Milli(toDateTime64(max(End), 3)) AS last_ms FROM ${times} WHERE TraceId IN ${values.texts(ids)}`;
    const [row] = await this.#rows<{ n: string; first_ms: string; last_ms: string }>(sql, values);
    if (row === undefined || Number(row.n) === 0) return undefined;
    return { fromMs: Number(row.first_ms), toMs: Number(row.last_ms) + TIMES_ROUNDING_MS };
  }

  #rows<Row>(sql: string, values: BoundValues): Promise<Row[]> {
    const { database, limits, signal } = this.#parts;
    const options = { ...statementOptions(limits, signal), params: values.params };
    return rowsOf<Row>(database, sql, options).catch(TracesError.rethrow);
  }
}

function timesSql({ fromMs, toMs }: SpanTimes, values: BoundValues): string {
  return `Timestamp >= ${values.time(fromMs)} AND Timestamp <= ${values.time(toMs)}`;
}

/** Parts of a list that one statement can carry. */
export function* chunks(ids: readonly string[], maxIds: number): Generator<string[]> {
  let chunk: string[] = [];
  let bytes = 0;
  for (const id of ids) {
    // Quotes and commas, each spelled with three characters in a URL.
    const idBytes = encodedLength(id) + 9;
    if (chunk.length > 0 && (chunk.length >= maxIds || bytes + idBytes > MAX_CHUNK_BYTES)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(id);
    bytes += idBytes;
  }
  if (chunk.length > 0) yield chunk;
}

/** At most; ids of hex digits, which nearly all are, are their own encoding. */
function encodedLength(id: string): number {
  return /^[0-9a-f]*$/.test(id) ? id.length : id.length * 24;
}

/** Parts of a copy: as many traces as one statement should copy spans of. */
export function* copyChunks(traces: readonly TraceSpans[]): Generator<TraceSpans[]> {
  let chunk: TraceSpans[] = [];
  let spans = 0;
  for (const trace of traces) {
    const isFull = chunk.length >= MAX_CHUNK_IDS || spans + trace.spans > MAX_COPIED_SPANS;
    if (chunk.length > 0 && isFull) {
      yield chunk;
      chunk = [];
      spans = 0;
    }
    chunk.push(trace);
    spans += trace.spans;
  }
  if (chunk.length > 0) yield chunk;
}
