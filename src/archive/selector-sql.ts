/**
 * Selectors as conditions of SQL. The text is made of what stands here, and of numbers; what users and dashboards write
 * goes in as parameters.
 */
import type { Param } from '../clickhouse/database.js';
import { METRIC_NAME } from '../model/labels.js';
import type { Matcher } from '../model/matcher.js';

/** Values of a statement, each with a name of its own. */
export class SqlParams {
  readonly values: Record<string, Param> = {};
  #count = 0;

  /** @returns the placeholder */
  add(
    type: 'String' | 'Int64' | 'UInt32' | 'Array(String)' | 'Array(UInt64)' | 'Array(Int64)',
    value: Param,
  ): string {
    const name = `p${this.#count++}`;
    this.values[name] = value;
    return `{${name}:${type}}`;
  }
}

/** Series that any of the selectors means: over columns `metric` and `labels`. */
export function selectorsSql(selectors: readonly (readonly Matcher[])[], params: SqlParams): string {
  if (selectors.length === 0) return '1';
  return `(${selectors.map((matchers) => selectorSql(matchers, params)).join(' OR ')})`;
}

function selectorSql(matchers: readonly Matcher[], params: SqlParams): string {
  if (matchers.length === 0) return '1';
  return `(${matchers.map((matcher) => matcherSql(matcher, params)).join(' AND ')})`;
}

/** A label that is not there reads as empty, as in Prometheus. The whole value must match, and a dot matches newlines. */
function matcherSql({ type, name, value }: Matcher, params: SqlParams): string {
  const label = name === METRIC_NAME ? 'metric' : `labels[${params.add('String', name)}]`;
  const wanted = params.add('String', value);
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
