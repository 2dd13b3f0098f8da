import { appendFile, stat } from 'node:fs/promises';
import type { Log } from '../util/log.js';

/** For people to look at; whatever makes a table refuse more than this refuses everything. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** Rows that the table does not take, and why: in a file, so that they hold up no others, and are not gone either. */
export class RefusedRows {
  readonly #path: string | undefined;
  readonly #log: Log;
  #rows = 0;

  /** @param path of a file; undefined: there is no place to keep anything */
  constructor(path: string | undefined, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Never rejects: on a full disk the row is counted, and logged. */
  async add(line: string, error: string): Promise<void> {
    this.#rows++;
    const isKept = await this.#keep(line, error);
    const fields = { error, file: this.#path, row: isKept ? undefined : line.slice(0, 4096) };
    this.#log.warn(fields, 'the archive refused an exemplar, it is left out');
  }

  async #keep(line: string, error: string): Promise<boolean> {
    if (this.#path === undefined) return false;
    try {
      const { size } = await stat(this.#path).catch(() => ({ size: 0 }));
      if (size + line.length > MAX_FILE_BYTES) return false;
      await appendFile(this.#path, `{"error":${JSON.stringify(error)},"row":${line}}\n`);
      return true;
    } catch {
      return false;
    }
  }
}
