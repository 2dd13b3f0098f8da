/**
 * `npm run bench [PART…]`: exemplard beside the Prometheus that is installed, one after the other on the same
 * machine, on the same bodies. Without arguments all parts run, which takes about ten minutes.
 */
import { spawnSync } from 'node:child_process';
import { fairnessRow } from './fairness.js';
import { forwardRows } from './forward.js';
import { journalRows } from './journal.js';
import { memoryRows } from './memory.js';
import { EXEMPLARD, type PeerKind, PROMETHEUS } from './peers.js';
import { queryRows } from './query.js';
import { scrapeCpu } from './scrape.js';
import { type Measured, printTable } from './table.js';

const hasPrometheus = spawnSync('prometheus', ['--version']).error === undefined;
if (!hasPrometheus)
  console.log('prometheus is not installed (apt-get install prometheus): its column stays empty');

/** Runs a measurement for both. */
async function both<Result>(measure: (kind: PeerKind) => Promise<Result>) {
  const prometheus = hasPrometheus ? await measure(PROMETHEUS) : undefined;
  return { prometheus, exemplard: await measure(EXEMPLARD) };
}

const PARTS: Readonly<Record<string, () => Promise<Measured[]>>> = {
  scrape: async () => [
    {
      what: 'CPU per scraped MB, 4 × 2.2 MB a second',
      unit: 'ms',
      ...(await both((kind) => scrapeCpu(kind, false))),
      maxRatio: 0.1,
    },
  ],
  gzip: async () => [
    {
      what: 'the same, gzipped',
      unit: 'ms',
      ...(await both((kind) => scrapeCpu(kind, true))),
      maxRatio: 0.2,
    },
  ],
  memory: () => memoryRows(both),
  query: () => queryRows(both),
  fairness: async () => [await fairnessRow(both)],
  forward: () => forwardRows(both),
  journal: journalRows,
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PARTS);
const rows: Measured[] = [];
for (const part of wanted) {
  const run = PARTS[part];
  if (run === undefined) throw new Error(`no part ${part}; there are ${Object.keys(PARTS).join(', ')}`);
  console.log(`… ${part}`);
  rows.push(...(await run()));
}
printTable(rows);
