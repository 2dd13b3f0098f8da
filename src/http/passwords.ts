/** bcrypt off the event loop: a hash takes a tenth of a second of a core, on purpose. */
import { Worker } from 'node:worker_threads';

/** As a text, because a worker's file would have to be JavaScript in `src`, too. */
const WORKER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const bcrypt = import(workerData);
  parentPort.on('message', async ({ password, hash }) =>
    parentPort.postMessage((await bcrypt).compareSync(password, hash)),
  );`;

interface Waiting {
  readonly password: string;
  readonly hash: string;
  readonly signal: AbortSignal;
  readonly resolve: (fits: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** Three seconds of work. */
const MAX_WAITING = 32;

/** Too many passwords wait to be compared. */
export class TooManyPasswords extends Error {}

/** Compares passwords with hashes, one after the other, so that guessing takes one core at most. */
export class Passwords {
  #worker: Worker | undefined;
  #current: Waiting | undefined;
  readonly #waiting: Waiting[] = [];

  /**
   * @param signal aborted when nobody waits for the answer any more; then there is none
   * @throws {TooManyPasswords}
   */
  fits(password: string, hash: string, signal: AbortSignal): Promise<boolean> {
    if (this.#waiting.length >= MAX_WAITING)
      throw new TooManyPasswords('too many passwords wait to be compared');
    return new Promise((resolve, reject) => {
      const waiting = { password, hash, signal, resolve, reject };
      signal.addEventListener('abort', () => this.#forget(waiting), { once: true });
      this.#waiting.push(waiting);
      this.#next();
    });
  }

  #forget(waiting: Waiting): void {
    const place = this.#waiting.indexOf(waiting);
    if (place < 0) return;
    this.#waiting.splice(place, 1);
    waiting.reject(new Error('nobody waits for it'));
  }

  #next(): void {
    if (this.#current !== undefined) return;
    this.#current = this.#waiting.shift();
    if (this.#current === undefined) return void this.#worker?.unref();
    const worker = this.#started();
    // It keeps the process only while somebody waits.
    worker.ref();
    worker.postMessage({ password: this.#current.password, hash: this.#current.hash });
  }

  /** With the first password: most never need it. */
  #started(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(WORKER, { eval: true, workerData: import.meta.resolve('bcryptjs') });
    worker.on('message', (fits: boolean) => this.#settle((current) => current.resolve(fits)));
    worker.on('error', (error: Error) => {
      this.#worker = undefined;
      this.#settle((current) => current.reject(error));
    });
    this.#worker = worker;
    return worker;
  }

  #settle(settle: (current: Waiting) => void): void {
    if (this.#current !== undefined) settle(this.#current);
    this.#current = undefined;
    this.#next();
  }
}
