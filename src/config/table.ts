/**
 * A section of the file as a table of its keys. The loader reads sections by these tables and the documentation
 * is printed from them, so what is documented is what is read, defaults included.
 */
import { type ConfigNode, describeValue, isNull, type MapNode, quote } from './document.js';
import type { IssueReport, Position } from './issue.js';
import { nearest } from './nearest.js';
import type { ValueType } from './value-type.js';

/** A key that is read. `Absent` is what stands for a key that is not given. */
export interface AppliedKey<Value, Absent> {
  readonly kind: 'applied';
  readonly type: ValueType<Value>;
  readonly doc: string;
  readonly whenAbsent:
    | { readonly kind: 'required' }
    /** Nothing, or what `doc` says, such as "as in `global`". */
    | { readonly kind: 'unset'; readonly doc: string }
    | { readonly kind: 'default'; readonly value: Value }
    /** A section: its own defaults. */
    | { readonly kind: 'section'; readonly table: Table };
  /** Only in the types. */
  readonly absent?: Absent;
}

/** A key that is accepted, and warned about because it changes nothing. */
export interface UnappliedKey {
  readonly kind: 'unapplied';
  readonly reason: 'later' | 'prometheus';
  /** What that means for the user; completes a sentence after a colon. */
  readonly consequence: string;
  /** A value that asks for nothing else than what exemplard does anyway, and so needs no warning. */
  readonly unless: string | undefined;
  /** Not warned about here: whoever reads the section says it, together with more. */
  readonly toldLater?: true;
}

export type Table = Readonly<Record<string, AppliedKey<unknown, unknown> | UnappliedKey>>;

export function required<Value>(type: ValueType<Value>, doc: string): AppliedKey<Value, undefined> {
  return { kind: 'applied', type, doc, whenAbsent: { kind: 'required' } };
}

export function optional<Value>(
  type: ValueType<Value>,
  doc: string,
  absentDoc = 'none',
): AppliedKey<Value, undefined> {
  return { kind: 'applied', type, doc, whenAbsent: { kind: 'unset', doc: absentDoc } };
}

export function withDefault<Value>(
  type: ValueType<Value>,
  value: Value,
  doc: string,
): AppliedKey<Value, never> {
  return { kind: 'applied', type, doc, whenAbsent: { kind: 'default', value } };
}

export function subsection<Keys extends Table>(table: Keys, doc: string): AppliedKey<Section<Keys>, never> {
  return { kind: 'applied', type: section(table), doc, whenAbsent: { kind: 'section', table } };
}

/** Something Prometheus or a coming version of exemplard does. */
export function notYet(consequence: string, unless?: string): UnappliedKey {
  return { kind: 'unapplied', reason: 'later', consequence, unless };
}

/** Something only Prometheus does. */
export function prometheusOnly(consequence: string, unless?: string): UnappliedKey {
  return { kind: 'unapplied', reason: 'prometheus', consequence, unless };
}

export const REASONS: Readonly<Record<UnappliedKey['reason'], string>> = {
  later: 'not applied in this version',
  prometheus: "not applied, being Prometheus' own business",
};

export type Values<Keys extends Table> = {
  readonly [Name in keyof Keys as Keys[Name] extends UnappliedKey
    ? never
    : Name]: Keys[Name] extends AppliedKey<infer Value, infer Absent> ? Value | Absent : never;
};

/** A section as read: defaults filled in, and what did not fit replaced by them, so that checks can go on. */
export interface Section<Keys extends Table> {
  readonly path: string;
  readonly values: Values<Keys>;
  /** Where the value of a key stands; for a key not given, where the section does. */
  at(key: keyof Keys): Position;
  /** Whether the file gives the key, be it applied or not, and it could be read. */
  given(key: keyof Keys): boolean;
  /** Whether the file gives the key and it could not be read: what is wrong with it has been said. */
  refused(key: keyof Keys): boolean;
}

