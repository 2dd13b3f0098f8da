/** Spans that a job has copied on a day, kept in a table: a restart does not make a new day. */
import { createHash } from 'node:crypto';
import { BoundValues } from '../clickhouse/bound-values.js';
import { type Database, rowsOf } from '../clickhouse/database.js';
import type { Clock } from '../util/clock.js';
import { SPANS_TABLE } from './schema.js';
import type { TraceSpans } from './spans.js';

const DAY_MS = 24 * 60 * 60_000;

export interface SpanBudgetParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly job: string;
  readonly spansPerDay: number;
}

export class SpanBudget {
  readonly #parts: SpanBudgetParts;

  constructor(parts: SpanBudgetParts) {
    this.#parts = parts;
  }

  /** What may still be copied today (UTC). */
  async left(): Promise<number> {
    const { database, job, spansPerDay } = this.#parts;
    const values = new BoundValues();
    const sql = `SELECT sum(spans) AS spans FROM ${SPANS_TABLE} FINAL WHERE job = ${values.text(job)} AND day = ${values.text(this.#day)}`;
    const [row] = await rowsOf<{ spans: string }>(database, sql, { params: values.params });
    return Math.max(0, spansPerDay - Number(row?.spans ?? 0));
  }

  /**
   * Before a copy, so that a process that dies has counted too much rather than too little. The same copy tried again
   * takes the place of its first try.
   */
  async reserve(copyName: string, traces: readonly TraceSpans[]): Promise<void> {
    const { database, clock, job } = this.#parts;
    const ids = traces.map(({ traceId }) => traceId).join('\n');
    const row = {
      job: job.toWellFormed(),
      day: this.#day,
      entry: `${copyName} ${createHash('sha1').update(ids).digest('hex')}`,
      spans: traces.reduce((sum, { spans }) => sum + spans, 0),
      version: String(clock.nowMs()),
    };
    await database.insert(
      { table: SPANS_TABLE, lines: Buffer.from(`${JSON.stringify(row)}\n`), rows: 1 },
      { settings: { distributed_foreground_insert: 1 } },
    );
  }

  get #day(): string {
    const nowMs = this.#parts.clock.nowMs();
    return new Date(nowMs - (nowMs % DAY_MS)).toISOString().slice(0, 10);
  }
}

/** The first of these, in their order, that fit; those that are too large for the whole of it are passed over. */
export function withinBudget(
  traces: readonly TraceSpans[],
  left: number,
): { readonly taken: readonly TraceSpans[]; readonly isExhausted: boolean } {
  const taken: TraceSpans[] = [];
  let rest = left;
  for (const trace of traces) {
    if (trace.spans > rest) continue;
    taken.push(trace);
    rest -= trace.spans;
  }
  return { taken, isExhausted: taken.length < traces.length };
}
