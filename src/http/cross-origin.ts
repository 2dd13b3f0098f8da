import type { FastifyInstance } from 'fastify';

const CROSS_ORIGIN_HEADERS = {
  'access-control-allow-headers': 'Accept, Authorization, Content-Type, Origin',
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Date',
  vary: 'Origin',
};

/** Pages of other origins may read the API. Prometheus' headers, sent where there is an `Origin`. */
export function allowOtherOrigins(api: FastifyInstance): void {
  api.addHook('onRequest', async (request, reply) => {
    if (request.headers.origin !== undefined) reply.headers(CROSS_ORIGIN_HEADERS);
  });
  api.options('/*', (_request, reply) => reply.code(204).send());
}
