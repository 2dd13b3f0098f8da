import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Both, PeerKind } from './peers.js';
import { cpuSeconds } from './process-figures.js';
import type { Measured } from './table.js';
import { scrapeConfig, startTargets } from './targets.js';

const TARGETS = ['a', 'b', 'c', 'd'];
/** Each with a new exemplar in every scrape: Prometheus cannot send one without its sample, so both send as many. */
const SERIES = 2_500;
const WARM_UP_MS = 10_000;
const MEASURED_MS = 30_000;
const OUTAGE_MS = 20_000;

/** Both forward to the same receiver: what that costs, and how long a backlog takes to reach it. */
export async function forwardRows(both: Both): Promise<Measured[]> {
  return [
    {
      what: 'CPU per 1,000 exemplars forwarded, 10,000 a second',
      unit: 'ms',
      ...(await both(forwardCpu)),
      maxRatio: 0.5,
    },
    {
      what: 'until 200,000 that waited 20 s have arrived',
      unit: 's',
      ...(await both(catchUpSeconds)),
      maxRatio: 1,
    },
  ];
}

/** What forwarding adds to scraping alone, whole process. */
async function forwardCpu(kind: PeerKind): Promise<number> {
  const alone = await cpuPerSecond(kind, undefined);
  const sink = await startSink();
  try {
    const forwarding = await cpuPerSecond(kind, sink);
    return (1000 * (forwarding.cpu - alone.cpu)) / (forwarding.exemplars / 1000);
  } finally {
    sink.stop();
  }
}

async function cpuPerSecond(
  kind: PeerKind,
  sink: Sink | undefined,
): Promise<{ cpu: number; exemplars: number }> {
  const { peer, targets } = await start(kind, sink);
  try {
    await wait(WARM_UP_MS);
    const before = { cpu: cpuSeconds(peer.pid), exemplars: (await sink?.received()) ?? 0 };
    await wait(MEASURED_MS);
    const after = { cpu: cpuSeconds(peer.pid), exemplars: (await sink?.received()) ?? 0 };
    const perSecond = (figure: 'cpu' | 'exemplars') =>
      (1000 * (after[figure] - before[figure])) / MEASURED_MS;
    const expected = SERIES * TARGETS.length;
    if (sink !== undefined && perSecond('exemplars') < 0.8 * expected)
      throw new Error('the peer did not keep up');
    return { cpu: perSecond('cpu'), exemplars: perSecond('exemplars') };
  } finally {
    await peer.stop();
    targets.stop();
  }
}

async function catchUpSeconds(kind: PeerKind): Promise<number> {
  const sink = await startSink();
  const { peer, targets } = await start(kind, sink);
  try {
    await wait(WARM_UP_MS);
    await sink.set('down');
    await wait(OUTAGE_MS);
    const { scrapes } = await targets.served();
    await sink.set('up');
    const startMs = performance.now();
    while ((await sink.received()) < scrapes * SERIES) {
      if (performance.now() - startMs > 120_000) return Number.POSITIVE_INFINITY;
      await wait(100);
    }
    return (performance.now() - startMs) / 1000;
  } finally {
    await peer.stop();
    targets.stop();
    sink.stop();
  }
}

async function start(kind: PeerKind, sink: Sink | undefined) {
  const targets = await startTargets({ series: SERIES, exemplarShare: 1, newShare: 1 });
  const scraping = scrapeConfig(targets, TARGETS, { interval: '1s' });
  const forwarding = sink === undefined ? '' : `remote_write: [{url: '${sink.url}', send_exemplars: true}]\n`;
  return { targets, peer: await kind.start(scraping + forwarding) };
}

interface Sink {
  readonly url: string;
  /** Exemplars so far. */
  received(): Promise<number>;
  set(state: 'up' | 'down'): Promise<unknown>;
  stop(): void;
}

async function startSink(): Promise<Sink> {
  const script = fileURLToPath(new URL('sink-process.ts', import.meta.url));
  const child = fork(script, [], { execArgv: ['--import=tsx'] });
  const [port] = (await once(child, 'message')) as [number];
  const url = `http://127.0.0.1:${port}`;
  return {
    url: `${url}/api/v1/write`,
    async received() {
      return ((await (await fetch(`${url}/received`)).json()) as { exemplars: number }).exemplars;
    },
    set: (state) => fetch(`${url}/${state}`, { method: 'PUT' }),
    stop: () => child.disconnect(),
  };
}
