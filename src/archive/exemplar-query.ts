/** Exemplars out of the archive's table: the statement, and what its rows mean. */
import { BoundValues } from '../clickhouse/bound-values.js';
import type { Database, StatementOptions } from '../clickhouse/database.js';
import type { ArchivedExemplar, ArchivedSeries, ArchiveQuery } from '../model/archive.js';
import { NO_LABELS } from '../model/labels.js';
import { labelsOfColumns } from './exemplar-columns.js';
import { MAX_TIMESTAMP_MS, MIN_TIMESTAMP_MS, seriesFingerprint } from './row-writer.js';
import { EXEMPLARS_TABLE, SERIES_TABLE } from './schema.js';
import { selectorsSql } from './selector-sql.js';
import type { SeriesKey, SeriesLabels } from './series-labels.js';

/** Exemplars of one series in one row of the answer; more of it come in further rows, so that none is long to parse. */
export const EXEMPLARS_A_ROW = 1000;

/** Series that a statement names one by one; of more, the answer may have what memory has too. */
const MAX_NAMED_SERIES = 10_000;

export type ExemplarTuple = readonly [
  timestampMs: string,
  value: number | string,
  traceId: string,
  spanId: string,
  traceLabel: string,
  spanLabel: string,
  others: Readonly<Record<string, string>>,
];

interface SeriesRow extends SeriesKey {
  readonly exemplars: readonly ExemplarTuple[];
}

export interface Statement {
  readonly sql: string;
  readonly params: BoundValues['params'];
}

/** @returns undefined where no time is asked for that the table can have */
export function exemplarsStatement(query: ArchiveQuery, maxRows: number): Statement | undefined {
  const { need, minValue, maxValue, order, selectors } = query;
  const untilMs = need.series.reduce(
    (latest, series) => Math.max(latest, series.untilMs),
    need.othersUntilMs,
  );
  const start = Math.max(MIN_TIMESTAMP_MS, Math.ceil(query.startMs));
  const end = Math.min(MAX_TIMESTAMP_MS, Math.floor(query.endMs), untilMs);
  if (end < start) return undefined;
  const values = new BoundValues();
  const times = { start: values.int64(start), end: values.int64(end) };
  const conditions = [
    `ts >= fromUnixTimestamp64Milli(${times.start}) AND ts <= fromUnixTimestamp64Milli(${times.end})`,
    // Global, and so the same on a cluster: a distributed table must not ask another one on every node.
    `(metric, fp) GLOBAL IN (SELECT metric, fp FROM ${SERIES_TABLE} WHERE ${daysSql(times)} AND ${selectorsSql(selectors, values)})`,
    ...neededSql(query, values),
    ...(minValue === undefined ? [] : [`value >= ${floatSql(minValue, values)}`]),
    ...(maxValue === undefined ? [] : [`value <= ${floatSql(maxValue, values)}`]),
  ];
  const limit = values.count(Math.min(query.limit ?? maxRows, maxRows) + 1);
  return {
    sql: groupedBySeries(
      `${conditions.join('\n  AND ')}\nORDER BY ts ${order === 'asc' ? 'ASC' : 'DESC'} LIMIT ${limit}`,
      query.limit !== undefined,
    ),
    params: values.params,
  };
}

export function traceStatement(id: string, sinceMs: number, maxRows: number): Statement {
  const values = new BoundValues();
  const limit = values.count(maxRows + 1);
  return {
    sql: groupedBySeries(
      `trace_id = ${values.text(id)} AND ts >= ${values.time(Math.max(MIN_TIMESTAMP_MS, sinceMs))}\nORDER BY ts LIMIT ${limit}`,
      false,
    ),
    params: values.params,
  };
}

/** Which days hold these times. */
export function daysSql({ start, end }: { readonly start: string; readonly end: string }): string {
  const day = (time: string) => `toDate(fromUnixTimestamp64Milli(${time}, 'UTC'))`;
  return `day >= ${day(start)} AND day <= ${day(end)}`;
}

/**
 * Without FINAL, rows of which there are more than one may come more than once: a third of the time, and whoever merges the
 * answer with that of rings sorts them out. Where rows are counted, they must not.
 */
