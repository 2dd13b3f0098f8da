import type { SyntaxNode, Tree } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { METRIC_NAME } from '../model/labels.js';
import { createMatcher, type Matcher, type MatcherType } from '../model/matcher.js';
import { unquote } from './string-literal.js';

/** A PromQL expression is wrong; the message is Prometheus' where it is one of the common ones. */
export class PromqlError extends Error {}

/** Expressions of dashboards are shorter; parsing is linear, but a tree takes memory. */
const MAX_EXPRESSION_LENGTH = 64 * 1024;
const MAX_SELECTORS = 1000;

/**
 * Every vector selector anywhere in a PromQL expression, each as the matchers it stands for, `__name__` included.
 * Offsets, `@` and ranges are not looked at.
 * @throws {PromqlError}
 */
export function parseSelectors(expression: string): Matcher[][] {
  if (expression.trim() === '')
    throw new PromqlError('unknown position: parse error: no expression found in input');
  if (expression.length > MAX_EXPRESSION_LENGTH) {
    throw new PromqlError(`1:1: parse error: expression longer than ${MAX_EXPRESSION_LENGTH} characters`);
  }
  const tree = parser.parse(expression);
  refuseErrors(tree, expression);
  const selectors: Matcher[][] = [];
  tree.iterate({
    enter(node) {
      if (node.name !== 'VectorSelector') return true;
      selectors.push(matchersOf(node.node, expression));
      if (selectors.length > MAX_SELECTORS) {
        throw new PromqlError(`1:1: parse error: more than ${MAX_SELECTORS} selectors`);
      }
      return false;
    },
  });
  return selectors;
}

/** The grammar recovers from errors and marks them; Prometheus does not recover. */
function refuseErrors(tree: Tree, expression: string): void {
  tree.iterate({
    enter(node) {
      if (node.type.isError) {
        const text =
          expression.slice(node.from, node.to) || expression.slice(node.from).trimStart().slice(0, 20);
        const found = text === '' ? 'unexpected end of input' : `unexpected ${JSON.stringify(text)}`;
        throw new PromqlError(`${position(expression, node.from)}: parse error: ${found}`);
      }
    },
  });
}

function matchersOf(selector: SyntaxNode, expression: string): Matcher[] {
  const matchers: Matcher[] = [];
  const fail = (message: string) => {
    throw new PromqlError(`${position(expression, selector.from)}: parse error: ${message}`);
  };
  const identifier = selector.getChild('Identifier');
  const name = identifier === null ? undefined : textOf(identifier, expression);
  if (name !== undefined) matchers.push(createMatcher('=', METRIC_NAME, name));
  const list = selector.getChild('LabelMatchers');
  for (let node = list?.firstChild ?? null; node !== null; node = node.nextSibling) {
    const matcher = matcherOf(node, expression);
    if (matcher === undefined) continue;
    if (name !== undefined && matcher.name === METRIC_NAME && matcher.type === '=') {
      fail(`metric name must not be set twice: ${JSON.stringify(name)} or ${JSON.stringify(matcher.value)}`);
    }
    matchers.push(matcher);
  }
  if (matchers.every((matcher) => matcher.matches(''))) {
    fail('vector selector must contain at least one non-empty matcher');
  }
  return matchers;
}

/** `name op "value"`, `"quoted name" op "value"`, or a lone `"quoted metric name"`. */
function matcherOf(node: SyntaxNode, expression: string): Matcher | undefined {
  switch (node.name) {
    case 'UnquotedLabelMatcher':
      return labelMatcher(node, textOf(node.getChild('LabelName')!, expression), expression);
    case 'QuotedLabelMatcher': {
      const quoted = node.getChild('QuotedLabelName')!;
      return labelMatcher(node, literal(quoted, expression), expression);
    }
    case 'QuotedLabelName':
      return createMatcher('=', METRIC_NAME, literal(node, expression));
    default:
      return undefined;
  }
}

function labelMatcher(node: SyntaxNode, name: string, expression: string): Matcher {
  const type = textOf(node.getChild('MatchOp')!, expression) as MatcherType;
  const valueNode = node.getChild('StringLiteral')!;
  const value = literal(valueNode, expression);
  try {
    return createMatcher(type, name, value);
  } catch (error) {
    const where = position(expression, node.from);
    throw new PromqlError(
      `${where}: parse error: error parsing regexp: ${(error as Error).message.replace(/^error parsing regexp: /, '')}`,
    );
  }
}

function literal(node: SyntaxNode, expression: string): string {
  const value = unquote(textOf(node, expression));
  if (value === undefined) {
    throw new PromqlError(
      `${position(expression, node.from)}: parse error: invalid string literal ${textOf(node, expression)}`,
    );
  }
  return value;
}

function textOf(node: SyntaxNode, expression: string): string {
  return expression.slice(node.from, node.to);
}

/** `line:column`, both from 1, columns in bytes as Prometheus counts them. */
function position(expression: string, offset: number): string {
  const before = expression.slice(0, offset);
  const line = before.split('\n').length;
  const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1)) + 1;
  return `${line}:${column}`;
}
