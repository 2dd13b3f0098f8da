import type { Clock } from '../../util/clock.js';
import { Once } from '../../util/lifecycle.js';
import type { Log } from '../../util/log.js';
import { unansweredError } from '../statement-error.js';
import { EngineProcess, type EngineProcessParts } from './engine-process.js';

const MIN_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;
/** Who lived so long did not die of what it did at its start. */
const LIVED_MS = 60_000;

/** Keeps a child process with the engine alive, from when it is first needed on. */
export class EngineSupervisor {
  readonly #parts: EngineProcessParts;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #closing = new Once<void>();
  #isClosed = false;
  #process: EngineProcess | undefined;
  /** The process that is there, or the next one. */
  #opened: Promise<EngineProcess> | undefined;
  #backoffMs = MIN_BACKOFF_MS;
  #restarts = 0;
  #isUp = false;
  #cancelRestart: (() => void) | undefined;

  constructor(parts: EngineProcessParts) {
    this.#parts = parts;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get pid(): number | undefined {
    return this.#isUp ? this.#process?.pid : undefined;
  }

  /** Waits for the next one where it is dead. @throws {DatabaseError} when that one cannot open its directory */
  opened(): Promise<EngineProcess> {
    if (this.#isClosed) return Promise.reject(unansweredError('the archive is closed'));
    this.#opened ??= this.#start();
    return this.#opened;
  }

  /** Never rejects. */
  close(): Promise<void> {
    return this.#closing.run(async () => {
      this.#isClosed = true;
      this.#cancelRestart?.();
      await this.#process?.close();
    });
  }

  #start(): Promise<EngineProcess> {
    const startedMs = this.#clock.monotonicMs();
    const started = new EngineProcess(this.#parts);
    this.#process = started;
    this.#isUp = false;
    started.opened.then(
      () => {
        this.#isUp = true;
        const openMs = Math.round(this.#clock.monotonicMs() - startedMs);
        this.#log.info(
          { directory: this.#parts.options.directory, pid: started.pid, openMs },
          'chDB is open',
        );
      },
      () => {},
    );
    void started.ended.then((cause) => this.#restartLater(cause, startedMs));
    return started.opened.then(() => started);
  }

  #restartLater(cause: string, startedMs: number): void {
    this.#isUp = false;
    if (this.#isClosed) return;
    if (this.#clock.monotonicMs() - startedMs >= LIVED_MS) this.#backoffMs = MIN_BACKOFF_MS;
    const backoffMs = this.#backoffMs;
    this.#backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
    this.#log.warn({ cause, retryMs: backoffMs }, 'chDB is gone, and starts again');
    const next = new Promise<EngineProcess>((resolve, reject) => {
      const cancel = this.#clock.after(backoffMs, () => {
        this.#restarts++;
        this.#start().then(resolve, reject);
      });
      this.#cancelRestart = () => {
        cancel();
        reject(unansweredError('the archive is closed'));
      };
    });
    next.catch(() => {});
    this.#opened = next;
  }
}
