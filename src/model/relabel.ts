/**
 * Relabelling: rules that rewrite a label set, or drop what bears it. Actions and their corners are those of
 * Prometheus (model/relabel/relabel.go); regular expressions are RE2, over the whole value, dot matching newline,
 * in linear time.
 */
import { createHash } from 'node:crypto';
import { RE2JS } from 're2js';
import { type Labels, labelPairs, labelsFromPairs } from './labels.js';
import { lowerCase, upperCase } from './letter-case.js';
import { type Groups, Template } from './relabel-template.js';

export const RELABEL_ACTIONS = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
] as const;
export type RelabelAction = (typeof RELABEL_ACTIONS)[number];

/** One rule, all defaults resolved. Plain data, so that two can be compared. */
export interface RelabelRule {
  readonly action: RelabelAction;
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  readonly regex: string;
  /** For `hashmod`, and above 0 there. */
  readonly modulus: number;
  readonly targetLabel: string;
  readonly replacement: string;
}

export const DEFAULT_RELABEL_RULE: RelabelRule = {
  action: 'replace',
  sourceLabels: [],
  separator: ';',
  regex: '(.*)',
  modulus: 0,
  targetLabel: '',
  replacement: '$1',
};

/**
 * In UTF-16 units. Each rule may repeat a value several times, so a few of them would otherwise take all memory.
 * A rule that would make a longer name or value has no effect.
 */
const MAX_TEXT_LENGTH = 64 * 1024;
/** `labelmap` may double the labels. It adds none beyond. */
const MAX_LABELS = 1024;

/** Changes the labels in hand. @returns false to drop what bears them */
type CompiledRule = (labels: LabelsInHand) => boolean;

/** Rules ready for use, in their order. */
export type CompiledRules = readonly CompiledRule[];

