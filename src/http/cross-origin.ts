import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Header } from '../upstream/headers.js';

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

export function allowOrigin(request: FastifyRequest, reply: FastifyReply, parts: CrossOrigin): void {
  reply.headers(headersFor(request, parts));
}

/** Where origins are told apart here, that holds for what is passed on, too, whatever the server behind says. */
export function* allowOriginOnly(
  headers: Iterable<Header>,
  request: FastifyRequest,
  parts: CrossOrigin,
): Generator<Header> {
  for (const header of headers) if (!/^access-control-/i.test(header[0])) yield header;
  yield* Object.entries(headersFor(request, parts));
}

/** A browser asks whether it may ask. */
export function isPreflight({ method, headers }: FastifyRequest): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}

function headersFor(
  { headers: { origin } }: FastifyRequest,
  { isAllowedOrigin }: CrossOrigin,
): Record<string, string> {
  if (origin === undefined || isAllowedOrigin?.(origin) === false) return {};
  return {
    ...CROSS_ORIGIN_HEADERS,
    'access-control-allow-origin': isAllowedOrigin === undefined ? '*' : origin,
  };
}

/** A page elsewhere has made the browser ask. What changes something is not for it, whatever it may read. */
export function isOfOtherOrigin({ headers: { origin, host } }: FastifyRequest): boolean {
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
