/** Which rows of which batches are still on their way, so that the reader is confirmed in order and not too early. */
import { type Batch, type LoggedBatch, labelsStartOf } from '../model/batch.js';
import type { SeriesState } from './series-state.js';

/** One exemplar on its way; or the end of a series, which is to be marked by a sample. */
export interface Row {
  readonly batch: Batch;
  /** Of the exemplar in the batch's columns; of a marker in its stale series. */
  readonly index: number;
  readonly isMarker: boolean;
  readonly state: SeriesState;
  readonly delivery: Delivery;
  /** What it counts as in a queue or request: an exemplar is one item, the sample that goes with it another. */
  readonly items: number;
  /** The labels to send where those of the batch had to be made fit for it, see validate. */
  readonly trimmedLabels: Buffer | undefined;
}

export function exemplarTimeMs(row: Row): number {
  return row.batch.timestampsMs[row.index]!;
}

export function exemplarValue(row: Row): number {
  return row.batch.values[row.index]!;
}

/** The bytes that hold the exemplar's labels in `[labelsStart(row), labelsEnd(row))`. */
export function labelBytes(row: Row): Buffer {
  return row.trimmedLabels ?? row.batch.labelBytes;
}

export function labelsStart({ trimmedLabels, batch, index }: Row): number {
  return trimmedLabels === undefined ? labelsStartOf(batch, index) : 0;
}

export function labelsEnd({ trimmedLabels, batch, index }: Row): number {
  return trimmedLabels === undefined ? batch.labelEnds[index]! : trimmedLabels.length;
}

export function sampleTimeMs({ isMarker, batch, index }: Row): number {
  return isMarker ? batch.acceptedMs : batch.sampleTimestampsMs[index]!;
}

/** The rows of a batch that were settled, by index: 1. */
type Settled = Uint8Array;

/** What a forwarder leaves to its successor at the same reader: settled rows of batches that are not confirmed. */
export type SettledRows = ReadonlyMap<number, Settled>;

/** A batch in hand. */
export class Delivery {
  readonly position: number;
  readonly rows: number;
  /** A predecessor had it in hand already. */
  readonly isAgain: boolean;
  #openRows: number;
  #openMarkers: number;
  readonly #settled: Settled;

  /** @param settledBefore rows that a predecessor settled; they are nobody's business any more */
  constructor({ position, batch }: LoggedBatch, settledBefore: Settled | undefined) {
    this.position = position;
    this.rows = batch.length;
    this.isAgain = settledBefore !== undefined;
    this.#settled = settledBefore ?? new Uint8Array(batch.length);
    this.#openRows = batch.length - (settledBefore?.reduce((sum, isSettled) => sum + isSettled, 0) ?? 0);
    this.#openMarkers = batch.staleSeries.length;
  }

  /** Rows neither sent nor counted as dropped. */
  get openRows(): number {
    return this.#openRows;
  }

  get isOpen(): boolean {
    return this.#openRows > 0 || this.#openMarkers > 0;
  }

  get settled(): Settled {
    return this.#settled;
  }

  isSettled(index: number): boolean {
    return this.#settled[index] === 1;
  }

  settleRow(index: number): void {
    this.#settled[index] = 1;
    this.#openRows--;
  }

  settleMarker(): void {
    this.#openMarkers--;
  }
}

/** All batches in hand, in the order they were read. */
export class Deliveries {
  readonly #confirm: (position: number) => void;
  /** Of batches not handed out again yet. */
  readonly #settledBefore: Map<number, Settled>;
  #inHand: Delivery[] = [];

  constructor(confirm: (position: number) => void, settledBefore: SettledRows = new Map()) {
    this.#confirm = confirm;
    this.#settledBefore = new Map(settledBefore);
  }

  begin(logged: LoggedBatch): Delivery {
    const delivery = new Delivery(logged, this.#settledBefore.get(logged.position));
    this.#settledBefore.delete(logged.position);
    this.#inHand.push(delivery);
    // A batch with nothing to send has no row that could settle it.
    if (!delivery.isOpen) this.#confirmSettled();
    return delivery;
  }

  /** A row was sent, or dropped and counted. */
  settle({ delivery, index, isMarker }: Pick<Row, 'delivery' | 'index' | 'isMarker'>): void {
    if (isMarker) delivery.settleMarker();
    else delivery.settleRow(index);
    if (!delivery.isOpen) this.#confirmSettled();
  }

  /** Rows of the batches in hand, settled or not: what the reader was given and has not seen confirmed. */
  get rowsInHand(): number {
    return this.#inHand.reduce((sum, delivery) => sum + delivery.rows, 0);
  }

  get openRows(): number {
    return this.#inHand.reduce((sum, delivery) => sum + delivery.openRows, 0);
  }

  /** For the successor at the same reader, which will be handed these batches again. */
  settledRows(): SettledRows {
    const inHand = this.#inHand.map(({ position, settled }) => [position, settled] as const);
    return new Map([...inHand, ...this.#settledBefore]);
  }

  #confirmSettled(): void {
    const firstOpen = this.#inHand.findIndex((delivery) => delivery.isOpen);
    const settled = this.#inHand.splice(0, firstOpen === -1 ? this.#inHand.length : firstOpen);
    const last = settled.at(-1);
    if (last !== undefined) this.#confirm(last.position);
  }
}
