import type { TimeSlices } from './time-slices.js';

/** Sorted at once: well under a millisecond. */
const RUN_LENGTH = 1024;

/** A stable sort of numbers by `compare` that leaves the event loop its turns. `numbers` is used up. */
export async function sortInSlices(
  numbers: Uint32Array,
  compare: (a: number, b: number) => number,
  slices: TimeSlices,
): Promise<Uint32Array> {
  for (let start = 0; start < numbers.length; start += RUN_LENGTH) {
    numbers.subarray(start, start + RUN_LENGTH).sort(compare);
    if (slices.isOver) await slices.pause();
  }
  let from: Uint32Array = numbers;
  let to: Uint32Array = new Uint32Array(numbers.length);
  for (let run = RUN_LENGTH; run < numbers.length; run *= 2) {
    for (let start = 0; start < numbers.length; start += 2 * run) {
      await mergeRuns(from, to, start, run, compare, slices);
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Merges the sorted runs `[start, start + run)` and `[start + run, start + 2 run)`. */
async function mergeRuns(
  from: Uint32Array,
  to: Uint32Array,
  start: number,
  run: number,
  compare: (a: number, b: number) => number,
  slices: TimeSlices,
): Promise<void> {
  const middle = Math.min(start + run, from.length);
  const end = Math.min(start + 2 * run, from.length);
  let left = start;
  let right = middle;
  for (let at = start; at < end; at++) {
    const takeLeft = right === end || (left < middle && compare(from[left]!, from[right]!) <= 0);
    to[at] = takeLeft ? from[left++]! : from[right++]!;
    if (at % RUN_LENGTH === 0 && slices.isOver) await slices.pause();
  }
}
