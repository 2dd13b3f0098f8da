/** One HTTP exchange with a receiver: headers, credentials, redirects, and a timeout over all of it. */
import { Agent, type Dispatcher, request } from 'undici';
import type { Clock } from '../util/clock.js';
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
const MAX_REDIRECTS = 10;

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
  readonly #ownHeaders: Readonly<Record<string, string>>;
  // The exchange has its own timeout, on our clock.
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connectTimeout: 0 });

  constructor({ options, clock, userAgent }: EndpointOptions) {
    this.#url = urlWithoutCredentials(options.url);
    this.#clock = clock;
    this.#timeoutMs = options.remoteTimeoutMs;
    this.#userAgent = userAgent;
    this.#ownHeaders = { ...options.headers, ...authorization(options) };
  }

  /** @throws Error on what came before an answer: network, timeout, bad redirect, or `stop` aborted */
  async post(post: Post, stop: AbortSignal): Promise<Answer> {
    const abort = new AbortController();
    const onStop = () => abort.abort(stop.reason);
    stop.addEventListener('abort', onStop, { once: true });
    if (stop.aborted) onStop();
    const cancelTimeout = this.#clock.after(this.#timeoutMs, () => {
      abort.abort(new Error(`no complete answer within ${this.#timeoutMs} ms`));
    });
    try {
      return await this.#follow(post, abort.signal);
    } finally {
      cancelTimeout();
      stop.removeEventListener('abort', onStop);
    }
  }

  /** Ends idle connections and aborts exchanges. */
  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #follow(post: Post, signal: AbortSignal): Promise<Answer> {
    let url = this.#url;
    for (let redirects = 0; ; redirects++) {
      const response = await this.#send(url, post, signal);
      const location = headerText(response, 'location');
      if (!isRedirect(response.statusCode) || location === undefined || redirects === MAX_REDIRECTS) {
        return readAnswer(response, signal);
      }
      await discard(response, signal);
      url = new URL(location, url);
    }
  }

  #send(url: URL, { protocol, body, attempt }: Post, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const headers = {
      ...(mayHaveCredentials(this.#url, url) ? this.#ownHeaders : {}),
      'content-type': protocol.contentType,
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': protocol.version,
      'user-agent': this.#userAgent,
      ...(attempt > 0 ? { 'retry-attempt': String(attempt) } : {}),
    };
    return request(url, { dispatcher: this.#agent, method: 'POST', headers, body, signal });
  }
}

/**
 * 301 and 302 keep the method here: turning them into a GET, as browsers do, would lose the body without an error.
 * 303 asks for exactly that GET and so is no way to deliver anything.
 */
function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 307 || status === 308;
}

/** The configured host only, and never in the clear what was meant for TLS. User headers often are secrets too. */
function mayHaveCredentials(configured: URL, target: URL): boolean {
  const downgraded = configured.protocol === 'https:' && target.protocol !== 'https:';
  return target.hostname === configured.hostname && !downgraded;
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

/** For requests, logs and metrics. */
export function urlWithoutCredentials(text: string): URL {
  const url = new URL(text);
  url.username = '';
  url.password = '';
  return url;
}

function authorization({ auth, url }: RemoteWriteOptions): Record<string, string> {
  if (auth.type === 'bearer') return { authorization: `Bearer ${auth.credentials}` };
  if (auth.type === 'basic') return { authorization: basic(auth.username, auth.password) };
  const { username, password } = new URL(url);
  if (username === '' && password === '') return {};
  return { authorization: basic(decodeURIComponent(username), decodeURIComponent(password)) };
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}
