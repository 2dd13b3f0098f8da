import type { FastifyInstance } from 'fastify';
import { type ExemplarMemory, queryExemplars } from '../query/merged-exemplars.js';
import { parseSelectors } from '../query/selectors.js';
import type { Clock } from '../util/clock.js';
import { TimeSlices } from '../util/time-slices.js';
import { streamData } from './answer.js';
import { ApiError } from './api-error.js';
import { readQuery } from './expressions.js';
import { Parameters } from './parameters.js';

export interface ExemplarRouteParts extends ExemplarMemory {
  readonly clock: Clock;
}

/** `query_exemplars`, as Prometheus answers it, with `limit`, `min_value`, `max_value`, `order` and `source` on top. */
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
      const selectors = readQuery(() => parseSelectors(parameters.text('query')));
      if (selectors.length === 0) return reply.code(204).send();
      const query = {
        selectors,
        startMs,
        endMs,
        minValue: parameters.number('min_value'),
        maxValue: parameters.number('max_value'),
        order: parameters.choice('order', ['asc', 'desc'], 'asc'),
        limit: parameters.count('limit'),
      };
      const source = parameters.choice('source', ['memory', 'archive', 'all'], 'all');
      const answer = await queryExemplars(parts, query, source, new TimeSlices(parts.clock));
      return streamData(reply, answer.data, answer.warnings);
    },
  });
}
