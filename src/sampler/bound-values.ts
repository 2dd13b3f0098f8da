import type { Param } from '../clickhouse/database.js';
import { METRIC_NAME } from '../model/labels.js';
import type { Condition, Selector } from './options.js';

/** Values of one statement: each gets a placeholder, and its text never is SQL. */
export class BoundValues {
  readonly #params: Record<string, Param> = {};

  get params(): Readonly<Record<string, Param>> {
    return this.#params;
  }

  text(value: string): string {
    return this.#add(value, 'String');
  }

  texts(values: readonly string[]): string {
    return this.#add(values, 'Array(String)');
  }

  uint64(value: bigint): string {
    return this.#add(value, 'UInt64');
  }

  /** Of UInt64 as text, as they come out. */
  uint64s(values: readonly string[]): string {
    return this.#add(values.map(BigInt), 'Array(UInt64)');
  }

  count(value: number): string {
    return this.#add(value, 'UInt32');
  }

  /** Milliseconds since 1970 as a DateTime64(3). */
  time(timeMs: number): string {
    return `fromUnixTimestamp64Milli(${this.#add(Math.floor(timeMs), 'Int64')}, 'UTC')`;
  }

  #add(value: Param, type: string): string {
    const name = `v${Object.keys(this.#params).length}`;
    this.#params[name] = value;
    return `{${name}:${type}}`;
  }
}

/** The value of a label of a series in the archive; empty where it has none, as in Prometheus. */
export function labelSql(name: string, values: BoundValues): string {
  return name === METRIC_NAME ? 'toString(exemplars.metric)' : `exemplars.labels[${values.text(name)}]`;
}

/** Whether a series of the archive is selected by one of them; without any, all are. */
export function selectorsSql(selectors: readonly Selector[], values: BoundValues): string {
  if (selectors.length === 0) return 'true';
  const each = selectors.map((selector) =>
    selector.map((condition) => conditionSql(condition, values)).join(' AND '),
  );
  return each.map((text) => `(${text || 'true'})`).join(' OR ');
}

/** Anchored, dot matching newline: the form that Prometheus compiles. The bare pattern was checked when it was read. */
function conditionSql({ type, name, value }: Condition, values: BoundValues): string {
  const label = labelSql(name, values);
  const text = values.text(value);
  switch (type) {
    case '=':
      return `${label} = ${text}`;
    case '!=':
      return `${label} != ${text}`;
    case '=~':
      return `match(${label}, concat('^(?s:', ${text}, ')$'))`;
    case '!~':
      return `NOT match(${label}, concat('^(?s:', ${text}, ')$'))`;
  }
}
