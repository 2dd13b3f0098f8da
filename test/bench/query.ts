import { type Both, exemplarsHeld, type Peer, type PeerKind, waitFor } from './peers.js';
import type { Measured } from './table.js';
import { scrapeConfig, startTargets } from './targets.js';

const SERIES = 100_000;
const METRIC = 'http_request_duration_seconds_bucket';
const ONE_SERIES = `${METRIC}{route="/a/r4321",le="0.04"}`;
const WARM_UPS = 10;
const REPEATS = 9;

interface QueryTimes {
  readonly oneSeriesMs: number;
  readonly wholeMetricMs: number;
}

/** Median time of queries over 100,000 series with one exemplar each. */
export async function queryRows(both: Both): Promise<Measured[]> {
  const { prometheus, exemplard } = await both(measure);
  return [
    {
      what: 'one exact series among 100,000',
      unit: 'ms',
      prometheus: prometheus?.oneSeriesMs,
      exemplard: exemplard.oneSeriesMs,
      maxRatio: 0.05,
    },
    {
      what: 'whole metric, 100,000 series',
      unit: 'ms',
      prometheus: prometheus?.wholeMetricMs,
      exemplard: exemplard.wholeMetricMs,
      maxRatio: 0.333,
    },
  ];
}

async function measure(kind: PeerKind): Promise<QueryTimes> {
  const targets = await startTargets({ series: SERIES, exemplarShare: 1, newShare: 0, bodies: 1 });
  const peer = await kind.start(scrapeConfig(targets, ['a'], { interval: '10s', maxExemplars: 100_000 }));
  try {
    await waitFor(() => exemplarsHeld(peer), SERIES, 60_000);
    return {
      oneSeriesMs: await medianMs(peer, ONE_SERIES, 100),
      wholeMetricMs: await medianMs(peer, METRIC, 15_000_000),
    };
  } finally {
    await peer.stop();
    targets.stop();
  }
}

async function medianMs(peer: Peer, query: string, minBytes: number): Promise<number> {
  const times: number[] = [];
  for (let i = -WARM_UPS; i < REPEATS; i++) {
    const startMs = performance.now();
    const response = await fetch(`${peer.url}/api/v1/query_exemplars?query=${encodeURIComponent(query)}`, {
      headers: { 'accept-encoding': 'identity' },
    });
    const { byteLength } = await response.arrayBuffer();
    if (i >= 0) times.push(performance.now() - startMs);
    if (byteLength < minBytes)
      throw new Error(`${query}: an answer of ${byteLength} bytes is not what was asked for`);
  }
  return times.sort((a, b) => a - b)[REPEATS >> 1]!;
}
