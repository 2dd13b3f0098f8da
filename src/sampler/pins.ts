/** Traces that somebody asked to keep: decisions of no job, and of no budget. Their spans are looked for as those of jobs are. */

import { BoundValues } from '../clickhouse/bound-values.js';
import { DatabaseError, rowsOf } from '../clickhouse/database.js';
import { canonicalTraceId } from '../model/trace-id.js';
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { type Decision, DecisionTable } from './decisions.js';
import type { FailureLog } from './failure-log.js';
import type { FailureReason, SamplerMetrics } from './metrics.js';
import {
  DEFAULT_SAMPLING_JOB,
  PINNED_JOB,
  type SamplingJobOptions,
  type TraceTableOptions,
} from './options.js';
import type { PreparedDatabases, SamplingDatabase } from './prepared.js';
import { SpanStore, TracesError } from './spans.js';
import { findTraceTables } from './trace-tables.js';
import { COPIED, dueMs, stageAfterLook, UNTOUCHED, type Window } from './window.js';
import { NO_FIGURES, WindowBook } from './window-book.js';

/** Pins of a minute are one window. */
const PIN_WINDOW_MS = 60_000;
const REASON = 'pinned';

const TRACE_ID = /^[0-9a-f]{32}$/;

/** @returns undefined where the text cannot be the id of a trace */
export function pinnableId(text: string): string | undefined {
  const id = canonicalTraceId(text);
  return TRACE_ID.test(id) && !/^0+$/.test(id) ? id : undefined;
}

/** A decision that somebody else has made. Looks in the archive for when the trace was. @throws {DatabaseError} */
export async function pinDecision(
  { database }: SamplingDatabase,
  traceId: string,
  note: string,
  nowMs: number,
  signal: AbortSignal,
): Promise<Decision> {
  const values = new BoundValues();
  const sql = `SELECT count() AS n, toUnixTimestamp64Milli(min(exemplars.ts)) AS ref_ms, max(exemplars.value) AS value
FROM exemplars WHERE exemplars.trace_id = ${values.text(traceId)}`;
  const [row] = await rowsOf<{ n: string; ref_ms: string; value: number | string }>(database, sql, {
    params: values.params,
    signal,
  });
  const isKnown = Number(row?.n ?? 0) > 0;
  return {
    traceId,
    job: PINNED_JOB,
    windowStartMs: Math.floor(nowMs / PIN_WINDOW_MS) * PIN_WINDOW_MS,
    windowMs: PIN_WINDOW_MS,
    reasons: [REASON],
    rate: 0,
    groupLabels: {},
    groupIds: [],
    service: '',
    value: isKnown ? Number(row!.value) : 0,
    refMs: isKnown ? Number(row!.ref_ms) : 0,
    found: false,
    priority: 0,
    note,
    decidedAtMs: nowMs,
  };
}

export interface PinCopierParts {
  /** Where they come from and go to; several jobs may have the same. */
  readonly tables: TraceTableOptions;
  readonly options: Pick<SamplingJobOptions, 'lateWindowMs' | 'limits'>;
  readonly archive: () => SamplingDatabase | undefined;
  /** Where spans are, if that is elsewhere. */
  readonly traces: SamplingDatabase | undefined;
  readonly prepared: PreparedDatabases;
  readonly failures: FailureLog;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: SamplerMetrics;
}

/** Copies the spans of pinned traces between one pair of tables. */
export class PinCopier {
  readonly #parts: PinCopierParts;

  constructor(parts: PinCopierParts) {
    this.#parts = parts;
  }

  /** @returns what did not work. Rejects only when something is wrong with the program. */
  async run(signal: AbortSignal): Promise<FailureReason | undefined> {
    const { archive, failures } = this.#parts;
    const database = archive();
    if (database === undefined) return undefined;
    try {
      await this.#copyAll(database, signal);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      if (signal.aborted) return undefined;
      failures.failed(error.message);
      return error instanceof TracesError ? 'traces' : 'archive';
    } finally {
      if (!signal.aborted) failures.passed();
    }
    return undefined;
  }

  async #copyAll(archive: SamplingDatabase, signal: AbortSignal): Promise<void> {
    const { clock, options, tables, prepared } = this.#parts;
    await prepared.archive(archive);
    const stages = { traces: tables, settleMs: 0, lateWindowMs: options.lateWindowMs };
    const fromMs = clock.nowMs() - DEFAULT_SAMPLING_JOB.catchUpMs - options.lateWindowMs;
    const decisions = new DecisionTable(archive.database, clock);
    const book = new WindowBook(archive.database, clock, `${PINNED_JOB} ${tables.source} ${tables.kept}`);
    const records = await book.load(fromMs, signal);
    const known = new Map(records.map((record) => [record.window.startMs, record]));
    for (const startMs of await decisions.windows(PINNED_JOB, fromMs, signal)) {
      const window: Window = { startMs, lengthMs: PIN_WINDOW_MS };
      const before = known.get(startMs) ?? { ...NO_FIGURES, window, stage: UNTOUCHED };
      const due = dueMs(window, before.stage, stages);
      if (due === undefined || due > clock.nowMs() || signal.aborted) continue;
      const lookedAtMs = clock.nowMs();
      const spans = await this.#copy(archive, decisions, startMs, signal);
      const lateSpans = before.lateSpans + (before.stage < COPIED ? 0 : spans);
      const stage = stageAfterLook(window, stages, lookedAtMs);
      await book.save([{ ...before, stage, spans: before.spans + spans, lateSpans }], signal);
    }
  }

  /** One by one: pins of a minute may be of traces months apart, and they are few. @returns spans copied */
  async #copy(
    archive: SamplingDatabase,
    table: DecisionTable,
    startMs: number,
    signal: AbortSignal,
  ): Promise<number> {
    const { metrics } = this.#parts;
    const pins = await table.ofWindow(PINNED_JOB, startMs, signal);
    const store = await this.#openSpans(archive, pins, signal);
    let copied = 0;
    for (const pin of pins) {
      const times = pin.refMs === 0 ? undefined : { fromMs: pin.refMs, toMs: pin.refMs };
      const [found] = await store.uncopied([pin.traceId], times);
      if (found === undefined) continue;
      await store.copy([pin.traceId], times);
      copied += found.spans;
      if (!pin.found) await table.store([{ ...pin, found: true }], signal);
    }
    metrics.count(PINNED_JOB, 'spans_copied', copied);
    return copied;
  }

  async #openSpans(
    archive: SamplingDatabase,
    pins: readonly Decision[],
    signal: AbortSignal,
  ): Promise<SpanStore> {
    const { traces, prepared, clock, tables: options, log, options: job } = this.#parts;
    const { database, placement } = traces ?? archive;
    const tables = await findTraceTables({ database, placement, options, log }).catch(TracesError.rethrow);
    if (traces !== undefined) {
      await prepared.decisions(traces).catch(TracesError.rethrow);
      await new DecisionTable(database, clock).store(pins).catch(TracesError.rethrow);
    }
    return new SpanStore({ database, tables, options, limits: job.limits, signal });
  }
}
