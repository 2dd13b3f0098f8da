import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { UnfitRequest, type Upstream, UpstreamFailure } from '../upstream/upstream.js';
import { ApiError } from './api-error.js';
import { allowOrigin, allowOriginOnly, type CrossOrigin, isPreflight } from './cross-origin.js';
import { type Destinations, ELSEWHERE } from './destination.js';
import { plainText } from './other-methods.js';

export interface ElsewhereParts extends CrossOrigin {
  /** Undefined where none is configured. */
  readonly upstream: () => Upstream | undefined;
}

/** What is not for a resource of our own: it goes to the upstream, or to another address. */
export function elsewhereRoute(
  server: FastifyInstance,
  destinations: Destinations,
  parts: ElsewhereParts,
): void {
  server.route({
    method: server.supportedMethods,
    url: ELSEWHERE,
    // Before the body is touched: it is not ours to read.
    async onRequest(request, reply) {
      const elsewhere = destinations.elsewhere(request.raw);
      if (elsewhere?.kind === 'moved') return reply.redirect(elsewhere.to, 302);
      const upstream = parts.upstream();
      if (elsewhere?.kind !== 'upstream' || upstream === undefined)
        return plainText(reply, 404, '404 page not found\n');
      return passOn(upstream, request, reply, elsewhere.path, parts);
    },
    handler: (_request, reply) => reply,
  });
}

async function passOn(
  upstream: Upstream,
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
  parts: CrossOrigin,
): Promise<FastifyReply | undefined> {
  const isOriginOurs = parts.isAllowedOrigin !== undefined;
  if (isOriginOurs && isPreflight(request)) {
    allowOrigin(request, reply, parts);
    return reply.code(204).send();
  }
  try {
    await upstream.pass(request.raw, path, reply.raw, (headers) => {
      reply.hijack();
      return isOriginOurs ? allowOriginOnly(headers, request, parts) : headers;
    });
  } catch (error) {
    allowOrigin(request, reply, parts);
    if (error instanceof UnfitRequest) throw new ApiError('bad_data', error.message);
    if (error instanceof UpstreamFailure) throw new ApiError('bad_gateway', error.message);
    throw error;
  }
}
