import type { FastifyInstance } from 'fastify';
import { Destinations } from '../../src/http/destination.js';
import { addRoutes, type RouteParts } from '../../src/http/routes.js';
import { createServer } from '../../src/http/server.js';
import { LiveExemplars } from '../../src/query/live-exemplars.js';
import { SamplerManager } from '../../src/sampler/manager.js';
import { SamplerMetrics } from '../../src/sampler/metrics.js';
import { ExemplarStore } from '../../src/store/exemplar-store.js';
import { DEFAULT_STORE_OPTIONS, type StoreOptions } from '../../src/store/options.js';
import { createRegistry } from '../../src/telemetry/registry.js';
import { systemClock } from '../../src/util/clock.js';
import { silentLog } from '../../src/util/log.js';
import { DEFAULT_QUERY_LIMITS } from './query-limits.js';

/** The HTTP API over a store, without the rest of the process. Ask it by `inject`. */
export async function createApi(
  store: ExemplarStore = createStore(),
  parts: Partial<RouteParts> = {},
): Promise<FastifyInstance> {
  const destinations = new Destinations({
    routePrefix: '',
    publicPrefix: '',
    hasUpstream: () => parts.upstream !== undefined,
  });
  const server = await createServer({ destinations });
  await addRoutes(server, destinations, apiParts(store, parts));
  return server;
}

/** What routes need of the rest of the process, which is not there. */
export function apiParts(store: ExemplarStore, parts: Partial<RouteParts> = {}): RouteParts {
  const registry = createRegistry();
  return {
    store,
    archive: () => undefined,
    traceIdLabels: () => ['trace_id'],
    clock: systemClock,
    log: silentLog,
    registry,
    sampling: new SamplerManager({
      archive: () => undefined,
      openServer() {
        throw new Error('there are no servers');
      },
      clock: systemClock,
      log: silentLog,
      metrics: new SamplerMetrics(registry),
      userAgent: 'exemplard/test',
    }),
    live: new LiveExemplars(systemClock),
    queryLimits: DEFAULT_QUERY_LIMITS,
    isAllowedOrigin: undefined,
    upstream: () => undefined,
    externalLabels: () => undefined,
    pageStatus() {
      throw new Error('there is no page');
    },
    version: '1.2.3',
    flags: {},
    enableLifecycle: false,
    impairment: () => undefined,
    readiness: () => 'ready',
    reload: async () => {},
    quit() {},
    retentionTargetMs: () => undefined,
    configText: () => '',
    runtime: () => ({ startMs: 0, configLoadedMs: 0, isReloadGood: true }),
    activeTargets: () => [],
    scrapePools: () => [],
    ...parts,
  };
}

export function createStore(options: Partial<StoreOptions> = {}): ExemplarStore {
  return new ExemplarStore({ ...DEFAULT_STORE_OPTIONS, ...options });
}

/** GETs a path. @returns status and body, read as JSON */
export async function get(server: FastifyInstance, path: string) {
  const { statusCode, body } = await server.inject(path);
  return { status: statusCode, body: body === '' ? '' : JSON.parse(body) };
}
