/** Lets so many in at once; others wait, the first to come the first to enter. */
export class Gate {
  readonly #capacity: number;
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Inside until the signal is aborted. Rejects with its reason where that happens before there is room. */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#inside < this.#capacity) this.#inside++;
    else await this.#turn(signal);
    if (signal.aborted) {
      this.#leave();
      throw signal.reason;
    }
    signal.addEventListener('abort', () => this.#leave(), { once: true });
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const admit = () => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(admit), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(admit);
    });
  }

  /** The room goes to the next at once: nobody who comes meanwhile may take it. */
  #leave(): void {
    const admit = this.#waiting.shift();
    if (admit === undefined) this.#inside--;
    else admit();
  }
}
