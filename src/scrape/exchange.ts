import type { Dispatcher } from 'undici';
import type { BodyBuffer } from './body-buffer.js';
import { ScrapeFailure } from './failure.js';
import { inflate, tooLarge } from './inflate.js';

const GZIP_OVERHEAD_BYTES = 64 * 1024;

/** Not asked for, and not read. Some targets say `utf-8` here, which harms nobody. */
const COMPRESSIONS = ['br', 'compress', 'deflate', 'x-gzip', 'zstd'];

/** One request and its answer, as undici's dispatcher drives it. */
export class Exchange implements Dispatcher.DispatchHandler {
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
      this.fail(new ScrapeFailure('status', describeStatus(statusCode, statusMessage)));
      return;
    }
    const encoding = single(headers['content-encoding']) ?? '';
    this.#contentType = single(headers['content-type']);
    this.#isGzip = encoding === 'gzip';
    if (COMPRESSIONS.includes(encoding))
      this.fail(new ScrapeFailure('encoding', `Content-Encoding ${encoding} was not asked for`));
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

/** Go's words. A redirect is no longer one when there were too many, or none was to be followed. */
function describeStatus(code: number, message: string | undefined): string {
  const status = `server returned HTTP status ${code} ${message ?? ''}`.trimEnd();
  const isRedirect = code >= 300 && code < 400;
  return isRedirect ? `${status}, a redirect that is not followed: too many, or not allowed` : status;
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** An AggregateError (one attempt for every address of a host) has no message of its own. */
function describe(error: Error): string {
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  return first.message || first.name;
}
