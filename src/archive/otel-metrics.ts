/**
 * A further source of queries: exemplars that the OpenTelemetry collector's ClickHouse exporter wrote to the database of
 * the archive. Metrics and labels are called what Prometheus would call them, so selectors mean the same here.
 *
 *     metrics with wanted exemplars ─► their names in Prometheus ─► those that selectors mean ─► rows
 */
import { BoundValues } from '../clickhouse/bound-values.js';
import { type Database, rowsOf, type StatementOptions } from '../clickhouse/database.js';
import type { ArchivedExemplar, ArchivedSeries, ArchiveFilter, ArchiveQuery } from '../model/archive.js';
import { canonicalFloat } from '../model/canonical-float.js';
import { type Labels, labelsToJson, METRIC_NAME } from '../model/labels.js';
import { EXEMPLARS_A_ROW, type ExemplarTuple, exemplarOf, floatSql } from './exemplar-query.js';
import { type OtelKind, type OtelMetric, prometheusName } from './otel-metric-name.js';
import { exemplarRowsSql, metricsSql, type WantedRows } from './otel-rows-sql.js';
import { findOtelTables, type OtelTable } from './otel-tables.js';
import { MAX_TIMESTAMP_MS, MIN_TIMESTAMP_MS } from './row-writer.js';
import { selectorsSql } from './selector-sql.js';
import { seriesLabels } from './series-labels.js';

/** What was found, and what is wrong with it. */
export interface OtelFound<Item> {
  readonly found: readonly Item[];
  readonly problems: readonly string[];
}

interface MetricRow {
  readonly kind: OtelKind;
  readonly name: string;
  readonly unit: string;
  readonly monotonic: number;
}

interface SeriesRow {
  readonly metric_key: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly exemplars: readonly ExemplarTuple[];
}

interface KnownMetric extends OtelMetric {
  readonly metric: string;
  readonly key: string;
}

/** Rows that are wanted, as the FROM of a statement. */
interface Source {
  readonly sql: string;
  readonly values: BoundValues;
  readonly metrics: ReadonlyMap<string, string>;
}

const MAX_METRICS = 100_000;
const ALWAYS: ArchiveFilter = {
  selectors: [],
  startMs: Number.NEGATIVE_INFINITY,
  endMs: Number.POSITIVE_INFINITY,
};

export class OtelMetrics {
  readonly #database: Database;
  readonly #maxRows: number;

  constructor(database: Database, maxRows: number) {
    this.#database = database;
    this.#maxRows = maxRows;
  }

