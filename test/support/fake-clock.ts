import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../src/util/clock.js';

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #nowMs: number;
  #monotonicMs = 0;
  #timers = new Set<{ dueMs: number; callback: () => void }>();

  constructor(nowMs = 1_763_796_000_000) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#monotonicMs + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Delays until the timers that wait, soonest first. */
  get waitingMs(): number[] {
    return [...this.#timers].map((timer) => timer.dueMs - this.#monotonicMs).sort((a, b) => a - b);
  }

  /** Moves wall time alone, as an administrator or NTP would. */
  jump(byMs: number): void {
    this.#nowMs += byMs;
  }

  /** Moves time forward, running what falls due in order and letting promises settle after each. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#monotonicMs + byMs;
    for (;;) {
      await setImmediate();
      const next = [...this.#timers].sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined || next.dueMs > endMs) break;
      this.#timers.delete(next);
      this.#moveTo(next.dueMs);
      next.callback();
    }
    this.#moveTo(endMs);
    await setImmediate();
  }

  #moveTo(monotonicMs: number): void {
    this.#nowMs += Math.max(0, monotonicMs - this.#monotonicMs);
    this.#monotonicMs = Math.max(this.#monotonicMs, monotonicMs);
  }
}
