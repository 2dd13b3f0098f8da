import type { FastifyInstance } from 'fastify';
import { allowOtherOrigins, type CrossOrigin } from './cross-origin.js';
import type { Destinations } from './destination.js';
import { type ElsewhereParts, elsewhereRoute } from './elsewhere.js';
import { type ExemplarRouteParts, exemplarRoutes } from './exemplars.js';
import { type LabelRouteParts, labelRoutes } from './labels.js';
import { type ManagementParts, managementRoutes, refuseUntilReady } from './management.js';
import { type MetadataRouteParts, metadataRoutes } from './metadata.js';
import { metricsRoute } from './metrics.js';
import { API_PREFIX, noteMethods, refuseOtherMethods } from './other-methods.js';
import { type PageParts, pageRoutes, pageStatusRoute } from './page.js';
import { promqlRoutes } from './promql.js';
import { limitQueries } from './query-limits.js';
import { type RetentionRouteParts, retentionRoutes } from './retention.js';
import { type SamplingRouteParts, samplingRoutes } from './sampling.js';
import { type SinkRouteParts, sinkRoutes } from './sinks.js';
import { type StatusRouteParts, statusRoutes } from './status.js';
import { type TargetRouteParts, targetRoutes } from './targets.js';
import { type TraceRouteParts, traceRoutes } from './traces.js';

export type RouteParts = CrossOrigin &
  ElsewhereParts &
  ExemplarRouteParts &
  LabelRouteParts &
  ManagementParts &
  MetadataRouteParts &
  PageParts &
  RetentionRouteParts &
  SamplingRouteParts &
  SinkRouteParts &
  StatusRouteParts &
  TargetRouteParts &
  TraceRouteParts &
  Parameters<typeof metricsRoute>[1];

/** Every resource, one file each. */
export async function addRoutes(
  server: FastifyInstance,
  destinations: Destinations,
  parts: RouteParts,
): Promise<void> {
  refuseUntilReady(server, parts);
  elsewhereRoute(server, destinations, parts);
  const allowed = noteMethods(server);
  managementRoutes(server, parts);
  metricsRoute(server, parts);
  await pageRoutes(server);
  await server.register(async (api) => addApiRoutes(api, parts), { prefix: API_PREFIX });
  refuseOtherMethods(server, allowed);
}

async function addApiRoutes(api: FastifyInstance, parts: RouteParts): Promise<void> {
  allowOtherOrigins(api, parts);
  await api.register(async (queries) => addQueryRoutes(queries, parts));
  promqlRoutes(api, parts);
  targetRoutes(api, parts);
  metadataRoutes(api, parts);
  statusRoutes(api, parts);
  sinkRoutes(api, parts);
  pageStatusRoute(api, parts);
}

/** What may take long. */
function addQueryRoutes(queries: FastifyInstance, parts: RouteParts): void {
  limitQueries(queries, parts);
  exemplarRoutes(queries, parts);
  retentionRoutes(queries, parts);
  labelRoutes(queries, parts);
  traceRoutes(queries, parts);
  samplingRoutes(queries, parts);
}
