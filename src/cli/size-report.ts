import { labelsToRecord } from '../model/labels.js';
import { formatDurationMs } from '../util/units.js';
import { paragraph } from './paragraph.js';
import { readableBytes, readableRate, readableSeconds, readableSeries } from './readable.js';
import type { Watch, WatchedEndpoint } from './size-watch.js';
import { HEADROOM, MIN_BYTES, type Needs, type Traffic } from './sizing.js';
import { type Column, textTable } from './text-table.js';

const WIDTH = 92;
const MEBIBYTE = 1024 * 1024;

/** What `size` has to say. */
export interface SizeReport {
  readonly watch: Watch;
  readonly intervalMs: number;
  readonly traffic: Traffic;
  /** What each retention needs. */
  readonly needs: readonly Needs[];
  /** The one of them to configure. */
  readonly chosen: Needs;
}

export function sizeAsJson({ watch, intervalMs, traffic, needs, chosen }: SizeReport): string {
  const json = {
    endpoints: watch.endpoints.map(({ shown, scrapes, failures, lastProblem }) => ({
      url: shown,
      scrapes,
      failures,
      lastProblem,
    })),
    intervalSeconds: intervalMs / 1000,
    ...traffic,
    fastestSeries: fastestLabels(watch),
    headroom: HEADROOM,
    retentions: needs.map(({ retentionMs, ...need }) => ({ retentionSeconds: retentionMs / 1000, ...need })),
    config: configOf(chosen),
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

export function sizeAsText(report: SizeReport): string {
  const { watch, traffic, needs, chosen } = report;
  const parts = [textTable(ENDPOINT_COLUMNS, watch.endpoints), summary(report)];
  if (traffic.rate > 0)
    parts.push(textTable(NEED_COLUMNS, needs), floor(needs), disk(traffic), snippet(chosen));
  return parts.filter((part) => part !== '').join('\n');
}

const ENDPOINT_COLUMNS: readonly Column<WatchedEndpoint>[] = [
  { title: 'ENDPOINT', cell: ({ shown }) => shown },
  { title: 'SCRAPES', cell: ({ scrapes }) => String(scrapes), align: 'right' },
  { title: 'FAILED', cell: ({ failures }) => String(failures), align: 'right' },
  { title: 'LAST PROBLEM', cell: ({ lastProblem }) => lastProblem.slice(0, 60) },
];

function summary({ watch, intervalMs, traffic }: SizeReport): string {
  const fastest = fastestLabels(watch);
  const rows: [string, string][] = [
    ['Watched for', `${readableSeconds(traffic.seconds)}, a scrape every ${formatDurationMs(intervalMs)}`],
    ['Series', `${traffic.series} with exemplars, ${traffic.receivingSeries} of them with new ones`],
    ['New exemplars', `${traffic.newExemplars}: ${readableRate(traffic.rate)} a second, ${Math.round(traffic.rate * 86_400)} a day`],
  ]; // biome-ignore format: a table
  if (traffic.rate > 0)
    rows.push([
      'Fastest series',
      `${readableRate(traffic.fastestRate)} a second: ${readableSeries(fastest)}`,
    ]);
  const text = rows.map(([title, value]) => `${title.padEnd(16)}${value}\n`).join('');
  return traffic.rate > 0 ? text : `${text}\n${nothingNew(traffic)}`;
}

function nothingNew({ series }: Traffic): string {
  return series === 0
    ? paragraph('No exemplars came: exemplard check metrics URL says why.', WIDTH)
    : paragraph('No new exemplars came in this time, so there is nothing to reckon with: watch for longer (--for), and while there is traffic.', WIDTH); // biome-ignore format: one text
}

const NEED_COLUMNS: readonly Column<Needs>[] = [
  { title: 'TO REMEMBER', cell: ({ retentionMs }) => formatDurationMs(retentionMs) },
  { title: 'PER_SERIES', cell: ({ perSeries }) => String(perSeries), align: 'right' },
  { title: 'MAX_EXEMPLARS', cell: ({ maxExemplars }) => String(maxExemplars), align: 'right' },
  { title: 'MEMORY (MAX_BYTES)', cell: ({ maxBytes }) => readableBytes(maxBytes), align: 'right' },
];

/** Said where it is what the table has, so that nobody takes it for what these exemplars need. */
function floor(needs: readonly Needs[]): string {
  if (!needs.some(({ maxBytes }) => maxBytes === MIN_BYTES)) return '';
  return paragraph(`${readableBytes(MIN_BYTES)} of memory is the least that is recommended here: these exemplars need less.`, WIDTH); // biome-ignore format: one text
}

function disk({ journalBytesPerDay, archiveBytesPerDay, bytesPerExemplar }: Traffic): string {
  const text = `An exemplar takes ${Math.round(bytesPerExemplar)} bytes of memory here. On disk, a day of exemplars takes ${readableBytes(journalBytesPerDay)} in the journal and ${readableBytes(archiveBytesPerDay)} in the archive. All of this is for scrapes at the interval of this watch, and has a quarter to spare over what the fastest series needed.`;
  return paragraph(text, WIDTH);
}

function snippet(chosen: Needs): string {
  return `To remember ${formatDurationMs(chosen.retentionMs)}:\n\n${configOf(chosen)}`;
}

/** A part of the configuration file, to copy. */
function configOf({ retentionMs, perSeries, maxExemplars, maxBytes }: Needs): string {
  return [
    'storage:',
    '  exemplars:',
    `    per_series: ${perSeries}`,
    `    max_exemplars: ${maxExemplars}`,
    `    max_bytes: ${Math.ceil(maxBytes / MEBIBYTE)}MiB`,
    `retention_target: ${formatDurationMs(retentionMs)}`,
    '',
  ].join('\n');
}

function fastestLabels(watch: Watch): Record<string, string> {
  const [fastest] = watch.series();
  return fastest === undefined ? {} : labelsToRecord(watch.store.index.labels(fastest.ref));
}
