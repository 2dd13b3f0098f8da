import type { FastifyInstance } from 'fastify';
import { allowOtherOrigins } from './cross-origin.js';
import { type ExemplarRouteParts, exemplarRoutes } from './exemplars.js';
import { type LabelRouteParts, labelRoutes } from './labels.js';
import { type ManagementParts, managementRoutes, refuseUntilReady } from './management.js';
import { metricsRoute } from './metrics.js';
import { API_PREFIX, noteMethods, refuseOtherMethods } from './other-methods.js';
import { promqlRoutes } from './promql.js';
import { type RetentionRouteParts, retentionRoutes } from './retention.js';
import { type SamplingRouteParts, samplingRoutes } from './sampling.js';
import { type StatusRouteParts, statusRoutes } from './status.js';
import { type TargetRouteParts, targetRoutes } from './targets.js';
import { type TraceRouteParts, traceRoutes } from './traces.js';

export type RouteParts = ExemplarRouteParts &
  LabelRouteParts &
  ManagementParts &
  RetentionRouteParts &
  SamplingRouteParts &
  StatusRouteParts &
  TargetRouteParts &
  TraceRouteParts &
  Parameters<typeof metricsRoute>[1];

/** Every resource, one file each. */
export async function addRoutes(server: FastifyInstance, parts: RouteParts): Promise<void> {
  const allowed = noteMethods(server);
  refuseUntilReady(server, parts);
  managementRoutes(server, parts);
  metricsRoute(server, parts);
  await server.register(async (api) => addApiRoutes(api, parts), { prefix: API_PREFIX });
  refuseOtherMethods(server, allowed);
}

function addApiRoutes(api: FastifyInstance, parts: RouteParts): void {
  allowOtherOrigins(api);
  exemplarRoutes(api, parts);
  retentionRoutes(api, parts);
  labelRoutes(api, parts);
  traceRoutes(api, parts);
  samplingRoutes(api, parts);
  promqlRoutes(api, parts);
  targetRoutes(api, parts);
  statusRoutes(api, parts);
}
