import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import type { LabelFilter } from './label-filter.js';

const PLAIN_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const PLAIN_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** As a matcher inside braces. */
export function matcherText(name: string, operator: string, value: string): string {
  return `${PLAIN_LABEL.test(name) ? name : JSON.stringify(name)}${operator}${JSON.stringify(value)}`;
}

/** As a selector of that metric. */
export function metricText(name: string): string {
  return PLAIN_METRIC.test(name) ? name : `{${JSON.stringify(name)}}`;
}

/** A literal text as a part of a regular expression. */
export function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** The expression with the filter as a matcher in each of its selectors. */
export function withMatcher(expression: string, filter: LabelFilter): string {
  const matcher = matcherText(filter.name, filter.operator, filter.value);
  let text = expression;
  // From the end, so that places before it stay right.
  for (const node of selectorsOf(expression).reverse()) {
    const list = node.getChild('LabelMatchers');
    const isEmpty = list?.firstChild === null;
    const at = list === null ? node.to : list.to - 1;
    const before = text.slice(0, at).replace(list === null ? /$/ : /\s*,?\s*$/, '');
    const added = list === null ? `{${matcher}}` : isEmpty ? matcher : `, ${matcher}`;
    text = before + added + text.slice(at);
  }
  return text;
}

/** Whether each of its selectors has that very matcher. */
export function hasMatcher(expression: string, { name, operator, value }: LabelFilter): boolean {
  const matcher = matcherText(name, operator, value);
  return selectorsOf(expression).every((selector) => {
    const list = selector.getChild('LabelMatchers');
    for (let node = list?.firstChild ?? null; node !== null; node = node.nextSibling)
      if (expression.slice(node.from, node.to) === matcher) return true;
    return false;
  });
}

function selectorsOf(expression: string): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  parser.parse(expression).iterate({
    enter(node) {
      if (node.name === 'VectorSelector') found.push(node.node);
    },
  });
  return found;
}
