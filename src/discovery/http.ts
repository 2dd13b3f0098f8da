import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { type Dispatcher, request } from 'undici';
import { HttpClient } from '../http-client/client.js';
import { TimeSlices } from '../util/time-slices.js';
import { MAX_LIST_BYTES, parseGroupList } from './group-list.js';
import type { Discovery, DiscoveryParts, OnGroups } from './mechanism.js';
import type { DiscoveryMeter } from './metrics.js';
import type { HttpDiscoveryOptions } from './options.js';
import { RefreshLoop } from './refresh-loop.js';
import { messageOf, TroubleLog } from './trouble-log.js';

/** Prometheus waits for as long as the refresh interval, which may be a day. */
const MAX_TIMEOUT_MS = 60_000;

const JSON_TYPE = /^application\/json(?:;\s*charset=(?:"utf-8"|utf-8))?$/i;

const inflate = promisify(gunzip);

/** A URL that is asked at an interval. Whatever goes wrong, the list that was right last stays. */
export class HttpDiscovery implements Discovery {
  readonly #options: HttpDiscoveryOptions;
  readonly #parts: DiscoveryParts;
  readonly #meter: DiscoveryMeter;
  readonly #client: HttpClient;
  readonly #trouble: TroubleLog;
  readonly #loop: RefreshLoop;
  #onGroups: OnGroups = () => {};
  /** Of the body that the groups are from. */
  #digest = '';

  constructor(options: HttpDiscoveryOptions, parts: DiscoveryParts) {
    const { jobName: job, clock, userAgent, metrics, log } = parts;
    this.#options = options;
    this.#parts = parts;
    this.#meter = metrics.meter(job, 'http');
    this.#client = new HttpClient(options.httpClient, { clock, userAgent });
    this.#trouble = new TroubleLog(log, { job, mechanism: 'http', url: options.shownUrl });
    this.#loop = new RefreshLoop(clock, options.refreshIntervalMs, (signal) => this.#refresh(signal));
  }

  start(onGroups: OnGroups): void {
    this.#onGroups = onGroups;
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#client.close();
    this.#meter.close();
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const startMs = clock.monotonicMs();
    try {
      await this.#take(await this.#fetch(signal), signal);
      this.#trouble.succeeded();
    } catch (error) {
      if (signal.aborted) return;
      this.#meter.failed();
      this.#trouble.failed(messageOf(error));
    }
    this.#meter.refreshed((clock.monotonicMs() - startMs) / 1000);
  }

  async #take(body: Buffer, signal: AbortSignal): Promise<void> {
    const digest = createHash('sha1').update(body).digest('base64');
    if (digest === this.#digest) return;
    const { shownUrl } = this.#options;
    const origin = { source: shownUrl, labels: { __meta_url: shownUrl } };
    const groups = await parseGroupList(body, 'json', origin, new TimeSlices(this.#parts.clock));
    if (signal.aborted) return;
    this.#digest = digest;
    this.#meter.found(groups);
    this.#onGroups(groups);
  }

  async #fetch(signal: AbortSignal): Promise<Buffer> {
    const { url, refreshIntervalMs } = this.#options;
    const timeoutMs = Math.min(refreshIntervalMs, MAX_TIMEOUT_MS);
    const timeout = new AbortController();
    const cancelTimeout = this.#parts.clock.after(timeoutMs, () => {
      timeout.abort(new Error(`no complete answer within ${timeoutMs} ms`));
    });
    try {
      const response = await request(url, {
        dispatcher: this.#client.dispatcher,
        headers: {
          'user-agent': this.#parts.userAgent,
          accept: 'application/json',
          'accept-encoding': 'gzip',
          'x-prometheus-refresh-interval-seconds': String(refreshIntervalMs / 1000),
        },
        signal: AbortSignal.any([timeout.signal, signal]),
      });
      return await readAnswer(response);
    } finally {
      cancelTimeout();
    }
  }
}

async function readAnswer({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<Buffer> {
  const type = String(headers['content-type'] ?? '').trim();
  const isWanted = statusCode === 200 && JSON_TYPE.test(type);
  if (!isWanted) {
    body.on('error', () => {}).destroy();
    if (statusCode !== 200) throw new Error(`the server answered ${statusCode}`);
    throw new Error(`the answer must be application/json, got ${JSON.stringify(type.slice(0, 80))}`);
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if ((length += chunk.length) > MAX_LIST_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks, length);
  return headers['content-encoding'] === 'gzip' ? inflateBounded(bytes) : bytes;
}

async function inflateBounded(bytes: Buffer): Promise<Buffer> {
  try {
    return await inflate(bytes, { maxOutputLength: MAX_LIST_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new Error(`gzip: ${messageOf(error)}`);
  }
}

function tooLarge(): Error {
  return new Error(`the answer is larger than ${MAX_LIST_BYTES} bytes`);
}
