/** Numbers a line: entry, where its series ends, its exemplar starts, and it ends. */
const STRIDE = 4;

/** The lines of a body with something new, in one array that serves for body after body. */
export class ChangedLines {
  #numbers = new Int32Array(64 * STRIDE);
  length = 0;

  add(entry: number, seriesEnd: number, exemplarAt: number, lineEnd: number): void {
    const at = STRIDE * this.length++;
    if (at === this.#numbers.length) {
      const larger = new Int32Array(2 * at);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[at] = entry;
    this.#numbers[at + 1] = seriesEnd;
    this.#numbers[at + 2] = exemplarAt;
    this.#numbers[at + 3] = lineEnd;
  }

  entry(line: number): number {
    return this.#numbers[STRIDE * line]!;
  }

  seriesEnd(line: number): number {
    return this.#numbers[STRIDE * line + 1]!;
  }

  exemplarAt(line: number): number {
    return this.#numbers[STRIDE * line + 2]!;
  }

  lineEnd(line: number): number {
    return this.#numbers[STRIDE * line + 3]!;
  }
}
