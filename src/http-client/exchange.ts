import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Credentials } from './credentials.js';

const MAX_REDIRECTS = 10;
/** The body of a redirect is of no use; a longer one costs its connection. */
const MAX_REDIRECT_BODY_BYTES = 64 * 1024;

export interface ExchangeParts {
  readonly dispatch: (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => boolean;
  readonly credentials: Credentials;
  readonly followRedirects: boolean;
}

/**
 * One request of a caller and its answer, which may take several hops: each gets the credentials it may have.
 * Towards undici it is the handler of every hop, towards the caller's handler the controller of all of them.
 *
 * Credentials, and with them the headers of the user, go to the host that the caller named, and never in the
 * clear where the caller asked for TLS. After a hop elsewhere they are not sent again, wherever that one leads.
 */
export class Exchange implements Dispatcher.DispatchHandler, Dispatcher.DispatchController {
  readonly #parts: ExchangeParts;
  readonly #options: Dispatcher.DispatchOptions;
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #first: URL;
  #url: URL;
  #trusted = true;
  #redirects = 0;
  /** What the hop under way was given to say who asks. */
  #sent: Record<string, string | string[]> = {};
  #hop: Dispatcher.DispatchController | undefined;
  #next: URL | undefined;
  #redirectBodyBytes = 0;
  #isDone = false;
  #isPaused = false;
  #reason: Error | null = null;

  constructor(
    parts: ExchangeParts,
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ) {
    this.#parts = parts;
    this.#options = options;
    this.#handler = handler;
    this.#first = this.#url = new URL(options.path, options.origin);
  }

  begin(): void {
    // Before anything is waited for, so that the caller can always abort.
    this.#handler.onRequestStart?.(this, {});
    if (!this.aborted) this.#send();
  }

  get aborted(): boolean {
    return this.#reason !== null;
  }

  get paused(): boolean {
    return this.#isPaused;
  }

  get reason(): Error | null {
    return this.#reason;
  }

  abort(reason: Error): void {
    if (this.aborted) return;
    this.#reason = reason;
    if (this.#hop === undefined) this.#fail(reason);
    else this.#hop.abort(reason);
  }

  pause(): void {
    this.#isPaused = true;
    this.#hop?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#hop?.resume();
  }

  onRequestStart(hop: Dispatcher.DispatchController): void {
    this.#hop = hop;
    if (this.#reason !== null) hop.abort(this.#reason);
  }

  onResponseStart(
    _hop: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
    statusMessage?: string,
  ): void {
    if (statusCode === 401) this.#parts.credentials.refused(this.#sent);
    this.#next = this.#redirectOf(statusCode, headers);
    if (this.#next === undefined) this.#handler.onResponseStart?.(this, statusCode, headers, statusMessage);
  }

  onResponseData(hop: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#next === undefined) this.#handler.onResponseData?.(this, chunk);
    else if ((this.#redirectBodyBytes += chunk.length) > MAX_REDIRECT_BODY_BYTES)
      hop.abort(new Error('the body of a redirect is too long'));
  }

  onResponseEnd(_hop: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    if (this.#next !== undefined) this.#follow(this.#next);
    else {
      this.#isDone = true;
      this.#handler.onResponseEnd?.(this, trailers);
    }
  }

  onResponseError(_hop: Dispatcher.DispatchController, error: Error): void {
    // What became of a redirect's body does not matter: its head has said where to go.
    if (this.#next !== undefined && !this.aborted) this.#follow(this.#next);
    else this.#fail(error);
  }

  #fail(error: Error): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#handler.onResponseError?.(this, error);
  }

  #follow(url: URL): void {
    this.#trusted &&= mayHaveCredentials(this.#first, url);
    this.#url = url;
    this.#redirects++;
    this.#next = undefined;
    this.#redirectBodyBytes = 0;
    this.#hop = undefined;
    this.#send();
  }

  #send(): void {
    const { credentials } = this.#parts;
    if (!this.#trusted || credentials.areNone) this.#dispatch({});
    else {
      credentials.headers().then(
        (headers) => this.#dispatch(headers),
        (error: Error) => this.#fail(error),
      );
    }
  }

  #dispatch(sent: Record<string, string | string[]>): void {
    if (this.aborted) return;
    this.#sent = sent;
    const { origin, pathname, search } = this.#url;
    const headers = { ...sent, ...(this.#options.headers as Record<string, string>) };
    try {
      this.#parts.dispatch({ ...this.#options, origin, path: `${pathname}${search}`, headers }, this);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /**
   * 301 and 302 keep the method: turning a POST into a GET, as browsers do, would lose the body without an error.
   * 303 asks for exactly that GET, and so is no way to deliver anything.
   */
  #redirectOf(status: number, { location }: IncomingHttpHeaders): URL | undefined {
    const { method, body } = this.#options;
    if (!this.#parts.followRedirects || location === undefined || this.#redirects === MAX_REDIRECTS)
      return undefined;
    const keepsMethod = status === 301 || status === 302 || status === 307 || status === 308;
    if (!keepsMethod && !(status === 303 && (method === 'GET' || method === 'HEAD'))) return undefined;
    const isRepeatable = body == null || typeof body === 'string' || body instanceof Uint8Array;
    if (!isRepeatable || !URL.canParse(location, this.#url.href)) return undefined;
    const url = new URL(location, this.#url);
    return /^https?:$/.test(url.protocol) ? url : undefined;
  }
}

/** As Go: one host is one party, whatever its port. */
function mayHaveCredentials(first: URL, url: URL): boolean {
  const isDowngraded = first.protocol === 'https:' && url.protocol !== 'https:';
  return url.hostname === first.hostname && !isDowngraded;
}
