/**
 * YAML as plain values: lists, maps, text and null. Scalars keep their text, as where Go reads them into strings:
 * the label `version: 1.10` is "1.10".
 */
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, parseDocument, Scalar } from 'yaml';
import { TextLines } from '../util/text-lines.js';
import type { TimeSlices } from '../util/time-slices.js';
import { isNestedTooDeeply } from '../util/yaml-depth.js';

export type YamlValue = string | null | readonly YamlValue[] | YamlMap;
export interface YamlMap {
  readonly [key: string]: YamlValue;
}

/** A package that reads a megabyte a second is given some milliseconds' worth at a time. */
const PIECE_CHARACTERS = 16 * 1024;

/** Values that all aliases of a text may add together; beyond, it is taken for an alias bomb. */
const MAX_ALIASED_VALUES = 100_000;

const NULL_TEXTS = new Set(['', '~', 'null', 'Null', 'NULL']);

/**
 * The same as `parseYaml`, without blocking for long where the text is a long list: then its items are read piece
 * by piece.
 * @throws Error with line and column
 */
export async function parseYamlList(text: string, slices: TimeSlices): Promise<YamlValue> {
  if (text.length <= PIECE_CHARACTERS) return parseYaml(text);
  const items: YamlValue[] = [];
  for (const piece of piecesOf(text)) {
    const read = parsePiece(piece);
    // What needs the whole text to be understood (anchors, another style of list, an error's place) gets it.
    if (read === undefined) return parseYaml(text);
    for (const item of read) items.push(item);
    if (slices.isOver) await slices.pause();
  }
  return items;
}

function parsePiece(piece: string): readonly YamlValue[] | undefined {
  try {
    const value = parseYaml(piece);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const FIRST_ITEM = /^(?:---[ \t]*\r?\n|[ \t]*(?:#.*)?\r?\n)*( *)-[ \r\n]/;

/** Cut where items of the outermost list begin: at its indentation nothing else can begin with a dash. */
function* piecesOf(text: string): Generator<string> {
  const indentation = FIRST_ITEM.exec(text)?.[1];
  let start = 0;
  while (indentation !== undefined && text.length - start > PIECE_CHARACTERS) {
    const next = text.indexOf(`\n${indentation}- `, start + PIECE_CHARACTERS);
    if (next < 0) break;
    yield text.slice(start, next + 1);
    start = next + 1;
  }
  yield text.slice(start);
}

/** @throws Error with line and column */
export function parseYaml(text: string): YamlValue {
  if (isNestedTooDeeply(text, MAX_OPEN_BRACKETS)) throw new Error('it is nested too deeply');
  const lines = new TextLines(text);
  // Unique keys are checked below: the package's own check is quadratic.
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false });
  const [error] = document.errors;
  if (error !== undefined) throw new Error(`${placeOf(lines, error.pos[0])}: ${error.message}`);
  return new ValueBuilder(lines).build(document.contents);
}

/** Lists of targets, and kubeconfigs, need less than ten. */
const MAX_OPEN_BRACKETS = 100;

function placeOf(lines: TextLines, offset: number): string {
  const { line, column } = lines.positionOf(offset);
  return `line ${line}, column ${column}`;
}

class ValueBuilder {
  readonly #lines: TextLines;
  readonly #anchors = new Map<string, { readonly value: YamlValue; readonly size: number }>();
  #built = 0;
  #aliased = 0;

  constructor(lines: TextLines) {
    this.#lines = lines;
  }

  build(node: Node | null): YamlValue {
    if (node === null) return null;
    if (isAlias(node)) return this.#follow(node.source, node);
    const builtBefore = this.#built++;
    const value = this.#buildValue(node);
    const anchor = 'anchor' in node ? node.anchor : undefined;
    // Known only once complete, so an alias never leads into the value it stands in.
    if (anchor !== undefined) this.#anchors.set(anchor, { value, size: this.#built - builtBefore });
    return value;
  }

  #buildValue(node: Node): YamlValue {
    if (isSeq(node)) return node.items.map((item) => this.build(item as Node | null));
    if (isMap(node)) return this.#buildMap(node.items as Pair<Node | null, Node | null>[]);
    if (!isScalar(node)) return null;
    const text = node.source ?? '';
    const isPlain = node.type === undefined || node.type === Scalar.PLAIN;
    return isPlain && NULL_TEXTS.has(text) ? null : text;
  }

  #buildMap(pairs: readonly Pair<Node | null, Node | null>[]): YamlMap {
    const own = new Map<string, YamlValue>();
    const merged: [string, YamlValue][] = [];
    for (const { key, value } of pairs) {
      const name = this.build(key) ?? '';
      if (typeof name !== 'string') throw this.#error(key, 'a key must be text');
      const isMerge = name === '<<' && isScalar(key) && key.type === Scalar.PLAIN;
      if (isMerge) merged.unshift(...this.#mergedEntries(value));
      else if (own.has(name)) throw this.#error(key, 'a key is given twice');
      else own.set(name, this.build(value));
    }
    return Object.fromEntries([...merged, ...own]);
  }

  /** Of several maps the first that has a key gives its value, so the last goes first. */
  #mergedEntries(node: Node | null): [string, YamlValue][] {
    const value = this.build(node);
    return (Array.isArray(value) ? value : [value]).reverse().flatMap((map) => {
      if (map === null || typeof map !== 'object' || Array.isArray(map))
        throw this.#error(node, '"<<" merges maps');
      return Object.entries(map as YamlMap);
    });
  }

  #follow(name: string, at: Node): YamlValue {
    const anchor = this.#anchors.get(name);
    if (anchor === undefined) throw this.#error(at, 'an alias has no complete anchor before it');
    this.#aliased += anchor.size;
    this.#built += anchor.size;
    if (this.#aliased > MAX_ALIASED_VALUES) throw this.#error(at, 'aliases stand for too many values');
    return anchor.value;
  }

  #error(node: Node | null, message: string): Error {
    return new Error(`${placeOf(this.#lines, node?.range?.[0] ?? 0)}: ${message}`);
  }
}
