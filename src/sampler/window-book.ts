/** Which windows of a job are done, and how far: rows of `sampler_windows`. It outlives restarts, and two samplers share it. */

import { BoundValues } from '../clickhouse/bound-values.js';
import { type Database, rowsOf } from '../clickhouse/database.js';
import type { Clock } from '../util/clock.js';
import { WINDOWS_TABLE } from './schema.js';
import type { Stage, Window } from './window.js';

/** What a window had, and what became of it. */
export interface WindowFigures {
  readonly exemplars: number;
  readonly groups: number;
  /** Groups that have a trace that exists among those that were chosen. */
  readonly covered: number;
  readonly chosen: number;
  readonly found: number;
  readonly missing: number;
  readonly spans: number;
  /** Of these, copied after the first time. */
  readonly lateSpans: number;
  /** All that the source had in the window; 0 where nothing is copied. */
  readonly sourceSpans: number;
}

export interface WindowRecord extends WindowFigures {
  readonly window: Window;
  readonly stage: Stage;
}

export const NO_FIGURES: WindowFigures = {
  exemplars: 0,
  groups: 0,
  covered: 0,
  chosen: 0,
  found: 0,
  missing: 0,
  spans: 0,
  lateSpans: 0,
  sourceSpans: 0,
};

interface Row {
  readonly start: string;
  readonly window_ms: string;
  readonly stage: number;
  readonly exemplars: string;
  readonly groups: number;
  readonly covered: number;
  readonly chosen: number;
  readonly found: number;
  readonly missing: number;
  readonly spans: string;
  readonly late_spans: string;
  readonly source_spans: string;
}

export class WindowBook {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #job: string;

  constructor(database: Database, clock: Clock, job: string) {
    this.#database = database;
    this.#clock = clock;
    this.#job = job;
  }

  /** Windows that begin at `fromMs` or later, the latest first. @throws {DatabaseError} */
  async load(fromMs: number, signal?: AbortSignal): Promise<WindowRecord[]> {
    const values = new BoundValues();
    const sql = `SELECT toUnixTimestamp64Milli(window_start) AS start, window_ms, stage, exemplars, groups, covered, chosen,
  found, missing, spans, late_spans, source_spans
FROM ${WINDOWS_TABLE} FINAL WHERE job = ${values.text(this.#job)} AND window_start >= ${values.time(fromMs)}
ORDER BY window_start DESC, window_ms`;
    const rows = await rowsOf<Row>(this.#database, sql, {
      params: values.params,
      ...(signal === undefined ? {} : { signal }),
    });
    return rows.map((row) => ({
      window: { startMs: Number(row.start), lengthMs: Number(row.window_ms) },
      stage: row.stage,
      exemplars: Number(row.exemplars),
      groups: row.groups,
      covered: row.covered,
      chosen: row.chosen,
      found: row.found,
      missing: row.missing,
      spans: Number(row.spans),
      lateSpans: Number(row.late_spans),
      sourceSpans: Number(row.source_spans),
    }));
  }

  /** @throws {DatabaseError} */
  async save(records: readonly WindowRecord[], signal?: AbortSignal): Promise<void> {
    if (records.length === 0) return;
    const nowMs = this.#clock.nowMs();
    const lines = records.map(({ window, stage, lateSpans, sourceSpans, ...figures }) =>
      JSON.stringify({
        job: this.#job.toWellFormed(),
        window_start: window.startMs,
        window_ms: window.lengthMs,
        stage,
        ...figures,
        late_spans: lateSpans,
        source_spans: sourceSpans,
        updated_at: nowMs,
      }),
    );
    await this.#database.insert(
      { table: WINDOWS_TABLE, lines: Buffer.from(`${lines.join('\n')}\n`), rows: lines.length },
      { settings: { distributed_foreground_insert: 1 }, ...(signal === undefined ? {} : { signal }) },
    );
  }
}
