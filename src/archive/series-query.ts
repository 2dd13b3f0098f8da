/** What series the archive has had: their names, values and label sets. */
import { BoundValues } from '../clickhouse/bound-values.js';
import { type Database, rowsOf, type StatementOptions } from '../clickhouse/database.js';
import type { ArchiveFilter } from '../model/archive.js';
import { type Labels, METRIC_NAME } from '../model/labels.js';
import { daysSql } from './exemplar-query.js';
import { MAX_TIMESTAMP_MS, MIN_TIMESTAMP_MS } from './row-writer.js';
import { SERIES_TABLE } from './schema.js';
import { labelSql, selectorsSql } from './selector-sql.js';
import { seriesLabels } from './series-labels.js';

export async function readLabelNames(
  database: Database,
  filter: ArchiveFilter,
  limit: number,
  options: StatementOptions,
): Promise<string[]> {
  const values = new BoundValues();
  const sql = `SELECT DISTINCT arrayJoin(arrayPushBack(mapKeys(labels), '${METRIC_NAME}')) AS name
FROM ${SERIES_TABLE} WHERE ${seriesSql(filter, values)} LIMIT ${values.count(limit)}`;
  const rows = await rowsOf<{ name: string }>(database, sql, { ...options, params: values.params });
  return rows.map(({ name }) => name);
}

export async function readLabelValues(
  database: Database,
  name: string,
  filter: ArchiveFilter,
  limit: number,
  options: StatementOptions,
): Promise<string[]> {
  const values = new BoundValues();
  const label = labelSql(name, values);
  const sql = `SELECT DISTINCT ${label} AS value FROM ${SERIES_TABLE}
WHERE ${seriesSql(filter, values)} AND value != '' LIMIT ${values.count(limit)}`;
  const rows = await rowsOf<{ value: string }>(database, sql, { ...options, params: values.params });
  return rows.map(({ value }) => value);
}

export async function readLabelSets(
  database: Database,
  filter: ArchiveFilter,
  limit: number,
  options: StatementOptions,
): Promise<Labels[]> {
  const values = new BoundValues();
  const sql = `SELECT metric, any(labels) AS series_labels FROM ${SERIES_TABLE}
WHERE ${seriesSql(filter, values)} GROUP BY metric, fp LIMIT ${values.count(limit)}`;
  const sets: Labels[] = [];
  type Row = { metric: string; series_labels: Record<string, string> };
  for await (const page of database.query<Row>(sql, { ...options, params: values.params }))
    for (const { metric, series_labels } of page) sets.push(seriesLabels(metric, series_labels));
  return sets;
}

/** Series with an exemplar on a day between both times. */
function seriesSql({ selectors, startMs, endMs }: ArchiveFilter, values: BoundValues): string {
  const start = values.int64(Math.min(MAX_TIMESTAMP_MS, Math.max(MIN_TIMESTAMP_MS, Math.ceil(startMs))));
  const end = values.int64(Math.max(MIN_TIMESTAMP_MS, Math.min(MAX_TIMESTAMP_MS, Math.floor(endMs))));
  return `${daysSql({ start, end })} AND ${selectorsSql(selectors, values)}`;
}
