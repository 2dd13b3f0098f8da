/** One endpoint, asked by hand: what it answers, and what went wrong in words of a user. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { request } from 'undici';
import { redactUrl } from '../config/value-type.js';
import type { FailureCause } from '../doctor/failure-cause.js';
import { failureOf, UNASKED_ENCODINGS } from '../doctor/failures.js';
import { HttpClient } from '../http-client/client.js';
import {
  type AuthOptions,
  DEFAULT_HTTP_CLIENT,
  DEFAULT_TLS,
  type HeaderSecrets,
  type HttpClientOptions,
  type TlsOptions,
} from '../http-client/options.js';
import type { Clock } from '../util/clock.js';
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
  /** Files in PEM. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
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
  const tls = tlsOf(flags);
  if (typeof tls === 'string') return tls;
  const proxy = { ...DEFAULT_HTTP_CLIENT.proxy, fromEnvironment: true };
  return { url, shown: redactUrl(url.href), client: { ...DEFAULT_HTTP_CLIENT, auth, headers, tls, proxy } };
}

function tlsOf({ insecure, ca, cert, key }: EndpointFlags): TlsOptions | string {
  if ((cert === undefined) !== (key === undefined)) return '--cert and --key go together';
  const fileOf = (file: string | undefined) => (file === undefined ? undefined : { file });
  return {
    ...DEFAULT_TLS,
    insecureSkipVerify: insecure,
    ca: fileOf(ca),
    cert: fileOf(cert),
    key: fileOf(key),
  };
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
      throw failureBy(abort.signal.aborted ? abort.signal.reason : error, this.#endpoint);
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
    const { statusCode: status, headers } = response;
    const sent = await gather(response.body, Number(single(headers['content-length'])));
    if (status !== 200)
      throw refusal({ kind: 'status', status, location: single(headers.location), followsRedirects: true });
    const encoding = single(headers['content-encoding']) ?? '';
    if (UNASKED_ENCODINGS.includes(encoding)) throw refusal({ kind: 'encoding', encoding });
    const isGzip = encoding === 'gzip';
    const body = isGzip ? await inflated(sent) : sent;
    return {
      status,
      contentType: single(headers['content-type']),
      isGzip,
      wireBytes: sent.length,
      body,
      tookMs: this.#clock.monotonicMs() - startMs,
    };
  }

  #timeout(): EndpointFailure {
    return refusal({ kind: 'timeout', timeoutMs: this.#timeoutMs });
  }
}

const inflate = promisify(gunzip);

async function inflated(sent: Buffer): Promise<Buffer> {
  try {
    return await inflate(sent, { maxOutputLength: MAX_BODY_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw refusal({ kind: 'gzip', error: error as Error });
  }
}

/** @param announcedBytes what Content-Length says; NaN without one */
async function gather(body: AsyncIterable<Buffer>, announcedBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) throw tooLarge();
      chunks.push(Buffer.from(chunk));
    }
  } catch (error) {
    const isCut = !(error instanceof EndpointFailure) && length < announcedBytes;
    throw isCut ? refusal({ kind: 'cut', receivedBytes: length, announcedBytes }) : error;
  }
  return Buffer.concat(chunks, length);
}

function tooLarge(): EndpointFailure {
  return refusal({ kind: 'size', maxBytes: MAX_BODY_BYTES });
}

function single(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}

function failureBy(error: unknown, { url }: Endpoint): EndpointFailure {
  if (error instanceof EndpointFailure) return error;
  return refusal({ kind: 'connection', error: error as Error, isTls: url.protocol === 'https:' });
}

function refusal(cause: FailureCause): EndpointFailure {
  const { code, message, next, dependsOnFormat = false } = failureOf(cause, 'command');
  return new EndpointFailure(code, message, next, !dependsOnFormat);
}
