/** How many pages the parent has room for, so that neither process ever holds a whole result. One waiter at a time. */
import { Wakeup } from '../../util/wakeup.js';

export class PageCredits {
  readonly #added = new Wakeup();
  #pages = 0;

  add(pages: number): void {
    this.#pages += pages;
    this.#added.wake();
  }

  /** Waits for room. @throws the signal's reason when it is aborted */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    while (this.#pages === 0) {
      await this.#added.wait(signal);
      signal.throwIfAborted();
    }
    this.#pages--;
  }
}
