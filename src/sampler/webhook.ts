/** Tells a URL what was decided. Whoever must not miss a decision reads them by their cursor: requests are only tried so often. */
import { type Dispatcher, request } from 'undici';
import { HttpClient } from '../http-client/client.js';
import { type Clock, sleep } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { placedJson } from './decision-json.js';
import type { PlacedDecision } from './decisions.js';
import type { WebhookOptions } from './options.js';
import { endOf, type Window } from './window.js';

/** Of one request. */
const MAX_DECISIONS = 1_000;
const FIRST_WAIT_MS = 1_000;

export interface WebhookParts {
  readonly options: WebhookOptions;
  readonly clock: Clock;
  readonly log: Log;
  readonly userAgent: string;
  readonly onFailure: () => void;
}

export class Webhook {
  readonly #parts: WebhookParts;
  readonly #client: HttpClient;
  readonly #stop = new AbortController();

  constructor(parts: WebhookParts) {
    const { options, clock, userAgent } = parts;
    this.#parts = parts;
    this.#client = new HttpClient(options.httpClient, { clock, userAgent });
  }

  /** Never rejects. */
  async tell(job: string, window: Window, decisions: readonly PlacedDecision[]): Promise<void> {
    for (let from = 0; from < decisions.length && !this.#stop.signal.aborted; from += MAX_DECISIONS) {
      const body = JSON.stringify({
        job,
        window: { start: window.startMs / 1000, end: endOf(window) / 1000 },
        decisions: decisions.slice(from, from + MAX_DECISIONS).map(placedJson),
      });
      await this.#deliver(job, body);
    }
  }

  /** Requests under way are broken off. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('stopped'));
    await this.#client.close();
  }

  async #deliver(job: string, body: string): Promise<void> {
    const { options, clock, log, onFailure } = this.#parts;
    for (let attempt = 0; ; attempt++) {
      const failure = await this.#post(body);
      if (failure === undefined || this.#stop.signal.aborted) return;
      if (failure.isFinal || attempt >= options.retries) {
        onFailure();
        log.warn(
          { job, url: options.shownUrl, error: failure.error },
          'decisions could not be told to the webhook',
        );
        return;
      }
      await sleep(clock, FIRST_WAIT_MS * 2 ** attempt, this.#stop.signal);
    }
  }

  /** @returns what is wrong */
  async #post(body: string): Promise<{ error: string; isFinal: boolean } | undefined> {
    const { options, clock, userAgent } = this.#parts;
    const timeout = new AbortController();
    const cancelTimeout = clock.after(options.timeoutMs, () => {
      timeout.abort(new Error(`no complete answer within ${options.timeoutMs} ms`));
    });
    try {
      const response = await request(options.url, {
        dispatcher: this.#client.dispatcher,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': userAgent },
        body,
        signal: AbortSignal.any([timeout.signal, this.#stop.signal]),
      });
      await discard(response);
      const { statusCode: status } = response;
      if (status >= 200 && status < 300) return undefined;
      return { error: `it answered ${status}`, isFinal: status < 500 && status !== 429 && status !== 408 };
    } catch (error) {
      return { error: (error as Error).message || (error as Error).name, isFinal: false };
    } finally {
      cancelTimeout();
    }
  }
}

/** Nobody reads what it says, and a large answer is not waited for. */
async function discard({ body }: Dispatcher.ResponseData): Promise<void> {
  await body.dump({ limit: 64 * 1024 }).catch(() => {});
}
