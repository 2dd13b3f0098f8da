import { setTimeout } from 'node:timers/promises';

/** Waits, in real time, for something that happens beyond our clock (sockets, other processes). */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 10_000,
): Promise<void> {
  const startMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startMs > withinMs) throw new Error(`waited ${withinMs} ms in vain for: ${what}`);
    await setTimeout(2);
  }
}
