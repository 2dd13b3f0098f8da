import { batchBytes } from './memory-log.js';
import type { JournalEntry, Place } from './segment.js';

/**
 * The newest batches, in memory: for readers that keep up, and for the disk while it refuses them.
 *
 *     head ── written ── … ── unwritten ── … ── newest         positions without a gap
 */
export class Tail {
  #entries: ({ readonly entry: JournalEntry; readonly bytes: number } | undefined)[] = [];
  /** Those before are gone: an array is only cut when much of it is. */
  #start = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#start === this.#entries.length;
  }

  /** The oldest. */
  get head(): JournalEntry | undefined {
    return this.#entries[this.#start]?.entry;
  }

  get(position: number): JournalEntry | undefined {
    const { head } = this;
    return head === undefined || position < head.position
      ? undefined
      : this.#entries[this.#start + position - head.position]?.entry;
  }

  *from(position: number): Generator<JournalEntry> {
    for (let entry = this.get(position); entry !== undefined; entry = this.get(entry.position + 1))
      yield entry;
  }

  add(entry: JournalEntry): void {
    const bytes = batchBytes(entry.batch);
    this.#entries.push({ entry, bytes });
    this.#bytes += bytes;
  }

  dropHead(): void {
    const head = this.#entries[this.#start];
    if (head === undefined) return;
    this.#bytes -= head.bytes;
    this.#entries[this.#start++] = undefined;
    if (this.#start < 64 || this.#start * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#start);
    this.#start = 0;
  }
}

export function placeAfter({ position, row, batch }: JournalEntry): Place {
  return { position: position + 1, row: row + batch.length };
}
