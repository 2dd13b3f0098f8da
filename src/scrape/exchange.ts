import type { Dispatcher } from 'undici';
import { UNASKED_ENCODINGS } from '../doctor/failures.js';
import { type Redirect, redirectProblem } from '../doctor/redirects.js';
import type { BodyBuffer } from './body-buffer.js';
import { ScrapeFailure } from './failure.js';
import { inflate, tooLarge } from './inflate.js';

const GZIP_OVERHEAD_BYTES = 64 * 1024;

/** One request and its answer, as undici's dispatcher drives it. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly done: Promise<string | undefined>;
  readonly #body: BodyBuffer;
  readonly #maxBytes: number;
  readonly #followsRedirects: boolean;
  #resolve!: (contentType: string | undefined) => void;
  #reject!: (failure: ScrapeFailure) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #failure: ScrapeFailure | undefined;
  #contentType: string | undefined;
  #isGzip = false;
  #isTls = false;
  /** By Content-Length; NaN without one. */
  #announcedBytes = Number.NaN;

  constructor(body: BodyBuffer, maxBytes: number, followsRedirects: boolean) {
    this.#body = body;
    this.#maxBytes = maxBytes;
    this.#followsRedirects = followsRedirects;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  begin(dispatcher: Dispatcher, request: Dispatcher.DispatchOptions): void {
    this.#isTls = String(request.origin).startsWith('https:');
    try {
      dispatcher.dispatch(request, this);
    } catch (error) {
      // undici throws what it finds wrong with the request itself.
      this.fail(this.#broken(error as Error));
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
      const location = single(headers.location);
      const redirect = { status: statusCode, location, followsRedirects: this.#followsRedirects };
      const message = describeStatus(redirect, statusMessage);
      this.fail(new ScrapeFailure('status', message, { kind: 'status', ...redirect }));
      return;
    }
    const encoding = single(headers['content-encoding']) ?? '';
    this.#contentType = single(headers['content-type']);
    this.#announcedBytes = Number(single(headers['content-length']));
    this.#isGzip = encoding === 'gzip';
    if (UNASKED_ENCODINGS.includes(encoding)) {
      const message = `Content-Encoding ${encoding} was not asked for`;
      this.fail(new ScrapeFailure('encoding', message, { kind: 'encoding', encoding }));
    }
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
    this.fail(error instanceof ScrapeFailure ? error : this.#broken(error));
  }

  #broken(error: Error): ScrapeFailure {
    const receivedBytes = this.#body.length;
    const announcedBytes = this.#announcedBytes;
    if (!(receivedBytes < announcedBytes))
      return new ScrapeFailure('connect', describe(error), { kind: 'connection', error, isTls: this.#isTls });
    const message = `${describe(error)}, after ${receivedBytes} of the ${announcedBytes} bytes of the Content-Length`;
    return new ScrapeFailure('connect', message, { kind: 'cut', receivedBytes, announcedBytes });
  }
}

/** Go's words, and why a redirect was not followed. */
function describeStatus(redirect: Redirect, message: string | undefined): string {
  const { status } = redirect;
  const shown = `server returned HTTP status ${status} ${message ?? ''}`.trimEnd();
  return status >= 300 && status < 400 ? `${shown}, ${redirectProblem(redirect)}` : shown;
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** An AggregateError (one attempt for every address of a host) has no message of its own. */
function describe(error: Error): string {
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  return first.message || first.name;
}
