import type { TimeSlices } from './time-slices.js';

/** So many numbers are sorted at once: well under a millisecond. */
const SORTED_AT_ONCE = 4096;

/**
 * Nearest-rank quantiles: the ⌈q·n⌉-th smallest value, for q = 0 the smallest, NaN where there are no values.
 * Takes linear time, in slices.
 * @param values without NaN; their order is changed
 * @param quantiles from 0 to 1, ascending
 */
export async function quantilesOf(
  values: Float64Array,
  quantiles: readonly number[],
  slices: TimeSlices,
): Promise<number[]> {
  const found: number[] = [];
  let from = 0;
  for (const quantile of quantiles) {
    const rank = Math.max(0, Math.ceil(quantile * values.length) - 1);
    await bringToRank(values, rank, from, slices);
    found.push(values[rank] ?? Number.NaN);
    from = rank;
  }
  return found;
}

/** Quickselect over `[from, …)`: nothing before `rank` is then greater than what stands there, nothing after less. */
async function bringToRank(
  values: Float64Array,
  rank: number,
  from: number,
  slices: TimeSlices,
): Promise<void> {
  let low = from;
  let high = values.length;
  while (high - low > SORTED_AT_ONCE) {
    const split = partition(values, low, high);
    if (rank < split) high = split;
    else low = split;
    if (slices.isOver) await slices.pause();
  }
  values.subarray(low, high).sort();
}

/**
 * Hoare's partition of at least three values. Both sides are smaller than the whole, because at least one value
 * before the last is not below the median of three, and at least one after the first not above it.
 * @returns where the right side, of values not below the pivot, begins
 */
function partition(values: Float64Array, low: number, high: number): number {
  const pivot = medianOf(values[low]!, values[(low + high) >>> 1]!, values[high - 1]!);
  for (let left = low, right = high - 1; ; left++, right--) {
    while (values[left]! < pivot) left++;
    while (values[right]! > pivot) right--;
    if (left >= right) return right + 1;
    const value = values[left]!;
    values[left] = values[right]!;
    values[right] = value;
  }
}

function medianOf(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
