import { App, type AppParts } from '../../src/app.js';
import { loadConfig } from '../../src/config/load.js';
import type { WebOptions } from '../../src/http/listeners.js';
import { DEFAULT_SERVER_SETTINGS } from '../../src/http/server.js';
import { NO_WEB_CONFIG } from '../../src/http/web-config.js';
import { systemClock } from '../../src/util/clock.js';
import { silentLog } from '../../src/util/log.js';
import type { QueriedSeries } from './prometheus.js';
import { DEFAULT_QUERY_LIMITS } from './query-limits.js';

export interface RunningApp {
  readonly url: string;
  queryExemplars(query: string): Promise<QueriedSeries[]>;
  /** Of `/metrics`. */
  metrics(): Promise<string>;
  /** Takes over another configuration; throws what is wrong with it. */
  reload(configText: string): Promise<void>;
  stop(): Promise<void>;
}

/** exemplard in this process, on a free loopback port. */
export async function startApp(
  configText: string,
  storagePath?: string,
  {
    isAllowedOrigin,
    queryLimits = DEFAULT_QUERY_LIMITS,
    clock = systemClock,
    ...web
  }: Partial<WebOptions & Pick<AppParts, 'isAllowedOrigin' | 'queryLimits' | 'clock'>> = {},
): Promise<RunningApp> {
  let text = configText;
  const load = () => {
    const result = loadConfig(text, 'test.yml');
    if (!result.ok) throw new Error(result.errors.map((issue) => JSON.stringify(issue)).join('\n'));
    return result.config;
  };
  const app = new App({
    config: load(),
    storagePath,
    web: {
      ...DEFAULT_SERVER_SETTINGS,
      listen: [{ host: '127.0.0.1', port: 0 }],
      routePrefix: '',
      publicPrefix: web.routePrefix ?? '',
      loadConfig: () => NO_WEB_CONFIG,
      ...web,
    },
    queryLimits,
    isAllowedOrigin,
    enableLifecycle: false,
    flags: {},
    loadConfig: load,
    onQuit: () => {},
    clock,
    log: silentLog,
  });
  await app.start();
  const url = app.addresses[0]!;
  return {
    url,
    async queryExemplars(query) {
      const parameters = new URLSearchParams({ query, start: '-1e10', end: '1e11' });
      const response = await fetch(`${url}/api/v1/query_exemplars?${parameters}`);
      const answer = (await response.json()) as { status: string; data: QueriedSeries[]; error?: string };
      if (answer.status !== 'success') throw new Error(`query_exemplars: ${answer.error}`);
      return answer.data;
    },
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
    reload(changed) {
      text = changed;
      return app.reload();
    },
    stop: () => app.stop(1000),
  };
}
