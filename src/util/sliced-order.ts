import { sortInSlices } from './sliced-sort.js';
import type { TimeSlices } from './time-slices.js';

/** The numbers from 0 to `count` - 1, ascending. */
export function numbersBelow(count: number): Uint32Array {
  const numbers = new Uint32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = i;
  return numbers;
}

/** The order of things that are numbered from 0 on, in slices: numbers sorted by `compare`, stable. */
export function orderInSlices(
  count: number,
  compare: (a: number, b: number) => number,
  slices: TimeSlices,
): Promise<Uint32Array> {
  return sortInSlices(numbersBelow(count), compare, slices);
}
