import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { evaluateConstant } from '../query/constant.js';
import type { Clock } from '../util/clock.js';
import { goFloat } from '../util/json.js';
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
    const result = `[${timeMs / 1000},"${plainFloat(value)}"]`;
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

/** Digits alone, however many: unlike values of exemplars, scalars are written without exponents. */
function plainFloat(value: number): string {
  const [mantissa = '', exponent] = goFloat(value).split('e');
  if (exponent === undefined) return mantissa;
  const sign = mantissa.startsWith('-') ? '-' : '';
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  return point > 0 ? sign + digits.padEnd(point, '0') : `${sign}0.${'0'.repeat(-point)}${digits}`;
}
