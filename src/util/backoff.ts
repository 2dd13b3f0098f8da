const FIRST_MS = 800;
const LONGEST_MS = 30_000;

/** Waits that double, each by chance half of it or up to the whole: clients that lost one server do not return as one. */
export class Backoff {
  readonly #random: () => number;
  #nextMs = FIRST_MS;

  /** @param random from 0 to 1 */
  constructor(random: () => number) {
    this.#random = random;
  }

  reset(): void {
    this.#nextMs = FIRST_MS;
  }

  /** @param atLeastMs what the server asked for */
  nextMs(atLeastMs = 0): number {
    const waitMs = this.#nextMs * (0.5 + this.#random() / 2);
    this.#nextMs = Math.min(LONGEST_MS, this.#nextMs * 2);
    return Math.max(waitMs, Math.min(atLeastMs, LONGEST_MS));
  }
}
