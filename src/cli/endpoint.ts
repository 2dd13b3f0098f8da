/** One endpoint, asked by hand: what it answers, and what went wrong in words of a user. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { request } from 'undici';
import { redactUrl } from '../config/value-type.js';
import { HttpClient } from '../http-client/client.js';
import {
  type AuthOptions,
  DEFAULT_HTTP_CLIENT,
  DEFAULT_TLS,
  type HeaderSecrets,
  type HttpClientOptions,
} from '../http-client/options.js';
import type { Clock } from '../util/clock.js';
import { formatBytes, formatDurationMs } from '../util/units.js';
import { USER_AGENT } from '../version.js';

export const MAX_BODY_BYTES = 128 * 1024 * 1024;

/** Where to ask, and how. */
export interface Endpoint {
  /** Without credentials. */
  readonly url: URL;
  /** The same for people: secrets in its parameters are masked. */
  readonly shown: string;
  readonly client: HttpClientOptions;
}

export interface EndpointFlags {
  readonly header: readonly string[];
  readonly insecure: boolean;
}

export interface Answer {
  /** Of the HTTP response. */
  readonly status: number;
  readonly contentType: string | undefined;
  readonly isGzip: boolean;
  /** As sent, before inflating. */
  readonly wireBytes: number;
  readonly body: Buffer;
  readonly tookMs: number;
}

/** Why there is no answer, or none to work with. */
export class EndpointFailure extends Error {
  readonly code: string;
  readonly next: string;
  /** Whether asking again for another format would end the same way. */
  readonly isFinal: boolean;

  constructor(code: string, message: string, next: string, isFinal = true) {
    super(message);
    this.code = code;
    this.next = next;
    this.isFinal = isFinal;
  }
}

export function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/** @returns what is wrong with the URL or the flags, as a text */
export function parseEndpoint(text: string, flags: EndpointFlags): Endpoint | string {
  if (!isUrl(text) || !URL.canParse(text)) return `${JSON.stringify(redactUrl(text))} is not a URL like http://HOST:PORT/metrics`; // biome-ignore format: one text
  const url = new URL(text);
  const auth = basicAuthOf(url);
  url.username = url.password = url.hash = '';
  if (url.pathname === '/') url.pathname = '/metrics';
  const headers = headersOf(flags.header);
  if (typeof headers === 'string') return headers;
  const tls = { ...DEFAULT_TLS, insecureSkipVerify: flags.insecure };
  const proxy = { ...DEFAULT_HTTP_CLIENT.proxy, fromEnvironment: true };
  return { url, shown: redactUrl(url.href), client: { ...DEFAULT_HTTP_CLIENT, auth, headers, tls, proxy } };
}

function basicAuthOf({ username, password }: URL): AuthOptions {
  if (username === '' && password === '') return { type: 'none' };
  return { type: 'basic', username: { text: decoded(username) }, password: { text: decoded(password) } };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function headersOf(lines: readonly string[]): HeaderSecrets | string {
  const headers: Record<string, { text: string }[]> = {};
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/.exec(line) ?? [];
    // The value may be a secret.
    if (name === undefined || value === undefined) return '--header must be like "Name: value"';
    if (name.toLowerCase() === 'accept') return '--header must not be Accept, which is what is tried out';
    (headers[name] ??= []).push({ text: value });
  }
  return headers;
}

const inflate = promisify(gunzip);

/** Asks one endpoint, again and again. */
export class EndpointClient {
  readonly #endpoint: Endpoint;
  readonly #client: HttpClient;
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  constructor(endpoint: Endpoint, timeoutMs: number, clock: Clock) {
    this.#endpoint = endpoint;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#client = new HttpClient(endpoint.client, { clock, userAgent: USER_AGENT });
  }

