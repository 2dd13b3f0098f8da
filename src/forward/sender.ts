/** Sends one request until its fate is known: what each answer means, and how long to wait before the next try. */
import { type Clock, sleep } from '../util/clock.js';
import { exemplarTimeMs } from './delivery.js';
import type { Encoder } from './encode.js';
import type { Endpoint } from './endpoint.js';
import type { FailureLog } from './failure-log.js';
import type { DropReason, RemoteWriteMeter } from './metrics.js';
import type { QueueOptions } from './options.js';
import type { TrafficMeter } from './resharding.js';
import { countExemplars, countSamples, dropAged, type TimeSeries } from './time-series.js';

/** Everything the shards of one remote write share. */
export interface SenderParts {
  readonly queue: QueueOptions;
  readonly clock: Clock;
  readonly encoder: Encoder;
  readonly endpoint: Pick<Endpoint, 'post'>;
  readonly meter: RemoteWriteMeter;
  readonly traffic: TrafficMeter;
  readonly failures: FailureLog;
}

/**
 * - `delivered`: the receiver has it
 * - `dropped`: given up and counted
 * - `aborted`: stopped before an answer; not counted
 * - an error text: refused for what is in it (400; 409 from Thanos), not counted, because a part of it may pass
 */
export type Fate =
  | 'delivered'
  | 'dropped'
  | 'aborted'
  | { readonly refused: string; readonly status: number };

type Judgement =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'retry'; readonly error: string; readonly status?: number; readonly waitMs?: number }
  | { readonly kind: 'refused'; readonly error: string; readonly status: number }
  | { readonly kind: 'final'; readonly error: string; readonly status: number };

export class Sender {
  readonly #parts: SenderParts;
  #calmFromMs = Number.NEGATIVE_INFINITY;
  #lastDeliveredMs = Number.NEGATIVE_INFINITY;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** Monotonic time of the last success. */
  get lastDeliveredMs(): number {
    return this.#lastDeliveredMs;
  }

  /** Monotonic time until which a receiver's Retry-After makes the traffic a poor guide for resharding. */
  get calmFromMs(): number {
    return this.#calmFromMs;
  }

  /** Never rejects. */
  async send(all: readonly TimeSeries[], stop: AbortSignal): Promise<Fate> {
    const { queue, clock, encoder, meter, failures } = this.#parts;
    let fresh = this.#withoutAged(all);
    let body = encoder.encode(fresh);
    let backoffMs = queue.minBackoffMs;
    for (let attempt = 0; fresh.length > 0; attempt++) {
      const judgement = await this.#attempt(fresh, body, attempt, stop);
      if (judgement.kind === 'delivered') return 'delivered';
      if (stop.aborted) return 'aborted';
      if (judgement.kind === 'refused') return { refused: judgement.error, status: judgement.status };
      if (judgement.kind === 'final') return this.#giveUp(fresh, judgement.error, judgement.status);

      failures.failed(judgement.error, judgement.status);
      const waitMs = judgement.waitMs ?? backoffMs;
      if (judgement.waitMs !== undefined) this.#calmFromMs = clock.monotonicMs() + 2 * waitMs;
      await sleep(clock, waitMs, stop);
      if (stop.aborted) return 'aborted';
      backoffMs = Math.min(2 * waitMs, queue.maxBackoffMs);
      const stillFresh = this.#withoutAged(fresh);
      if (stillFresh !== fresh) body = encoder.encode((fresh = stillFresh));
      meter.retried(countExemplars(fresh));
    }
    return 'dropped';
  }

  async #attempt(
    all: readonly TimeSeries[],
    body: Buffer,
    attempt: number,
    stop: AbortSignal,
  ): Promise<Judgement> {
    const { clock, encoder, endpoint, queue } = this.#parts;
    const startMs = clock.monotonicMs();
    try {
      const answer = await endpoint.post({ protocol: encoder.protocol, body, attempt }, stop);
      const judgement = judge(answer, queue.retryOnHttp429, clock.nowMs());
      if (judgement.kind === 'delivered') this.#delivered(all, body.length, clock.monotonicMs() - startMs);
      return judgement;
    } catch (error) {
      return { kind: 'retry', error: describe(error) };
    }
  }

  #delivered(all: readonly TimeSeries[], bytes: number, durationMs: number): void {
    const { clock, meter, traffic, failures } = this.#parts;
    const exemplars = countExemplars(all);
    const newestMs = all.reduce((newest, { rows }) => Math.max(newest, exemplarTimeMs(rows.at(-1)!)), 0);
    meter.sent({ exemplars, samples: countSamples(all), bytes, durationMs, newestMs });
    traffic.sent(exemplars, durationMs);
    failures.succeeded();
    this.#lastDeliveredMs = clock.monotonicMs();
  }

  #giveUp(all: readonly TimeSeries[], error: string, status: number): 'dropped' {
    const exemplars = countExemplars(all);
    this.#drop(`status_${status}`, exemplars);
    this.#parts.failures.gaveUp(exemplars, error, status);
    return 'dropped';
  }

  #withoutAged(all: readonly TimeSeries[]): readonly TimeSeries[] {
    const { queue, clock } = this.#parts;
    if (queue.sampleAgeLimitMs === 0) return all;
    return dropAged(all, clock.nowMs() - queue.sampleAgeLimitMs, () => this.#drop('too_old', 1));
  }

  #drop(reason: DropReason, exemplars: number): void {
    this.#parts.meter.dropped(reason, exemplars);
    this.#parts.traffic.dropped(exemplars);
  }
}

/** Rules of Prometheus' sender, and the wait a Retry-After asks for. */
function judge(
  { status, retryAfter, body }: { status: number; retryAfter: string | undefined; body: string },
  retryOnHttp429: boolean,
  nowMs: number,
): Judgement {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const error = `HTTP ${status}${body === '' ? '' : `: ${body}`}`;
  if (status >= 500 || (status === 429 && retryOnHttp429)) {
    const waitMs = parseRetryAfter(retryAfter, nowMs);
    return { kind: 'retry', error, status, ...(waitMs === undefined ? {} : { waitMs }) };
  }
  return { kind: status === 400 || status === 409 ? 'refused' : 'final', error, status };
}

/** Seconds or an HTTP date → wait in milliseconds; undefined when absent, past or unreadable. */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return waitMs > 0 ? waitMs : undefined;
}

/** The innermost reason: what Node says of a socket is worth more than what is said about that. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  return error.cause instanceof Error ? describe(error.cause) : error.message;
}