  /** All of them in the range: memory knows nothing of what others wrote. @throws {DatabaseError} */
  exemplars(query: ArchiveQuery, options: StatementOptions): Promise<OtelFound<ArchivedSeries>> {
    const { minValue, maxValue, order, limit } = query;
    return this.#series(query, options, { limit, order }, (values) => [
      ...(minValue === undefined ? [] : [`value >= ${floatSql(minValue, values)}`]),
      ...(maxValue === undefined ? [] : [`value <= ${floatSql(maxValue, values)}`]),
    ]);
  }

  /** @param id as `canonicalTraceId` has it. The exporter's tables have no index of it: every point is read. @throws {DatabaseError} */
  exemplarsOfTrace(id: string, options: StatementOptions): Promise<OtelFound<ArchivedSeries>> {
    return this.#series(ALWAYS, options, { limit: undefined, order: 'asc' }, () => [], id);
  }

  /** @throws {DatabaseError} */
  labelNames(filter: ArchiveFilter, limit: number, options: StatementOptions): Promise<OtelFound<string>> {
    return this.#read(filter, options, async ({ sql, values }) => {
      const rows = await this.#rows<{ text: string }>(
        `SELECT DISTINCT arrayJoin(arrayPushBack(mapKeys(labels), '${METRIC_NAME}')) AS text FROM (${sql}) LIMIT ${values.count(limit)}`,
        values,
        options,
      );
      return rows.map(({ text }) => text);
    });
  }

  /** @throws {DatabaseError} */
  labelValues(
    label: string,
    filter: ArchiveFilter,
    limit: number,
    options: StatementOptions,
  ): Promise<OtelFound<string>> {
    return this.#read(filter, options, async ({ sql, values, metrics }) => {
      const isName = label === METRIC_NAME;
      const text = isName ? 'metric_key' : `labels[${values.text(label)}]`;
      const rows = await this.#rows<{ text: string }>(
        `SELECT DISTINCT ${text} AS text FROM (${sql}) WHERE text != '' LIMIT ${values.count(limit)}`,
        values,
        options,
      );
      return rows.map(({ text }) => (isName ? metrics.get(text)! : text));
    });
  }

  /** @throws {DatabaseError} */
  labelSets(filter: ArchiveFilter, limit: number, options: StatementOptions): Promise<OtelFound<Labels>> {
    return this.#read(filter, options, async ({ sql, values, metrics }) => {
      const rows = await this.#rows<{ metric_key: string; labels: Record<string, string> }>(
        `SELECT DISTINCT metric_key, labels FROM (${sql}) LIMIT ${values.count(limit)}`,
        values,
        options,
      );
      return rows.map(({ metric_key, labels }) => seriesLabels(metrics.get(metric_key)!, labels));
    });
  }

  async #series(
    filter: ArchiveFilter,
    options: StatementOptions,
    { limit, order }: { readonly limit: number | undefined; readonly order: 'asc' | 'desc' },
    conditions: (values: BoundValues) => readonly string[],
    traceId?: string,
  ): Promise<OtelFound<ArchivedSeries>> {
    const maxRows = this.#maxRows;
    const problems: string[] = [];
    const answer = await this.#read(
      filter,
      options,
      async ({ sql, values, metrics }) => {
        const where = ['1', ...conditions(values)].join(' AND ');
        // Of a cumulative point the same exemplar may be written again and again.
        const rows = `SELECT DISTINCT metric_key, labels, ms, value, trace_id, span_id, ex_labels FROM (${sql})
WHERE ${where} ORDER BY ms ${order === 'asc' ? 'ASC' : 'DESC'} LIMIT ${values.count(Math.min(limit ?? maxRows, maxRows) + 1)}`;
        const { series, isCut } = await this.#grouped(rows, values, metrics, options);
        if (isCut) problems.push(`more than ${maxRows} exemplars in OpenTelemetry's tables, the rest is left out`); // biome-ignore format: one text
        return series;
      },
      traceId,
    );
    return { found: answer.found, problems: [...answer.problems, ...problems] };
  }

  /** Rows as series, some exemplars of one at a time, so that no row of the answer is long to parse. */
  async #grouped(
    rows: string,
    values: BoundValues,
    metrics: ReadonlyMap<string, string>,
    options: StatementOptions,
  ): Promise<{ readonly series: ArchivedSeries[]; readonly isCut: boolean }> {
    const sql = `SELECT metric_key, labels, groupArray((ms, value, trace_id, span_id, if(trace_id = '', '', 'trace_id'), if(span_id = '', '', 'span_id'), ex_labels)) AS exemplars
FROM (SELECT *, intDiv(rowNumberInAllBlocks(), ${EXEMPLARS_A_ROW}) AS piece FROM (${rows}))
GROUP BY metric_key, labels, piece`;
    const byLabels = new Map<string, { readonly labels: Labels; readonly exemplars: ArchivedExemplar[] }>();
    let count = 0;
    for await (const page of this.#database.query<SeriesRow>(sql, { ...options, params: values.params })) {
      for (const { metric_key, labels: record, exemplars } of page) {
        const labels = seriesLabels(metrics.get(metric_key)!, record);
        const key = labelsToJson(labels);
        const series = byLabels.get(key) ?? { labels, exemplars: [] };
        byLabels.set(key, series);
        for (const tuple of exemplars) series.exemplars.push(exemplarOf(tuple));
        count += exemplars.length;
      }
    }
    return { series: [...byLabels.values()], isCut: count > this.#maxRows };
  }

  /** Nothing where nothing is meant. */
  async #read<Item>(
    filter: ArchiveFilter,
    options: StatementOptions,
    read: (source: Source) => Promise<readonly Item[]>,
    traceId?: string,
  ): Promise<OtelFound<Item>> {
    const { tables, problems } = await findOtelTables(this.#database, options);
    const startMs = Math.max(MIN_TIMESTAMP_MS, Math.ceil(filter.startMs));
    const endMs = Math.min(MAX_TIMESTAMP_MS, Math.floor(filter.endMs));
    if (tables.length === 0 || endMs < startMs) return { found: [], problems };
    const values = new BoundValues();
    const wanted: WantedRows = {
      startMs: values.int64(startMs),
      endMs: values.int64(endMs),
      ...(traceId === undefined ? {} : { traceId: values.text(traceId) }),
    };
    const { metrics, bounds } = await this.#metrics(tables, wanted, values, options);
    const source = sourceOf(tables, wanted, values, filter, metrics, bounds);
    return { found: source === undefined ? [] : await read(source), problems };
  }

  async #metrics(
    tables: readonly OtelTable[],
    wanted: WantedRows,
    values: BoundValues,
    options: StatementOptions,
  ): Promise<{ readonly metrics: KnownMetric[]; readonly bounds: string[] }> {
    const sql = `SELECT * FROM (${metricsSql(tables, wanted)}) LIMIT ${MAX_METRICS}`;
    const rows = await this.#rows<MetricRow & { bounds: string[] }>(sql, values, options);
    const metrics = rows.map(({ kind, name, unit, monotonic }) => {
      const metric = { kind, name, unit, isMonotonic: monotonic !== 0 };
      const key = [kind, monotonic, unit, name].join('\n');
      return { ...metric, key, metric: prometheusName(metric) };
    });
    return {
      metrics: metrics.filter(({ metric }) => metric !== ''),
      bounds: [...new Set(rows.flatMap((row) => row.bounds))],
    };
  }

  #rows<Row>(sql: string, values: BoundValues, options: StatementOptions): Promise<Row[]> {
    return rowsOf<Row>(this.#database, sql, { ...options, params: values.params });
  }
}

