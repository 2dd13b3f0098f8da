/**
 * `npm run bench [PART…]`: exemplard beside the Prometheus that is installed, one after the other on the same
 * machine, on the same bodies. Without arguments all parts run, which takes about ten minutes.
 */
import { spawnSync } from 'node:child_process';
import { archiveRows } from './archive.js';
import { fairnessRow } from './fairness.js';
import { forwardRows } from './forward.js';
import { journalRows } from './journal.js';
import { manyTargetsRows } from './many-targets.js';
import { memoryRows } from './memory.js';
import { pageRows } from './page.js';
import { EXEMPLARD, type PeerKind, PROMETHEUS } from './peers.js';
import { proxyRows } from './proxy.js';
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

/** As charts for Kubernetes have them: labels of the target, names that are dropped, labels nobody wants. */
const RULES = `    relabel_configs:
      - { source_labels: [__address__], regex: '(.*):(.*)', target_label: port, replacement: $2 }
      - { action: labelmap, regex: __meta_(.+) }
    metric_relabel_configs:
      - { source_labels: [__name__], regex: 'go_(?:gc|memstats|sched)_.*', action: drop }
      - { source_labels: [__name__, le], regex: 'apiserver_request_duration_seconds_bucket;(?:0.15|0.25|0.3)', action: drop }
      - { source_labels: [namespace], regex: '(?:kube|cattle)-.*', target_label: system, replacement: 'true' }
      - { action: labeldrop, regex: 'pod_template_hash|controller_revision_hash' }
      - { action: labelmap, regex: 'label_(.+)' }
      - { source_labels: [route], regex: '/(\\w+)/.*', target_label: area }
      - { source_labels: [code], regex: '(.)..', target_label: class, replacement: '\${1}xx' }
`;

const PARTS: Readonly<Record<string, () => Promise<Measured[]>>> = {
  scrape: async () => [
    {
      what: 'CPU per scraped MB, 4 × 2.2 MB a second',
      unit: 'ms',
      ...(await both((kind) => scrapeCpu(kind))),
      maxRatio: 0.1,
    },
  ],
  gzip: async () => [
    {
      what: 'the same, gzipped',
      unit: 'ms',
      ...(await both((kind) => scrapeCpu(kind, { gzip: true }))),
      maxRatio: 0.2,
    },
  ],
  relabel: async () => [
    {
      what: 'the same, with nine relabelling rules',
      unit: 'ms',
      ...(await both((kind) => scrapeCpu(kind, {}, RULES))),
      maxRatio: 0.1,
    },
  ],
  plain: async () => [
    {
      what: 'the same lines, none with an exemplar',
      unit: 'ms',
      ...(await both((kind) => scrapeCpu(kind, { exemplarShare: 0 }))),
    },
    {
      what: 'the same as text/plain',
      unit: 'ms',
      ...(await both((kind) =>
        scrapeCpu(kind, { exemplarShare: 0, contentType: 'text/plain; version=0.0.4' }),
      )),
    },
  ],
  targets: () => manyTargetsRows(both),
  memory: () => memoryRows(both),
  query: () => queryRows(both),
  fairness: async () => [await fairnessRow(both)],
  forward: () => forwardRows(both),
  archive: archiveRows,
  journal: journalRows,
  proxy: proxyRows,
  page: pageRows,
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
