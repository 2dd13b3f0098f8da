import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../util/log.js';
import { isOfOtherOrigin } from './cross-origin.js';

export interface ManagementParts {
  readonly readiness: () => 'starting' | 'ready' | 'stopping';
  /** What does not work although the process is ready, as a sentence. */
  readonly impairment: () => string | undefined;
  readonly enableLifecycle: boolean;
  /** Rejects with what is wrong with the new configuration. */
  readonly reload: () => Promise<void>;
  readonly quit: () => void;
  readonly log: Log;
}

/** `/-/healthy`, `/-/ready`, `/-/reload`, `/-/quit`, in Prometheus' words. */
export function managementRoutes(server: FastifyInstance, parts: ManagementParts): void {
  probeRoute(server, '/-/healthy', (reply) => text(reply, 200, 'exemplard is Healthy.\n'));
  probeRoute(server, '/-/ready', (reply) =>
    parts.readiness() === 'ready' ? text(reply, 200, readyText(parts)) : unavailable(reply, parts),
  );
  lifecycleRoute(server, '/-/reload', parts, async (reply) => {
    try {
      await parts.reload();
      return reply.code(200).send('');
    } catch (error) {
      const { message } = error as Error;
      parts.log.error({ error: message }, 'the configuration was not reloaded; the old one stays');
      return text(reply, 500, `failed to reload config: ${message}\n`);
    }
  });
  lifecycleRoute(server, '/-/quit', parts, (reply) => {
    parts.quit();
    return text(reply, 200, 'Requesting termination... Goodbye!');
  });
}

/** Nothing but health, readiness and metrics is answered before the process is ready. */
export function refuseUntilReady(server: FastifyInstance, parts: Pick<ManagementParts, 'readiness'>): void {
  const always = new Set(['/-/healthy', '/-/ready', '/metrics']);
  server.addHook('onRequest', async (request, reply) => {
    if (parts.readiness() === 'ready' || always.has(pathOf(request))) return;
    return unavailable(reply, parts);
  });
}

/** Still ready: everything but what is impaired goes on, and queries would miss it if it were taken out of service. */
function readyText({ impairment }: Pick<ManagementParts, 'impairment'>): string {
  const sentence = impairment();
  return `exemplard is Ready.\n${sentence === undefined ? '' : `${sentence}\n`}`;
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0]!;
}

function probeRoute(
  server: FastifyInstance,
  url: string,
  answer: (reply: FastifyReply) => FastifyReply,
): void {
  server.route({ method: ['GET', 'HEAD'], url, handler: (_request, reply) => answer(reply) });
}

function lifecycleRoute(
  server: FastifyInstance,
  path: string,
  parts: ManagementParts,
  act: (reply: FastifyReply) => FastifyReply | Promise<FastifyReply>,
): void {
  server.route({
    method: ['POST', 'PUT'],
    url: path,
    handler(request, reply) {
      if (!parts.enableLifecycle) return text(reply, 403, 'Lifecycle API is not enabled.');
      if (isOfOtherOrigin(request)) return text(reply, 403, 'Not for pages of other origins.');
      return act(reply);
    },
  });
  server.get(path, (_request, reply) => text(reply, 405, 'Only POST or PUT requests allowed'));
}

function unavailable(reply: FastifyReply, { readiness }: Pick<ManagementParts, 'readiness'>): FastifyReply {
  reply.header('x-prometheus-stopping', String(readiness() === 'stopping'));
  return text(reply, 503, 'Service Unavailable');
}

function text(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(body);
}
