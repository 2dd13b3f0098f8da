/** One waits, others wake: for a loop that has nothing to do until something comes. */
export class Wakeup {
  #wake: (() => void) | undefined;

  /** Resolves with the next `wake`, or when the signal is aborted. One waiter at a time; a `wake` before is not kept. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        this.#wake = undefined;
        signal.removeEventListener('abort', finish);
        resolve();
      };
      this.#wake = finish;
      signal.addEventListener('abort', finish, { once: true });
    });
  }

  wake(): void {
    this.#wake?.();
  }
}
