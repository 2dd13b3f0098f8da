/** ClickHouse embedded: its engine in a child process of our own, which is started when it is first needed. */
import type { Clock } from '../../util/clock.js';
import type { Log } from '../../util/log.js';
import { TimeSlices } from '../../util/time-slices.js';
import type { Database, RowBlock, StatementOptions } from '../database.js';
import { assertNoEmptyLine } from '../empty-line.js';
import { parseLines } from '../json-lines.js';
import { unansweredError } from '../statement-error.js';
import { checkSettings, checkTable, insertSettings, QUERY_SETTINGS } from '../statement-settings.js';
import type { EngineProcess } from './engine-process.js';
import { EngineSupervisor } from './engine-supervisor.js';
import type { EngineOptions, Statement } from './messages.js';
import type { StatementRun } from './statement-run.js';

/** Where the caller does not say. */
const DEFAULT_TIMEOUT_MS = 30_000;
/** Changes to a table may take long. */
const DEFAULT_COMMAND_TIMEOUT_MS = 600_000;

const QUICK_MS = 50;

export interface ChdbDatabaseParts extends EngineOptions {
  readonly clock: Clock;
  readonly log: Log;
}

export class ChdbDatabase implements Database {
  readonly name: string;
  readonly #clock: Clock;
  readonly #supervisor: EngineSupervisor;

  constructor({ directory, maxMemoryBytes, clock, log }: ChdbDatabaseParts) {
    this.name = `chDB in ${directory}`;
    this.#clock = clock;
    this.#supervisor = new EngineSupervisor({ options: { directory, maxMemoryBytes }, clock, log });
  }

  /** How often the engine was started again. */
  get restarts(): number {
    return this.#supervisor.restarts;
  }

  get isUp(): boolean {
    return this.#supervisor.isUp;
  }

  /** Of the process with the engine, while it is up. */
  get pid(): number | undefined {
    return this.#supervisor.pid;
  }

  async command(sql: string, options: StatementOptions = {}): Promise<void> {
    const { params = {}, settings = {}, timeoutMs = DEFAULT_COMMAND_TIMEOUT_MS, signal } = options;
    checkSettings(settings);
    await this.#complete({ type: 'command', sql, params, settings, timeoutMs }, signal);
  }

  async *query<Row>(sql: string, options: StatementOptions = {}): AsyncGenerator<readonly Row[], void> {
    const { params = {}, timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    const settings = { ...QUERY_SETTINGS, ...options.settings };
    checkSettings(settings);
    const begun = await this.#begin({ type: 'query', sql, params, settings, timeoutMs }, signal);
    const slices = new TimeSlices(this.#clock);
    try {
      for (;;) {
        const page = await begun.run.next();
        if (page === undefined) return;
        yield parseLines<Row>(page);
        // The next pages may have come already.
        if (slices.isOver) await slices.pause();
      }
    } finally {
      begun.end();
    }
  }

  async insert(block: RowBlock, options: Omit<StatementOptions, 'params'> = {}): Promise<void> {
    const { table, lines, token } = block;
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    assertNoEmptyLine(lines);
    checkTable(table);
    const settings = insertSettings(token, options.settings);
    checkSettings(settings);
    if (lines.length === 0) return;
    await this.#complete({ type: 'insert', table, lines, settings, timeoutMs }, signal);
  }

  close(): Promise<void> {
    return this.#supervisor.close();
  }

  async #complete(statement: Statement, signal: AbortSignal | undefined): Promise<void> {
    const { run, end } = await this.#begin(statement, signal);
    try {
      await run.next();
    } finally {
      end();
    }
  }

  /** @returns the run, and what to call when it is not read any further */
  async #begin(statement: Statement, signal: AbortSignal | undefined): Promise<Begun> {
    const startedMs = this.#clock.monotonicMs();
    const engine = await this.#engineWithin(statement.timeoutMs, signal);
    const waitedMs = this.#clock.monotonicMs() - startedMs;
    // Only what counts: another time would be another setting to tell the engine, with each statement.
    const timeoutMs =
      waitedMs < QUICK_MS ? statement.timeoutMs : Math.max(1, statement.timeoutMs - Math.round(waitedMs));
    const run = engine.start({ ...statement, timeoutMs });
    const stop = () => {
      engine.stop(run);
      run.finish(unansweredError('the statement was stopped'));
    };
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    const end = () => {
      signal?.removeEventListener('abort', stop);
      stop();
    };
    return { run, end };
  }

  /** The engine may just be starting again. */
  async #engineWithin(timeoutMs: number, signal: AbortSignal | undefined): Promise<EngineProcess> {
    let giveUp: (() => void) | undefined;
    let cancel: (() => void) | undefined;
    const late = new Promise<never>((_, reject) => {
      giveUp = () => reject(unansweredError('the statement was stopped'));
      cancel = this.#clock.after(timeoutMs, () =>
        reject(unansweredError(`${this.name} was not there within ${timeoutMs} ms`)),
      );
      signal?.addEventListener('abort', giveUp, { once: true });
      if (signal?.aborted) giveUp();
    });
    try {
      return await Promise.race([late, this.#supervisor.opened()]);
    } finally {
      cancel?.();
      if (giveUp !== undefined) signal?.removeEventListener('abort', giveUp);
    }
  }
}

interface Begun {
  readonly run: StatementRun;
  readonly end: () => void;
}
