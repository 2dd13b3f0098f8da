import { jsonString } from '../util/json.js';

/**
 * A label set: name, value, name, value, … sorted by name, no name twice, no empty value.
 * Flat, because it is read far more often than looked up, and an object a pair costs three times the memory.
 */
export type Labels = readonly string[];

export const METRIC_NAME = '__name__';

export const NO_LABELS: Labels = [];

/**
 * Orders strings by their UTF-8 bytes, as Go does. JavaScript orders by UTF-16 units, which differs only
 * where a surrogate pair meets a unit above the surrogates.
 */
export function compareBytewise(a: string, b: string): number {
  if (a === b) return 0;
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** Moves surrogates (which stand for code points above U+FFFF) above U+E000–U+FFFF. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** Pairs in any order → label set. Empty values are dropped; of a repeated name the last value stays. */
export function labelsFromPairs(pairs: Iterable<readonly [string, string]>): Labels {
  const byName = new Map<string, string>(pairs);
  const names = [...byName.keys()].filter((name) => byName.get(name) !== '').sort(compareBytewise);
  return names.flatMap((name) => [name, byName.get(name)!]);
}

export function labelsFromRecord(record: Readonly<Record<string, string>>): Labels {
  return labelsFromPairs(Object.entries(record));
}

export function* labelPairs(labels: Labels): Generator<readonly [name: string, value: string]> {
  for (let i = 0; i < labels.length; i += 2) yield [labels[i]!, labels[i + 1]!];
}

/** A plain object without prototype, so that a label called `__proto__` is a label. */
export function labelsToRecord(labels: Labels): Record<string, string> {
  const record: Record<string, string> = Object.create(null);
  for (const [name, value] of labelPairs(labels)) record[name] = value;
  return record;
}

/** `{"name":"value",…}` in the order of the set, as Prometheus writes it. */
export function labelsToJson(labels: Labels): string {
  let json = '{';
  for (let i = 0; i < labels.length; i += 2) {
    json += `${i === 0 ? '' : ','}${jsonString(labels[i]!)}:${jsonString(labels[i + 1]!)}`;
  }
  return `${json}}`;
}

/** The value of a label; a missing label counts as empty, as everywhere in Prometheus. */
export function labelValue(labels: Labels, name: string): string {
  for (let i = 0; i < labels.length; i += 2) if (labels[i] === name) return labels[i + 1]!;
  return '';
}

/** Pairwise by name, then value; a prefix sorts first (Prometheus `labels.Compare`). */
export function compareLabels(a: Labels, b: Labels): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const order = compareBytewise(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** `b` laid under `a`: labels of `a` win. */
export function mergeLabels(a: Labels, b: Labels): Labels {
  return b.length === 0 ? a : labelsFromPairs([...labelPairs(b), ...labelPairs(a)]);
}

/** Unicode code points of all names and values: what OpenMetrics 1.0 limits to 128 for an exemplar. */
export function countCodePoints(labels: Labels): number {
  let count = 0;
  for (const text of labels) for (const _ of text) count++;
  return count;
}

/** `{a="b", c="d"}`, for logs and errors. */
export function formatLabels(labels: Labels): string {
  return `{${[...labelPairs(labels)].map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}}`;
}
