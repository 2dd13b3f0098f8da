import { type Clock, systemClock } from '../../src/util/clock.js';

/** Real time, some times as fast: what waits for seconds can be watched while it talks to real engines. */
export function fastClock(factor: number): Clock {
  const startMs = systemClock.nowMs();
  const startMonotonicMs = systemClock.monotonicMs();
  return {
    nowMs: () => Math.floor(startMs + (systemClock.nowMs() - startMs) * factor),
    monotonicMs: () => startMonotonicMs + (systemClock.monotonicMs() - startMonotonicMs) * factor,
    after: (delayMs, callback) => systemClock.after(delayMs / factor, callback),
  };
}
