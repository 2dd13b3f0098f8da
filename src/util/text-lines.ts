/** Both count from 1; columns count UTF-16 units, as editors do. */
export interface LinePosition {
  readonly line: number;
  readonly column: number;
}

/** Offsets in a text as lines and columns. (The counter of the package `yaml` misses line breaks behind some errors.) */
export class TextLines {
  readonly #length: number;
  /** Offset of the first character of each line. */
  readonly #starts = [0];

  constructor(text: string) {
    this.#length = text.length;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1);
  }

  /** An offset behind the text counts as its end. */
  positionOf(offset: number): LinePosition {
    const inside = Math.max(0, Math.min(offset, this.#length));
    let [low, high] = [0, this.#starts.length];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! <= inside) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: inside - this.#starts[low]! + 1 };
  }
}
