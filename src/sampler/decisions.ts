/** The decisions, as rows of `trace_keep`. */

import { BoundValues } from '../clickhouse/bound-values.js';
import { type Database, rowsOf, type StatementOptions } from '../clickhouse/database.js';
import type { Clock } from '../util/clock.js';
import { MAX_CATCH_UP_MS } from './options.js';
import { DECISIONS_TABLE } from './schema.js';
import { chunks } from './spans.js';

export interface Decision {
  readonly traceId: string;
  readonly job: string;
  readonly windowStartMs: number;
  readonly windowMs: number;
  readonly reasons: readonly string[];
  readonly rate: number;
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly groupIds: readonly string[];
  readonly service: string;
  readonly value: number;
  readonly refMs: number;
  readonly found: boolean;
  readonly priority: number;
  readonly note: string;
  readonly decidedAtMs: number;
}

interface Row {
  readonly trace_id: string;
  readonly job: string;
  readonly window_start: string;
  readonly window_ms: string;
  readonly reasons: string[];
  readonly rate: number;
  readonly group_labels: Record<string, string>;
  readonly group_ids: string[];
  readonly service: string;
  readonly value: number | string;
  readonly ref_ts: string;
  readonly found: boolean;
  readonly priority: number;
  readonly note: string;
  readonly decided_at: string;
  readonly place: string;
}

/** Where a reader of decisions is: they are in the order in which they were made. */
export interface Cursor {
  readonly decidedAtMs: number;
  /** Among those of the same millisecond; undefined: before all of them. */
  readonly place?: string;
}

/** A decision, and the cursor behind it. */
export interface PlacedDecision extends Decision {
  readonly cursor: Cursor;
}

export function formatCursor({ decidedAtMs, place }: Cursor): string {
  return place === undefined ? String(decidedAtMs) : `${decidedAtMs}-${place}`;
}

/** The same decision made at another time: its place among those of one time is its own. */
export function placedAt(decision: PlacedDecision, decidedAtMs: number): PlacedDecision {
  return { ...decision, decidedAtMs, cursor: { ...decision.cursor, decidedAtMs } };
}

/** @returns undefined when the text is none of ours */
export function parseCursor(text: string): Cursor | undefined {
  const match = /^(\d{1,15})-(\d{1,20})$/.exec(text);
  if (match === null || BigInt(match[2]!) >= 2n ** 64n) return undefined;
  return { decidedAtMs: Number(match[1]), place: match[2]! };
}

const COLUMNS = `trace_id, job, toUnixTimestamp64Milli(window_start) AS window_start, window_ms, reasons, rate, group_labels,
  group_ids, service, value, toUnixTimestamp64Milli(ref_ts) AS ref_ts, found, priority, note`;
const placeSql = (traceId: string, job: string, windowStart: string) =>
  `sipHash64(${traceId}, ${job}, ${windowStart})`;
const PLACE = placeSql('trace_id', 'job', 'trace_keep.window_start');
/** Ids of one statement. */
const MAX_PLACED = 10_000;
/** A run decides about fewer, so that its rows are in one block: all of them are stored, or none. */
export const ROWS_PER_BLOCK = 100_000;
const MAX_ROWS_OF_WINDOW = 2 * ROWS_PER_BLOCK;

/** All versions of a decision have the same time, so that the index of times leaves out none of them alone. */
const SINCE_SETTINGS = { use_skip_indexes_if_final: 1 };
const DAY_MS = 24 * 60 * 60_000;

export class DecisionTable {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Rows that are there already take their places again. @throws {DatabaseError} */
  async store(decisions: readonly Decision[], signal?: AbortSignal): Promise<void> {
    const version = String(this.#clock.nowMs());
    for (let from = 0; from < decisions.length; from += ROWS_PER_BLOCK) {
      const block = decisions.slice(from, from + ROWS_PER_BLOCK);
      const lines = Buffer.from(block.map((each) => `${JSON.stringify(rowOf(each, version))}\n`).join(''));
      await this.#database.insert(
        { table: DECISIONS_TABLE, lines, rows: block.length },
        {
          settings: { distributed_foreground_insert: 1 },
          ...(signal === undefined ? {} : { signal }),
        },
      );
    }
  }