  /**
   * @param accept undefined: no such header
   * @throws {EndpointFailure}
   */
  async ask(accept: string | undefined, signal?: AbortSignal): Promise<Answer> {
    const clock = this.#clock;
    const startMs = clock.monotonicMs();
    const abort = new AbortController();
    const cancel = clock.after(this.#timeoutMs, () => abort.abort(this.#timeout()));
    const stop = () => abort.abort(new EndpointFailure('stopped', 'stopped', ''));
    signal?.addEventListener('abort', stop, { once: true });
    try {
      return await this.#exchange(accept, abort.signal, startMs);
    } catch (error) {
      throw failureOf(abort.signal.aborted ? abort.signal.reason : error, this.#endpoint);
    } finally {
      cancel();
      signal?.removeEventListener('abort', stop);
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #exchange(accept: string | undefined, signal: AbortSignal, startMs: number): Promise<Answer> {
    const response = await request(this.#endpoint.url, {
      dispatcher: this.#client.dispatcher,
      signal,
      headers: {
        'user-agent': USER_AGENT,
        'accept-encoding': 'gzip',
        ...(accept === undefined ? {} : { accept }),
        'x-prometheus-scrape-timeout-seconds': String(this.#timeoutMs / 1000),
      },
    });
    const sent = await gather(response.body);
    const isGzip = single(response.headers['content-encoding']) === 'gzip';
    const failure = statusFailure(response.statusCode, single(response.headers.location));
    if (failure !== undefined) throw failure;
    const body = isGzip ? await this.#inflated(sent) : sent;
    return {
      status: response.statusCode,
      contentType: single(response.headers['content-type']),
      isGzip,
      wireBytes: sent.length,
      body,
      tookMs: this.#clock.monotonicMs() - startMs,
    };
  }

  async #inflated(sent: Buffer): Promise<Buffer> {
    try {
      return await inflate(sent, { maxOutputLength: MAX_BODY_BYTES });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
      throw new EndpointFailure('bad_encoding', `The answer says gzip, but is none: ${(error as Error).message}.`, 'Look at what stands between here and the service.'); // biome-ignore format: one call
    }
  }

  #timeout(): EndpointFailure {
    const timeout = formatDurationMs(this.#timeoutMs);
    return new EndpointFailure('timeout', `No complete answer within ${timeout}.`, 'Try a longer --timeout, and find out what makes the endpoint slow: scrapes have a timeout, too.'); // biome-ignore format: one call
  }
}

async function gather(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks, length);
}

function tooLarge(): EndpointFailure {
  return new EndpointFailure('body_too_large', `The answer has more than ${formatBytes(MAX_BODY_BYTES)}.`, 'Ask for fewer metrics: no scrape would take in so many.'); // biome-ignore format: one call
}

function single(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}

function statusFailure(status: number, location: string | undefined): EndpointFailure | undefined {
  if (status === 200) return undefined;
  const fail = (code: string, next: string, isFinal = true) =>
    new EndpointFailure(code, `HTTP status ${status} instead of metrics.`, next, isFinal);
  if (status === 401)
    return fail(
      'unauthorized',
      'Give credentials: http://USER:PASSWORD@… or --header "Authorization: Bearer …".',
    );
  if (status === 403)
    return fail(
      'forbidden',
      'These credentials, or this machine, may not read the metrics: ask whoever runs it.',
    );
  if (status === 404)
    return fail('not_found', 'Check the path: /metrics is usual, Spring has /actuator/prometheus.');
  if (status >= 300 && status < 400)
    return fail('redirect', `Ask for the place that it leads to${location === undefined ? '' : `, ${redactUrl(location).slice(0, 200)}`}: it goes round in circles.`); // biome-ignore format: one call
  if (status === 406 || status === 415) return fail('not_acceptable', 'Let the endpoint ignore what it cannot write, and answer in the format that it has.', false); // biome-ignore format: one call
  return fail('http_status', 'Look at the log of the service, or of the proxy before it.', false);
}

/** By the code of the error that Node.js gives. */
const CAUSES: Readonly<Record<string, readonly [code: string, message: string, next: string]>> = {
  ECONNREFUSED: ['connection_refused', 'The connection is refused: nothing listens there.', 'Check host and port, and that the service runs and listens on an address that can be reached from here.'],
  ENOTFOUND: ['host_unknown', 'There is no host of that name.', 'Check the name, and the DNS of this machine.'],
  EAI_AGAIN: ['host_unknown', 'The name of the host cannot be looked up now.', 'Check the DNS of this machine.'],
  ECONNRESET: ['connection_lost', 'The connection was closed before the answer was complete.', 'Check that the port speaks HTTP, and whether it wants https://.'],
  UND_ERR_SOCKET: ['connection_lost', 'The connection was closed before the answer was complete.', 'Check that the port speaks HTTP, and whether it wants https://.'],
  EHOSTUNREACH: ['host_unreachable', 'There is no way to the host.', 'Check the network between here and there.'],
  ENETUNREACH: ['host_unreachable', 'There is no way to the host.', 'Check the network between here and there.'],
  ETIMEDOUT: ['timeout', 'The host does not answer.', 'Check the address, and firewalls on the way.'],
  UND_ERR_CONNECT_TIMEOUT: ['timeout', 'The host does not answer.', 'Check the address, and firewalls on the way.'],
}; // biome-ignore format: a table

function failureOf(error: unknown, { url }: Endpoint): EndpointFailure {
  if (error instanceof EndpointFailure) return error;
  const { code = '', message, name } = rootOf(error as Error);
  const known = CAUSES[code];
  if (known !== undefined) return new EndpointFailure(...known);
  const isTls = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO)/.test(code) || /certificate|ssl/i.test(message); // biome-ignore format: one condition
  if (isTls && url.protocol === 'https:')
    return new EndpointFailure('tls', `TLS fails: ${reasonOf(message)}.`, 'Check that the port speaks TLS and for whom its certificate is; --insecure takes any certificate.'); // biome-ignore format: one call
  if (name === 'HTTPParserError')
    return new EndpointFailure('not_http', `The answer is no HTTP: ${message}.`, 'Check the port, and whether it wants https://.'); // biome-ignore format: one call
  return new EndpointFailure('connection_failed', `The request fails: ${message}.`, 'Check the address.');
}

/** OpenSSL's words without its places in the source. */
function reasonOf(message: string): string {
  return /SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ?? message;
}

/** An AggregateError (one attempt for every address of a host) has no message of its own. */
function rootOf(error: Error): NodeJS.ErrnoException {
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  const cause = first.cause instanceof Error && first.message === '' ? first.cause : first;
  return cause.message === '' ? Object.assign(cause, { message: cause.name }) : cause;
}
