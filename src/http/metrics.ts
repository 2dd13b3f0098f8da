import type { FastifyInstance } from 'fastify';
import type { MetricsRegistry } from '../telemetry/registry.js';

export function metricsRoute(
  server: FastifyInstance,
  { registry }: { readonly registry: MetricsRegistry },
): void {
  server.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
}
