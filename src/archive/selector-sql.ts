/**
 * Selectors as conditions of SQL. The text is made of what stands here; what users and dashboards write goes in as
 * parameters.
 */
import type { BoundValues } from '../clickhouse/bound-values.js';
import { METRIC_NAME } from '../model/labels.js';
import type { Matcher } from '../model/matcher.js';

type Condition = Pick<Matcher, 'type' | 'name' | 'value'>;

/** Where a statement has the name of a metric and the other labels of a series. */
export interface LabelColumns {
  readonly metric: string;
  readonly labels: string;
}

const COLUMNS: LabelColumns = { metric: 'metric', labels: 'labels' };

/** Series that any of the selectors means; without any, all. */
export function selectorsSql(
  selectors: readonly (readonly Condition[])[],
  values: BoundValues,
  columns = COLUMNS,
): string {
  if (selectors.length === 0) return '1';
  return `(${selectors.map((conditions) => selectorSql(conditions, values, columns)).join(' OR ')})`;
}

/** The value of a label; empty where a series has none, as in Prometheus. */
export function labelSql(name: string, values: BoundValues, columns = COLUMNS): string {
  return name === METRIC_NAME ? columns.metric : `${columns.labels}[${values.text(name)}]`;
}

function selectorSql(conditions: readonly Condition[], values: BoundValues, columns: LabelColumns): string {
  if (conditions.length === 0) return '1';
  return `(${conditions.map((condition) => conditionSql(condition, values, columns)).join(' AND ')})`;
}

/** Patterns are anchored, and their dot matches newlines: the form that Prometheus compiles. Bare, they were checked before. */
function conditionSql({ type, name, value }: Condition, values: BoundValues, columns: LabelColumns): string {
  const label = labelSql(name, values, columns);
  const wanted = values.text(value);
  switch (type) {
    case '=':
    case '!=':
      return `${label} ${type} ${wanted}`;
    case '=~':
      return `match(${label}, ${anchored(wanted)})`;
    case '!~':
      return `NOT match(${label}, ${anchored(wanted)})`;
  }
}

function anchored(pattern: string): string {
  return `concat('^(?s:', ${pattern}, ')$')`;
}
