/** Scraping without the rest of the process, on a clock that the test moves. */
import type { Test } from 'tap';
import { createDiscovery } from '../../src/discovery/discovery.js';
import { DiscoveryMetrics } from '../../src/discovery/metrics.js';
import { BodyBufferPool } from '../../src/scrape/body-buffer.js';
import { CheckUps } from '../../src/scrape/check-ups.js';
import { createConnector } from '../../src/scrape/connector.js';
import type { TargetLoop } from '../../src/scrape/loop.js';
import { ScrapeManager } from '../../src/scrape/manager.js';
import { ScrapeMetrics } from '../../src/scrape/metrics.js';
import { DEFAULT_SCRAPE_JOB, type ScrapeJobOptions } from '../../src/scrape/options.js';
import { createRegistry } from '../../src/telemetry/registry.js';
import { silentLog } from '../../src/util/log.js';
import { FakeClock } from './fake-clock.js';
import { staticDiscovery } from './scrape-target.js';
import { RecordingSink } from './scraped.js';
import type { ServedTarget } from './target.js';
import { until } from './until.js';

/** A manager on a clock of its own, with all that it needs. */
export function createManager(t: Test) {
  const clock = new FakeClock();
  const sink = new RecordingSink();
  const registry = createRegistry();
  const logged: string[] = [];
  const note = (fields: object, message: string) => logged.push(`${message} ${JSON.stringify(fields)}`);
  const log = { ...silentLog, info: note, warn: note, error: note };
  const discoveryMetrics = new DiscoveryMetrics(registry);
  const manager = new ScrapeManager({
    clock,
    sink,
    userAgent: 'exemplard/test',
    log,
    discover: (options, jobName) =>
      createDiscovery(options, {
        clock,
        log,
        jobName,
        userAgent: 'exemplard/test',
        metrics: discoveryMetrics,
      }),
    forgetDiscovery: () => {},
    buffers: new BodyBufferPool(),
    checkUps: new CheckUps(clock),
    connect: createConnector(),
    metrics: new ScrapeMetrics(registry, () => []),
  });
  t.teardown(() => manager.stop());
  const loops = (): TargetLoop[] => [...manager.targets()].map(({ loop }) => loop);
  return { clock, sink, manager, logged, registry, loops };
}

/** A job with one target. */
export const job = (
  target: ServedTarget | string,
  options: Partial<ScrapeJobOptions> = {},
): ScrapeJobOptions => ({
  ...DEFAULT_SCRAPE_JOB,
  jobName: 'j',
  intervalMs: 10_000,
  timeoutMs: 5_000,
  discovery: staticDiscovery(typeof target === 'string' ? target : target.address),
  ...options,
});

/** Moves on to the next tick, and no further. */
export const nextTick = (clock: FakeClock) => clock.advance(Math.min(...clock.waitingMs));

/** Moves on to the next tick of the only loop, and waits until that scrape has ended. */
export async function nextScrape({ clock, loops }: ReturnType<typeof createManager>): Promise<void> {
  await until(() => clock.waitingMs.length > 0, 'the loop to wait for its next tick');
  const before = loops()[0]!.status.lastScrapeMs;
  await nextTick(clock);
  await until(() => !Object.is(loops()[0]!.status.lastScrapeMs, before), 'the scrape to end');
}