function groupedBySeries(condition: string, isExact: boolean): string {
  return `SELECT metric, fp,
  groupArray((ms, value, trace_id, span_id, trace_label, span_label, ex_labels)) AS exemplars
FROM (SELECT *, intDiv(rowNumberInAllBlocks(), ${EXEMPLARS_A_ROW}) AS piece FROM (
SELECT metric, fp, toUnixTimestamp64Milli(ts) AS ms, value,
  trace_id, span_id, trace_label, span_label, ex_labels
FROM ${EXEMPLARS_TABLE}${isExact ? ' FINAL' : ''} WHERE ${condition}))
GROUP BY metric, fp, piece`;
}

/** Leaves out what memory has, series by series. */
function neededSql({ need, endMs }: ArchiveQuery, values: BoundValues): string[] {
  const atMost = Math.min(MAX_TIMESTAMP_MS, Math.floor(endMs));
  const others = clamp(need.othersUntilMs, atMost);
  // Those that need most come first: what finds no place on the list is asked for as others are.
  const differing = need.series
    .map(({ labels, untilMs }) => ({ labels, untilMs: clamp(untilMs, atMost) }))
    .filter(({ untilMs }) => untilMs !== others)
    .sort((a, b) => b.untilMs - a.untilMs);
  const named = differing.slice(0, MAX_NAMED_SERIES);
  const unnamedMs = Math.max(others, differing[MAX_NAMED_SERIES]?.untilMs ?? others);
  if (named.length === 0)
    return others >= atMost ? [] : [`toUnixTimestamp64Milli(ts) <= ${values.int64(others)}`];
  const fps = values.uint64s(named.map(({ labels }) => seriesFingerprint(labels)));
  const untils = values.int64s(named.map(({ untilMs }) => untilMs));
  return [`toUnixTimestamp64Milli(ts) <= transform(fp, ${fps}, ${untils}, ${values.int64(unnamedMs)})`];
}

function clamp(timeMs: number, atMostMs: number): number {
  return Math.max(MIN_TIMESTAMP_MS - 1, Math.min(timeMs, atMostMs));
}

export function floatSql(value: number, values: BoundValues): string {
  // As text: of numbers, adapters take only those that are integers for sure, or not at all.
  return `toFloat64(${values.text(Number.isFinite(value) ? String(value) : value > 0 ? 'inf' : '-inf')})`;
}

/** Runs a statement. `isCut`: there are more rows than were allowed. */
export async function readSeries(
  database: Database,
  seriesLabels: SeriesLabels,
  { sql, params }: Statement,
  maxRows: number,
  options: StatementOptions,
): Promise<{ readonly series: ArchivedSeries[]; readonly isCut: boolean }> {
  const byFingerprint = new Map<
    string,
    { readonly key: SeriesKey; readonly exemplars: ArchivedExemplar[] }
  >();
  let rows = 0;
  for await (const page of database.query<SeriesRow>(sql, { ...options, params })) {
    for (const { metric, fp, exemplars } of page) {
      const series = byFingerprint.get(fp) ?? { key: { metric, fp }, exemplars: [] };
      byFingerprint.set(fp, series);
      for (const tuple of exemplars) series.exemplars.push(exemplarOf(tuple));
      rows += exemplars.length;
    }
  }
  const all = [...byFingerprint.values()];
  const labels = await seriesLabels.of(
    database,
    all.map(({ key }) => key),
    options,
  );
  const series = all.map(({ key, exemplars }) => ({ labels: labels.get(key.fp) ?? NO_LABELS, exemplars }));
  return { series, isCut: rows > maxRows };
}

export function exemplarOf([
  ms,
  value,
  trace_id,
  span_id,
  trace_label,
  span_label,
  ex_labels,
]: ExemplarTuple) {
  return {
    timestampMs: Number(ms),
    value: typeof value === 'number' ? value : NON_FINITE[value]!,
    labels: labelsOfColumns({ trace_id, span_id, trace_label, span_label, ex_labels }),
  };
}

const NON_FINITE: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};
