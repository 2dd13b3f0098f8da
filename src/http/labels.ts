import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { labelNames, labelSetsJson, labelValues, type SeriesFilter } from '../query/label-sets.js';
import type { ExemplarStore } from '../store/exemplar-store.js';
import type { Clock } from '../util/clock.js';
import { TimeSlices } from '../util/time-slices.js';
import { sendData, streamJson } from './answer.js';
import { ApiError, badParameter } from './api-error.js';
import { matchParameters } from './expressions.js';
import { Parameters } from './parameters.js';
import { unescapeName } from './unescape-name.js';

const TRUNCATED = 'results truncated due to limit';

export interface LabelRouteParts {
  readonly store: ExemplarStore;
  readonly clock: Clock;
}

/** `labels`, `label/<name>/values` and `series`, of the series known here. */
export function labelRoutes(api: FastifyInstance, { store, clock }: LabelRouteParts): void {
  api.route({
    method: ['GET', 'POST'],
    url: '/labels',
    async handler(request, reply) {
      const { filter, limit } = labelQuery(request);
      return sendLimited(reply, await labelNames(store, filter, new TimeSlices(clock)), limit);
    },
  });
  api.get<{ Params: { name: string } }>('/label/:name/values', async (request, reply) => {
    const name = unescapeName(request.params.name);
    if (name === '') throw new ApiError('bad_data', 'invalid label name: ""');
    const { filter, limit } = labelQuery(request);
    return sendLimited(reply, await labelValues(store, name, filter, new TimeSlices(clock)), limit);
  });
  api.route({
    method: ['GET', 'POST'],
    url: '/series',
    async handler(request, reply) {
      if (new Parameters(request).all('match[]').length === 0) {
        throw new ApiError('bad_data', 'no match[] parameter provided');
      }
      const { filter, limit } = labelQuery(request);
      const labelSets = labelSetsJson(store, filter, new TimeSlices(clock));
      return streamJson(reply, seriesJson(labelSets, limit));
    },
  });
}

/** @throws {ApiError} */
function labelQuery(request: FastifyRequest): { filter: SeriesFilter; limit: number } {
  const parameters = new Parameters(request);
  const limit = parameters.limitOrNone('limit');
  const startMs = parameters.timeMs('start', Number.NEGATIVE_INFINITY);
  const endMs = parameters.timeMs('end', Number.POSITIVE_INFINITY);
  if (endMs < startMs) {
    throw badParameter('end', 'end timestamp must not be before start time');
  }
  return { filter: { selectors: matchParameters(parameters), startMs, endMs }, limit };
}

function sendLimited(reply: FastifyReply, items: readonly string[], limit: number): FastifyReply {
  return sendData(reply, items.slice(0, limit), items.length > limit ? [TRUNCATED] : []);
}

/** Text gathered before it is handed on. */
const CHUNK_LENGTH = 64 * 1024;

/** Whether there are more than the limit is only known at the end, where warnings have their place anyway. */
async function* seriesJson(labelSets: AsyncIterable<string>, limit: number): AsyncGenerator<string> {
  let text = '{"status":"success","data":[';
  let count = 0;
  for await (const labels of labelSets) {
    if (count === limit) {
      yield `${text}],"warnings":["${TRUNCATED}"]}`;
      return;
    }
    text += count++ === 0 ? labels : `,${labels}`;
    if (text.length > CHUNK_LENGTH) {
      yield text;
      text = '';
    }
  }
  yield `${text}]}`;
}