/** @returns undefined where no metric is meant */
function sourceOf(
  tables: readonly OtelTable[],
  wanted: WantedRows,
  values: BoundValues,
  { selectors }: ArchiveFilter,
  metrics: readonly KnownMetric[],
  bounds: readonly string[],
): Source | undefined {
  // Names are compared here, where they are known; labels there.
  const meant = (selectors.length === 0 ? [[]] : selectors).map((matchers) => ({
    others: matchers.filter(({ name }) => name !== METRIC_NAME),
    metrics: metrics.filter(({ metric }) =>
      matchers.every((matcher) => matcher.name !== METRIC_NAME || matcher.matches(metric)),
    ),
  }));
  const all = new Set(meant.flatMap((selector) => selector.metrics));
  if (all.size === 0) return undefined;
  const conditions = meant
    .filter((selector) => selector.metrics.length > 0)
    .map(
      (selector) =>
        `(metric_key IN ${values.texts(
          selector.metrics.map(({ key }) => key),
        )} AND ${selectorsSql([selector.others], values)})`,
    );
  const names = values.texts([...new Set([...all].map(({ name }) => name))]);
  const rows = exemplarRowsSql(
    tables,
    { ...wanted, names },
    {
      bounds: values.texts(bounds),
      les: values.texts(bounds.map(canonicalFloat)),
    },
  );
  return {
    sql: `SELECT * FROM (${rows}) WHERE ${conditions.join(' OR ')}`,
    values,
    metrics: new Map([...all].map(({ key, metric }) => [key, metric])),
  };
}
