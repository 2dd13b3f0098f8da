/**
 * One of several senders that work side by side. A series belongs to one shard, and a shard has one request on
 * its way at a time, so rows of a series arrive in the order they were accepted.
 */
import type { Clock } from '../util/clock.js';
import type { Row } from './delivery.js';

export interface ShardParts {
  readonly clock: Clock;
  /** Items that may wait here. */
  readonly capacity: number;
  /** Items that make a request full. */
  readonly maxItemsPerSend: number;
  readonly sendDeadlineMs: number;
  /** Sends rows and settles them. Resolves to false when stopped with rows unsettled. Never rejects. */
  readonly send: (rows: readonly Row[]) => Promise<boolean>;
  /** Ends the shard after the request on its way, without sending what waits. */
  readonly stop: AbortSignal;
}

export class Shard {
  readonly #parts: ShardParts;
  /** Oldest first. */
  #rows: Row[] = [];
  #items = 0;
  #draining = false;
  #halted = false;
  /** Rows were left unsettled: none after them may be sent, or a series would lose its order. */
  #broken = false;
  #onReady: (() => void) | undefined;
  #onRoom: (() => void) | undefined;
  #cancelDeadline: (() => void) | undefined;
  readonly #ended: Promise<void>;

  constructor(parts: ShardParts) {
    this.#parts = parts;
    this.#ended = this.#run();
  }

  get hasRoom(): boolean {
    return this.#items < this.#parts.capacity;
  }

  put(row: Row): void {
    this.#rows.push(row);
    this.#items += row.items;
    if (this.#onReady === undefined) return;
    if (this.#isReady) this.#wake();
    else this.#cancelDeadline ??= this.#parts.clock.after(this.#parts.sendDeadlineMs, () => this.#wake());
  }

  /** Resolves when there is room, or the shard ended. One waiter at a time. */
  room(): Promise<void> {
    if (this.hasRoom || this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onRoom = resolve;
    });
  }

  /** Sends everything without waiting for full requests, then ends; sooner when stopped. */
  drain(): Promise<void> {
    this.#draining = true;
    this.#wake();
    return this.#ended;
  }

  /** Waits for the request on its way, ends, and hands back the rows that may be sent next, in order. */
  async halt(): Promise<Row[]> {
    this.#halted = true;
    this.#wake();
    await this.#ended;
    this.#items = 0;
    const rows = this.#rows.splice(0);
    return this.#broken ? [] : rows;
  }

  get #isOver(): boolean {
    return this.#halted || this.#broken || this.#parts.stop.aborted;
  }

  get #isReady(): boolean {
    return this.#draining || this.#isOver || this.#items >= this.#parts.maxItemsPerSend;
  }

  async #run(): Promise<void> {
    const onStop = () => this.#wake();
    this.#parts.stop.addEventListener('abort', onStop, { once: true });
    for (;;) {
      await this.#ready();
      if (this.#isOver || this.#rows.length === 0) break;
      const rows = this.#take();
      this.#releaseRoom();
      if (!(await this.#parts.send(rows))) this.#broken = true;
    }
    this.#parts.stop.removeEventListener('abort', onStop);
    this.#releaseRoom();
  }

  /** Until a request is full, its deadline has passed, or nothing more will come. */
  async #ready(): Promise<void> {
    if (this.#isReady) return;
    await new Promise<void>((resolve) => {
      this.#onReady = resolve;
      if (this.#rows.length === 0) return;
      this.#cancelDeadline = this.#parts.clock.after(this.#parts.sendDeadlineMs, () => this.#wake());
    });
  }

  #wake(): void {
    this.#cancelDeadline?.();
    this.#cancelDeadline = undefined;
    this.#onReady?.();
    this.#onReady = undefined;
  }

  #releaseRoom(): void {
    if (!this.hasRoom && !this.#isOver) return;
    this.#onRoom?.();
    this.#onRoom = undefined;
  }

  /** A full request, or all there is; at least one row, however little may be sent at once. */
  #take(): Row[] {
    let count = 0;
    let items = 0;
    while (count < this.#rows.length) {
      const more = this.#rows[count]!.items;
      if (count > 0 && items + more > this.#parts.maxItemsPerSend) break;
      items += more;
      count++;
    }
    this.#items -= items;
    return this.#rows.splice(0, count);
  }
}