const LEGACY_LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * @param names which ones `replace` may set; another name that it makes is none, and it has no effect
 * @throws {Error} when a regular expression is not RE2 (the message is the compiler's)
 */
export function compileRules(
  rules: readonly RelabelRule[],
  names: 'utf8' | 'legacy' = 'utf8',
): CompiledRules {
  const mayBeName = (name: string) => names === 'utf8' || LEGACY_LABEL_NAME.test(name);
  return rules.map((rule) => compileRule(rule, mayBeName));
}

/** @returns undefined when a rule drops what bears the labels */
export function relabel(labels: Labels, rules: CompiledRules): Labels | undefined {
  if (rules.length === 0) return labels;
  const inHand = new LabelsInHand(labels);
  return rules.every((rule) => rule(inHand)) ? inHand.take() : undefined;
}

/**
 * A label set being rewritten. Of what it holds, labels changed come after those that were not, in the order they
 * were first set: where `labelmap` makes one name of several, the last of them wins, as in Prometheus.
 */
class LabelsInHand {
  readonly #before: Labels;
  readonly #untouched: Map<string, string>;
  readonly #set = new Map<string, string>();

  constructor(labels: Labels) {
    this.#before = labels;
    this.#untouched = new Map(labelPairs(labels));
  }

  get(name: string): string {
    return this.#set.get(name) ?? this.#untouched.get(name) ?? '';
  }

  /** Without effect for a name that is none, and for what has grown too long. */
  set(name: string, value: string): void {
    if (name === '' || name.length > MAX_TEXT_LENGTH || value.length > MAX_TEXT_LENGTH) return;
    if (!this.#has(name) && this.#untouched.size + this.#set.size >= MAX_LABELS) return;
    this.#untouched.delete(name);
    if (value === '') this.#set.delete(name);
    else this.#set.set(name, value);
  }

  delete(name: string): void {
    this.#untouched.delete(name);
    this.#set.delete(name);
  }

  all(): (readonly [name: string, value: string])[] {
    return [...this.#untouched, ...this.#set];
  }

  take(): Labels {
    const isSame = this.#set.size === 0 && 2 * this.#untouched.size === this.#before.length;
    return isSame ? this.#before : labelsFromPairs(this.all());
  }

  #has(name: string): boolean {
    return this.#set.has(name) || this.#untouched.has(name);
  }
}

function compileRule(rule: RelabelRule, mayBeName: (name: string) => boolean): CompiledRule {
  const source = sourceOf(rule);
  const { targetLabel } = rule;
  switch (rule.action) {
    case 'replace':
      return replace(rule, source, mayBeName);
    case 'keep':
    case 'drop': {
      const regex = new WholeRegex(rule.regex);
      const wanted = rule.action === 'keep';
      return (labels) => regex.matches(source(labels)) === wanted;
    }
    case 'keepequal':
      return (labels) => labels.get(targetLabel) === source(labels);
    case 'dropequal':
      return (labels) => labels.get(targetLabel) !== source(labels);
    case 'hashmod':
      return always((labels) => labels.set(targetLabel, hashMod(source(labels), rule.modulus)));
    case 'lowercase':
      return always((labels) => labels.set(targetLabel, lowerCase(source(labels))));
    case 'uppercase':
      return always((labels) => labels.set(targetLabel, upperCase(source(labels))));
    case 'labelmap':
      return labelMap(rule);
    case 'labeldrop':
    case 'labelkeep': {
      const regex = new WholeRegex(rule.regex);
      const goes = rule.action === 'labeldrop';
      return always((labels) => {
        for (const [name] of labels.all()) if (regex.matches(name) === goes) labels.delete(name);
      });
    }
  }
}

function always(change: (labels: LabelsInHand) => void): CompiledRule {
  return (labels) => {
    change(labels);
    return true;
  };
}

function sourceOf({ sourceLabels, separator }: RelabelRule): (labels: LabelsInHand) => string {
  const [only] = sourceLabels;
  if (sourceLabels.length === 1) return (labels) => labels.get(only!);
  return (labels) => sourceLabels.map((name) => labels.get(name)).join(separator);
}

function replace(
  rule: RelabelRule,
  source: (labels: LabelsInHand) => string,
  mayBeName: (name: string) => boolean,
): CompiledRule {
  const regex = new WholeRegex(rule.regex);
  const target = new Template(rule.targetLabel, regex.groupNames);
  const replacement = new Template(rule.replacement, regex.groupNames);
  return always((labels) => {
    const groups = regex.groups(source(labels));
    if (groups === undefined) return;
    const name = target.expand(groups);
    if (mayBeName(name)) labels.set(name, replacement.expand(groups));
  });
}

function labelMap({ regex: pattern, replacement }: RelabelRule): CompiledRule {
  const regex = new WholeRegex(pattern);
  const name = new Template(replacement, regex.groupNames);
  return always((labels) => {
    for (const [from, value] of labels.all()) {
      const groups = regex.groups(from);
      if (groups !== undefined) labels.set(name.expand(groups), value);
    }
  });
}

/** The last eight bytes of the MD5, which is what Prometheus has always taken. */
function hashMod(text: string, modulus: number): string {
  const hash = createHash('md5').update(text, 'utf8').digest().readBigUInt64BE(8);
  return String(hash % BigInt(modulus));
}

/** A regular expression that must match all of a text (`^(?s:…)$`). */
class WholeRegex {
  readonly groupNames: Readonly<Record<string, number>>;
  /** Undefined: anything, as group 1. The default needs no engine. */
  readonly #regex: RE2JS | undefined;
  readonly #groupCount: number;

  constructor(pattern: string) {
    // Compiled bare first: wrapping could otherwise balance what is unbalanced, as in `a)(b`.
    RE2JS.compile(pattern, RE2JS.DOTALL);
    const regex = RE2JS.compile(`^(?s:${pattern})$`);
    this.#regex = pattern === DEFAULT_RELABEL_RULE.regex ? undefined : regex;
    this.groupNames = regex.namedGroups();
    this.#groupCount = regex.groupCount();
  }

  matches(text: string): boolean {
    return this.#regex === undefined || this.#regex.test(text);
  }

  groups(text: string): Groups | undefined {
    if (this.#regex === undefined) return [text, text];
    const matcher = this.#regex.matcher(text);
    if (!matcher.find()) return undefined;
    return Array.from({ length: this.#groupCount + 1 }, (_, group) => matcher.group(group) ?? undefined);
  }
}
