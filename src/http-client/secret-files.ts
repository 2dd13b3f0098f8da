import { open } from 'node:fs/promises';
import type { Clock } from '../util/clock.js';
import type { Secret } from './options.js';

/**
 * How long what was read counts as what the file says. Files are read whole instead of asked for their time of
 * change: they are tiny, two writes within one tick of the file system's clock differ in nothing else, and a
 * mounted Kubernetes secret changes by a link that is turned elsewhere.
 */
const FRESH_MS = 1_000;

/** Certificates of all authorities of the world fit; a device without end does not. */
const MAX_FILE_BYTES = 1024 * 1024;

interface Reading {
  readonly startedMs: number;
  readonly text: Promise<string>;
}

/** Reads the files that options name, each at most once a second, whoever asks. */
export class SecretFiles {
  readonly #clock: Clock;
  readonly #readings = new Map<string, Reading>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param what the key that gives the secret, for the error
   * @returns what it says now; of a file without white space around it
   * @throws Error that names key and file, never what is in it
   */
  async read(secret: Secret, what: string): Promise<string> {
    if ('text' in secret) return secret.text;
    try {
      return await this.#read(secret.file);
    } catch (error) {
      throw new Error(`${what}: file ${secret.file} cannot be read: ${(error as Error).message}`);
    }
  }

  #read(path: string): Promise<string> {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#readings.get(path);
    if (known !== undefined && nowMs - known.startedMs < FRESH_MS) return known.text;
    const reading = { startedMs: nowMs, text: readBounded(path) };
    this.#readings.set(path, reading);
    // A failure is not kept: the next request tries again.
    reading.text.catch(() => {
      if (this.#readings.get(path) === reading) this.#readings.delete(path);
    });
    return reading.text;
  }
}

async function readBounded(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length);
      length += bytesRead;
      if (length > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
      if (bytesRead === 0) return bytes.toString('utf8', 0, length).trim();
    }
  } finally {
    await file.close();
  }
}
