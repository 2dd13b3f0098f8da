import type { FastifyInstance, FastifyReply } from 'fastify';

export const API_PREFIX = '/api/v1';

/** Every path with the methods that are answered there. */
export type AllowedMethods = ReadonlyMap<string, ReadonlySet<string>>;

/** Notes the routes that are added from now on. */
export function noteMethods(server: FastifyInstance): AllowedMethods {
  const allowed = new Map<string, Set<string>>();
  server.addHook('onRoute', ({ url, method }) => {
    const methods = allowed.get(url) ?? new Set(['OPTIONS']);
    for (const each of [method].flat()) methods.add(each);
    allowed.set(url, methods);
  });
  return allowed;
}

/** A known path answers other methods with 405 and names its own, as Go's router does. */
export function refuseOtherMethods(server: FastifyInstance, allowed: AllowedMethods): void {
  const known = [...allowed].map(([url, methods]) => ({ url, methods: [...methods].sort() }));
  for (const { url, methods } of known.filter(({ url }) => !url.endsWith('*'))) {
    const allow = methods.join(', ');
    server.route({
      method: server.supportedMethods.filter((method) => !methods.includes(method)),
      url,
      handler: (_request, reply) => plainText(reply.header('allow', allow), 405, 'Method Not Allowed\n'),
    });
    // Under the API all paths answer OPTIONS alike.
    if (!url.startsWith(API_PREFIX)) {
      server.options(url, (_request, reply) => reply.header('allow', allow).send());
    }
  }
}

/** As Go's `http.Error`. */
export function plainText(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply
    .code(status)
    .header('x-content-type-options', 'nosniff')
    .type('text/plain; charset=utf-8')
    .send(body);
}
