import { buildConnector, type Dispatcher } from 'undici';
import { HttpClient } from '../http-client/client.js';
import type { Clock } from '../util/clock.js';
import { formatDurationMs } from '../util/units.js';
import type { BodyBuffer } from './body-buffer.js';
import { createConnector } from './connector.js';
import { Exchange } from './exchange.js';
import { ScrapeFailure } from './failure.js';
import type { ScrapeJobOptions } from './options.js';
import { acceptHeader, protocolsOf } from './protocols.js';
import type { Target } from './target.js';

/** Without `body_size_limit`: more than targets expose, and less than brings the process down. */
const MAX_BODY_BYTES = 128 * 1024 * 1024;

export interface ScrapeClientParts {
  readonly userAgent: string;
  readonly clock: Clock;
  /** Makes connections without TLS. */
  readonly connect?: buildConnector.connector;
}

/** What the requests to one target have in common. */
export interface ScrapeRequest {
  readonly dispatcher: Dispatcher;
  readonly dispatch: Dispatcher.DispatchOptions;
  readonly timeoutMs: number;
}

/** The HTTP side of a job: one pool of connections, and what all its requests have in common. */
export class ScrapeClient {
  readonly #job: ScrapeJobOptions;
  readonly #parts: ScrapeClientParts;
  readonly #network: HttpClient;
  /** By path. */
  readonly #sockets = new Map<string, HttpClient>();
  readonly #maxBytes: number;

  constructor(job: ScrapeJobOptions, parts: ScrapeClientParts) {
    this.#job = job;
    this.#parts = parts;
    this.#network = this.#createClient(parts.connect ?? createConnector());
    this.#maxBytes = job.bodySizeLimitBytes > 0 ? job.bodySizeLimitBytes : MAX_BODY_BYTES;
  }

  requestTo({ url: text, unixSocket, timeoutMs, histograms }: Target): ScrapeRequest {
    const url = new URL(text);
    const headers = {
      'user-agent': this.#parts.userAgent,
      accept: acceptHeader(
        protocolsOf(this.#job.scrapeProtocols, histograms.scrapeNativeHistograms),
        this.#job.nameEscaping,
      ),
      'accept-encoding': this.#job.enableCompression ? 'gzip' : 'identity',
      'x-prometheus-scrape-timeout-seconds': String(timeoutMs / 1000),
    };
    const { dispatcher } = unixSocket === '' ? this.#network : this.#socketClient(unixSocket);
    const path = `${url.pathname}${url.search}`;
    return { dispatcher, dispatch: { origin: url.origin, path, method: 'GET', headers }, timeoutMs };
  }

  /**
   * Fetches an exposition into `body`, inflated.
   * @returns the Content-Type of the answer
   * @throws {ScrapeFailure}
   */
  fetch(request: ScrapeRequest, body: BodyBuffer, signal: AbortSignal): Promise<string | undefined> {
    const exchange = new Exchange(body, this.#maxBytes, this.#job.httpClient.followRedirects);
    const abort = () => exchange.fail(new ScrapeFailure('stopped', 'the target is no longer scraped'));
    const cancelTimeout = this.#parts.clock.after(request.timeoutMs, () => {
      const timeout = formatDurationMs(request.timeoutMs);
      exchange.fail(
        new ScrapeFailure('timeout', `no complete answer within the scrape timeout of ${timeout}`, {
          kind: 'timeout',
          timeoutMs: request.timeoutMs,
        }),
      );
    });
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    else exchange.begin(request.dispatcher, request.dispatch);
    return exchange.done.finally(() => {
      cancelTimeout();
      signal.removeEventListener('abort', abort);
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#network, ...this.#sockets.values()].map((client) => client.close()));
  }

  #socketClient(path: string): HttpClient {
    const known = this.#sockets.get(path);
    if (known !== undefined) return known;
    const client = this.#createClient(buildConnector({ socketPath: path, timeout: 0 }));
    this.#sockets.set(path, client);
    return client;
  }

  #createClient(connectPlain: buildConnector.connector): HttpClient {
    const { clock, userAgent } = this.#parts;
    // A connection outlives the pause between two scrapes.
    const keepAliveMs = 2 * this.#job.intervalMs + 5_000;
    return new HttpClient(this.#job.httpClient, { clock, userAgent, connectPlain, keepAliveMs });
  }
}
