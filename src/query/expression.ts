import type { SyntaxNode, Tree } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** A PromQL expression is wrong; the message is Prometheus' where it is one of the common ones. */
export class PromqlError extends Error {}

/** Expressions of dashboards are shorter; parsing is linear, but a tree takes memory. */
const MAX_EXPRESSION_LENGTH = 64 * 1024;

/** Prometheus does not recover from errors, and neither does this: to try what may have been meant takes seconds for a long text. */
const strictParser = parser.configure({ strict: true });

/** How much behind an error it takes to say what it is. */
const CONTEXT_LENGTH = 64;

/** @throws {PromqlError} where Prometheus would refuse the syntax */
export function parseExpression(expression: string): Tree {
  if (isBlank(expression))
    throw new PromqlError('unknown position: parse error: no expression found in input');
  if (expression.length > MAX_EXPRESSION_LENGTH) {
    throw new PromqlError(`1:1: parse error: expression longer than ${MAX_EXPRESSION_LENGTH} characters`);
  }
  try {
    return strictParser.parse(expression);
  } catch (error) {
    throw explained(error as Error, expression);
  }
}

/** `line:column`, both from 1, columns in bytes as Prometheus counts them. */
export function position(expression: string, offset: number): string {
  const before = expression.slice(0, offset);
  const line = before.split('\n').length;
  const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1)) + 1;
  return `${line}:${column}`;
}

export function textOf(node: SyntaxNode, expression: string): string {
  return expression.slice(node.from, node.to);
}

/** The expression itself, comments around it left out. */
export function rootOf(tree: Tree): SyntaxNode | null {
  let node = tree.topNode.firstChild;
  while (node !== null && node.name === 'LineComment') node = node.nextSibling;
  return node;
}

function isBlank(expression: string): boolean {
  return expression.trim() === '';
}

/** What the strict parser only says the place of. The grammar recovers from errors and marks them: the first is Prometheus'. */
function explained(error: Error, expression: string): Error {
  const place = /^No parse at (\d+)/.exec(error.message)?.[1];
  if (place === undefined) return error;
  const end = Math.min(expression.length, Number(place) + CONTEXT_LENGTH);
  const unexpected = (from: number, to: number) => {
    const text = expression.slice(from, to) || expression.slice(from).trimStart().slice(0, 20);
    const found = text === '' ? 'unexpected end of input' : `unexpected ${JSON.stringify(text)}`;
    return new PromqlError(`${position(expression, from)}: parse error: ${found}`);
  };
  let first: PromqlError | undefined;
  parser.parse(expression.slice(0, end)).iterate({
    enter({ type, from, to }) {
      if (type.isError) first ??= unexpected(from, to);
      return first === undefined;
    },
  });
  return first ?? unexpected(Number(place), Number(place));
}
