import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../util/clock.js';
import type { Log } from '../../util/log.js';
import { DatabaseError } from '../database.js';
import { answeredError, unansweredError } from '../statement-error.js';
import type { EngineOptions, FromEngine, Statement, ToEngine } from './messages.js';
import { StatementRun, WINDOW_PAGES } from './statement-run.js';
import { StderrLog } from './stderr-log.js';

/** A table with many parts takes its time; a directory on a network may never answer. */
const OPEN_MS = 300_000;
/** How long after its time a statement without an answer means that the engine hangs. The engine itself needs a second. */
const HANG_MS = 15_000;
/** What the engine may take to close; then it is killed, which it has been made for. */
const CLOSE_MS = 3_000;
/** libuv's threads, on which statements run: more than there are connections (`THREADS` in engine.ts). */
const THREADS = 8;

/** Beside this file, and written in the same language: JavaScript when built, TypeScript in tests. */
const CHILD = fileURLToPath(new URL(`./child${extname(import.meta.url)}`, import.meta.url));

export interface EngineProcessParts {
  readonly options: EngineOptions;
  readonly clock: Clock;
  readonly log: Log;
}

/** One life of the child process that has the engine. */
export class EngineProcess {
  readonly #parts: EngineProcessParts;
  readonly #child: ChildProcess;
  readonly #stderr: StderrLog;
  readonly #runs = new Map<number, StatementRun>();
  #lastId = 0;
  #openedBy: ((error?: DatabaseError) => void) | undefined;
  #refusal: { readonly reason: string; readonly isTransient: boolean } | undefined;
  #deathCause: string | undefined;

  /** Settles when the engine has its directory, or cannot. @throws {DatabaseError} */
  readonly opened: Promise<void>;
  /** Resolves with why, when the process is gone; never rejects. */
  readonly ended: Promise<string>;

  constructor(parts: EngineProcessParts) {
    this.#parts = parts;
    this.#child = fork(CHILD, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // A debugger's port is the parent's.
      execArgv: process.execArgv.filter((argument) => !argument.startsWith('--inspect')),
      env: { ...process.env, UV_THREADPOOL_SIZE: String(THREADS) },
    });
    this.#stderr = new StderrLog(this.#child.stderr!, parts.clock, parts.log);
    this.opened = new Promise((resolve, reject) => {
      this.#openedBy = (error) => (error === undefined ? resolve() : reject(error));
    });
    this.opened.catch(() => {});
    this.#child.on('message', (message: FromEngine) => this.#receive(message));
    this.ended = new Promise((resolve) => {
      // Not `exit`: the last words on stderr come later.
      this.#child.once('close', (code, signal) => resolve(this.#end(code, signal)));
      this.#child.once('error', (error) => {
        this.#deathCause ??= error.message;
        if (this.#child.pid === undefined) resolve(this.#end(null, null));
      });
    });
    const cancel = parts.clock.after(OPEN_MS, () => this.kill('it took too long to open'));
    this.opened.then(cancel, cancel);
    this.#send({ type: 'open', options: parts.options });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Begins a statement, which is given up when the run is given to `stop`. */
  start(statement: Statement): StatementRun {
    const id = ++this.#lastId;
    const run = new StatementRun(() => this.#send({ type: 'credit', id, pages: 1 }));
    this.#runs.set(id, run);
    const { clock } = this.#parts;
    const { timeoutMs } = statement;
    const cancel = clock.after(timeoutMs + HANG_MS, () =>
      this.kill(`no answer ${HANG_MS} ms after its time`),
    );
    run.ended.then(cancel);
    this.#send({ ...statement, id });
    if (statement.type === 'query') this.#send({ type: 'credit', id, pages: WINDOW_PAGES });
    return run;
  }

  /** Nobody waits for the run any more. */
  stop(run: StatementRun): void {
    for (const [id, other] of this.#runs) if (other === run) this.#send({ type: 'cancel', id });
  }

  kill(cause: string): void {
    this.#deathCause ??= cause;
    this.#child.kill('SIGKILL');
  }

  /** Lets the engine end what it has begun to write. Resolves when the process is gone. */
  async close(): Promise<void> {
    this.#deathCause ??= 'it was closed';
    const cancel = this.#parts.clock.after(CLOSE_MS, () => this.#child.kill('SIGKILL'));
    this.#send({ type: 'close' });
    await this.ended;
    cancel();
  }

  #send(message: ToEngine): void {
    // A failure to send is that of a process that has ended: `close` tells everyone.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #receive(message: FromEngine): void {
    switch (message.type) {
      case 'opened':
        this.#openedBy?.();
        return;
      case 'refused':
        this.#refusal = message;
        this.#child.kill('SIGKILL');
        return;
      case 'page':
        this.#runs.get(message.id)?.push(message.lines);
        return;
      case 'done':
        this.#finish(message.id);
        return;
      case 'failed':
        this.#finish(message.id, answeredError(message.failure));
    }
  }

  #finish(id: number, error?: DatabaseError): void {
    this.#runs.get(id)?.finish(error);
    this.#runs.delete(id);
  }

  #end(code: number | null, signal: NodeJS.Signals | null): string {
    const how = signal === null ? `exit code ${code}` : signal;
    const cause =
      this.#refusal === undefined ? (this.#deathCause ?? how) : this.#refusalText(this.#refusal.reason);
    const { directory } = this.#parts.options;
    const isTransient = this.#refusal?.isTransient ?? true;
    const message = this.#refusal === undefined ? `chDB in ${directory} ended: ${cause}` : cause;
    this.#openedBy?.(new DatabaseError(message, { isTransient }));
    for (const id of [...this.#runs.keys()]) this.#finish(id, unansweredError(message));
    return message;
  }

  /** The library tells the reason only to stderr. */
  #refusalText(reason: string): string {
    const { directory } = this.#parts.options;
    const said = this.#stderr.recent;
    if (/Cannot lock file|Another server instance/.test(said))
      return `the archive in ${directory} is used by another process`;
    const explained = said.match(/Code: \d+.*/)?.[0];
    return `chDB cannot open ${directory}: ${explained ?? reason}`;
  }
}
