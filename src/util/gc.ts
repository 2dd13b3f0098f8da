import { setFlagsFromString } from 'node:v8';

/**
 * V8 takes idle moments for a chance to shrink the heap. A process that scrapes is idle between bursts of a few
 * milliseconds, so it would collect its whole heap about once a second for nothing: measured with 4 targets of
 * 2.2 MB a second, up to a third of all CPU time. Any other collection stays as it is.
 */
export function keepHeapBetweenBursts(): void {
  setFlagsFromString('--no-memory-reducer');
}
