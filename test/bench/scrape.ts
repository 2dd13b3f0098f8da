import { setTimeout as wait } from 'node:timers/promises';
import type { Peer, PeerKind } from './peers.js';
import { cpuSeconds } from './process-figures.js';
import type { TargetSettings } from './target-process.js';
import { scrapeConfig, startTargets, type Targets } from './targets.js';

const WARM_UP_MS = 15_000;
const MEASURED_MS = 30_000;

/**
 * CPU of the whole process for each scraped MB, in ms: 4 targets, 2.2 MB each, 20,000 lines, 30 % with
 * exemplars, 20 % of them new in each scrape, every second.
 */
export async function scrapeCpu(
  kind: PeerKind,
  settings: Partial<TargetSettings> = {},
  jobKeys = '',
): Promise<number> {
  const targets = await startTargets({ series: 20_000, exemplarShare: 0.3, newShare: 0.2, ...settings });
  const peer = await kind.start(scrapeConfig(targets, ['a', 'b', 'c', 'd'], { interval: '1s', jobKeys }));
  try {
    await wait(WARM_UP_MS);
    return await measure(peer, targets);
  } finally {
    await peer.stop();
    targets.stop();
  }
}

async function measure(peer: Peer, targets: Targets): Promise<number> {
  const before = { cpu: cpuSeconds(peer.pid), ...(await targets.served()) };
  await wait(MEASURED_MS);
  const after = { cpu: cpuSeconds(peer.pid), ...(await targets.served()) };
  if (after.scrapes - before.scrapes < (4 * MEASURED_MS) / 1000 - 8)
    throw new Error('the peer did not keep up');
  return (1000 * (after.cpu - before.cpu)) / ((after.bytes - before.bytes) / 1e6);
}
