import type { SyntaxNode } from '@lezer/common';
import { METRIC_NAME } from '../model/labels.js';
import { createMatcher, type Matcher, type MatcherType } from '../model/matcher.js';
import { PromqlError, parseExpression, position, rootOf, textOf } from './expression.js';
import { unquote } from './string-literal.js';

const MAX_SELECTORS = 1000;

/**
 * Every vector selector anywhere in a PromQL expression, each as the matchers it stands for, `__name__` included.
 * Offsets, `@` and ranges are not looked at.
 * @throws {PromqlError}
 */
export function parseSelectors(expression: string): Matcher[][] {
  const selectors: Matcher[][] = [];
  parseExpression(expression).iterate({
    enter(node) {
      if (node.name !== 'VectorSelector') return true;
      const matchers = matchersOf(node.node, expression);
      if (matchesEverything(matchers)) {
        const where = position(expression, node.from);
        throw new PromqlError(
          `${where}: parse error: vector selector must contain at least one non-empty matcher`,
        );
      }
      selectors.push(matchers);
      if (selectors.length > MAX_SELECTORS) {
        throw new PromqlError(`1:1: parse error: more than ${MAX_SELECTORS} selectors`);
      }
      return false;
    },
  });
  return selectors;
}

/**
 * A lone selector, as `match[]` takes it.
 * @throws {PromqlError} for anything else, too
 */
export function parseSelector(expression: string): Matcher[] {
  const root = rootOf(parseExpression(expression));
  if (root?.name !== 'VectorSelector') {
    throw new PromqlError(`${position(expression, root?.from ?? 0)}: parse error: not a series selector`);
  }
  const matchers = matchersOf(root, expression);
  if (matchesEverything(matchers)) {
    throw new PromqlError('match[] must contain at least one non-empty matcher');
  }
  return matchers;
}

function matchesEverything(matchers: readonly Matcher[]): boolean {
  return matchers.every((matcher) => matcher.matches(''));
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
    // Without the compiler's own prefix and ours: what is quoted is what the user wrote.
    const reason = (error as Error).message.replace(/^error parsing regexp: /, '').replace('`(?s)', '`');
    throw new PromqlError(`${position(expression, node.from)}: parse error: error parsing regexp: ${reason}`);
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
