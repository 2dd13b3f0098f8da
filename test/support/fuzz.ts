/** Bounds for generated tests: seconds in CI, as long as `FUZZ_SECONDS` says by hand. */

const FUZZ_SECONDS = Number(process.env.FUZZ_SECONDS ?? 0);

/** @param runs enough to mean something, few enough for CI */
export function fuzzBounds(runs: number) {
  return FUZZ_SECONDS > 0
    ? { numRuns: 1e9, interruptAfterTimeLimit: FUZZ_SECONDS * 1000 }
    : { numRuns: runs, interruptAfterTimeLimit: 20_000 };
}
