import { createTask, type ScheduledTask } from 'node-cron';
import type { Log } from '../util/log.js';

/** Starts work by a cron expression, never twice at once. Timers are node-cron's own. */
export class CronSchedule {
  readonly #task: ScheduledTask;
  readonly #work: () => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;

  /** @param work never rejects */
  constructor(expression: string, jitterMs: number, work: () => Promise<void>, log: Log) {
    this.#work = work;
    const tell = (level: 'debug' | 'warn') => (message: string | Error) =>
      log[level]({ schedule: expression }, String(message));
    this.#task = createTask(expression, () => this.startNow(), {
      maxRandomDelay: jitterMs,
      suppressMissedWarning: true,
      logger: { info: tell('debug'), warn: tell('debug'), error: tell('warn'), debug: tell('debug') },
    });
  }

  start(): void {
    void this.#task.start();
  }

  /** A start while work is under way is left out: the run looks at what is due, and the next one will, too. */
  startNow(): Promise<void> {
    if (this.#isRunning) return this.#running;
    this.#isRunning = true;
    this.#running = this.#work().finally(() => {
      this.#isRunning = false;
    });
    return this.#running;
  }

  /** No more starts. Resolves when the last work has ended. */
  async stop(): Promise<void> {
    await this.#task.destroy();
    await this.#running;
  }
}
