import type { ChdbQueryStream, Session } from 'chdb';
import type { Param } from '../database.js';
import { paramLiteral } from '../param-text.js';
import type { Settings } from '../statement-settings.js';
import type { InsertRequest, SqlRequest } from './messages.js';

/** Found again in `system.processes`, for KILL. */
const MARK = 'log_comment';

/**
 * One connection to the engine. It takes one statement at a time; others run beside it on connections of their own.
 * What is set for a statement stays set on its connection, so that every statement first says what it wants otherwise.
 */
export class EngineSession {
  readonly name: string;
  readonly #session: Session;
  /** What every connection starts with: `DEFAULT` would forget it. */
  readonly #initial: Settings;
  #current: Settings = {};
  #isSpent = false;

  constructor(name: string, session: Session, initial: Settings) {
    this.name = name;
    this.#session = session;
    this.#initial = initial;
  }

  /** Whether more is set than can be unset: the connection must not be used again. A new one takes 0.3 ms. */
  get isSpent(): boolean {
    return this.#isSpent;
  }

  async command({ sql, params, settings, timeoutMs }: SqlRequest): Promise<void> {
    // Not `queryBindAsync`: its parameters belong to the whole process, so all such statements wait for each other.
    await this.#set(timed(settings, timeoutMs), params);
    await this.#session.queryAsync(sql, { format: 'Null' });
  }

  /** @returns rows as JSON, in chunks of whole lines */
  async query({ sql, params, settings, timeoutMs }: SqlRequest): Promise<AsyncIterable<Uint8Array>> {
    await this.#set(timed(settings, timeoutMs), {});
    const format = 'JSONEachRow';
    try {
      // Begins before it returns, parameters bound; so those of two statements never meet.
      return chunksOf(this.#session.queryStreamBind(sql, wellFormed(params), { format }));
    } catch (error) {
      if (!/Streaming query is not supported/.test((error as Error).message)) throw error;
      // DESCRIBE, SHOW and the like: short answers, no parameters.
      const result = await this.#session.queryAsync(sql, { format });
      return only(result.bytes());
    }
  }

  async insert({ table, lines, settings, timeoutMs }: InsertRequest): Promise<void> {
    await this.#set(timed({}, timeoutMs), {});
    await this.#session.insert({ table, values: lines, format: 'JSONEachRow', settings });
  }

  /** Stops what runs on another connection. */
  async kill(name: string): Promise<void> {
    await this.#session.queryAsync(`KILL QUERY WHERE Settings['${MARK}'] = '${name}' ASYNC`);
  }

  /** Of a connection on which something still runs, when that has ended. */
  close(): void {
    this.#session.close();
  }

  async #set(settings: Settings, params: Readonly<Record<string, Param>>): Promise<void> {
    const wanted: Settings = { ...settings, [MARK]: this.name };
    const changes: string[] = [];
    for (const name of Object.keys(this.#current))
      if (!Object.hasOwn(wanted, name)) changes.push(`${name} = ${this.#default(name)}`);
    for (const [name, value] of Object.entries(wanted))
      if (this.#current[name] !== value) changes.push(`${name} = ${settingLiteral(value)}`);
    for (const [name, value] of Object.entries(params))
      changes.push(`${paramName(name)} = ${paramLiteral(value)}`);
    if (changes.length === 0) return;
    await this.#session.queryAsync(`SET ${changes.join(', ')}`);
    this.#current = wanted;
    // Parameters cannot be unset, and one that is left over would hide that a later statement lacks it.
    this.#isSpent = Object.keys(params).length > 0;
  }

  #default(name: string): string {
    const value = this.#initial[name];
    return value === undefined ? 'DEFAULT' : settingLiteral(value);
  }
}

async function* chunksOf(stream: ChdbQueryStream): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) yield chunk.raw();
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function timed(settings: Settings, timeoutMs: number): Settings {
  return { ...settings, max_execution_time: timeoutMs / 1000 };
}

/** Values have been checked to need no escapes. */
function settingLiteral(value: string | number): string {
  return typeof value === 'number' ? String(value) : `'${value}'`;
}

function paramName(name: string): string {
  if (!/^[A-Za-z_]\w*$/.test(name))
    throw new TypeError(`not the name of a parameter: ${JSON.stringify(name)}`);
  return `param_${name}`;
}

/** A lone surrogate is no text that UTF-8 could carry. */
function wellFormed(params: Readonly<Record<string, Param>>): Record<string, Param> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      typeof value === 'object' ? value.map(textOf) : textOf(value),
    ]),
  );
}

function textOf<Value extends string | number | bigint>(value: Value): Value | string {
  return typeof value === 'string' ? value.toWellFormed() : value;
}
