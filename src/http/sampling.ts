import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DatabaseError } from '../clickhouse/database.js';
import type { Coverage } from '../sampler/coverage.js';
import { MAX_READERS } from '../sampler/decision-feed.js';
import { placedJson } from '../sampler/decision-json.js';
import { type Cursor, formatCursor, type PlacedDecision, parseCursor } from '../sampler/decisions.js';
import { reportJson } from '../sampler/job.js';
import { type SamplerManager, SamplerUnavailable, UnknownJob } from '../sampler/manager.js';
import type { Clock } from '../util/clock.js';
import { sendData } from './answer.js';
import { ApiError, badParameter } from './api-error.js';
import { isOfOtherOrigin } from './cross-origin.js';
import { Parameters } from './parameters.js';
import { sendEvents, wantsEvents } from './server-events.js';

export type SamplingApi = Pick<
  SamplerManager,
  'jobs' | 'runOnce' | 'preview' | 'pin' | 'coverage' | 'feed' | 'decisions'
>;

export interface SamplingRouteParts {
  readonly sampling: SamplingApi;
  /** Whether requests may change what is kept. */
  readonly enableLifecycle: boolean;
  readonly clock: Clock;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DEFAULT_LIMIT = 1_000;
const MAX_LIMIT = 10_000;
/** A note is shown wherever the decision is. */
const MAX_NOTE_CHARACTERS = 1_000;

/** `sampling/…`: which traces are kept, and how well they stand for the exemplars; `traces/<id>/keep`. */
export function samplingRoutes(api: FastifyInstance, parts: SamplingRouteParts): void {
  const { sampling, clock } = parts;
  api.get('/sampling/decisions', async (request, reply) => {
    const parameters = new Parameters(request);
    const job = parameters.text('job') || undefined;
    if (wantsEvents(request)) return sendDecisions(request, reply, parameters, job, parts);
    const cursor = cursorOf(parameters.text('since'), () =>
      parameters.timeMs('since', clock.nowMs() - HOUR_MS),
    );
    const limit = Math.min(parameters.count('limit') ?? DEFAULT_LIMIT, MAX_LIMIT);
    const decisions = await answered(() => sampling.decisions(cursor, { job, limit }));
    return sendData(reply, decisions.map(placedJson));
  });
  api.get('/sampling/coverage', async (request, reply) => {
    const parameters = new Parameters(request);
    const job = parameters.text('job') || undefined;
    const sinceMs = sinceOf(parameters, HOUR_MS);
    const coverage = await answered(() => sampling.coverage(sinceMs, job));
    return sendData(reply, coverage.map(coverageJson));
  });
  api.get('/sampling/preview', async (request, reply) => {
    const parameters = new Parameters(request);
    const jobName = parameters.text('job') || undefined;
    const compare = parameters.choice('compare', ['true', 'false'], 'false') === 'true';
    const sinceMs = sinceOf(parameters, HOUR_MS);
    return sendData(reply, await answered(() => sampling.preview(sinceMs, { jobName, compare })));
  });
  api.post('/sampling/run', async (request, reply) => {
    requireLifecycle(request, parts);
    const job = new Parameters(request).text('job') || undefined;
    const reports = await answered(() => sampling.runOnce(job));
    const failures = reports.flatMap((report) => report.errors.map((error) => `${report.job}: ${error}`));
    const haveAllFailed = reports.every(({ windows, errors }) => windows.length === 0 && errors.length > 0);
    if (failures.length > 0 && haveAllFailed) throw new ApiError('unavailable', failures.join('; '));
    return sendData(reply, reports.map(reportJson), failures);
  });
  api.post<{ Params: { id: string } }>('/traces/:id/keep', async (request, reply) => {
    requireLifecycle(request, parts);
    const note = new Parameters(request).text('reason').slice(0, MAX_NOTE_CHARACTERS);
    const traceId = await answered(() => sampling.pin(request.params.id.trim(), note));
    if (traceId === undefined) {
      throw new ApiError('bad_data', `${JSON.stringify(request.params.id)} is not the id of a trace`);
    }
    return sendData(reply, { traceId });
  });
}

/** As `/-/reload` and `/-/quit`. @throws {ApiError} */
function requireLifecycle(request: FastifyRequest, { enableLifecycle }: SamplingRouteParts): void {
  if (!enableLifecycle) throw new ApiError('forbidden', 'Lifecycle API is not enabled.');
  if (isOfOtherOrigin(request)) throw new ApiError('forbidden', 'Not for pages of other origins.');
}

/** @throws {ApiError} for what the sampler cannot answer */
async function answered<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof UnknownJob) throw new ApiError('not_found', error.message);
    // Prometheus has no 503 but this, and `unavailable` is a 500 to it.
    if (error instanceof SamplerUnavailable) throw new ApiError('timeout', error.message);
    if (error instanceof DatabaseError)
      throw new ApiError(error.isTransient ? 'timeout' : 'unavailable', error.message);
    throw error;
  }
}

/** @throws {ApiError} */
function sinceOf(parameters: Parameters, ifMissingMs: number): number {
  const sinceMs = parameters.durationMs('since') ?? ifMissingMs;
  if (sinceMs > 7 * DAY_MS) throw badParameter('since', 'more than 7d');
  return sinceMs;
}

/** A cursor of an earlier decision, or a time. */
function cursorOf(text: string, timeMs: () => number): Cursor {
  return parseCursor(text) ?? { decidedAtMs: Math.max(0, timeMs()) };
}

/** Server-sent events: the cursor is their id, so a browser that connects again goes on where it was. */
function sendDecisions(
  request: FastifyRequest,
  reply: FastifyReply,
  parameters: Parameters,
  job: string | undefined,
  { sampling, clock }: SamplingRouteParts,
): FastifyReply {
  if (sampling.feed.isFull)
    throw new ApiError(
      'timeout',
      `${MAX_READERS} clients read decisions as events, and no more may: end one of these, or ask for the list every few seconds instead`,
    );
  const lastId = request.headers['last-event-id'];
  const isAgain = typeof lastId === 'string' && lastId !== '';
  if (isAgain && parseCursor(lastId) === undefined)
    throw new ApiError('bad_data', `Last-Event-ID ${JSON.stringify(lastId)} is not the cursor of a decision`);
  const since = isAgain ? lastId : parameters.text('since');
  // What is decided in this very millisecond is still to come.
  const cursor = cursorOf(since, () => parameters.timeMs('since', clock.nowMs() - 1));
  return sendEvents(reply, (gone) => eventsText(sampling.feed.follow({ cursor, job, signal: gone })));
}

async function* eventsText(pages: AsyncIterable<readonly PlacedDecision[]>): AsyncGenerator<string> {
  yield ': decisions\n\n';
  for await (const page of pages) {
    if (page.length === 0) yield ': still here\n\n';
    for (const decision of page) {
      const data = JSON.stringify(placedJson(decision));
      yield `id: ${formatCursor(decision.cursor)}\nevent: decision\ndata: ${data}\n\n`;
    }
  }
}

function coverageJson({ startMs, endMs, keepRatio, lagMs, ...figures }: Coverage) {
  return {
    ...figures,
    start: startMs / 1000,
    end: endMs / 1000,
    coverage: figures.groups === 0 ? null : figures.covered / figures.groups,
    keepRatio: keepRatio ?? null,
    lagSeconds: lagMs === undefined ? null : lagMs / 1000,
  };
}
