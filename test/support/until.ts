import { setTimeout } from 'node:timers/promises';

/**
 * Waits, in real time, for something that happens beyond our clock (sockets, other processes). It is waited for long
 * enough for a machine that is busy with other tests: what has to be quick is measured, not waited for.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 60_000,
): Promise<void> {
  const startMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startMs > withinMs) throw new Error(`waited ${withinMs} ms in vain for: ${what}`);
    await setTimeout(2);
  }
}