  /** With the cursors that they have once they are stored. Of one job and window. @throws {DatabaseError} */
  async placed(decisions: readonly Decision[], signal?: AbortSignal): Promise<PlacedDecision[]> {
    const places = new Map<string, string>();
    const ids = decisions.map(({ traceId }) => traceId.toWellFormed());
    for (const some of chunks(ids, MAX_PLACED)) {
      const { job, windowStartMs } = decisions[0]!;
      const values = new BoundValues();
      const place = placeSql('id', values.text(job.toWellFormed()), values.time(windowStartMs));
      const sql = `SELECT id, ${place} AS place FROM (SELECT arrayJoin(${values.texts(some)}) AS id)`;
      const rows = await rowsOf<{ id: string; place: string }>(this.#database, sql, {
        params: values.params,
        ...(signal === undefined ? {} : { signal }),
      });
      for (const { id, place } of rows) places.set(id, place);
    }
    return decisions.map((decision, i) => ({
      ...decision,
      cursor: { decidedAtMs: decision.decidedAtMs, place: places.get(ids[i]!)! },
    }));
  }

  /** The most important first. */
  async ofWindow(job: string, windowStartMs: number, signal?: AbortSignal): Promise<Decision[]> {
    const values = new BoundValues();
    const sql = `SELECT ${COLUMNS}, toUnixTimestamp64Milli(decided_at) AS decided_at, '' AS place FROM ${DECISIONS_TABLE} FINAL
WHERE job = ${values.text(job)} AND trace_keep.window_start = ${values.time(windowStartMs)}
ORDER BY priority, trace_id LIMIT ${values.count(MAX_ROWS_OF_WINDOW)}`;
    const rows = await this.#rows(sql, values, signal);
    return rows.map(decisionOf);
  }

  /** Times of windows of a job that have decisions, of those that begin at `fromMs` or later; latest first. */
  async windows(job: string, fromMs: number, signal?: AbortSignal): Promise<number[]> {
    const values = new BoundValues();
    const sql = `SELECT DISTINCT toUnixTimestamp64Milli(trace_keep.window_start) AS start FROM ${DECISIONS_TABLE}
WHERE job = ${values.text(job)} AND trace_keep.window_start >= ${values.time(fromMs)} ORDER BY start DESC`;
    const rows = await rowsOf<{ start: string }>(this.#database, sql, {
      params: values.params,
      ...(signal === undefined ? {} : { signal }),
    });
    return rows.map(({ start }) => Number(start));
  }

  /** Those after the cursor, the earliest first. */
  async since(
    cursor: Cursor,
    {
      job,
      limit,
      signal,
    }: { readonly job?: string | undefined; readonly limit: number; readonly signal?: AbortSignal },
  ): Promise<PlacedDecision[]> {
    const values = new BoundValues();
    const at = values.time(cursor.decidedAtMs);
    const after =
      cursor.place === undefined
        ? `trace_keep.decided_at > ${at}`
        : `(trace_keep.decided_at > ${at} OR trace_keep.decided_at = ${at} AND ${PLACE} > ${values.uint64(BigInt(cursor.place))})`;
    const sql = `SELECT ${COLUMNS}, toUnixTimestamp64Milli(trace_keep.decided_at) AS decided_at, ${PLACE} AS place FROM ${DECISIONS_TABLE} FINAL
WHERE trace_keep.window_start >= ${values.time(Math.max(0, cursor.decidedAtMs - MAX_CATCH_UP_MS - DAY_MS))} AND (${after})${job === undefined ? '' : ` AND job = ${values.text(job)}`}
ORDER BY trace_keep.decided_at, place LIMIT ${values.count(limit)}`;
    const rows = await this.#rows(sql, values, signal, SINCE_SETTINGS);
    return rows.map((row) => ({
      ...decisionOf(row),
      cursor: { decidedAtMs: Number(row.decided_at), place: row.place },
    }));
  }

  #rows(
    sql: string,
    values: BoundValues,
    signal: AbortSignal | undefined,
    settings: NonNullable<StatementOptions['settings']> = {},
  ): Promise<Row[]> {
    return rowsOf<Row>(this.#database, sql, {
      params: values.params,
      settings,
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

function decisionOf(row: Row): Decision {
  return {
    traceId: row.trace_id,
    job: row.job,
    windowStartMs: Number(row.window_start),
    windowMs: Number(row.window_ms),
    reasons: row.reasons,
    rate: row.rate,
    groupLabels: row.group_labels,
    groupIds: row.group_ids.map(String),
    service: row.service,
    value: Number(row.value),
    refMs: Number(row.ref_ts),
    found: Boolean(row.found),
    priority: row.priority,
    note: row.note,
    decidedAtMs: Number(row.decided_at),
  };
}

/** Times as whole milliseconds; numbers that JSON has none for as words. */
function rowOf(decision: Decision, version: string) {
  const { value } = decision;
  return {
    trace_id: decision.traceId.toWellFormed(),
    job: decision.job.toWellFormed(),
    window_start: decision.windowStartMs,
    window_ms: decision.windowMs,
    reasons: decision.reasons,
    rate: decision.rate,
    group_labels: decision.groupLabels,
    group_ids: decision.groupIds,
    service: decision.service,
    value: Number.isFinite(value) ? value : String(value).replace('Infinity', 'inf'),
    ref_ts: decision.refMs,
    found: decision.found,
    priority: decision.priority,
    note: decision.note.toWellFormed(),
    decided_at: decision.decidedAtMs,
    version,
  };
}
