import { stat } from 'node:fs/promises';
import type { Clock } from '../util/clock.js';
import { filesOf } from './matching-files.js';

const INTERVAL_MS = 5_000;

export interface ChangeWatchParts {
  /** Of the files to look at, absolute; asked for each time. */
  readonly patterns: () => readonly string[];
  readonly onChange: () => void;
  readonly clock: Clock;
}

/**
 * Notices when files come, go or change. It looks instead of being told: notifications do not pass network file
 * systems, and a mounted Kubernetes ConfigMap changes by a link that is turned elsewhere.
 */
export class ChangeWatch {
  readonly #parts: ChangeWatchParts;
  #cancelTimer = () => {};
  #known: string | undefined;
  #isStopped = false;

  constructor(parts: ChangeWatchParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    this.#known = await fingerprint(this.#parts.patterns());
    this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer();
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#cancelTimer = this.#parts.clock.after(INTERVAL_MS, () => {
      this.#look().finally(() => this.#schedule());
    });
  }

  async #look(): Promise<void> {
    const seen = await fingerprint(this.#parts.patterns());
    if (seen === this.#known || this.#isStopped) return;
    this.#known = seen;
    this.#parts.onChange();
  }
}

/** Which files there are, and which of their versions. */
async function fingerprint(patterns: readonly string[]): Promise<string> {
  const files = patterns.flatMap((pattern) => filesOf(pattern, '/'));
  const versions = files.map(async (file) => {
    const version = await stat(file).catch(() => undefined);
    return [file, version?.ino, version?.mtimeMs, version?.size].join('\0');
  });
  return (await Promise.all([patterns.join('\0'), ...versions])).join('\n');
}
