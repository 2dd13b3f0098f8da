import type { FastifyInstance } from 'fastify';
import { type ExemplarRouteParts, exemplarRoutes } from './exemplars.js';
import { type ManagementParts, managementRoutes, refuseUntilReady } from './management.js';
import { metricsRoute } from './metrics.js';

export type RouteParts = ExemplarRouteParts & ManagementParts & Parameters<typeof metricsRoute>[1];

/** Every resource, one file each. */
export function addRoutes(server: FastifyInstance, parts: RouteParts): void {
  refuseUntilReady(server, parts);
  managementRoutes(server, parts);
  metricsRoute(server, parts);
  exemplarRoutes(server, parts);
}
