import type { Axis } from './explore-state.js';

/** Where values lie between the two ends of an axis: 0 … 1. */
export interface ValueScale {
  fractionOf(value: number): number;
  valueAt(fraction: number): number;
  /** Round values to stand beside the axis; not many more than `most`. */
  splits(most: number): number[];
}

/** More labels than these nobody would read, and with fewer the axis says too little. */
const MAX_SPLITS = 12;
const MIN_SPLITS = 4;

/** Below that, logarithms of both ends would differ by nothing but their rounding. */
const LEAST_LOG_RATIO = 1 + 1e-6;

/** @param min finite, less than `max`, and on a logarithmic axis above zero */
export function valueScale(min: number, max: number, axis: Axis): ValueScale {
  const clamp = (value: number) => Math.min(max, Math.max(min, value));
  if (axis === 'log' && max / min >= LEAST_LOG_RATIO) {
    const low = Math.log(min);
    const span = Math.log(max) - low;
    return {
      fractionOf: (value) => (Math.log(value) - low) / span,
      valueAt: (fraction) => clamp(Math.exp(low + fraction * span)),
      splits: (most) => logSplits(min, max, most),
    };
  }
  // The span of two finite numbers may be infinite, half of it never; but half of the least number is zero.
  const unit = Number.isFinite(max - min) ? 1 : 0.5;
  const span = max * unit - min * unit;
  return {
    fractionOf: (value) => (value * unit - min * unit) / span,
    valueAt: (fraction) => clamp(min * (1 - fraction) + max * fraction),
    splits: (most) => evenSplits(min, max, most),
  };
}

/** What a logarithmic axis is divided by, the finest first. */
const LOG_DIGITS: readonly (readonly number[])[] = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5], [1, 3], [1]];

/** Every how many decades a split stands; all finite numbers together span 632. */
const DECADE_STEPS = [1, 2, 3, 5, 10, 20, 50, 100, 200];

/**
 * How many splits more than wanted do no harm: an axis may begin or end among the last digits of a decade,
 * where they stand closest.
 */
const SPLITS_OVER = 2;

export function logSplits(min: number, max: number, most: number): number[] {
  const decades = Math.log10(max) - Math.log10(min);
  const wanted = wantedSplits(most);
  for (const digits of LOG_DIGITS) {
    // A look at the lengths first: hundreds of decades by each digit would only be counted to be dropped.
    if (digits.length * decades > wanted) continue;
    const splits = decadeSplits(min, max, digits, 1);
    // Within a decade there may be hardly one of these digits.
    if (splits.length < MIN_SPLITS && decades < 1) return evenSplits(min, max, most);
    if (splits.length <= wanted + SPLITS_OVER) return splits;
  }
  return decadeSplits(min, max, [1], DECADE_STEPS.find((step) => decades / step <= wanted)!);
}

function decadeSplits(min: number, max: number, digits: readonly number[], step: number): number[] {
  const splits: number[] = [];
  const first = Math.floor(Math.floor(Math.log10(min)) / step) * step;
  for (let exponent = first; exponent <= Math.log10(max); exponent += step) {
    // Read from text, because 3 * 10 ** -5 is not 0.00003.
    for (const digit of digits) splits.push(Number(`${digit}e${exponent}`));
  }
  return distinctWithin(splits, min, max);
}

const STEP_DIGITS = [1, 2, 5, 10, 20, 50];

/** The decade of the least number above zero. */
const LEAST_EXPONENT = -324;

export function evenSplits(min: number, max: number, most: number): number[] {
  const wanted = wantedSplits(most);
  // Each divided by itself: their difference may be infinite.
  const exponent = Math.floor(Math.log10(max / wanted - min / wanted));
  const step = STEP_DIGITS.map((digit) => Number(`${digit}e${Math.max(exponent, LEAST_EXPONENT)}`)).find(
    (each) => max / each - min / each <= wanted,
  )!;
  const first = Math.ceil(min / step);
  const count = Math.floor(max / step) - first + 1;
  const splits = Array.from({ length: count }, (_, index) =>
    Number(((first + index) * step).toPrecision(15)),
  );
  return distinctWithin(splits, min, max);
}

function wantedSplits(most: number): number {
  return Math.min(MAX_SPLITS, Math.max(MIN_SPLITS, Math.floor(most)));
}

/** Where numbers are no longer dense, several splits come to be the same. */
function distinctWithin(splits: readonly number[], min: number, max: number): number[] {
  return [...new Set(splits)].filter((value) => value >= min && value <= max);
}
