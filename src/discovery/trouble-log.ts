import type { Log } from '../util/log.js';

/** Says that something fails when it begins to, or fails in another way, and when it is over; not each time. */
export class TroubleLog {
  readonly #log: Log;
  readonly #fields: object;
  #error: string | undefined;

  constructor(log: Log, fields: object) {
    this.#log = log;
    this.#fields = fields;
  }

  failed(error: string): void {
    const fields = { ...this.#fields, error };
    if (error === this.#error) this.#log.debug(fields, 'discovery still fails');
    else this.#log.warn(fields, 'discovery fails, the targets found last stay');
    this.#error = error;
  }

  succeeded(): void {
    if (this.#error === undefined) return;
    this.#error = undefined;
    this.#log.info(this.#fields, 'discovery recovered');
  }
}

/** An AggregateError (one attempt for every address of a host) has no message of its own. */
export function messageOf(error: unknown): string {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  if (!(first instanceof Error)) return String(first);
  return first.message || first.name;
}
