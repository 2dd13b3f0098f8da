import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { HttpClient, type HttpClientParts } from '../http-client/client.js';
import type { Clock } from '../util/clock.js';
import { type Header, headerRecord, passedHeaders, type RawHeaders } from './headers.js';
import type { UpstreamMetrics } from './metrics.js';
import type { UpstreamOptions } from './options.js';

/** Nothing came back from the upstream. */
export class UpstreamFailure extends Error {}

/** The request is not one to pass on. */
export class UnfitRequest extends Error {}

/** By it a request that comes back here is known. Not `Via`: some servers do not compress for who sends that. */
const RELAY_HEADER = 'x-exemplard-relay';

const NOT_MODIFIED = 304;

/** Whoever leaves before may have changed their mind; whoever leaves later was not answered. */
const PATIENCE_MS = 30_000;

/** Until nobody who has it in hand is still about to ask it. */
const RETIREMENT_MS = 5_000;

export interface UpstreamRequest {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly headers: Iterable<Header>;
  readonly body: IncomingMessage | string | null;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

export type UpstreamAnswer = Pick<Dispatcher.ResponseData, 'statusCode' | 'body'>;

export interface UpstreamParts extends Pick<HttpClientParts, 'clock' | 'userAgent'> {
  readonly metrics: UpstreamMetrics;
  /** What our own paths begin with for clients. */
  readonly publicPrefix: string;
  /** Whether `Authorization` of requests is meant for exemplard, and so nobody else's business. */
  readonly keepsAuthorization: () => boolean;
}

/**
 * Passes requests on, byte for byte: path, query, headers and bodies go through as they come, both ways. There is no time
 * limit, as only the client knows how long it will wait, and it is undici's own work to keep the pace of the slower side.
 */
export class Upstream {
  readonly options: UpstreamOptions;
  readonly #parts: UpstreamParts;
  readonly #client: HttpClient;
  readonly #origin: string;
  /** Of every path; without a slash at its end. */
  readonly #base: string;
  readonly #id = randomBytes(8).toString('hex');
  /** Until then it is not asked for its own exemplars: it has not answered in time. */
  silentUntilMs = 0;

  constructor(options: UpstreamOptions, parts: UpstreamParts) {
    this.options = options;
    this.#parts = parts;
    this.#client = new HttpClient(options.client, parts);
    const url = new URL(options.url);
    this.#origin = url.origin;
    this.#base = url.pathname.replace(/\/+$/, '');
  }

  get clock(): Clock {
    return this.#parts.clock;
  }

  /**
   * Resolves when the answer has been sent on, or its client has gone.
   * @param path with the query, as the client wrote it
   * @param onAnswer before the first byte of the answer is sent on; gives the headers that are
   * @throws {UnfitRequest} for what may not be passed on
   * @throws {UpstreamFailure} where there is no answer
   */
  async pass(
    request: IncomingMessage,
    path: string,
    response: ServerResponse,
    onAnswer: (headers: Iterable<Header>) => Iterable<Header>,
  ): Promise<void> {
    refuseDotSegments(path);
    refuseCodings(request);
    if (this.#hasPassed(request))
      throw new UpstreamFailure(
        `${this.#shown} leads back to this exemplard: upstream.url must be a Prometheus`,
      );
    const gone = new AbortController();
    response.on('close', () => {
      // Making the reason of an abort costs more than all of the rest here.
      if (!response.writableFinished) gone.abort();
    });
    const startMs = this.clock.monotonicMs();
    let isAnswered = false;
    try {
      const options = await this.#options({
        method: request.method as Dispatcher.HttpMethod,
        path,
        headers: passedHeaders(request.rawHeaders),
        body: hasBody(request) ? request : null,
        signal: gone.signal,
      });
      await this.#client.transport.stream(options, ({ statusCode, headers }) => {
        isAnswered = true;
        this.#parts.metrics.countAnswer(statusCode);
        response.writeHead(statusCode, [...onAnswer(this.#answered(asRaw(headers)))].flat());
        return statusCode === NOT_MODIFIED ? withoutBody(response) : response;
      });
    } catch (error) {
      if (!isAnswered) {
        const isPatient = this.clock.monotonicMs() - startMs >= PATIENCE_MS;
        if (isPatient || !gone.signal.aborted) this.#parts.metrics.countFailure();
        throw this.#failure(error);
      }
      // Half an answer must not look like a whole one.
      if (!response.writableEnded) response.destroy();
    }
  }

