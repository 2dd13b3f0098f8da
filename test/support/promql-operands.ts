import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** What an alert compares or combines: an operator between whole vectors, which may leave nothing. */
const FILTERS = new Set(['Eql', 'Neq', 'Gte', 'Lte', 'Gtr', 'Lss', 'And', 'Unless']);

/**
 * The parts of an alert's expression that have data even while it does not fire: both sides of comparisons, `and`,
 * `unless`, and what `absent` looks for. Plain numbers are left out.
 */
export function operandsOf(expression: string): string[] {
  return operands(parser.parse(expression).topNode.firstChild!, expression);
}

function operands(node: SyntaxNode, expression: string): string[] {
  const text = expression.slice(node.from, node.to);
  if (node.name === 'NumberDurationLiteral' || node.name === 'NumberLiteral') return [];
  if (node.name === 'ParenExpr') return operands(node.firstChild!, expression);
  if (node.name === 'FunctionCall' && text.startsWith('absent(')) return [text.slice('absent('.length, -1)];
  const operator = node.name === 'BinaryExpr' ? node.firstChild?.nextSibling?.name : undefined;
  if (operator === undefined || !FILTERS.has(operator)) return [text];
  return [node.firstChild!, node.lastChild!].flatMap((side) => operands(side, expression));
}
