/**
 * A YAML file as a tree in which every value knows where it stands. Scalars stay text: what `1.10` or `yes`
 * means is decided by the key it is given to, as in Prometheus, where a label `version: 1.10` is "1.10".
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument as parseYaml,
  Scalar,
  type YAMLError,
  type YAMLMap,
  type YAMLSeq,
  type Node as YamlNode,
} from 'yaml';
import { TextLines } from '../util/text-lines.js';
import { isNestedTooDeeply } from '../util/yaml-depth.js';
import type { IssueReport, Position } from './issue.js';

export type ConfigNode = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly at: Position;
  /** Unquoted and unescaped. */
  readonly text: string;
  /** Written without quotes: only such text can be null, a number or a boolean. */
  readonly plain: boolean;
}

export interface ListNode {
  readonly kind: 'list';
  readonly at: Position;
  readonly items: readonly ConfigNode[];
}

export interface MapNode {
  readonly kind: 'map';
  readonly at: Position;
  readonly entries: ReadonlyMap<string, MapEntry>;
}

export interface MapEntry {
  readonly keyAt: Position;
  readonly value: ConfigNode;
}

/** The values that all aliases of a file may add together; beyond, the file is taken for an alias bomb. */
const MAX_ALIASED_VALUES = 100_000;

const MERGE_KEY = '<<';
const NULL_TEXTS = new Set(['', '~', 'null', 'Null', 'NULL']);

/** Nothing, `~` or `null`: a key so written counts as not given, as in Prometheus. */
export function isNull(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.plain && NULL_TEXTS.has(node.text);
}

export function nullNode(at: Position): ScalarNode {
  return { kind: 'scalar', at, text: '', plain: true };
}

/**
 * Aliases and merge keys are resolved.
 * @returns undefined when the text is no YAML; the report then says why
 * @throws {RangeError} when it is nested so deeply that the stack is exhausted
 */
export function parseDocument(text: string, report: IssueReport): ConfigNode | undefined {
  if (isNestedTooDeeply(text, MAX_OPEN_BRACKETS)) return report.error(START, TOO_DEEP);
  const lines = new TextLines(text);
  // Unique keys are checked here, because the check of the package names neither key nor first place, and is quadratic.
  const document = parseYaml(text, { prettyErrors: false, uniqueKeys: false });
  const errors = document.errors.filter(({ code }) => code !== 'MULTIPLE_DOCS');
  reportSyntaxErrors(errors, lines, report);
  const second = startOfSecond(document);
  if (second !== undefined)
    report.warn(lines.positionOf(second), 'a second YAML document starts here; as in Prometheus, only the first counts'); // biome-ignore format: one line
  for (const warning of document.warnings) {
    report.warn(lines.positionOf(warning.pos[0]), warning.message);
  }
  return errors.length > 0 ? undefined : new TreeBuilder(lines, report).build(document.contents);
}

/** @returns where in the text the second document starts, if there is one: no more than the first is parsed */
export function startOfSecond(first: Document): number | undefined {
  return first.errors.find(({ code }) => code === 'MULTIPLE_DOCS')?.pos[0];
}

/** The first character of the file. */
export const START: Position = { line: 1, column: 1 };

/** Brackets in regular expressions count, too, and need not be balanced. */
const MAX_OPEN_BRACKETS = 500;

export const TOO_DEEP = 'the YAML is nested too deeply';

/** The parser repeats itself for every bracket left open, and goes on after its stack is exhausted. */
function reportSyntaxErrors(errors: readonly YAMLError[], lines: TextLines, report: IssueReport): void {
  const exhausted = errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
  const worth = exhausted === undefined ? errors : [exhausted];
  const distinct = new Map(worth.map((error) => [`${error.pos[0]} ${error.message}`, error]));
  for (const error of distinct.values()) report.error(lines.positionOf(error.pos[0]), messageOf(error));
}

function messageOf(error: YAMLError): string {
  if (error.code === 'RESOURCE_EXHAUSTION') return TOO_DEEP;
  return error.message;
}

class TreeBuilder {
  readonly #lines: TextLines;
  readonly #report: IssueReport;
  readonly #anchors = new Map<string, { readonly node: ConfigNode; readonly size: number }>();
  /** Values built so far, those behind aliases counted again each time. */
  #built = 0;
  #aliased = 0;

