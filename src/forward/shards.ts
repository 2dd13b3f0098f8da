/** The shards of one remote write, and the change of their number. */
import type { Row } from './delivery.js';
import type { Shard } from './shard.js';

export class Shards {
  readonly #create: () => Shard;
  #shards: readonly Shard[];
  #resizing: Promise<void> | undefined;

  constructor(count: number, create: () => Shard) {
    this.#create = create;
    this.#shards = Array.from({ length: count }, create);
  }

  get count(): number {
    return this.#shards.length;
  }

  get isResizing(): boolean {
    return this.#resizing !== undefined;
  }

  /** @returns false when the row's shard is full, or the number of shards is about to change */
  tryPut(row: Row): boolean {
    if (this.#resizing !== undefined) return false;
    const shard = this.#of(row);
    if (!shard.hasRoom) return false;
    shard.put(row);
    return true;
  }

  /** After a `tryPut` that failed: resolves when it is worth another try. */
  async room(row: Row): Promise<void> {
    if (this.#resizing !== undefined) await this.#resizing;
    else await this.#of(row).room();
  }

  /**
   * A series may belong to another shard afterwards, so no new shard sends before every old one has finished the
   * request on its way. Rows that wait move over in their order. That may exceed the capacity of fewer shards;
   * there is no room then until the excess is sent.
   */
  resize(count: number): Promise<void> {
    this.#resizing ??= this.#resize(count).finally(() => {
      this.#resizing = undefined;
    });
    return this.#resizing;
  }

  async drain(): Promise<void> {
    await this.#resizing;
    await Promise.all(this.#shards.map((shard) => shard.drain()));
  }

  async #resize(count: number): Promise<void> {
    const waiting = await Promise.all(this.#shards.map((shard) => shard.halt()));
    this.#shards = Array.from({ length: count }, this.#create);
    for (const rows of waiting) for (const row of rows) this.#of(row).put(row);
  }

  #of(row: Row): Shard {
    return this.#shards[row.state.series.hash % this.#shards.length]!;
  }
}
