import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Clock } from '../../util/clock.js';
import type { Log } from '../../util/log.js';

const MAX_LINE_LENGTH = 1_000;
/** An engine in trouble may write as fast as it can. */
const MAX_LINES = 20;
const PER_MS = 60_000;

/** What the engine writes to stderr, to the log; and the last lines, because the reason of a failure may be nowhere else. */
export class StderrLog {
  readonly #recent: string[] = [];

  constructor(stderr: Readable, clock: Clock, log: Log) {
    let windowStartMs = clock.monotonicMs();
    let lines = 0;
    createInterface({ input: stderr, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
      const shown = line.slice(0, MAX_LINE_LENGTH);
      if (shown.trim() === '') return;
      this.#recent.push(shown);
      if (this.#recent.length > MAX_LINES) this.#recent.shift();
      const nowMs = clock.monotonicMs();
      if (nowMs - windowStartMs >= PER_MS) [windowStartMs, lines] = [nowMs, 0];
      lines++;
      if (lines <= MAX_LINES) log.warn({ line: shown }, 'chDB says');
      if (lines === MAX_LINES) log.warn({ seconds: PER_MS / 1000 }, 'chDB says more than fits the log');
    });
  }

  get recent(): string {
    return this.#recent.join('\n');
  }
}
