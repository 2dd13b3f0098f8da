import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { evaluateConstant } from '../query/constant.js';
import type { Clock } from '../util/clock.js';
import { goFloat, secondsJson } from '../util/json.js';
import { sendJson } from './answer.js';
import { ApiError, badParameter } from './api-error.js';
import { asApiError } from './expressions.js';
import { Parameters } from './parameters.js';

/** What a Prometheus data source asks beside exemplars: enough of `query` for its connection test. */
export function promqlRoutes(api: FastifyInstance, { clock }: { readonly clock: Clock }): void {
  const route = (url: string, handler: (request: FastifyRequest, reply: FastifyReply) => FastifyReply) =>
    api.route({ method: ['GET', 'POST'], url, handler });
  route('/query', (request, reply) => {
    const parameters = new Parameters(request);
    const timeMs = parameters.timeMs('time', clock.nowMs());
    const value = constantOf(parameters);
    if (value === undefined) throw samplesAreElsewhere();
    const result = `[${secondsJson(timeMs)},"${goFloat(value)}"]`;
    return sendJson(reply, `{"status":"success","data":{"resultType":"scalar","result":${result}}}`);
  });
  route('/query_range', (request) => {
    constantOf(new Parameters(request));
    throw samplesAreElsewhere();
  });
}

/** @throws {ApiError} for what is no PromQL */
function constantOf(parameters: Parameters): number | undefined {
  const expression = parameters.text('query');
  return asApiError(
    () => evaluateConstant(expression),
    (message) => badParameter('query', message),
  );
}

function samplesAreElsewhere(): ApiError {
  return new ApiError(
    'execution',
    'only exemplars are kept here: ask query_exemplars, or a Prometheus for samples',
  );
}
