import type { Param } from './database.js';

/** Values of one statement: each gets a placeholder, and its text never is SQL. */
export class BoundValues {
  readonly #params: Record<string, Param> = {};

  get params(): Readonly<Record<string, Param>> {
    return this.#params;
  }

  text(value: string): string {
    return this.#add(value, 'String');
  }

  texts(values: readonly string[]): string {
    return this.#add(values, 'Array(String)');
  }

  uint64(value: bigint): string {
    return this.#add(value, 'UInt64');
  }

  /** Of UInt64 as text, as they come out. */
  uint64s(values: readonly string[]): string {
    return this.#add(values.map(BigInt), 'Array(UInt64)');
  }

  /** Whole numbers. */
  int64(value: number): string {
    return this.#add(value, 'Int64');
  }

  int64s(values: readonly number[]): string {
    return this.#add(values, 'Array(Int64)');
  }

  count(value: number): string {
    return this.#add(value, 'UInt32');
  }

  /** Milliseconds since 1970 as a DateTime64(3). */
  time(timeMs: number): string {
    return `fromUnixTimestamp64Milli(${this.int64(Math.floor(timeMs))}, 'UTC')`;
  }

  #add(value: Param, type: string): string {
    const name = `v${Object.keys(this.#params).length}`;
    this.#params[name] = value;
    return `{${name}:${type}}`;
  }
}
