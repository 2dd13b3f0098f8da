import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Archived, ArchiveFilter } from '../model/archive.js';
import { labelNames, labelSetsJson, labelValues } from '../query/label-sets.js';
import type { ExemplarMemory } from '../query/merged-exemplars.js';
import type { Clock } from '../util/clock.js';
import { sendData, streamJson, warningsJson } from './answer.js';
import { ApiError, badParameter } from './api-error.js';
import { matchParameters } from './expressions.js';
import { Parameters } from './parameters.js';
import { inTime, slicesOf } from './query-limits.js';
import { unescapeName } from './unescape-name.js';

const TRUNCATED = 'results truncated due to limit';

export interface LabelRouteParts extends ExemplarMemory {
  readonly clock: Clock;
}

/** `labels`, `label/<name>/values` and `series`, of the series known here and in the archive. */
export function labelRoutes(api: FastifyInstance, parts: LabelRouteParts): void {
  const { clock } = parts;
  api.route({
    method: ['GET', 'POST'],
    url: '/labels',
    async handler(request, reply) {
      const { filter, limit } = labelQuery(request);
      return sendLimited(
        reply,
        await inTime(request, labelNames(parts, filter, slicesOf(request, clock))),
        limit,
      );
    },
  });
  api.get<{ Params: { name: string } }>('/label/:name/values', async (request, reply) => {
    const name = unescapeName(request.params.name);
    if (name === '') throw new ApiError('bad_data', 'invalid label name: ""');
    const { filter, limit } = labelQuery(request);
    return sendLimited(
      reply,
      await inTime(request, labelValues(parts, name, filter, slicesOf(request, clock))),
      limit,
    );
  });
  api.route({
    method: ['GET', 'POST'],
    url: '/series',
    async handler(request, reply) {
      if (new Parameters(request).all('match[]').length === 0) {
        throw new ApiError('bad_data', 'no match[] parameter provided');
      }
      const { filter, limit } = labelQuery(request);
      // One more tells whether there are more.
      const { found, warnings } = await inTime(
        request,
        labelSetsJson(parts, filter, limit + 1, slicesOf(request, clock)),
      );
      return streamJson(reply, seriesJson(found, limit, warnings));
    },
  });
}

/** @throws {ApiError} */
function labelQuery(request: FastifyRequest): { filter: ArchiveFilter; limit: number } {
  const parameters = new Parameters(request);
  const limit = parameters.limitOrNone('limit');
  const startMs = parameters.timeMs('start', Number.NEGATIVE_INFINITY);
  const endMs = parameters.timeMs('end', Number.POSITIVE_INFINITY);
  if (endMs < startMs) {
    throw badParameter('end', 'end timestamp must not be before start time');
  }
  return { filter: { selectors: matchParameters(parameters), startMs, endMs }, limit };
}

function sendLimited(
  reply: FastifyReply,
  { found, warnings }: Archived<readonly string[]>,
  limit: number,
): FastifyReply {
  const cut = found.length > limit ? [TRUNCATED] : [];
  return sendData(reply, found.slice(0, limit), [...warnings, ...cut]);
}

/** Text gathered before it is handed on. */
const CHUNK_LENGTH = 64 * 1024;

/** Whether there are more than the limit is only known at the end, where warnings have their place anyway. */
async function* seriesJson(
  labelSets: AsyncIterable<string>,
  limit: number,
  warnings: readonly string[],
): AsyncGenerator<string> {
  let text = '{"status":"success","data":[';
  let count = 0;
  for await (const labels of labelSets) {
    if (count === limit) {
      yield `${text}]${warningsJson([...warnings, TRUNCATED])}}`;
      return;
    }
    text += count++ === 0 ? labels : `,${labels}`;
    if (text.length > CHUNK_LENGTH) {
      yield text;
      text = '';
    }
  }
  yield `${text}]${warningsJson(warnings)}}`;
}
