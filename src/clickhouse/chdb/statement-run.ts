import type { DatabaseError } from '../database.js';

/** Pages that may be under way at once: so much is buffered at most, in both processes together. */
export const WINDOW_PAGES = 4;

/** A statement under way, seen from the parent: pages that have come and are not yet asked for, and how it ended. */
export class StatementRun {
  readonly #onTaken: () => void;
  readonly #pages: Buffer[] = [];
  #end: { readonly error: DatabaseError | undefined } | undefined;
  #changed: (() => void) | undefined;
  #resolveEnded: () => void = () => {};

  /** @param onTaken called for each page that is taken: there is room for another */
  constructor(onTaken: () => void) {
    this.#onTaken = onTaken;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  /** Resolves with the last word of the engine, whether pages are left or not; never rejects. */
  readonly ended: Promise<void>;

  push(page: Buffer): void {
    this.#pages.push(page);
    this.#changed?.();
  }

  /** What came first counts. */
  finish(error?: DatabaseError): void {
    this.#end ??= { error };
    this.#resolveEnded();
    this.#changed?.();
  }

  /** One waiter at a time. @returns undefined at the end. @throws {DatabaseError} where it has failed, after all pages before */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const page = this.#pages.shift();
      if (page !== undefined) {
        this.#onTaken();
        return page;
      }
      if (this.#end?.error !== undefined) throw this.#end.error;
      if (this.#end !== undefined) return undefined;
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}
