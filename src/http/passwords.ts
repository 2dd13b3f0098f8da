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
  readonly resolve: (fits: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** Compares passwords with hashes, one after the other, so that guessing takes one core at most. */
export class Passwords {
  #worker: Worker | undefined;
  readonly #waiting: Waiting[] = [];

  fits(password: string, hash: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      const worker = this.#started();
      // It keeps the process only while somebody waits.
      worker.ref();
      worker.postMessage({ password, hash });
    });
  }

  /** With the first password: most never need it. */
  #started(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(WORKER, { eval: true, workerData: import.meta.resolve('bcryptjs') });
    worker.on('message', (fits: boolean) => {
      this.#waiting.shift()?.resolve(fits);
      if (this.#waiting.length === 0) worker.unref();
    });
    worker.on('error', (error: Error) => {
      this.#worker = undefined;
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
    this.#worker = worker;
    return worker;
  }
}
