/** How well kept traces stand for exemplars, asked of the tables: it survives restarts, and covers whatever time is asked for. */

import { BoundValues } from '../clickhouse/bound-values.js';
import { rowsOf } from '../clickhouse/database.js';
import type { Clock } from '../util/clock.js';
import { CandidateSource, statementOptions } from './candidates.js';
import type { SamplingJobOptions } from './options.js';
import type { SamplingDatabase } from './prepared.js';
import { DECISIONS_TABLE } from './schema.js';
import { WindowBook } from './window-book.js';

export interface LabelCoverage {
  readonly label: string;
  readonly value: string;
  readonly groups: number;
  readonly covered: number;
}

export interface ServiceCoverage {
  readonly service: string;
  readonly chosen: number;
  readonly missing: number;
}

export interface Coverage {
  readonly job: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly windows: number;
  readonly exemplars: number;
  /** Different groups in all this time, and how many of them have a trace. */
  readonly groups: number;
  readonly covered: number;
  readonly chosen: number;
  readonly found: number;
  readonly missing: number;
  readonly spans: number;
  readonly lateSpans: number;
  /** Of the spans that the source had in these windows; undefined: none, or nothing is copied. */
  readonly keepRatio: number | undefined;
  /** Age of the end of the last window that was decided about. */
  readonly lagMs: number | undefined;
  /** Values of labels whose groups are covered least, the worst first. */
  readonly worst: readonly LabelCoverage[];
  /** Where exemplars point at traces that are not there, most first. */
  readonly deadByService: readonly ServiceCoverage[];
}

const MAX_LISTED = 20;

/** Of the windows that begin within the last `sinceMs`. @throws {DatabaseError} */
export async function coverageOf(
  { database }: SamplingDatabase,
  options: SamplingJobOptions,
  sinceMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Coverage> {
  const { jobName: job } = options;
  const nowMs = clock.nowMs();
  const records = await new WindowBook(database, clock, job).load(nowMs - sinceMs, signal);
  const sum = (of: (record: (typeof records)[number]) => number) =>
    records.reduce((total, record) => total + of(record), 0);
  const startMs = records.at(-1)?.window.startMs ?? nowMs;
  const newest = records[0]?.window;
  const endMs = newest === undefined ? nowMs : newest.startMs + newest.lengthMs;
  const source = new CandidateSource(database, options, signal);
  const span = { startMs, lengthMs: endMs - startMs };
  const groups = records.length === 0 ? [] : await source.groups(span);
  const covered = await coveredGroups(database, options, startMs, endMs, signal);
  const sourceSpans = sum((each) => each.sourceSpans);
  return {
    job,
    startMs,
    endMs,
    windows: records.length,
    exemplars: sum((each) => each.exemplars),
    groups: groups.length,
    covered: groups.filter(({ id }) => covered.has(id)).length,
    chosen: sum((each) => each.chosen),
    found: sum((each) => each.found),
    missing: sum((each) => each.missing),
    spans: sum((each) => each.spans),
    lateSpans: sum((each) => each.lateSpans),
    keepRatio: sourceSpans === 0 ? undefined : sum((each) => each.spans) / sourceSpans,
    lagMs: newest === undefined ? undefined : nowMs - endMs,
    worst: worstLabels(groups, covered),
    deadByService: await deadByService(database, options, startMs, endMs, signal),
  };
}

async function coveredGroups(
  database: SamplingDatabase['database'],
  { jobName, limits }: SamplingJobOptions,
  startMs: number,
  endMs: number,
  signal: AbortSignal,
): Promise<Set<string>> {
  const values = new BoundValues();
  const sql = `SELECT DISTINCT arrayJoin(group_ids) AS id FROM ${DECISIONS_TABLE} FINAL
WHERE job = ${values.text(jobName)} AND found AND window_start >= ${values.time(startMs)} AND window_start < ${values.time(endMs)}
LIMIT ${values.count(10 * limits.groups)}`;
  const rows = await rowsOf<{ id: string }>(database, sql, {
    ...statementOptions(limits, signal),
    params: values.params,
  });
  return new Set(rows.map(({ id }) => id));
}

async function deadByService(
  database: SamplingDatabase['database'],
  { jobName, limits }: SamplingJobOptions,
  startMs: number,
  endMs: number,
  signal: AbortSignal,
): Promise<ServiceCoverage[]> {
  const values = new BoundValues();
  const sql = `SELECT service, count() AS chosen, countIf(NOT found) AS missing FROM ${DECISIONS_TABLE} FINAL
WHERE job = ${values.text(jobName)} AND window_start >= ${values.time(startMs)} AND window_start < ${values.time(endMs)}
GROUP BY service HAVING missing > 0 ORDER BY missing DESC, service LIMIT ${values.count(MAX_LISTED)}`;
  const rows = await rowsOf<{ service: string; chosen: string; missing: string }>(database, sql, {
    ...statementOptions(limits, signal),
    params: values.params,
  });
  return rows.map(({ service, chosen, missing }) => ({
    service,
    chosen: Number(chosen),
    missing: Number(missing),
  }));
}

/** Those with the most groups without a trace in proportion; of equal ones, the ones with more groups. */
export function worstLabels(
  groups: readonly { readonly id: string; readonly labels: Readonly<Record<string, string>> }[],
  covered: ReadonlySet<string>,
): LabelCoverage[] {
  const byPair = new Map<string, { label: string; value: string; groups: number; covered: number }>();
  for (const { id, labels } of groups) {
    for (const [label, value] of Object.entries(labels)) {
      const key = JSON.stringify([label, value]);
      const pair = byPair.get(key) ?? { label, value, groups: 0, covered: 0 };
      pair.groups++;
      if (covered.has(id)) pair.covered++;
      byPair.set(key, pair);
    }
  }
  return [...byPair.values()]
    .filter((pair) => pair.covered < pair.groups)
    .sort((a, b) => a.covered / a.groups - b.covered / b.groups || b.groups - a.groups)
    .slice(0, MAX_LISTED);
}
