/** Lists of target groups as files and servers give them: `[{"targets": ["host:port"], "labels": {"a": "b"}}]`. */
import type { TargetGroup } from '../model/target-group.js';
import type { TimeSlices } from '../util/time-slices.js';
import { parseYamlList } from './yaml-list.js';

/** As much of a list as is read: some 150,000 targets. */
export const MAX_LIST_BYTES = 32 * 1024 * 1024;

export type ListFormat = 'json' | 'yaml';

export interface ListOrigin {
  /** Names the list; group i of it is `<source>:<i>`. */
  readonly source: string;
  /** Added to the labels of each group, before which they go. */
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * @param bytes UTF-8
 * @throws Error that says where the list is not one, without repeating what it holds
 */
export async function parseGroupList(
  bytes: Uint8Array,
  format: ListFormat,
  origin: ListOrigin,
  slices: TimeSlices,
): Promise<TargetGroup[]> {
  const text = decode(bytes);
  const value: unknown = format === 'json' ? JSON.parse(text) : await parseYamlList(text, slices);
  if (value === null) return [];
  if (!Array.isArray(value)) throw new Error(`it must be a list of target groups, got ${kindOf(value)}`);
  const groups: TargetGroup[] = [];
  for (const [i, item] of value.entries()) {
    groups.push(readGroup(item, i, format, origin));
    if (slices.isOver) await slices.pause();
  }
  return groups;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error('it is not UTF-8');
  }
}

function readGroup(item: unknown, i: number, format: ListFormat, origin: ListOrigin): TargetGroup {
  const what = `group ${i + 1}`;
  if (!isMap(item)) throw new Error(`${what} must have targets and labels, got ${kindOf(item)}`);
  let targets: readonly string[] = [];
  let labels: Readonly<Record<string, string>> = {};
  for (const [given, value] of Object.entries(item)) {
    // Go reads the keys of JSON whatever their case.
    const key = format === 'json' ? given.toLowerCase() : given;
    if (key === 'targets') targets = readTargets(value, what);
    else if (key === 'labels') labels = readLabels(value, what);
    else throw new Error(`${what} has an unknown key ${quote(given)}; targets and labels are known`);
  }
  return {
    source: `${origin.source}:${i}`,
    targets: targets.map((address) => ({ __address__: address })),
    labels: { ...labels, ...origin.labels },
  };
}

function readTargets(value: unknown, what: string): readonly string[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw new Error(`${what}: targets must be a list, got ${kindOf(value)}`);
  const wrong = value.findIndex((target) => typeof target !== 'string');
  if (wrong >= 0) throw new Error(`${what}: targets[${wrong}] must be text, got ${kindOf(value[wrong])}`);
  return value as string[];
}

function readLabels(value: unknown, what: string): Readonly<Record<string, string>> {
  if (value === null) return {};
  if (!isMap(value)) throw new Error(`${what}: labels must be a map, got ${kindOf(value)}`);
  const entries = Object.entries(value).map(([name, each]) => {
    if (name === '') throw new Error(`${what} has a label without a name`);
    // Nothing is the empty text, which is no label.
    if (each === null) return [name, ''] as const;
    if (typeof each === 'string') return [name, each] as const;
    throw new Error(`${what}: label ${quote(name)} must be text, got ${kindOf(each)}`);
  });
  return Object.fromEntries(entries);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : typeof value === 'string' ? 'text' : `a ${typeof value}`;
}

const MAX_SHOWN_CHARACTERS = 80;

function quote(text: string): string {
  return JSON.stringify(
    text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text,
  );
}
