import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** What could stand at the cursor, and which part of the text it would take the place of. */
export interface CompletionContext {
  readonly kind: 'metric' | 'label-name' | 'label-value';
  /** Typed so far. */
  readonly word: string;
  readonly from: number;
  readonly to: number;
  /** The label whose values are looked for. */
  readonly label: string | undefined;
  /** Inside quotes already; else a value brings its own. */
  readonly isQuoted: boolean;
  /** A selector of the series that matter; undefined: all. */
  readonly selector: string | undefined;
}

/**
 * Looks at the text before the cursor, closed as if it ended there: so the grammar, made for whole expressions,
 * says where the cursor is.
 * @returns undefined where nothing can be completed, as inside a number
 */
export function completionAt(expression: string, cursor: number): CompletionContext | undefined {
  const before = expression.slice(0, cursor);
  const open = openAt(before);
  if (open === undefined) return undefined;
  const isQuoted = open.quote !== '';
  const typed = isQuoted ? before.slice(open.quoteAt + 1) : (/[\w:]*$/.exec(before)?.[0] ?? '');
  if (!isQuoted && /^\d/.test(typed)) return undefined;
  const from = cursor - typed.length;
  const rest = expression.slice(cursor);
  const context = {
    word: typed,
    from,
    to: cursor + (isQuoted ? quotedRest(rest, open.quote) : (/^[\w:]*/.exec(rest)?.[0].length ?? 0)),
    isQuoted,
  };
  const closed = before + open.quote + (isAfterOperator(before, isQuoted) ? '""' : '') + open.closers;
  const tree = parser.parse(closed);
  const place = tree.resolveInner(from, isQuoted || typed === '' ? -1 : 1);
  const selector = ancestor(place, 'VectorSelector');
  if (ancestor(place, 'GroupingLabels') !== undefined) {
    return { ...context, kind: 'label-name', label: undefined, selector: firstSelector(expression) };
  }
  if (isInBraces(open.closers)) {
    const label = labelBefore(before.slice(0, isQuoted ? open.quoteAt : from));
    const others = selector === undefined ? undefined : selectorWithout(selector, closed, from);
    if (label !== undefined) return { ...context, kind: 'label-value', label, selector: others };
    if (isQuoted) return { ...context, kind: 'metric', label: undefined, selector: undefined };
    return { ...context, kind: 'label-name', label: undefined, selector: others };
  }
  if (isQuoted || /\[[^\]]*$/.test(before) || /\b(offset|@)\s*\w*$/.test(before)) return undefined;
  if (/[\w\])}"]\s+$/.test(before) && !/\b(and|or|unless|bool)\s+$/i.test(before)) return undefined;
  return { ...context, kind: 'metric', label: undefined, selector: undefined };
}

/** The text with a completion taken, and where the cursor goes. */
export function applyCompletion(
  expression: string,
  context: CompletionContext,
  value: string,
): { readonly text: string; readonly cursor: number } {
  const inserted = insertedText(expression, context, value);
  const before = expression.slice(0, context.from) + inserted;
  // Past a quote that stands there already.
  const after = expression.slice(context.to);
  const skipped = context.isQuoted && /^["'`]/.test(after) ? 1 : 0;
  return { text: before + after, cursor: before.length + skipped };
}

function insertedText(expression: string, context: CompletionContext, value: string): string {
  const after = expression.slice(context.to);
  if (context.isQuoted) {
    const quote = expression[context.from - 1]!;
    const escaped = quote === '`' ? value : JSON.stringify(value).slice(1, -1);
    return (
      (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + (after.startsWith(quote) ? '' : quote)
    );
  }
  switch (context.kind) {
    case 'label-value':
      return JSON.stringify(value);
    case 'label-name':
      return /^[a-zA-Z_]\w*$/.test(value) ? value : JSON.stringify(value);
    case 'metric':
      return /^[a-zA-Z_:][\w:]*$/.test(value) ? value : `{${JSON.stringify(value)}}`;
  }
}

interface Open {
  /** Of the string that is not closed yet; empty outside strings. */
  readonly quote: string;
  readonly quoteAt: number;
  /** What would close all brackets. */
  readonly closers: string;
}

const CLOSERS: Readonly<Record<string, string>> = { '(': ')', '{': '}', '[': ']' };

/** @returns undefined inside a comment */
function openAt(text: string): Open | undefined {
  let closers = '';
  let quote = '';
  let quoteAt = -1;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (quote !== '') {
      if (char === '\\' && quote !== '`') at++;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'" || char === '`') {
      quote = char;
      quoteAt = at;
    } else if (char === '#') {
      const end = text.indexOf('\n', at);
      if (end === -1) return undefined;
      at = end;
    } else if (char in CLOSERS) closers = CLOSERS[char] + closers;
    else if (closers.startsWith(char)) closers = closers.slice(1);
  }
  return { quote, quoteAt, closers };
}

/** How much of a text belongs to the string before it. */
function quotedRest(rest: string, quote: string): number {
  const end = rest.indexOf(quote);
  // Without a closing quote of its own, nothing behind the cursor is taken.
  return end === -1 || /[{}]/.test(rest.slice(0, end)) ? 0 : end;
}

function isInBraces(closers: string): boolean {
  return closers.startsWith('}');
}

function isAfterOperator(before: string, isQuoted: boolean): boolean {
  return !isQuoted && /(=~|!~|!=|=)\s*$/.test(before);
}

/** The label name right before `=`, `!=`, `=~` or `!~`. */
function labelBefore(text: string): string | undefined {
  const match = /(?:"((?:[^"\\]|\\.)*)"|([a-zA-Z_]\w*))\s*(?:=~|!~|!=|=)\s*$/.exec(text);
  return match === null ? undefined : (match[1] ?? match[2]);
}

function ancestor(node: SyntaxNode, name: string): SyntaxNode | undefined {
  for (let at: SyntaxNode | null = node; at !== null; at = at.parent) if (at.name === name) return at;
  return undefined;
}

/** The selector with its complete matchers, but that at the cursor. */
function selectorWithout(selector: SyntaxNode, text: string, cursor: number): string | undefined {
  const identifier = selector.getChild('Identifier');
  const matchers: string[] = [];
  const list = selector.getChild('LabelMatchers');
  for (let node = list?.firstChild ?? null; node !== null; node = node.nextSibling) {
    const isComplete = node.getChild('StringLiteral') !== null && node.getChild('⚠') === null;
    const isAtCursor = node.from <= cursor && cursor <= node.to;
    const matcher = text.slice(node.from, node.to);
    // One that matches everything would be refused where it stands alone.
    if (isComplete && !isAtCursor && !/=~?\s*(""|''|``)$/.test(matcher)) matchers.push(matcher);
  }
  const name = identifier === null ? '' : text.slice(identifier.from, identifier.to);
  if (name === '' && matchers.length === 0) return undefined;
  return matchers.length === 0 ? name : `${name}{${matchers.join(',')}}`;
}

/** For `by (`: labels of what is aggregated, as far as it is written already. */
function firstSelector(expression: string): string | undefined {
  let found: string | undefined;
  parser.parse(expression).iterate({
    enter(node) {
      if (node.name === 'VectorSelector') found ??= selectorWithout(node.node, expression, -1);
    },
  });
  return found;
}
