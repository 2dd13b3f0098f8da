import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Labels, NO_LABELS } from '../model/labels.js';
import { overKeptSeries } from '../query/external-labels.js';
import { type LiveExemplars, type LiveFilter, type LivePage, MAX_WATCHERS } from '../query/live-exemplars.js';
import { type ExemplarMemory, queryExemplars } from '../query/merged-exemplars.js';
import { parseSelectors } from '../query/selectors.js';
import { askExemplars } from '../upstream/exemplars.js';
import type { Upstream } from '../upstream/upstream.js';
import type { Clock } from '../util/clock.js';
import { streamData } from './answer.js';
import { ApiError } from './api-error.js';
import { readQuery } from './expressions.js';
import { Parameters } from './parameters.js';
import { inTime, type QueryLimits, slicesOf } from './query-limits.js';
import { sendEvents, wantsEvents } from './server-events.js';

export interface ExemplarRouteParts extends ExemplarMemory {
  readonly clock: Clock;
  readonly queryLimits: QueryLimits;
  readonly live: LiveExemplars;
  /** What series are shown with although they are kept without; undefined: as they are kept. */
  readonly externalLabels: () => Labels | undefined;
  readonly upstream: () => Upstream | undefined;
}

/**
 * `query_exemplars`, as Prometheus answers it, with `limit`, `min_value`, `max_value`, `order`, `source` and `show_source`
 * on top; and as events, what is accepted from now on.
 */
export function exemplarRoutes(api: FastifyInstance, parts: ExemplarRouteParts): void {
  api.route({
    method: ['GET', 'POST'],
    url: '/query_exemplars',
    async handler(request, reply) {
      const parameters = new Parameters(request);
      // In this order Prometheus checks them, so in this order the first error is named.
      const startMs = parameters.timeMs('start', Number.NEGATIVE_INFINITY);
      const endMs = parameters.timeMs('end', Number.POSITIVE_INFINITY);
      if (endMs < startMs) throw new ApiError('bad_data', 'end timestamp must not be before start timestamp');
      const promql = parameters.text('query');
      const externalLabels = parts.externalLabels();
      const selectors = readQuery(() => overKeptSeries(parseSelectors(promql), externalLabels ?? NO_LABELS));
      if (selectors.length === 0) return reply.code(204).send();
      const values = { minValue: parameters.number('min_value'), maxValue: parameters.number('max_value') };
      if (wantsEvents(request))
        return sendLive(reply, parts, { selectors, ...values, externalLabels: externalLabels ?? NO_LABELS });
      const query = {
        selectors,
        startMs,
        endMs,
        ...values,
        order: parameters.choice('order', ['asc', 'desc'], 'asc'),
        limit: parameters.count('limit'),
        showSource: parameters.choice('show_source', ['true', 'false'], 'false') === 'true',
        maxExemplars: parts.queryLimits.maxExemplars,
        ...(externalLabels === undefined ? {} : { externalLabels }),
      };
      const source = parameters.choice('source', ['memory', 'archive', 'all'], 'all');
      const behind = parts.upstream();
      const askUpstream = behind?.options.mergeExemplars
        ? () => askExemplars(behind, request.raw, { ...query, promql })
        : undefined;
      const slices = slicesOf(request, parts.clock);
      const answer = await inTime(request, queryExemplars(parts, query, source, slices, askUpstream));
      return streamData(reply, answer.data, answer.warnings);
    },
  });
}

/**
 * `exemplars`: a list as in an answer. `skipped`: how many were left out, because they came too fast. `quiet`: there
 * were none.
 */
function sendLive(reply: FastifyReply, { live }: ExemplarRouteParts, filter: LiveFilter): FastifyReply {
  if (live.isFull)
    throw new ApiError(
      'timeout',
      `${MAX_WATCHERS} clients watch exemplars live, and no more may: end one of these, or query every few seconds instead`,
    );
  return sendEvents(reply, (gone) => liveEvents(live.follow(filter, gone)));
}

/**
 * Pages without anything between two signs of life: proxies cut connections on which nothing moves, and clients are
 * not told of every cut.
 */
const QUIET_PAGES = 40;

async function* liveEvents(pages: AsyncIterable<LivePage>): AsyncGenerator<string> {
  yield ': exemplars as they are accepted\n\n';
  let quiet = 0;
  for await (const { json, skipped } of pages) {
    const text = [
      ...(json === undefined ? [] : [`event: exemplars\ndata: ${json}\n\n`]),
      ...(skipped === 0 ? [] : [`event: skipped\ndata: {"exemplars":${skipped}}\n\n`]),
    ].join('');
    quiet = text === '' ? quiet + 1 : 0;
    if (text !== '') yield text;
    else if (quiet % QUIET_PAGES === 0) yield 'event: quiet\ndata: {}\n\n';
  }
}
