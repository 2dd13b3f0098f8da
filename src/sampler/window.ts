/** Windows of time that a job decides about, one by one, and what is still to do for each. No I/O. */
import type { SamplingJobOptions } from './options.js';

/** From its start to before its end. */
export interface Window {
  readonly startMs: number;
  readonly lengthMs: number;
}

/**
 * How far a window has come:
 *
 *     0 ── picked ──► 1 ── copied ──► 2 ── late spans ──► 3 … ──► last
 */
export type Stage = number;
export const UNTOUCHED: Stage = 0;
export const PICKED: Stage = 1;
export const COPIED: Stage = 2;

/** When spans that come late are looked for, as parts of the late window: most that are late are so by little. */
const LATE_LOOKS = [1 / 6, 1 / 2, 1];

export function endOf({ startMs, lengthMs }: Window): number {
  return startMs + lengthMs;
}

type StageOptions = Pick<SamplingJobOptions, 'traces' | 'settleMs' | 'lateWindowMs'>;

/** The stage after which nothing is left to do. */
export function lastStage({ traces, lateWindowMs }: StageOptions): Stage {
  if (traces === undefined || !traces.copy) return PICKED;
  return lateWindowMs === 0 ? COPIED : COPIED + LATE_LOOKS.length;
}

/** When the work that leads beyond `stage` may begin; undefined: there is none left. */
export function dueMs(window: Window, stage: Stage, options: StageOptions): number | undefined {
  if (stage >= lastStage(options)) return undefined;
  const settledMs = endOf(window) + options.settleMs;
  return stage < COPIED ? settledMs : settledMs + LATE_LOOKS[stage - COPIED]! * options.lateWindowMs;
}

/** The stage that a window has after its spans were looked for at `nowMs`: one look stands for all that were due. */
export function stageAfterLook(window: Window, options: StageOptions, nowMs: number): Stage {
  let stage = COPIED;
  for (;;) {
    const nextMs = dueMs(window, stage, options);
    if (nextMs === undefined || nextMs > nowMs) return stage;
    stage++;
  }
}

type WindowOptions = Pick<SamplingJobOptions, 'windowMs' | 'settleMs' | 'catchUpMs'>;

/**
 * Windows that are closed and settled, newest first: the newest closed one, and as far back as is made up for.
 * @param archivedUntilMs up to when the archive has everything
 */
export function settledWindows(options: WindowOptions, nowMs: number, archivedUntilMs: number): Window[] {
  const { windowMs: lengthMs, settleMs, catchUpMs } = options;
  const closedMs = Math.min(nowMs - settleMs, archivedUntilMs);
  const newestMs = Math.floor(closedMs / lengthMs) * lengthMs - lengthMs;
  const windows: Window[] = [];
  for (let startMs = newestMs; startMs >= 0; startMs -= lengthMs) {
    if (startMs < newestMs && startMs < nowMs - catchUpMs) break;
    windows.push({ startMs, lengthMs });
  }
  return windows;
}

/** Spans of time that were decided about, whatever length their windows had: that length may have changed since. */
export class DecidedTimes {
  /** Disjoint, in order. */
  readonly #spans: { startMs: number; endMs: number }[] = [];

  constructor(windows: Iterable<Window>) {
    const sorted = [...windows].sort((a, b) => a.startMs - b.startMs);
    for (const window of sorted) {
      const last = this.#spans.at(-1);
      if (last !== undefined && window.startMs <= last.endMs)
        last.endMs = Math.max(last.endMs, endOf(window));
      else this.#spans.push({ startMs: window.startMs, endMs: endOf(window) });
    }
  }

  /** Whether any part of it was decided about: nothing is to be decided twice. */
  overlaps(window: Window): boolean {
    return this.#spans.some(({ startMs, endMs }) => startMs < endOf(window) && window.startMs < endMs);
  }
}
