import type { SyntaxNode } from '@lezer/common';
import { parseDurationMs } from '../util/units.js';
import { parseExpression, rootOf, textOf } from './expression.js';

const OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Mod: (a, b) => a % b,
  Pow: (a, b) => a ** b,
};

/**
 * The value of an expression made of numbers and arithmetic, such as the `1+1` by which Grafana tests a data source.
 * @returns undefined for any other expression
 * @throws {PromqlError}
 */
export function evaluateConstant(expression: string): number | undefined {
  const root = rootOf(parseExpression(expression));
  return root === null ? undefined : evaluate(root, expression);
}

function evaluate(node: SyntaxNode | null, expression: string): number | undefined {
  switch (node?.name) {
    case 'NumberDurationLiteral':
      return numberOf(textOf(node, expression));
    case 'ParenExpr':
      return evaluate(node.firstChild, expression);
    case 'UnaryExpr': {
      const value = evaluate(node.lastChild, expression);
      return value !== undefined && expression[node.from] === '-' ? -value : value;
    }
    case 'BinaryExpr':
      return evaluateBinary(node, expression);
    default:
      return undefined;
  }
}

function evaluateBinary({ firstChild, lastChild }: SyntaxNode, expression: string): number | undefined {
  const operator = firstChild?.nextSibling;
  const operate = OPERATORS[operator?.name ?? ''];
  const left = evaluate(firstChild, expression);
  const right = evaluate(lastChild, expression);
  // Between operator and right side there can be modifiers, which arithmetic of numbers does not take.
  const isPlain = operator?.nextSibling?.from === lastChild?.from;
  if (operate === undefined || left === undefined || right === undefined || !isPlain) return undefined;
  // The grammar takes the sign into the number, but it binds less than the power: -2^2 is -4.
  const isNegated =
    operator?.name === 'Pow' && firstChild !== null && /^-/.test(textOf(firstChild, expression));
  return isNegated ? -operate(-left, right) : operate(left, right);
}

function numberOf(literal: string): number | undefined {
  const sign = literal.startsWith('-') ? -1 : 1;
  const digits = literal.replace(/^[+-]\s*/, '').toLowerCase();
  if (digits === 'inf') return sign * Number.POSITIVE_INFINITY;
  if (digits === 'nan') return Number.NaN;
  const durationMs = parseDurationMs(digits);
  const value = durationMs === undefined ? Number(digits) : durationMs / 1000;
  return Number.isNaN(value) ? undefined : sign * value;
}
