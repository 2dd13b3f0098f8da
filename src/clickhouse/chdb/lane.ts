/** A few connections for statements of one kind; who finds all of them busy waits, first come, first served. */
import type { EngineSession } from './engine-session.js';

export class Lane {
  readonly #open: (index: number) => EngineSession;
  readonly #sessions: (EngineSession | undefined)[];
  readonly #free: number[];
  #waiting: ((index: number) => void)[] = [];

  /** @param open makes the connection of a number below `count`, when it is first needed, and again after it was spent */
  constructor(count: number, open: (index: number) => EngineSession) {
    this.#open = open;
    this.#sessions = new Array<undefined>(count).fill(undefined);
    this.#free = [...this.#sessions.keys()];
  }

  /** @throws what `work` throws, and the signal's reason when it is aborted before `work` began */
  async use<Result>(signal: AbortSignal, work: (session: EngineSession) => Promise<Result>): Promise<Result> {
    const index = await this.#take(signal);
    let isSpent = true;
    try {
      const session = (this.#sessions[index] ??= this.#open(index));
      const result = await work(session);
      isSpent = session.isSpent;
      return result;
    } finally {
      this.#giveBack(index, isSpent);
    }
  }

  close(): void {
    for (const session of this.#sessions) session?.close();
    this.#sessions.fill(undefined);
  }

  #take(signal: AbortSignal): Promise<number> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const index = this.#free.pop();
      if (index !== undefined) return resolve(index);
      const take = (free: number) => {
        signal.removeEventListener('abort', leave);
        resolve(free);
      };
      const leave = () => {
        this.#waiting = this.#waiting.filter((other) => other !== take);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(take);
    });
  }

  /** After a failure the engine keeps what it had of the statement until its connection is closed or used again. */
  #giveBack(index: number, isSpent: boolean): void {
    if (isSpent) {
      this.#sessions[index]?.close();
      this.#sessions[index] = undefined;
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(index);
    else next(index);
  }
}
