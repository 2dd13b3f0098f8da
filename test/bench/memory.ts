import { setTimeout as wait } from 'node:timers/promises';
import { type Both, exemplarsHeld, type Peer, type PeerKind, waitFor } from './peers.js';
import { peakResidentBytes, resetPeak, residentBytes } from './process-figures.js';
import type { Measured } from './table.js';
import { scrapeConfig, startTargets } from './targets.js';

const SERIES = 10_000;
const EXEMPLARS = 1_000_000;
const READERS = 8;

interface Memory {
  readonly bytesPerExemplar: number;
  readonly growthWhileReadMB: number;
}

/** 1 million exemplars with trace and span id over 10,000 series: what they take, and what reading them takes. */
export async function memoryRows(both: Both): Promise<Measured[]> {
  const { prometheus, exemplard } = await both(measure);
  return [
    {
      what: 'resident bytes per exemplar, 1 million over 10,000 series, scraped',
      unit: 'B',
      prometheus: prometheus?.bytesPerExemplar,
      exemplard: exemplard.bytesPerExemplar,
      maxValue: 70,
    },
    {
      what: 'growth while 8 clients read all of them',
      unit: 'MB',
      prometheus: prometheus?.growthWhileReadMB,
      exemplard: exemplard.growthWhileReadMB,
      maxValue: 300,
    },
  ];
}

async function measure(kind: PeerKind): Promise<Memory> {
  const emptyBytes = await emptyProcessBytes(kind);
  // A scrape or two may be late on a busy machine.
  const bodies = EXEMPLARS / SERIES + 5;
  const targets = await startTargets({ series: SERIES, exemplarShare: 1, newShare: 1, bodies });
  const peer = await kind.start(scrapeConfig(targets, ['a'], { interval: '1s' }));
  try {
    await waitFor(() => exemplarsHeld(peer), EXEMPLARS * 0.97, 180_000);
    const bytes = residentBytes(peer.pid) - emptyBytes;
    const bytesPerExemplar = bytes / (await exemplarsHeld(peer));
    return { bytesPerExemplar, growthWhileReadMB: await growthWhileRead(peer) };
  } finally {
    await peer.stop();
    targets.stop();
  }
}

async function emptyProcessBytes(kind: PeerKind): Promise<number> {
  const peer = await kind.start('scrape_configs: []\n');
  await wait(5_000);
  const bytes = residentBytes(peer.pid);
  await peer.stop();
  return bytes;
}

async function growthWhileRead(peer: Peer): Promise<number> {
  const before = residentBytes(peer.pid);
  resetPeak(peer.pid);
  await Promise.all(Array.from({ length: READERS }, () => readAll(peer)));
  return (peakResidentBytes(peer.pid) - before) / 1e6;
}

async function readAll(peer: Peer): Promise<void> {
  const response = await fetch(`${peer.url}/api/v1/query_exemplars?query={__name__!=""}`, {
    headers: { 'accept-encoding': 'identity' },
  });
  let bytes = 0;
  for await (const chunk of response.body!) bytes += (chunk as Uint8Array).length;
  if (bytes < 100 * EXEMPLARS) throw new Error(`an answer of ${bytes} bytes cannot be all`);
}
