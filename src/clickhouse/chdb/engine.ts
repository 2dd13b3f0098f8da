/** The engine itself, in the process that is there for it alone. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Session } from 'chdb';
import { pagesOf } from '../json-lines.js';
import type { Settings } from '../statement-settings.js';
import { EngineSession } from './engine-session.js';
import { Lane } from './lane.js';
import type { EngineOptions, FromEngine, SqlRequest, StatementRequest } from './messages.js';
import { PageCredits } from './page-credits.js';

const MIB = 1024 * 1024;
/** Beside each other; together they may fill the thread pool (`THREADS`) but for the one that stops others. */
const QUERY_CONNECTIONS = 4;
/** Threads of libuv on which statements run: one each for inserts, commands, and KILL, and those of queries. */
export const THREADS = QUERY_CONNECTIONS + 4;
/** A statement may not have begun when it is told to stop, so it is told again. */
const KILL_AGAIN_MS = 100;
/** How long after its time a statement that the engine itself should have stopped is stopped by us. */
const OVERTIME_MS = 1_000;

/** Defaults are those of a server that has the machine to itself: 90 % of memory, caches of 5 GiB each. */
function serverArguments(maxMemoryBytes: number): Settings {
  const cacheBytes = Math.min(64 * MIB, Math.floor(maxMemoryBytes / 16));
  return {
    max_server_memory_usage: maxMemoryBytes,
    mark_cache_size: cacheBytes,
    index_mark_cache_size: Math.floor(cacheBytes / 4),
    primary_index_cache_size: cacheBytes,
    uncompressed_cache_size: 0,
    index_uncompressed_cache_size: 0,
  };
}

function initialSettings(maxMemoryBytes: number): Settings {
  return {
    max_memory_usage: Math.floor(maxMemoryBytes / 2),
    max_threads: 2,
    max_query_size: 64 * MIB,
    timeout_overflow_mode: 'throw',
  };
}

interface Running {
  readonly type: StatementRequest['type'];
  readonly stop: AbortController;
  readonly credits: PageCredits;
}

export class Engine {
  readonly #send: (message: FromEngine) => void;
  readonly #newSession: () => Session;
  readonly #initial: Settings;
  readonly #control: EngineSession;
  readonly #lanes: Readonly<Record<StatementRequest['type'], Lane>>;
  readonly #running = new Map<number, Running>();
  readonly #ended = new Set<Promise<void>>();
  readonly #drain: () => Promise<void>;

  /** @throws Error where chdb cannot be loaded or the directory not be opened */
  static async open(options: EngineOptions, send: (message: FromEngine) => void): Promise<Engine> {
    const { Session, drainPending } = await import('chdb');
    const initial = initialSettings(options.maxMemoryBytes);
    const settings = { ...serverArguments(options.maxMemoryBytes), ...initial };
    const connectionArgs = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
    const newSession = () => new Session(options.directory, { connectionArgs });
    const engine = new Engine(newSession, initial, drainPending, send);
    await engine.#lanes.query.use(new AbortController().signal, (session) => session.kill('nothing'));
    return engine;
  }

  private constructor(
    newSession: () => Session,
    initial: Settings,
    drain: () => Promise<void>,
    send: (message: FromEngine) => void,
  ) {
    this.#newSession = newSession;
    this.#initial = initial;
    this.#drain = drain;
    this.#send = send;
    this.#control = this.#session('control');
    const lane = (name: string, count: number) => new Lane(count, (i) => this.#session(`${name}${i}`));
    this.#lanes = {
      insert: lane('insert', 1),
      command: lane('command', 1),
      query: lane('query', QUERY_CONNECTIONS),
    };
  }

  #session(name: string): EngineSession {
    return new EngineSession(name, this.#newSession(), this.#initial);
  }

  /** Answers by messages. */
  start(request: StatementRequest): void {
    const running = { type: request.type, stop: new AbortController(), credits: new PageCredits() };
    this.#running.set(request.id, running);
    const ended = this.#run(request, running).then(() => {
      this.#running.delete(request.id);
      this.#ended.delete(ended);
    });
    this.#ended.add(ended);
  }

  credit(id: number, pages: number): void {
    this.#running.get(id)?.credits.add(pages);
  }

  cancel(id: number): void {
    this.#running.get(id)?.stop.abort(new Error('Code: 394. it was stopped (QUERY_WAS_CANCELLED)'));
  }

  /** Stops queries and commands, waits for inserts, and gives the directory free. */
  async close(): Promise<void> {
    for (const { type, stop } of this.#running.values())
      if (type !== 'insert') stop.abort(new Error('Code: 236. the engine is closed (ABORTED)'));
    await Promise.all(this.#ended);
    await this.#drain();
    for (const lane of Object.values(this.#lanes)) lane.close();
    this.#control.close();
    await this.#drain();
  }

  async #run(request: StatementRequest, { stop, credits }: Running): Promise<void> {
    const { id, timeoutMs } = request;
    const startedMs = performance.now();
    const overtime = setTimeout(
      () => stop.abort(new Error(`Code: 159. it took longer than ${timeoutMs} ms (TIMEOUT_EXCEEDED)`)),
      timeoutMs + OVERTIME_MS,
    );
    try {
      await this.#lanes[request.type].use(stop.signal, async (session) => {
        const leftMs = Math.max(1, timeoutMs - Math.round(performance.now() - startedMs));
        const waited = leftMs > timeoutMs - QUICK_MS ? request : { ...request, timeoutMs: leftMs };
        await this.#stoppable(session, stop.signal, this.#execute(waited, session, { stop, credits }));
      });
      this.#send({ type: 'done', id });
    } catch (error) {
      this.#send({ type: 'failed', id, failure: failureOf(error) });
    } finally {
      clearTimeout(overtime);
    }
  }

  #execute(request: StatementRequest, session: EngineSession, running: Omit<Running, 'type'>): Promise<void> {
    switch (request.type) {
      case 'insert':
        return session.insert(request);
      case 'command':
        return session.command(request);
      case 'query':
        return this.#query(request, session, running);
    }
  }

  async #query(
    request: SqlRequest,
    session: EngineSession,
    { stop: { signal }, credits }: Omit<Running, 'type'>,
  ): Promise<void> {
    for await (const bytes of await session.query(request)) {
      for (const lines of pagesOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))) {
        await credits.take(signal);
        this.#send({ type: 'page', id: request.id, lines });
      }
    }
  }

  /** Waits for `work` in any case: its connection is not free before. */
  async #stoppable(session: EngineSession, signal: AbortSignal, work: Promise<void>): Promise<void> {
    let hasEnded = false;
    const ended = work.finally(() => {
      hasEnded = true;
    });
    const killUntilEnded = async () => {
      while (!hasEnded) {
        await this.#control.kill(session.name).catch(() => {});
        await Promise.race([pause(KILL_AGAIN_MS), ended.catch(() => {})]);
      }
    };
    let killing = Promise.resolve();
    const onAbort = () => {
      killing = killUntilEnded();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      await ended;
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener('abort', onAbort);
      // One that comes late would hit the connection's next statement.
      await killing;
    }
  }
}

/** Less waiting than this is not taken off a statement's time, which would then be another one to set each time. */
const QUICK_MS = 50;

/** Errors of streams hold the code in their text alone. */
function failureOf(error: unknown): Extract<FromEngine, { type: 'failed' }>['failure'] {
  const { message, clickhouseCode, failedAtRow } = error as Error & {
    clickhouseCode?: number;
    failedAtRow?: number;
  };
  return { message, code: clickhouseCode, failedAtRow };
}
