/** What queries may take: how many at once, how long, how large. As Prometheus' flags of the same names. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Clock } from '../util/clock.js';
import { Gate } from '../util/gate.js';
import { TimeSlices } from '../util/time-slices.js';
import { formatDurationMs } from '../util/units.js';
import { ApiError } from './api-error.js';
import { wantsEvents } from './server-events.js';

export interface QueryLimits {
  /** More wait for their turn. */
  readonly maxConcurrency: number;
  /** Waiting included. */
  readonly timeoutMs: number;
  /** In one answer. */
  readonly maxExemplars: number;
}

/** What they send as events goes on for ever, and has limits of its own. */
const EVENT_ROUTES = new Set(['/api/v1/query_exemplars', '/api/v1/sampling/decisions']);

/** One for all: making an error costs more than to answer a small query. */
const FINISHED = new ApiError('timeout', 'the query is over, or its client has gone');

const signals = new WeakMap<FastifyRequest, AbortSignal>();

/** Slices of work for a request: it ends when its time is over, or its client has gone. */
export function slicesOf(request: FastifyRequest, clock: Clock): TimeSlices {
  return new TimeSlices(clock, undefined, signals.get(request));
}

/** What a request waits for, but no longer than its time lasts: whoever is asked may never answer. */
export function inTime<Result>(request: FastifyRequest, result: Promise<Result>): Promise<Result> {
  const signal = signals.get(request);
  if (signal === undefined) return result;
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    result.finally(() => signal.removeEventListener('abort', giveUp)).then(resolve, reject);
  });
}

/** Requests to the routes of `api` take turns, and each has its time. */
export function limitQueries(
  api: FastifyInstance,
  { queryLimits, clock }: { readonly queryLimits: QueryLimits; readonly clock: Clock },
): void {
  const { maxConcurrency, timeoutMs } = queryLimits;
  const gate = new Gate(maxConcurrency);
  api.addHook('preHandler', async (request, reply) => {
    if (wantsEvents(request) && EVENT_ROUTES.has(request.routeOptions.url ?? '')) return;
    const end = new AbortController();
    const cancelTimer = clock.after(timeoutMs, () => end.abort(timedOut(timeoutMs)));
    const finish = () => {
      cancelTimer();
      end.abort(FINISHED);
    };
    reply.raw.once('close', finish);
    reply.raw.once('finish', finish);
    signals.set(request, end.signal);
    await gate.enter(end.signal);
  });
}

function timedOut(timeoutMs: number): ApiError {
  const limit = formatDurationMs(timeoutMs);
  return new ApiError(
    'timeout',
    `query timed out after ${limit} (--query.timeout), the time it waited for others included: ask for fewer series or a shorter time`,
  );
}
