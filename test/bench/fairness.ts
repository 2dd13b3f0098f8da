import { type Both, type Peer, type PeerKind, waitFor } from './peers.js';
import type { Measured } from './table.js';
import { scrapeConfig, startTargets } from './targets.js';

const SERIES = 24_000;
const BODIES = 40;
/** Every eighth series has a new exemplar in each body, the others only in the first: 3,000 × 40 + 21,000. */
const BUSY_EVERY = 8;
const EMITTED = (SERIES / BUSY_EVERY) * BODIES + SERIES - SERIES / BUSY_EVERY;
const CAP = 100_000;
const KEPT_OF_EACH = 4;

/** Rare series beside busy ones, more exemplars than the cap: how many of each series' last four are missing. */
export async function fairnessRow(both: Both): Promise<Measured> {
  return {
    what: `missing of each series' last 4, ${EMITTED} emitted, cap ${CAP}`,
    unit: '',
    ...(await both(measure)),
    maxValue: 0,
  };
}

async function measure(kind: PeerKind): Promise<number> {
  const targets = await startTargets({
    series: SERIES,
    exemplarShare: 1,
    newShare: 1,
    busyEvery: BUSY_EVERY,
    once: true,
    bodies: BODIES,
  });
  const peer = await kind.start(scrapeConfig(targets, ['a'], { interval: '1s', maxExemplars: CAP }));
  try {
    await waitFor(async () => (await targets.served()).scrapes, BODIES + 2, 120_000);
    return await missing(peer);
  } finally {
    await peer.stop();
    targets.stop();
  }
}

async function missing(peer: Peer): Promise<number> {
  const response = await fetch(`${peer.url}/api/v1/query_exemplars?query={__name__!=""}`);
  const { data } = (await response.json()) as {
    data: { seriesLabels: { route: string }; exemplars: unknown[] }[];
  };
  const held = data
    .map(({ exemplars }) => Math.min(KEPT_OF_EACH, exemplars.length))
    .reduce((a, b) => a + b, 0);
  const busy = SERIES / BUSY_EVERY;
  return busy * KEPT_OF_EACH + (SERIES - busy) - held;
}
