import { type Dispatcher, request } from 'undici';
import { HttpClient } from '../../http-client/client.js';
import type { HttpClientOptions } from '../../http-client/options.js';
import type { Clock } from '../../util/clock.js';
import { messageOf } from '../trouble-log.js';
import { type Fields, fields, list, text } from './fields.js';
import { LineSplitter } from './line-splitter.js';

const LIST_TIMEOUT_MS = 60_000;

/**
 * A server that has nothing to say sends a bookmark about once a minute; a connection that has died says nothing
 * at all. Going on from the last version on a new one costs little.
 */
const SILENCE_MS = 180_000;

/** Pods are large, and JSON is read in one go. */
const MAX_PAGE_BYTES = 128 * 1024 * 1024;
/** A server keeps no object larger than some megabytes. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;
const MAX_SHOWN_CHARACTERS = 300;

export interface Page {
  readonly items: readonly Fields[];
  /** For the next page; empty: this is the last. */
  readonly continue: string;
  readonly version: string;
}

export interface WatchEvent {
  readonly type: string;
  readonly object: Fields;
}

/** How a watch that was under way ended. */
export type WatchOutcome = 'ended' | 'disconnected' | 'silent';

export class ApiError extends Error {
  readonly status: number;
  readonly retryAfterMs: number;

  constructor(status: number, message: string, retryAfterMs = 0) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What comes cannot be read: going on from where it stands would meet it again. */
export class UnreadableEvent extends Error {}

/** Where an API server is, and how it is asked. */
export interface ApiAccess {
  /** URL, with a path or without. */
  readonly server: string;
  readonly httpClient: HttpClientOptions;
}

/** Requests to the API server of a cluster. Credentials that are files are read again when they change. */
export class ApiClient {
  readonly #base: string;
  readonly #userAgent: string;
  readonly #clock: Clock;
  readonly #client: HttpClient;

  constructor({ server, httpClient }: ApiAccess, userAgent: string, clock: Clock) {
    this.#base = server.replace(/\/+$/, '');
    this.#userAgent = userAgent;
    this.#clock = clock;
    this.#client = new HttpClient(httpClient, { clock, userAgent });
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** @throws {ApiError} or the error of the connection */
  async list(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Page> {
    const timeout = new AbortController();
    const cancelTimeout = this.#clock.after(LIST_TIMEOUT_MS, () => {
      timeout.abort(new Error(`no complete answer within ${LIST_TIMEOUT_MS} ms`));
    });
    try {
      const { body } = await this.#get(path, query, AbortSignal.any([timeout.signal, signal]));
      const answer = fields(JSON.parse(await readBounded(body, MAX_PAGE_BYTES)));
      const meta = fields(answer.metadata);
      const version = text(meta.resourceVersion);
      if (version === '') throw new Error('the API server answered with something that is no list');
      return { items: list(answer.items).map(fields), continue: text(meta.continue), version };
    } finally {
      cancelTimeout();
    }
  }

  /**
   * @param onEvent is called for each event; what it throws ends the watch, and is thrown
   * @throws {ApiError} {UnreadableEvent} or why the watch never began
   */
  async watch(
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
    onBegin: () => void,
    onEvent: (event: WatchEvent) => void,
  ): Promise<WatchOutcome> {
    const clock = this.#clock;
    const silence = new AbortController();
    const listen = () =>
      clock.after(SILENCE_MS, () => silence.abort(new Error('nothing was said for too long')));
    let cancelSilence = listen();
    try {
      const { body } = await this.#get(path, query, AbortSignal.any([silence.signal, signal]));
      onBegin();
      const chunks = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
      const splitter = new LineSplitter(MAX_EVENT_BYTES);
      for (;;) {
        const next = await chunks.next().catch((): 'disconnected' => 'disconnected');
        if (next === 'disconnected') return silence.signal.aborted ? 'silent' : 'disconnected';
        if (next.done === true) return 'ended';
        cancelSilence();
        cancelSilence = listen();
        try {
          for (const event of readEvents(splitter, next.value)) onEvent(event);
        } catch (error) {
          await chunks.return?.();
          throw error;
        }
      }
    } catch (error) {
      if (silence.signal.aborted && !signal.aborted) return 'silent';
      throw error;
    } finally {
      cancelSilence();
    }
  }

  async #get(
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const response = await request(`${this.#base}${path}?${new URLSearchParams(query)}`, {
      dispatcher: this.#client.dispatcher,
      headers: { 'user-agent': this.#userAgent, accept: 'application/json' },
      signal,
    });
    if (response.statusCode !== 200) throw await errorOf(response);
    return response;
  }
}

function* readEvents(splitter: LineSplitter, chunk: Buffer): Generator<WatchEvent> {
  try {
    for (const line of splitter.push(chunk)) {
      const event = fields(JSON.parse(line));
      yield { type: text(event.type), object: fields(event.object) };
    }
  } catch (error) {
    throw new UnreadableEvent(`an event cannot be read: ${messageOf(error)}`);
  }
}

/** What the server says is wrong, from the `Status` that it sends. */
async function errorOf({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<ApiError> {
  const said = await readBounded(body, MAX_ERROR_BYTES).catch(() => '');
  const seconds = Number(headers['retry-after'] ?? 0);
  const retryAfterMs = Number.isFinite(seconds) ? 1000 * seconds : 0;
  return new ApiError(statusCode, `the API server answered ${statusCode}${reasonOf(said)}`, retryAfterMs);
}

function reasonOf(body: string): string {
  try {
    const message = text(fields(JSON.parse(body)).message);
    return message === '' ? '' : `: ${message.slice(0, MAX_SHOWN_CHARACTERS)}`;
  } catch {
    return '';
  }
}

async function readBounded(body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if ((length += chunk.length) > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length).toString('utf8');
}
