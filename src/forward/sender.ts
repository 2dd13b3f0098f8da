/** Sends one request until its fate is known: what follows from each answer, and how long to wait before the next try. */
import { type Clock, sleep } from '../util/clock.js';
import type { Encoder } from './encode.js';
import type { Endpoint } from './endpoint.js';
import type { FailureLog } from './failure-log.js';
import { type Judgement, judge, type Load } from './judgement.js';
import type { DropReason, RemoteWriteMeter } from './meter.js';
import type { Negotiation } from './negotiation.js';
import type { QueueOptions } from './options.js';
import type { TrafficMeter } from './resharding.js';
import {
  countExemplars,
  countSamples,
  detachAlone,
  dropAged,
  newestExemplarMs,
  type TimeSeries,
} from './time-series.js';

/** Everything the shards of one remote write share. */
export interface SenderParts {
  readonly queue: QueueOptions;
  readonly clock: Clock;
  readonly negotiation: Pick<Negotiation, 'encoder' | 'refused'>;
  readonly endpoint: Pick<Endpoint, 'post'>;
  readonly meter: RemoteWriteMeter;
  readonly traffic: TrafficMeter;
  readonly failures: FailureLog;
}

/** How a stop reaches the requests. */
export interface StopSignals {
  /** No request is tried again. */
  readonly retrying: AbortSignal;
  /** Requests on their way are broken off. */
  readonly sending: AbortSignal;
}

/** Refused for what is in it: not counted, because a part of it may pass. */
export interface Refusal {
  readonly refused: string;
  readonly status: number;
}

/**
 * - `delivered`: the receiver has it; what it says not to have written is counted
 * - `dropped`: given up and counted
 * - `aborted`: stopped before an answer; not counted
 */
export type Fate = 'delivered' | 'dropped' | 'aborted' | Refusal;

interface Request {
  readonly timeSeries: readonly TimeSeries[];
  readonly encoder: Encoder;
  readonly body: Buffer;
}

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
  async send(all: readonly TimeSeries[], stop: StopSignals): Promise<Fate> {
    let request = this.#encode(this.#withoutAged(all));
    let backoffMs = this.#parts.queue.minBackoffMs;
    for (let attempt = 0; request.timeSeries.length > 0; attempt++) {
      const judgement = await this.#attempt(request, attempt, stop.sending);
      if (judgement.kind === 'delivered') return 'delivered';
      if (stop.sending.aborted) return 'aborted';
      switch (judgement.kind) {
        case 'refused':
          return { refused: judgement.error, status: judgement.status };
        case 'final':
          return this.#giveUp(request, judgement);
        case 'unknown message':
          if (!this.#parts.negotiation.refused(request.encoder.message)) {
            return this.#giveUp(request, judgement);
          }
          request = this.#encode(request.timeSeries);
          attempt = -1;
          break;
        case 'retry': {
          const waitMs = await this.#wait(judgement, backoffMs, stop.retrying);
          if (stop.retrying.aborted) return 'aborted';
          backoffMs = Math.min(2 * waitMs, this.#parts.queue.maxBackoffMs);
          request = this.#again(request);
        }
      }
    }
    return 'dropped';
  }

  #encode(timeSeries: readonly TimeSeries[]): Request {
    const { encoder } = this.#parts.negotiation;
    return { timeSeries, encoder, body: encoder.encode(timeSeries) };
  }

  async #attempt(
    { timeSeries, encoder, body }: Request,
    attempt: number,
    stop: AbortSignal,
  ): Promise<Judgement> {
    const { clock, endpoint, queue, meter } = this.#parts;
    const sent = { samples: countSamples(timeSeries), exemplars: countExemplars(timeSeries) };
    const startMs = clock.monotonicMs();
    try {
      const answer = await endpoint.post({ protocol: encoder.protocol, body, attempt }, stop);
      const { retryOnHttp429 } = queue;
      const rules = { message: encoder.message, retryOnHttp429, nowMs: clock.nowMs() };
      const judgement = judge(answer, sent, rules);
      if (judgement.kind === 'delivered') {
        const durationMs = clock.monotonicMs() - startMs;
        meter.requestSucceeded(body.length, durationMs);
        this.#parts.traffic.sent(judgement.written.exemplars, durationMs);
        this.#delivered(timeSeries, sent, judgement);
      }
      return judgement;
    } catch (error) {
      return { kind: 'retry', error: describe(error) };
    }
  }

  #delivered(
    all: readonly TimeSeries[],
    sent: Load,
    { written, complaint }: Judgement & { kind: 'delivered' },
  ): void {
    const { clock, meter, failures } = this.#parts;
    this.#lastDeliveredMs = clock.monotonicMs();
    meter.delivered(written, newestExemplarMs(all));
    failures.succeeded();
    const unwritten = {
      samples: sent.samples - written.samples,
      exemplars: sent.exemplars - written.exemplars,
    };
    if (complaint !== undefined) {
      this.#partlyRefused(all, unwritten, complaint);
    } else if (unwritten.samples > 0 || unwritten.exemplars > 0) {
      this.#unwritten(unwritten, 'the receiver wrote less than it was sent');
    }
  }

  #partlyRefused(
    all: readonly TimeSeries[],
    { samples, exemplars }: Load,
    { error, status }: { error: string; status: number },
  ): void {
    const { meter, failures } = this.#parts;
    meter.samplesRefused(samples);
    if (exemplars === 0) {
      failures.refusedSamples(samples, error, status);
      return;
    }
    this.#drop('refused', exemplars);
    failures.gaveUp(exemplars, error, status);
    detachAlone(all);
  }

  #unwritten(load: Load, error: string): void {
    const { meter, traffic, failures } = this.#parts;
    meter.unwritten(load);
    traffic.dropped(load.exemplars);
    failures.unwritten(load, error);
  }

  /** @returns the wait before the next try, when it is over or no try is to follow */
  async #wait(
    { error, status, waitMs: askedMs }: Judgement & { kind: 'retry' },
    backoffMs: number,
    stop: AbortSignal,
  ): Promise<number> {
    const { clock, failures } = this.#parts;
    failures.failed(error, status);
    const waitMs = askedMs ?? backoffMs;
    if (askedMs !== undefined) this.#calmFromMs = clock.monotonicMs() + 2 * waitMs;
    await sleep(clock, waitMs, stop);
    return waitMs;
  }

  /** What of the request is still fresh enough, to be tried again. */
  #again(request: Request): Request {
    const fresh = this.#withoutAged(request.timeSeries);
    this.#parts.meter.retried({ samples: countSamples(fresh), exemplars: countExemplars(fresh) });
    return fresh === request.timeSeries ? request : this.#encode(fresh);
  }

  #giveUp({ timeSeries }: Request, { error, status }: { error: string; status: number }): 'dropped' {
    const load = { samples: countSamples(timeSeries), exemplars: countExemplars(timeSeries) };
    if (status < 300) {
      this.#unwritten(load, error);
      return 'dropped';
    }
    this.#parts.meter.samplesFailed(load.samples);
    this.#drop(`status_${status}`, load.exemplars);
    this.#parts.failures.gaveUp(load.exemplars, error, status);
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

/** The innermost reason: what Node says of a socket is worth more than what is said about that. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  return error.cause instanceof Error ? describe(error.cause) : error.message;
}
