import type { FastifyInstance } from 'fastify';
import { METRIC_NAME } from '../model/labels.js';
import { archiveRetentionJson } from '../query/archive-retention.js';
import type { ExemplarMemory } from '../query/merged-exemplars.js';
import { RETENTION_SORTS, type RetentionQuery, retentionJson } from '../store/retention.js';
import type { Grouping } from '../store/series-groups.js';
import type { Clock } from '../util/clock.js';
import { streamData } from './answer.js';
import { badParameter } from './api-error.js';
import { matchParameters } from './expressions.js';
import { Parameters } from './parameters.js';
import { inTime, slicesOf } from './query-limits.js';

export interface RetentionRouteParts extends ExemplarMemory {
  readonly clock: Clock;
  /** What the forecast compares with unless the request says otherwise. */
  readonly retentionTargetMs: () => number | undefined;
}

const GROUPINGS: Readonly<Record<string, Grouping>> = {
  total: { kind: 'total' },
  job: { kind: 'label', name: 'job' },
  instance: { kind: 'label', name: 'instance' },
  metric: { kind: 'label', name: METRIC_NAME },
  series: { kind: 'series' },
};
const LABEL_PREFIX = 'label:';

/** How long the rings remember, and why. */
export function retentionRoutes(api: FastifyInstance, parts: RetentionRouteParts): void {
  api.get('/retention', async (request, reply) => {
    const query = retentionQuery(new Parameters(request), parts.retentionTargetMs());
    const slices = slicesOf(request, parts.clock);
    const nowMs = parts.clock.nowMs();
    const archived = await inTime(request, Promise.resolve(parts.archive()?.retention()));
    const blocks =
      archived?.found === undefined ? {} : { archive: archiveRetentionJson(archived.found, nowMs) };
    return streamData(
      reply,
      retentionJson(parts.store, query, nowMs, slices, blocks),
      archived?.warnings ?? [],
    );
  });
}

/** @throws {ApiError} */
function retentionQuery(parameters: Parameters, defaultTargetMs: number | undefined): RetentionQuery {
  const selectors = matchParameters(parameters);
  const sort = parameters.optionalChoice('sort', RETENTION_SORTS);
  return {
    selectors: selectors.length === 0 ? undefined : selectors,
    by: groupingOf(parameters.text('by') || 'total'),
    sort,
    // Who sorts wants to see the most; who does not, an alphabet.
    order: parameters.choice('order', ['asc', 'desc'], sort === undefined ? 'asc' : 'desc'),
    limit: parameters.count('limit'),
    targetMs: parameters.durationMs('target') ?? defaultTargetMs,
  };
}

/** @throws {ApiError} */
function groupingOf(by: string): Grouping {
  if (Object.hasOwn(GROUPINGS, by)) return GROUPINGS[by]!;
  if (by.startsWith(LABEL_PREFIX) && by !== LABEL_PREFIX) {
    return { kind: 'label', name: by.slice(LABEL_PREFIX.length) };
  }
  const words = [...Object.keys(GROUPINGS), 'label:NAME'];
  throw badParameter('by', `${JSON.stringify(by)} is none of ${words.join(', ')}`);
}
