import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const CROSS_ORIGIN_HEADERS = {
  'access-control-allow-headers': 'Accept, Authorization, Content-Type, Origin',
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-expose-headers': 'Date',
  vary: 'Origin',
};

export interface CrossOrigin {
  /** Which other origins may read the API; undefined: all. */
  readonly isAllowedOrigin: ((origin: string) => boolean) | undefined;
}

/** Pages of other origins may read the API. Prometheus' headers, sent where there is an `Origin` that may. */
export function allowOtherOrigins(api: FastifyInstance, parts: CrossOrigin): void {
  api.addHook('onRequest', async (request, reply) => allowOrigin(request, reply, parts));
  api.options('/*', (_request, reply) => reply.code(204).send());
}

export function allowOrigin(
  { headers: { origin } }: FastifyRequest,
  reply: FastifyReply,
  { isAllowedOrigin }: CrossOrigin,
): void {
  if (origin === undefined || isAllowedOrigin?.(origin) === false) return;
  reply.headers(CROSS_ORIGIN_HEADERS);
  reply.header('access-control-allow-origin', isAllowedOrigin === undefined ? '*' : origin);
}

/** A page elsewhere has made the browser ask. What changes something is not for it, whatever it may read. */
export function isOfOtherOrigin({ headers: { origin, host } }: FastifyRequest): boolean {
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
