/** Which rows of which batches are still on their way, so that the reader is confirmed in order and not too early. */
import type { Batch, LoggedBatch } from '../model/batch.js';
import type { SeriesState } from './series-state.js';

/** One exemplar on its way. */
export interface Row {
  readonly batch: Batch;
  readonly index: number;
  readonly state: SeriesState;
  readonly delivery: Delivery;
  /** What it counts as in a queue or request: an exemplar is one item, the sample that goes with it another. */
  readonly items: number;
}

export function exemplarTimeMs(row: Row): number {
  return row.batch.timestampsMs[row.index]!;
}

export function sampleTimeMs(row: Row): number {
  return row.batch.sampleTimestampsMs[row.index]!;
}

/** A batch in hand. */
export interface Delivery {
  readonly position: number;
  readonly rows: number;
  /** Rows neither sent nor counted as dropped. */
  open: number;
}

/** All batches in hand, in the order they were read. */
export class Deliveries {
  readonly #confirm: (position: number) => void;
  #inHand: Delivery[] = [];

  constructor(confirm: (position: number) => void) {
    this.#confirm = confirm;
  }

  begin({ position, batch }: LoggedBatch): Delivery {
    const delivery = { position, rows: batch.length, open: batch.length };
    this.#inHand.push(delivery);
    // An empty batch has no row that could settle it.
    if (delivery.open === 0) this.#confirmSettled();
    return delivery;
  }

  /** A row was sent, or dropped and counted. */
  settle(delivery: Delivery): void {
    if (--delivery.open === 0) this.#confirmSettled();
  }

  /** Rows of the batches in hand, settled or not: what the reader was given and has not seen confirmed. */
  get rowsInHand(): number {
    return this.#inHand.reduce((sum, delivery) => sum + delivery.rows, 0);
  }

  get openRows(): number {
    return this.#inHand.reduce((sum, delivery) => sum + delivery.open, 0);
  }

  #confirmSettled(): void {
    const firstOpen = this.#inHand.findIndex((delivery) => delivery.open > 0);
    const settled = this.#inHand.splice(0, firstOpen === -1 ? this.#inHand.length : firstOpen);
    const last = settled.at(-1);
    if (last !== undefined) this.#confirm(last.position);
  }
}
