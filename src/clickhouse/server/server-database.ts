/** ClickHouse on servers that are one to the archive: the first that answers is asked. */
import type { Readable } from 'node:stream';
import { SecretFiles } from '../../http-client/secret-files.js';
import type { Clock } from '../../util/clock.js';
import { Once } from '../../util/lifecycle.js';
import type { Log } from '../../util/log.js';
import { TimeSlices } from '../../util/time-slices.js';
import { type Database, DatabaseError, type RowBlock, type StatementOptions } from '../database.js';
import { assertNoEmptyLine } from '../empty-line.js';
import { pagesOf, parseLines } from '../json-lines.js';
import type { ServerOptions } from '../options.js';
import { answeredError, unansweredError } from '../statement-error.js';
import {
  checkSettings,
  checkTable,
  insertSettings,
  QUERY_SETTINGS,
  type Settings,
} from '../statement-settings.js';
import { rowLines } from './result-pages.js';
import { NotSent, Server, type ServerRequest } from './server.js';

/** Where the caller does not say. */
const DEFAULT_TIMEOUT_MS = 30_000;
/** Changes to tables of a cluster may take long. */
const DEFAULT_COMMAND_TIMEOUT_MS = 600_000;
/** How long after its time a statement's answer is waited for: the server's own word on it says more than silence. */
const GRACE_MS = 2_000;
/** How long a server that did not answer is asked only after the others. */
const REST_MS = 30_000;

/** The status then says how the statement ended, and not only how it began. */
const WHOLE_ANSWER: Settings = { wait_end_of_query: 1 };
/** Whoever stops reading stops the statement. */
const ENDS_WITH_CONNECTION: Settings = { cancel_http_readonly_queries_on_client_close: 1 };
/** A distributed table else acknowledges what one server has in a queue. */
const DISTRIBUTED_INSERT: Settings = { distributed_foreground_insert: 1 };

export interface ServerDatabaseParts {
  readonly options: ServerOptions;
  readonly clock: Clock;
  readonly log: Log;
}

type Asked = Omit<ServerRequest, 'signal' | 'settings'> & {
  readonly settings: Settings;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
};

export class ServerDatabase implements Database {
  readonly name: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #servers: readonly Server[];
  /** Server → when it is asked first again, monotonic. */
  readonly #restsUntilMs = new Map<Server, number>();
  readonly #closing = new Once<void>();
  readonly #closed = new AbortController();

  constructor({ options, clock, log }: ServerDatabaseParts) {
    const files = new SecretFiles(clock);
    this.#servers = options.urls.map((url) => new Server(url, options, files));
    this.name = `ClickHouse at ${this.#servers.map(({ shownUrl }) => shownUrl).join(', ')}`;
    this.#clock = clock;
    this.#log = log;
  }

  async command(sql: string, options: StatementOptions = {}): Promise<void> {
    const { params = {}, timeoutMs = DEFAULT_COMMAND_TIMEOUT_MS, signal } = options;
    const settings = { ...WHOLE_ANSWER, ...options.settings };
    await this.#complete({ sql, params, settings, timeoutMs, signal });
  }

  async *query<Row>(sql: string, options: StatementOptions = {}): AsyncGenerator<readonly Row[], void> {
    const { params = {}, timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    const settings = { ...QUERY_SETTINGS, ...ENDS_WITH_CONNECTION, ...options.settings };
    const asked = { sql: `${sql}\nFORMAT JSONEachRow`, params, settings, timeoutMs, signal };
    const deadline = this.#deadline(asked);
    const slices = new TimeSlices(this.#clock);
    try {
      const body = await this.#send(asked, deadline);
      try {
        for await (const lines of rowLines(chunksOf(body, deadline.signal))) {
          for (const page of pagesOf(lines)) {
            yield parseLines<Row>(page);
            if (slices.isOver) await slices.pause();
          }
        }
      } finally {
        body.destroy();
      }
    } finally {
      deadline.end();
    }
  }

  async insert(block: RowBlock, options: Omit<StatementOptions, 'params'> = {}): Promise<void> {
    const { table, lines, token } = block;
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    assertNoEmptyLine(lines);
    checkTable(table);
    if (lines.length === 0) return;
    const settings = { ...WHOLE_ANSWER, ...DISTRIBUTED_INSERT, ...insertSettings(token, options.settings) };
    const sql = `INSERT INTO ${table} FORMAT JSONEachRow`;
    await this.#complete({ sql, rows: lines, settings, timeoutMs, signal });
  }

  close(): Promise<void> {
    return this.#closing.run(async () => {
      this.#closed.abort(unansweredError('the archive is closed'));
      await Promise.allSettled(this.#servers.map((server) => server.close()));
    });
  }

  /** What answers no rows: anything in the answer is an error. */
  async #complete(asked: Asked): Promise<void> {
    const deadline = this.#deadline(asked);
    try {
      const body = await this.#send(asked, deadline);
      let said = '';
      for await (const chunk of chunksOf(body, deadline.signal)) if (said.length < MAX_SAID) said += chunk;
      if (/Code: \d+\..*Exception/s.test(said)) throw answeredError({ message: said.trim() });
    } finally {
      deadline.end();
    }
  }

