/** Sorts the list. */
export function median(times: number[]): number {
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}
