/** One HTTP exchange with a receiver: its headers, what the answer says, and a timeout over all of it. */
import { type Dispatcher, request } from 'undici';
import { HttpClient } from '../http-client/client.js';
import type { AuthOptions } from '../http-client/options.js';
import type { Clock } from '../util/clock.js';
import { redactUrl } from '../util/secrets.js';
import type { RemoteWriteOptions } from './options.js';

/** What the headers of a request say of its body. */
export interface Protocol {
  readonly contentType: string;
  /** Value of the header X-Prometheus-Remote-Write-Version. */
  readonly version: string;
}

export interface Post {
  readonly protocol: Protocol;
  readonly body: Buffer;
  /** 0 for the first try of this body. */
  readonly attempt: number;
}

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly written: Written;
  /** Start of the body of an error; empty for a success. */
  readonly body: string;
}

/**
 * What the receiver says it wrote (`X-Prometheus-Remote-Write-…-Written`, remote write 2.0); undefined where it says
 * nothing, or no number.
 */
export interface Written {
  readonly samples: number | undefined;
  readonly histograms: number | undefined;
  readonly exemplars: number | undefined;
}

/** As much of an error's body as Prometheus reads for its log. */
const MAX_ERROR_BODY_BYTES = 1024;

export interface EndpointOptions {
  readonly options: RemoteWriteOptions;
  readonly clock: Clock;
  readonly userAgent: string;
}

export class Endpoint {
  readonly #url: URL;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #userAgent: string;
  readonly #client: HttpClient;

  constructor({ options, clock, userAgent }: EndpointOptions) {
    this.#url = urlWithoutCredentials(options.url);
    this.#clock = clock;
    this.#timeoutMs = options.remoteTimeoutMs;
    this.#userAgent = userAgent;
    const auth = credentialsOf(options);
    this.#client = new HttpClient({ ...options.httpClient, auth }, { clock, userAgent });
  }

  /** @throws Error on what came before an answer: credentials, network, timeout, or `stop` aborted */
  async post(post: Post, stop: AbortSignal): Promise<Answer> {
    const abort = new AbortController();
    const onStop = () => abort.abort(stop.reason);
    stop.addEventListener('abort', onStop, { once: true });
    if (stop.aborted) onStop();
    const cancelTimeout = this.#clock.after(this.#timeoutMs, () => {
      abort.abort(new Error(`no complete answer within ${this.#timeoutMs} ms`));
    });
    try {
      return await readAnswer(await this.#send(post, abort.signal), abort.signal);
    } finally {
      cancelTimeout();
      stop.removeEventListener('abort', onStop);
    }
  }

  /** Ends idle connections and aborts exchanges. */
  close(): Promise<void> {
    return this.#client.close();
  }

  #send({ protocol, body, attempt }: Post, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const headers = {
      'content-type': protocol.contentType,
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': protocol.version,
      'user-agent': this.#userAgent,
      ...(attempt > 0 ? { 'retry-attempt': String(attempt) } : {}),
    };
    return request(this.#url, { dispatcher: this.#client.dispatcher, method: 'POST', headers, body, signal });
  }
}

async function readAnswer(response: Dispatcher.ResponseData, signal: AbortSignal): Promise<Answer> {
  const status = response.statusCode;
  const head = { status, retryAfter: headerText(response, 'retry-after'), written: readWritten(response) };
  if (status >= 200 && status < 300) {
    await discard(response, signal);
    return { ...head, body: '' };
  }
  return { ...head, body: await readStart(response) };
}

function readWritten(response: Dispatcher.ResponseData): Written {
  const count = (of: string) => {
    const text = headerText(response, `x-prometheus-remote-write-${of}-written`)?.trim();
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  };
  return { samples: count('samples'), histograms: count('histograms'), exemplars: count('exemplars') };
}

/** Whatever happens to the body, the status line has said what became of the request. */
async function discard(response: Dispatcher.ResponseData, signal: AbortSignal): Promise<void> {
  await response.body.dump({ limit: 64 * 1024, signal }).catch(() => {});
}

async function readStart(response: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      if ((length += chunk.length) >= MAX_ERROR_BODY_BYTES) break;
    }
  } catch {
    // A body cut short still explains something.
  }
  return Buffer.concat(chunks).toString('utf8', 0, Math.min(length, MAX_ERROR_BODY_BYTES)).trim();
}

function headerText(response: Dispatcher.ResponseData, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** For logs and metrics: without credentials, and what may be a secret in the query is masked. */
export function shownUrlOf(text: string): string {
  return redactUrl(urlWithoutCredentials(text).href);
}

function urlWithoutCredentials(text: string): URL {
  const url = new URL(text);
  url.username = '';
  url.password = '';
  return url;
}

/** Those in the URL count where there are no others. */
function credentialsOf({ httpClient: { auth }, url }: RemoteWriteOptions): AuthOptions {
  const { username, password } = new URL(url);
  if (auth.type !== 'none' || (username === '' && password === '')) return auth;
  const [user, secret] = [username, password].map((text) => ({ text: decodeURIComponent(text) }));
  return { type: 'basic', username: user!, password: secret! };
}
