import { Agent, type Dispatcher, interceptors } from 'undici';
import type { Clock } from '../util/clock.js';
import { formatDurationMs } from '../util/units.js';
import type { BodyBuffer } from './body-buffer.js';
import { createConnector } from './connector.js';
import { ScrapeFailure } from './failure.js';
import { inflate, tooLarge } from './inflate.js';
import type { ScrapeJobOptions } from './options.js';
import { acceptHeader } from './protocols.js';

/** Without `body_size_limit`: more than targets expose, and less than brings the process down. */
const MAX_BODY_BYTES = 128 * 1024 * 1024;

const GZIP_OVERHEAD_BYTES = 64 * 1024;
const MAX_REDIRECTS = 10;

/** The HTTP side of a job: one pool of connections, and what all its requests have in common. */
export class ScrapeClient {
  readonly #dispatcher: Dispatcher;
  readonly #agent: Agent;
  readonly #headers: Record<string, string>;
  readonly #timeoutMs: number;
  readonly #maxBytes: number;
  readonly #clock: Clock;

  constructor(job: ScrapeJobOptions, userAgent: string, clock: Clock, connect = createConnector()) {
    this.#agent = new Agent({
      // The whole exchange has one timeout of ours; a connection outlives the pause between two scrapes.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect,
      keepAliveTimeout: 2 * job.intervalMs + 5_000,
      keepAliveMaxTimeout: 2 * job.intervalMs + 5_000,
    });
    this.#dispatcher = job.followRedirects
      ? this.#agent.compose(interceptors.redirect({ maxRedirections: MAX_REDIRECTS }))
      : this.#agent;
    this.#timeoutMs = job.timeoutMs;
    this.#clock = clock;
    this.#maxBytes = job.bodySizeLimitBytes > 0 ? job.bodySizeLimitBytes : MAX_BODY_BYTES;
    this.#headers = {
      'user-agent': userAgent,
      accept: acceptHeader(job.scrapeProtocols),
      'accept-encoding': job.enableCompression ? 'gzip' : 'identity',
      'x-prometheus-scrape-timeout-seconds': String(job.timeoutMs / 1000),
    };
  }

  /**
   * Fetches a URL into `body`, inflated.
   * @returns the Content-Type of the answer
   * @throws {ScrapeFailure}
   */
  fetch(url: URL, body: BodyBuffer, signal: AbortSignal): Promise<string | undefined> {
    const request: Dispatcher.DispatchOptions = {
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'GET',
      headers: this.#headers,
    };
    const exchange = new Exchange(body, this.#maxBytes);
    const abort = () => exchange.fail(new ScrapeFailure('stopped', 'the target is no longer scraped'));
    const cancelTimeout = this.#clock.after(this.#timeoutMs, () => {
      const timeout = formatDurationMs(this.#timeoutMs);
      exchange.fail(
        new ScrapeFailure('timeout', `no complete answer within the scrape timeout of ${timeout}`),
      );
    });
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    else exchange.begin(this.#dispatcher, request);
    return exchange.done.finally(() => {
      cancelTimeout();
      signal.removeEventListener('abort', abort);
    });
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** One request and its answer, as undici's dispatcher drives it. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly done: Promise<string | undefined>;
  readonly #body: BodyBuffer;
  readonly #maxBytes: number;
  #resolve!: (contentType: string | undefined) => void;
  #reject!: (failure: ScrapeFailure) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #failure: ScrapeFailure | undefined;
  #contentType: string | undefined;
  #isGzip = false;

  constructor(body: BodyBuffer, maxBytes: number) {
    this.#body = body;
    this.#maxBytes = maxBytes;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  begin(dispatcher: Dispatcher, request: Dispatcher.DispatchOptions): void {
    try {
      dispatcher.dispatch(request, this);
    } catch (error) {
      // undici throws what it finds wrong with the request itself.
      this.fail(new ScrapeFailure('connect', describe(error as Error)));
    }
  }

  /** Ends the exchange, whatever its state; only the first failure counts. */
  fail(failure: ScrapeFailure): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#controller?.abort(failure);
    this.#reject(failure);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#failure !== undefined) controller.abort(this.#failure);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Record<string, string | string[] | undefined>,
    statusMessage?: string,
  ): void {
    if (statusCode !== 200) {
      const status = `${statusCode} ${statusMessage ?? ''}`.trim();
      this.fail(new ScrapeFailure('status', `server returned HTTP status ${status}`));
      return;
    }
    this.#contentType = single(headers['content-type']);
    this.#isGzip = single(headers['content-encoding']) === 'gzip';
  }

  /** The chunk is only lent, see connector. */
  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#failure !== undefined) return;
    // A body of exactly the limit already fails, as in Prometheus. Gzip makes a tiny one larger.
    const maxBytes = this.#isGzip ? this.#maxBytes + GZIP_OVERHEAD_BYTES : this.#maxBytes;
    if (this.#body.length + chunk.length >= maxBytes) this.fail(tooLarge(this.#maxBytes));
    else this.#body.append(chunk);
  }

  onResponseEnd(): void {
    if (this.#failure !== undefined) return;
    if (!this.#isGzip) this.#resolve(this.#contentType);
    else {
      inflate(this.#body, this.#maxBytes).then(
        () => this.#resolve(this.#contentType),
        (failure: ScrapeFailure) => this.fail(failure),
      );
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error instanceof ScrapeFailure ? error : new ScrapeFailure('connect', describe(error)));
  }
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** An AggregateError (one attempt for every address of a host) has no message of its own. */
function describe(error: Error): string {
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  return first.message || first.name;
}