  /** An answer for ourselves. It has to be read, or discarded. @throws {UpstreamFailure} */
  async exchange(request: UpstreamRequest): Promise<UpstreamAnswer> {
    try {
      const { statusCode, body } = await this.#client.transport.request(await this.#options(request));
      this.#parts.metrics.countAnswer(statusCode);
      return { statusCode, body };
    } catch (error) {
      // Whoever waits here gives up for one reason: it takes too long.
      this.#parts.metrics.countFailure();
      throw this.#failure(error);
    }
  }

  /** Another takes its place: what is under way, or about to be, goes on to its end. */
  retire(): void {
    this.#parts.clock.after(RETIREMENT_MS, () => this.#client.drain());
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** For people, and so without the path: others than its operator may read it. */
  get #shown(): string {
    return `upstream ${this.#origin}`;
  }

  *#allowed(headers: Iterable<Header>) {
    const hides = this.#parts.keepsAuthorization() || this.options.client.auth.type !== 'none';
    const own = new Set(Object.keys(this.options.client.headers).map((name) => name.toLowerCase()));
    for (const header of headers) {
      const name = header[0].toLowerCase();
      if (!(hides && name === 'authorization') && !own.has(name)) yield header;
    }
    yield [RELAY_HEADER, this.#id] as const;
  }

  *#answered(raw: RawHeaders): Generator<Header> {
    for (const [name, value] of passedHeaders(raw))
      yield [name, name.toLowerCase() === 'location' ? this.#location(value) : value];
  }

  /** A redirect inside the upstream's own path leads to where that is found here; its address is nobody's business. */
  #location(value: string): string {
    const origin = /^https?:\/\/[^/?#]*/i.exec(value)?.[0] ?? '';
    const isThere = origin === '' || (URL.canParse(origin) && new URL(origin).origin === this.#origin);
    const path = value.slice(origin.length);
    const isInside = isThere && path.startsWith(`${this.#base}/`) && !path.startsWith('//');
    return isInside ? this.#parts.publicPrefix + path.slice(this.#base.length) : value;
  }

  async #options({ path, headers, ...request }: UpstreamRequest) {
    return {
      ...request,
      origin: this.#origin,
      path: this.#base + path,
      headers: { ...headerRecord(this.#allowed(headers)), ...(await this.#client.credentials()) },
      responseHeaders: 'raw' as const,
    };
  }

  #hasPassed({ headers }: IncomingMessage): boolean {
    return String(headers[RELAY_HEADER] ?? '')
      .split(', ')
      .includes(this.#id);
  }

  #failure(error: unknown): UpstreamFailure {
    return new UpstreamFailure(`${this.#shown}: ${messageOf(error)}`);
  }
}

/** Ends an answer that may say how long the body is which it has not: undici takes that for half an answer. */
function withoutBody(response: ServerResponse): Writable {
  response.end();
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

/** What `responseHeaders: 'raw'` makes of headers, whatever their type says. */
function asRaw(headers: unknown): RawHeaders {
  return headers as RawHeaders;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Node undoes chunks, and would pass on the rest as if it were no coding at all. */
function refuseCodings({ headers }: IncomingMessage): void {
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked')
    throw new UnfitRequest('of transfer codings only chunked is passed on');
}

/** A server that resolves them would leave the path that `upstream.url` gives, and with it, perhaps, the tenant. */
function refuseDotSegments(path: string): void {
  const [segments] = path.split('?', 1);
  if (segments!.split(/\/|%2f|\\|%5c/i).some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment)))
    throw new UnfitRequest('a path with . or .. in it is not passed on');
}

/** Of several addresses that all failed, undici says nothing itself. */
function messageOf(error: unknown): string {
  const { message, errors, cause } = error as AggregateError;
  if (message !== '') return message;
  return errors?.map(messageOf).join(', ') || messageOf(cause ?? new Error('no answer'));
}
