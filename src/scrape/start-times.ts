import { CreatedLine, mayHaveCreatedLines } from '../exposition/created-line.js';
import { grown } from '../util/columns.js';

/** Of an entry: whether a line says when it began. */
const UNKNOWN = 0;
const NONE = 1;
const SOME = 2;

// Used for the time of a call, by one target at a time.
const createdLine = new CreatedLine();

/**
 * When the counters and histograms behind the entries of a series cache began, by the `_created` lines of a body. Asked
 * for lines with something new alone; what has no such line is not looked for again, and a body without any is
 * searched once at the most.
 */
export class StartTimes {
  #found = new Uint8Array(64);
  #bodyMayHave: boolean | undefined;

  begin(): void {
    this.#bodyMayHave = undefined;
  }

  /** @returns milliseconds since 1970, 0 where the body does not say; arguments as in `CreatedLine.find` */
  startMs(
    entry: number,
    body: Buffer,
    length: number,
    at: number,
    seriesEnd: number,
    lineEnd: number,
  ): number {
    const found = this.#found[entry];
    if (found === NONE) return 0;
    this.#bodyMayHave ??= found === SOME || mayHaveCreatedLines(body, length);
    const startMs = this.#bodyMayHave ? createdLine.find(body, length, at, seriesEnd, lineEnd) : undefined;
    if (found === UNKNOWN) this.#found[entry] = startMs === undefined ? NONE : SOME;
    return startMs ?? 0;
  }

  forget(entry: number): void {
    this.#found[entry] = UNKNOWN;
  }

  /** The target may come back as another version of itself. */
  forgetAll(): void {
    this.#found.fill(UNKNOWN);
  }

  grow(capacity: number): void {
    this.#found = grown(this.#found, capacity);
  }

  move(from: number, to: number): void {
    this.#found[to] = this.#found[from]!;
  }
}
