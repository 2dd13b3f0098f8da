import type { FastifyInstance } from 'fastify';
import { labelPairs } from '../model/labels.js';
import { canonicalTraceId } from '../model/trace-id.js';
import { type ExemplarMemory, queryTrace } from '../query/merged-exemplars.js';
import type { Clock } from '../util/clock.js';
import { streamData } from './answer.js';
import { ApiError } from './api-error.js';
import { inTime, slicesOf } from './query-limits.js';

export interface TraceRouteParts extends ExemplarMemory {
  /** Labels that hold the id of a trace. */
  readonly traceIdLabels: () => readonly string[];
  readonly clock: Clock;
}

/** `traces/<id>/exemplars`: the points of graphs that one trace stands behind. The id in any spelling. */
export function traceRoutes(api: FastifyInstance, parts: TraceRouteParts): void {
  api.get<{ Params: { id: string } }>('/traces/:id/exemplars', async (request, reply) => {
    const id = canonicalTraceId(request.params.id.trim());
    if (id === '') throw new ApiError('bad_data', 'no trace id given');
    const names = new Set(parts.traceIdLabels());
    const slices = slicesOf(request, parts.clock);
    const answer = await inTime(
      request,
      queryTrace(
        parts,
        id,
        (labels) => {
          for (const [name, value] of labelPairs(labels))
            if (names.has(name) && canonicalTraceId(value) === id) return true;
          return false;
        },
        slices,
      ),
    );
    return streamData(reply, answer.data, answer.warnings);
  });
}
