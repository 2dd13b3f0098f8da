import { setTimeout as wait } from 'node:timers/promises';
import { Agent } from 'undici';
import { startExemplard } from '../support/exemplard.js';
import { startPrometheus } from '../support/prometheus.js';
import { median } from './median.js';
import type { Measured } from './table.js';
import { scrapeConfig, startTargets } from './targets.js';

const SERIES = 2_000;
const WARM_UPS = 200;
const REPEATS = 1_000;

/** What a dashboard asks all day, and what it asks once. */
const PATHS = {
  'an instant query': '/api/v1/query?query=up',
  'all of a metric with 2,000 series': '/api/v1/query?query=http_request_duration_seconds_bucket',
};

/** Median time of requests to a Prometheus, with and without exemplard between. */
export async function proxyRows(): Promise<Measured[]> {
  const targets = await startTargets({ series: SERIES, exemplarShare: 0, newShare: 0, bodies: 1 });
  const prometheus = await startPrometheus({ config: scrapeConfig(targets, ['a'], { interval: '5s' }) });
  const exemplard = await startExemplard({ config: `upstream: {url: '${prometheus.url}'}\n` });
  const agent = new Agent({ pipelining: 1 });
  try {
    await wait(6_000);
    const rows: Measured[] = [];
    for (const [what, path] of Object.entries(PATHS)) {
      const times = { direct: [] as number[], through: [] as number[] };
      const repeats = path.includes('up') ? REPEATS : REPEATS / 5;
      // In turns, so that whatever else goes on meets both.
      for (let i = -WARM_UPS; i < repeats; i++) {
        const direct = await timeOf(agent, prometheus.url, path);
        const through = await timeOf(agent, exemplard.url, path);
        if (i < 0) continue;
        times.direct.push(direct);
        times.through.push(through);
      }
      const [direct, through] = [median(times.direct), median(times.through)];
      rows.push({
        what: `${what}, direct and through exemplard`,
        unit: 'ms',
        prometheus: direct,
        exemplard: through,
      });
      rows.push({
        what: 'what that adds',
        unit: 'ms',
        prometheus: undefined,
        exemplard: through - direct,
        maxValue: 1,
      });
    }
    return rows;
  } finally {
    await agent.close();
    await exemplard.stop();
    await prometheus.stop();
    targets.stop();
  }
}

async function timeOf(agent: Agent, origin: string, path: string): Promise<number> {
  const startMs = performance.now();
  const { body, statusCode } = await agent.request({ origin, path, method: 'GET' });
  await body.dump({ limit: Number.MAX_SAFE_INTEGER });
  if (statusCode !== 200) throw new Error(`${path} answers ${statusCode}`);
  return performance.now() - startMs;
}
