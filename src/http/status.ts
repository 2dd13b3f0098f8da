import { availableParallelism, hostname } from 'node:os';
import type { FastifyInstance } from 'fastify';
import type { ExemplarStore } from '../store/exemplar-store.js';
import type { Clock } from '../util/clock.js';
import { TimeSlices } from '../util/time-slices.js';
import { sendData } from './answer.js';
import { ApiError } from './api-error.js';
import { goTime } from './go-time.js';
import { Parameters } from './parameters.js';
import { storeStatistics } from './store-statistics.js';

export interface RuntimeStatus {
  readonly startMs: number;
  /** When the running configuration was loaded. */
  readonly configLoadedMs: number;
  /** Whether the last attempt to reload it worked. */
  readonly isReloadGood: boolean;
}

export interface StatusRouteParts {
  readonly store: ExemplarStore;
  readonly version: string;
  /** The configuration as YAML, secrets masked. */
  readonly configText: () => string;
  readonly flags: Readonly<Record<string, string>>;
  readonly runtime: () => RuntimeStatus;
  readonly clock: Clock;
}

/** `status/…`, with Prometheus' keys, so that its clients can read them; what only Go has is empty. */
export function statusRoutes(api: FastifyInstance, parts: StatusRouteParts): void {
  api.get('/status/buildinfo', (_request, reply) => sendData(reply, buildInfo(parts.version)));
  api.get('/status/config', (_request, reply) => sendData(reply, { yaml: parts.configText() }));
  api.get('/status/flags', (_request, reply) => sendData(reply, parts.flags));
  api.get('/status/runtimeinfo', (_request, reply) => sendData(reply, runtimeInfo(parts)));
  api.get('/status/walreplay', (_request, reply) => sendData(reply, { min: 0, max: 0, current: 0 }));
  api.get('/status/tsdb', async (request, reply) => {
    const text = new Parameters(request).text('limit') || '10';
    const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (limit < 1 || limit > 10_000) throw new ApiError('bad_data', 'limit must be a number from 1 to 10000');
    return sendData(reply, await storeStatistics(parts.store, limit, new TimeSlices(parts.clock)));
  });
}

function buildInfo(version: string): object {
  return {
    version,
    revision: '',
    branch: '',
    buildUser: '',
    buildDate: '',
    goVersion: `node ${process.version}`,
  };
}

function runtimeInfo({ runtime, clock }: StatusRouteParts): object {
  const { startMs, configLoadedMs, isReloadGood } = runtime();
  return {
    startTime: goTime(startMs),
    CWD: process.cwd(),
    hostname: hostname(),
    serverTime: goTime(clock.nowMs()),
    reloadConfigSuccess: isReloadGood,
    lastConfigTime: goTime(configLoadedMs),
    corruptionCount: 0,
    goroutineCount: 0,
    GOMAXPROCS: availableParallelism(),
    GOMEMLIMIT: 0,
    GOGC: '',
    GODEBUG: '',
    storageRetention: '',
  };
}
