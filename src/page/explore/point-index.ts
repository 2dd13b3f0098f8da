/**
 * Which point is nearest to the pointer, without looking at all of them: a grid of square cells, each with the
 * points in it as a run of one array.
 *
 *   starts  [0, 0, 3, 4, …]      cell c has items[starts[c]] … items[starts[c + 1] - 1]
 *   items   [17, 4, 90, 8, …]    indices of points
 */
export class PointIndex {
  readonly #columns: number;
  readonly #rows: number;
  readonly #starts: Uint32Array;
  readonly #items: Uint32Array;
  readonly #x: Float32Array;
  readonly #y: Float32Array;

  /**
   * @param x of each point; NaN: it is not shown. Both are kept, and must not change.
   * @param width of the area that points are in, in the unit of `x`
   */
  constructor(
    x: Float32Array,
    y: Float32Array,
    width: number,
    height: number,
    readonly cellSize = 16,
  ) {
    this.#x = x;
    this.#y = y;
    this.#columns = Math.max(1, Math.ceil((width + 1) / cellSize));
    this.#rows = Math.max(1, Math.ceil((height + 1) / cellSize));
    const starts = new Uint32Array(this.#columns * this.#rows + 1);
    let shown = 0;
    for (let index = 0; index < x.length; index++) {
      const cell = this.#cellOf(index);
      if (cell === NO_CELL) continue;
      starts[cell + 1]!++;
      shown++;
    }
    for (let cell = 1; cell < starts.length; cell++) starts[cell]! += starts[cell - 1]!;
    const items = new Uint32Array(shown);
    const next = starts.slice();
    for (let index = 0; index < x.length; index++) {
      const cell = this.#cellOf(index);
      if (cell !== NO_CELL) items[next[cell]!++] = index;
    }
    this.#starts = starts;
    this.#items = items;
  }

  /** The index of the nearest point within that distance; of equally near ones, that drawn last. */
  nearest(x: number, y: number, distance: number): number | undefined {
    const size = this.cellSize;
    const firstColumn = Math.max(0, Math.floor((x - distance) / size));
    const lastColumn = Math.min(this.#columns - 1, Math.floor((x + distance) / size));
    const firstRow = Math.max(0, Math.floor((y - distance) / size));
    const lastRow = Math.min(this.#rows - 1, Math.floor((y + distance) / size));
    let best: number | undefined;
    let bestSquare = distance * distance;
    for (let row = firstRow; row <= lastRow; row++) {
      const from = this.#starts[row * this.#columns + firstColumn]!;
      const to = this.#starts[row * this.#columns + lastColumn + 1]!;
      // Cells of a row lie side by side: one run has them all.
      for (let at = from; at < to; at++) {
        const index = this.#items[at]!;
        const square = (this.#x[index]! - x) ** 2 + (this.#y[index]! - y) ** 2;
        if (square > bestSquare || (square === bestSquare && best !== undefined && index < best)) continue;
        best = index;
        bestSquare = square;
      }
    }
    return best;
  }

  #cellOf(index: number): number {
    const column = Math.floor(this.#x[index]! / this.cellSize);
    const row = Math.floor(this.#y[index]! / this.cellSize);
    // Written so that NaN is out of it, too.
    const isInside = column >= 0 && column < this.#columns && row >= 0 && row < this.#rows;
    return isInside ? row * this.#columns + column : NO_CELL;
  }
}

const NO_CELL = -1;