  /** Asks one server after the other until one has taken the statement. */
  async #send({ timeoutMs, signal: _, ...request }: Asked, { signal }: Deadline): Promise<Readable> {
    const settings = { ...request.settings, max_execution_time: timeoutMs / 1000 };
    checkSettings(settings);
    let last: string | undefined;
    for (const server of this.#byRest()) {
      signal.throwIfAborted();
      try {
        const body = await server.send({ ...request, settings, signal });
        this.#restsUntilMs.delete(server);
        return body;
      } catch (error) {
        const shown = signal.aborted ? (signal.reason as Error) : (error as Error);
        if (shown instanceof DatabaseError && shown.code !== undefined) throw shown;
        if (!this.#isStop(signal)) this.#rest(server, shown.message);
        if (!(error instanceof NotSent) || signal.aborted) throw shown;
        last = `ClickHouse at ${server.shownUrl}: ${shown.message}`;
      }
    }
    throw unansweredError(last ?? 'there is no server');
  }

  /** Stopped by whoever asked, which says nothing about the server. */
  #isStop(signal: AbortSignal): boolean {
    return signal.aborted && !(signal.reason instanceof TooLate);
  }

  #byRest(): Server[] {
    const nowMs = this.#clock.monotonicMs();
    const restOf = (server: Server) => Math.max(nowMs, this.#restsUntilMs.get(server) ?? 0);
    return [...this.#servers].sort((a, b) => restOf(a) - restOf(b));
  }

  #rest(server: Server, cause: string): void {
    if (this.#servers.length > 1)
      this.#log.warn(
        { url: server.shownUrl, cause },
        'ClickHouse server does not answer: others are asked first',
      );
    this.#restsUntilMs.set(server, this.#clock.monotonicMs() + REST_MS);
  }

  #deadline({ timeoutMs, signal }: Asked): Deadline {
    const abort = new AbortController();
    const stop = () => abort.abort(unansweredError('the statement was stopped'));
    const close = () => abort.abort(this.#closed.signal.reason);
    const cancel = this.#clock.after(timeoutMs + GRACE_MS, () =>
      abort.abort(new TooLate(this.name, timeoutMs)),
    );
    signal?.addEventListener('abort', stop, { once: true });
    this.#closed.signal.addEventListener('abort', close, { once: true });
    if (signal?.aborted) stop();
    if (this.#closed.signal.aborted) close();
    const end = () => {
      cancel();
      signal?.removeEventListener('abort', stop);
      this.#closed.signal.removeEventListener('abort', close);
    };
    return { signal: abort.signal, end };
  }
}

const MAX_SAID = 64 * 1024;

interface Deadline {
  readonly signal: AbortSignal;
  readonly end: () => void;
}

class TooLate extends DatabaseError {
  constructor(name: string, timeoutMs: number) {
    super(`${name}: no answer within ${timeoutMs} ms`, { isTransient: true });
  }
}

/** The client stops listening to the signal when the answer begins. */
async function* chunksOf(body: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  const stop = () => body.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    for await (const chunk of body) yield chunk as Buffer;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw unansweredError(`the answer was cut: ${(error as Error).message}`);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
