import type { Sort } from './explore-state.js';
import { labelOf, type Point } from './points.js';

/**
 * The order of a table's rows, as indices. Values that all are numbers are compared as such; what is equal stays
 * in the order of time, and NaN comes last.
 * @param points in the order of time
 */
export function sortPoints(points: readonly Point[], { column, isDescending }: Sort): Uint32Array {
  const order = Uint32Array.from(points, (_, index) => index);
  if (column === 'time') return isDescending ? order.reverse() : order;
  const keys = keysOf(points, column);
  const sign = isDescending ? -1 : 1;
  return order.sort((a, b) => sign * compare(keys[a]!, keys[b]!, sign) || a - b);
}

type Key = number | string;

function keysOf(points: readonly Point[], column: string): readonly Key[] {
  if (column === 'value') return points.map(({ value }) => value);
  if (column === 'source') return points.map(({ source }) => source);
  const name = column.slice('label:'.length);
  const texts = points.map((point) => labelOf(point, name));
  const numbers = texts.map((text) => (text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text)));
  return numbers.some((number) => Number.isNaN(number)) ? texts : numbers;
}

/** @param sign what the result is multiplied with, so that NaN is last in both orders */
function compare(a: Key, b: Key, sign: number): number {
  if (a === b) return 0;
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : sign;
  if (Number.isNaN(b)) return -sign;
  return a < b ? -1 : 1;
}
