/** Says that a remote write is in trouble: at once, then at most once a minute, and once when it is over. */
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { OncePerMinute } from '../util/once-per-minute.js';
import type { Load } from './judgement.js';

export interface Failure {
  /** The receiver's answer, where there was one. */
  readonly status?: number;
  readonly error: string;
  readonly atMs: number;
}

export class FailureLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #fields: () => object;
  readonly #warning: OncePerMinute;
  #failingSinceMs: number | undefined;
  #warned = false;
  #last: Failure | undefined;

  /** @param fields name, URL and how much waits, read for every line */
  constructor(log: Log, clock: Clock, fields: () => object) {
    this.#log = log;
    this.#clock = clock;
    this.#fields = fields;
    this.#warning = new OncePerMinute(clock);
  }

  /** The latest failure, over or not. */
  get last(): Failure | undefined {
    return this.#last;
  }

  /** A request will be tried again. */
  failed(error: string, status?: number): void {
    this.#note(error, status);
    this.#failingSinceMs ??= this.#clock.monotonicMs();
    if (this.#warn('remote write fails, will be retried')) this.#warned = true;
  }

  /** Exemplars were given up because of the receiver's answer. */
  gaveUp(exemplars: number, error: string, status?: number): void {
    this.#note(error, status);
    // Each answer has a line of its own: a rotated token must not hide behind a bad exemplar.
    this.#warn('receiver refused exemplars, they are dropped', { exemplars }, `dropped ${status}`);
  }

  /** Samples were refused whose exemplars were not. */
  refusedSamples(samples: number, error: string, status: number): void {
    this.#note(error, status);
    this.#warn('receiver refused samples, and wrote their exemplars', { samples });
  }

  /** Less was written than the receiver was sent and answered with success. */
  unwritten({ samples, exemplars }: Load, error: string): void {
    this.#note(error, undefined);
    this.#warn('receiver did not write everything', { samples, exemplars });
  }

  /** A request was answered with success. */
  succeeded(): void {
    if (this.#failingSinceMs === undefined) return;
    const seconds = (this.#clock.monotonicMs() - this.#failingSinceMs) / 1000;
    this.#failingSinceMs = undefined;
    if (!this.#warned) return;
    this.#warned = false;
    this.#log.info({ ...this.#fields(), seconds }, 'remote write recovered');
  }

  #note(error: string, status: number | undefined): void {
    this.#last = { error, atMs: this.#clock.nowMs(), ...(status === undefined ? {} : { status }) };
  }

  #warn(message: string, more: object = {}, kind = message): boolean {
    if (!this.#warning.isDue(kind)) return false;
    this.#log.warn({ ...this.#fields(), ...this.#last, ...more }, message);
    return true;
  }
}