export function section<Keys extends Table>(table: Keys): ValueType<Section<Keys>> {
  return {
    name: 'section',
    read(node, path, report) {
      if (node.kind === 'map') return readSection(table, node, path, report);
      return report.error(node.at, `${path || 'the file'} must be a map of keys, got ${describeValue(node)}`);
    },
    format: () => '',
  };
}

/** The section that stands for one not given: all defaults. */
export function emptySection<Keys extends Table>(
  table: Keys,
  at: Position,
  path: string,
  report: IssueReport,
): Section<Keys> {
  return readSection(table, { kind: 'map', at, entries: new Map() }, path, report);
}

function readSection<Keys extends Table>(
  table: Keys,
  node: MapNode,
  path: string,
  report: IssueReport,
): Section<Keys> {
  warnOfUnapplied(table, node, path, report);
  refuseUnknown(table, node, path, report);
  const given = new Map(
    [...node.entries].filter(([name, { value }]) => asksForSomething(table, name, value)),
  );
  const at = (name: string) => given.get(name)?.value.at ?? node.at;
  const refused = new Set<string>();
  const values: Record<string, unknown> = {};
  for (const [name, key] of Object.entries(table)) {
    if (key.kind !== 'applied') continue;
    const value = readKey(key, given.get(name)?.value, node.at, join(path, name), report);
    if (value === undefined && given.has(name)) refused.add(name);
    values[name] = value ?? absentValue(key, at(name), join(path, name), report);
  }
  return {
    path,
    // The loop above gives every applied key the type its table entry says.
    values: values as Values<Keys>,
    at: (key) => at(String(key)),
    given: (key) => given.has(String(key)) && !refused.has(String(key)),
    refused: (key) => refused.has(String(key)),
  };
}

function readKey(
  key: AppliedKey<unknown, unknown>,
  node: ConfigNode | undefined,
  sectionAt: Position,
  path: string,
  report: IssueReport,
): unknown {
  if (node !== undefined) return key.type.read(node, path, report);
  if (key.whenAbsent.kind === 'required') report.error(sectionAt, `${path} is missing or empty`);
  return undefined;
}

function absentValue(
  key: AppliedKey<unknown, unknown>,
  at: Position,
  path: string,
  report: IssueReport,
): unknown {
  switch (key.whenAbsent.kind) {
    case 'default':
      return key.whenAbsent.value;
    case 'section':
      return emptySection(key.whenAbsent.table, at, path, report);
    default:
      return undefined;
  }
}

/** Null is "not given". What is not applied asks for nothing if it is empty, or is what exemplard does anyway. */
function asksForSomething(table: Table, name: string, value: ConfigNode): boolean {
  const key = Object.hasOwn(table, name) ? table[name] : undefined;
  if (isNull(value)) return false;
  if (key?.kind !== 'unapplied') return true;
  if (value.kind === 'scalar') return value.text !== key.unless;
  return value.kind === 'list' ? value.items.length > 0 : value.entries.size > 0;
}

function warnOfUnapplied(table: Table, node: MapNode, path: string, report: IssueReport): void {
  for (const [name, { keyAt, value }] of node.entries) {
    const key = Object.hasOwn(table, name) ? table[name] : undefined;
    if (key?.kind !== 'unapplied' || key.toldLater || !asksForSomething(table, name, value)) continue;
    report.warn(keyAt, `${join(path, name)} is ${REASONS[key.reason]}: ${key.consequence}`);
  }
}

function refuseUnknown(table: Table, node: MapNode, path: string, report: IssueReport): void {
  for (const [name, { keyAt }] of node.entries) {
    if (Object.hasOwn(table, name)) continue;
    const meant = nearest(name, Object.keys(table));
    const hint = meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`;
    report.error(
      keyAt,
      `unknown key ${quote(name)} ${path === '' ? 'at the top level' : `in ${path}`}${hint}`,
    );
  }
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** Reads the whole file by the table of its top level; an empty file is a section without keys. */
export function readRoot<Keys extends Table>(
  table: Keys,
  root: ConfigNode,
  report: IssueReport,
): Section<Keys> | undefined {
  return isNull(root) ? emptySection(table, root.at, '', report) : section(table).read(root, '', report);
}
