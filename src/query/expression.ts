import type { SyntaxNode, Tree } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** A PromQL expression is wrong; the message is Prometheus' where it is one of the common ones. */
export class PromqlError extends Error {}

/** Expressions of dashboards are shorter; parsing is linear, but a tree takes memory. */
const MAX_EXPRESSION_LENGTH = 64 * 1024;

/** @throws {PromqlError} where Prometheus would refuse the syntax */
export function parseExpression(expression: string): Tree {
  if (isBlank(expression))
    throw new PromqlError('unknown position: parse error: no expression found in input');
  if (expression.length > MAX_EXPRESSION_LENGTH) {
    throw new PromqlError(`1:1: parse error: expression longer than ${MAX_EXPRESSION_LENGTH} characters`);
  }
  const tree = parser.parse(expression);
  refuseErrors(tree, expression);
  return tree;
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
