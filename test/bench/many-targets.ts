import { setTimeout as wait } from 'node:timers/promises';
import type { Both, PeerKind } from './peers.js';
import { cpuSeconds, residentBytes } from './process-figures.js';
import type { Measured } from './table.js';
import { startTargets } from './targets.js';

const TARGETS = 2_000;
const INTERVAL_MS = 15_000;
const WARM_UP_MS = 60_000;
const MEASURED_MS = 60_000;

interface Figures {
  /** Of one core. */
  readonly cpuShare: number;
  readonly residentBytes: number;
  /** By how much the time between two scrapes of a target differs from the interval, of 100 scrapes the worst. */
  readonly lagMs: number;
}

/** 2,000 targets of 500 lines each, in one job. */
export async function manyTargetsRows(both: Both): Promise<Measured[]> {
  const { prometheus, exemplard } = await both(measure);
  const row = (what: string, unit: string, figure: (figures: Figures) => number) => ({
    what: `2,000 targets every 15 s: ${what}`,
    unit,
    prometheus: prometheus && figure(prometheus),
    exemplard: figure(exemplard),
  });
  return [
    row('CPU', '% of a core', ({ cpuShare }) => 100 * cpuShare),
    row('resident memory', 'MB', ({ residentBytes }) => residentBytes / 1e6),
    row('schedule lag, 99th percentile', 'ms', ({ lagMs }) => lagMs),
  ];
}

async function measure(kind: PeerKind): Promise<Figures> {
  const targets = await startTargets({
    series: 500,
    exemplarShare: 0.3,
    newShare: 0.2,
    intervalMs: INTERVAL_MS,
  });
  const names = Array.from({ length: TARGETS }, (_, i) => `t${i}`);
  const peer = await kind.start(`scrape_configs:
  - job_name: many
    scrape_interval: ${INTERVAL_MS / 1000}s
    static_configs: [{ targets: [${names.join(', ')}] }]
    relabel_configs:
      - { source_labels: [__address__], target_label: __param_target }
      - { source_labels: [__address__], target_label: instance }
      - { target_label: __address__, replacement: '${targets.address}' }
storage: { exemplars: { max_exemplars: 1000000 } }
`);
  try {
    await wait(WARM_UP_MS);
    const before = cpuSeconds(peer.pid);
    await targets.served();
    await wait(MEASURED_MS);
    const { deviationsMs } = await targets.served();
    const cpuShare = (1000 * (cpuSeconds(peer.pid) - before)) / MEASURED_MS;
    const expected = (TARGETS * MEASURED_MS) / INTERVAL_MS;
    if (deviationsMs.length < 0.95 * expected)
      throw new Error(`only ${deviationsMs.length} of ${expected} scrapes came`);
    deviationsMs.sort((a, b) => a - b);
    const lagMs = deviationsMs[Math.floor(0.99 * deviationsMs.length)]!;
    return { cpuShare, residentBytes: residentBytes(peer.pid), lagMs };
  } finally {
    await peer.stop();
    targets.stop();
  }
}
