/**
 * The first `limit` of many timestamps in an order, without holding more than `limit` of them: a heap of the best
 * so far, the worst of them on top. First all are offered, then each is asked for again.
 */
export class LimitCut {
  readonly #limit: number;
  /** Makes the order ascending. */
  readonly #sign: 1 | -1;
  readonly #heap: number[] = [];
  #takeable: number | undefined;

  constructor(limit: number, order: 'asc' | 'desc') {
    this.#limit = limit;
    this.#sign = order === 'asc' ? 1 : -1;
  }

  offer(timestampMs: number): void {
    const rank = this.#sign * timestampMs;
    const heap = this.#heap;
    if (heap.length < this.#limit) {
      heap.push(rank);
      this.#siftUp(heap.length - 1);
    } else if (heap.length > 0 && rank < heap[0]!) {
      heap[0] = rank;
      this.#siftDown();
    }
  }

  /** Whether an exemplar of this time is inside the limit; of several at the last time, as many as there is room. */
  take(timestampMs: number): boolean {
    if (this.#heap.length === 0) return false;
    const rank = this.#sign * timestampMs;
    const last = this.#heap[0]!;
    if (rank !== last) return rank < last;
    this.#takeable ??= this.#heap.filter((other) => other === last).length;
    return this.#takeable-- > 0;
  }

  #siftUp(start: number): void {
    const heap = this.#heap;
    for (
      let at = start, parent = (at - 1) >> 1;
      at > 0 && heap[at]! > heap[parent]!;
      parent = (at - 1) >> 1
    ) {
      [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
      at = parent;
    }
  }

  #siftDown(): void {
    const heap = this.#heap;
    for (let at = 0; ; ) {
      let greatest = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && heap[child]! > heap[greatest]!) greatest = child;
      }
      if (greatest === at) return;
      [heap[at], heap[greatest]] = [heap[greatest]!, heap[at]!];
      at = greatest;
    }
  }
}