  constructor(lines: TextLines, report: IssueReport) {
    this.#lines = lines;
    this.#report = report;
  }

  build(node: YamlNode | null, fallback: Position = START): ConfigNode {
    if (node === null) return nullNode(fallback);
    if (isAlias(node)) return this.#followAlias(node.source, this.#positionOf(node));
    const builtBefore = this.#built++;
    const built = this.#buildValue(node);
    const anchor = 'anchor' in node ? node.anchor : undefined;
    // Known only once complete, so an alias can never lead into the value it stands in.
    if (anchor !== undefined) this.#anchors.set(anchor, { node: built, size: this.#built - builtBefore });
    return built;
  }

  #buildValue(node: YamlNode): ConfigNode {
    const at = this.#positionOf(node);
    if (isMap(node)) return this.#buildMap(node, at);
    if (isSeq(node)) return this.#buildList(node, at);
    if (!isScalar(node)) return nullNode(at);
    const plain = node.type === undefined || node.type === Scalar.PLAIN;
    return { kind: 'scalar', at, text: node.source ?? '', plain };
  }

  #buildList(list: YAMLSeq, at: Position): ListNode {
    return { kind: 'list', at, items: list.items.map((item) => this.build(item as YamlNode | null, at)) };
  }

  #buildMap(map: YAMLMap, at: Position): MapNode {
    const own = new Map<string, MapEntry>();
    const merged = new Map<string, MapEntry>();
    for (const pair of map.items) {
      const key = this.build(pair.key as YamlNode | null, at);
      const value = this.build(pair.value as YamlNode | null, key.at);
      if (key.kind !== 'scalar') this.#report.error(key.at, `a key must be text, got a ${key.kind}`);
      else if (key.plain && key.text === MERGE_KEY) this.#merge(value, merged);
      else this.#addEntry(own, key, value);
    }
    return { kind: 'map', at, entries: new Map([...merged, ...own]) };
  }

  #addEntry(entries: Map<string, MapEntry>, key: ScalarNode, value: ConfigNode): void {
    const first = entries.get(key.text);
    if (first === undefined) entries.set(key.text, { keyAt: key.at, value });
    else
      this.#report.error(
        key.at,
        `duplicate key ${JSON.stringify(key.text)}, first given in line ${first.keyAt.line}`,
      );
  }

  /** Of several merged maps the first that has a key gives its value. */
  #merge(value: ConfigNode, into: Map<string, MapEntry>): void {
    for (const map of value.kind === 'list' ? value.items : [value]) {
      if (map.kind !== 'map')
        this.#report.error(map.at, `"${MERGE_KEY}" merges maps, got ${describeValue(map)}`);
      else for (const [key, entry] of map.entries) if (!into.has(key)) into.set(key, entry);
    }
  }

  #followAlias(name: string, at: Position): ConfigNode {
    const anchor = this.#anchors.get(name);
    if (anchor === undefined) {
      this.#report.error(at, `alias *${name} has no complete anchor &${name} before it`);
      return nullNode(at);
    }
    if (this.#aliased + anchor.size > MAX_ALIASED_VALUES) {
      if (this.#aliased !== Number.POSITIVE_INFINITY) {
        this.#report.error(at, `alias *${name}: aliases stand for more than ${MAX_ALIASED_VALUES} values`);
        this.#aliased = Number.POSITIVE_INFINITY;
      }
      return nullNode(at);
    }
    this.#aliased += anchor.size;
    this.#built += anchor.size;
    return anchor.node;
  }

  #positionOf(node: YamlNode): Position {
    return node.range ? this.#lines.positionOf(node.range[0]) : START;
  }
}

const MAX_SHOWN_CHARACTERS = 80;

/** The value received, for an error: quoted text, `a list`, `a map` or `nothing`. */
export function describeValue(node: ConfigNode): string {
  if (node.kind !== 'scalar') return `a ${node.kind}`;
  return isNull(node) ? 'nothing' : quote(node.text);
}

/** Quoted, line breaks escaped, and cut where it is very long. */
export function quote(text: string): string {
  return JSON.stringify(
    text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text,
  );
}
