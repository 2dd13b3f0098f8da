/** Long memory, which Prometheus has no counterpart for: how fast the archive takes exemplars, and how fast it answers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { DEFAULT_ARCHIVE_OPTIONS } from '../../src/archive/options.js';
import { PreparedTables } from '../../src/archive/prepared-tables.js';
import { EXEMPLARS_TABLE, SERIES_TABLE } from '../../src/archive/schema.js';
import type { ChdbDatabase } from '../../src/clickhouse/chdb/chdb-database.js';
import { rowsOf } from '../../src/clickhouse/database.js';
import { silentLog } from '../../src/util/log.js';
import { openChdb } from '../support/chdb.js';
import { startExemplard } from '../support/exemplard.js';
import { ownMetric, type Peer, waitFor } from './peers.js';
import { cpuSeconds } from './process-figures.js';
import type { Measured } from './table.js';
import { scrapeConfig, startTargets } from './targets.js';

const LIVE_TARGETS = 4;
const LIVE_SERIES = 13_000;
const MEASURED_MS = 30_000;

const ROWS = 5_000_000;
const ROWS_A_STATEMENT = 500_000;
const REPEATS = 9;
const WARM_UPS = 2;

export async function archiveRows(): Promise<Measured[]> {
  return [...(await liveRows()), ...(await queryRows())];
}

/** An exemplard that scrapes as many new exemplars a second as the archive should take. */
async function liveRows(): Promise<Measured[]> {
  const directory = mkdtempSync(join(tmpdir(), 'exemplard-bench-'));
  const targets = await startTargets({ series: LIVE_SERIES, exemplarShare: 1, newShare: 1 });
  const names = Array.from({ length: LIVE_TARGETS }, (_, i) => `t${i}`);
  const config = scrapeConfig(targets, names, { interval: '1s' });
  const peer = await startExemplard({ config, flags: [`--storage.path=${directory}`] });
  const metric = (name: string) => ownMetric(peer, [name]);
  try {
    await waitFor(() => metric('exemplard_archive_rows_total'), 5 * LIVE_SERIES, 60_000);
    const before = {
      rows: await metric('exemplard_archive_rows_total'),
      accepted: await metric('exemplard_exemplars_accepted_total'),
      cpu: cpuSeconds(peer.pid),
    };
    await wait(MEASURED_MS);
    const rows = (await metric('exemplard_archive_rows_total')) - before.rows;
    const accepted = (await metric('exemplard_exemplars_accepted_total')) - before.accepted;
    const seconds = MEASURED_MS / 1000;
    console.log(
      `scraped ${(accepted / seconds).toFixed(0)} exemplars/s, ${await metric('exemplard_archive_pending_rows')} on their way at the end, ` +
        `${(100 * (cpuSeconds(peer.pid) - before.cpu)) / seconds} % of a core`,
    );
    const lagMs = 1000 * (await metric('exemplard_nodejs_eventloop_lag_p99_seconds'));
    const mb = async (name: string) => (await metric(name)) / 1e6;
    return [
      row('archived by a live exemplard', 'rows/s', rows / seconds),
      row('loop delay meanwhile, 99th percentile', 'ms', lagMs, 20),
      row('memory of exemplard', 'MB', await mb('exemplard_process_resident_memory_bytes')),
      row('memory of the engine beside it', 'MB', await mb('exemplard_archive_engine_resident_memory_bytes')),
    ];
  } finally {
    await peer.stop();
    targets.stop();
    rmSync(directory, { recursive: true });
  }
}

async function queryRows(): Promise<Measured[]> {
  const directory = mkdtempSync(join(tmpdir(), 'exemplard-bench-'));
  try {
    const database = openChdb(join(directory, 'chdb'));
    const bytes = await fill(database);
    const traceId = await oneTraceId(database);
    await database.close();
    const peer = await startExemplard({
      config: 'scrape_configs: []\n',
      flags: [`--storage.path=${directory}`],
    });
    try {
      return [row('an archived exemplar, series included', 'B', bytes, 45), ...(await timed(peer, traceId))];
    } finally {
      await peer.stop();
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/**
 * 5 million exemplars of three days and 50,000 series, few of which have most of them.
 * @returns bytes a row on disk, merged
 */
export async function fill(database: ChdbDatabase): Promise<number> {
  const options = { ...DEFAULT_ARCHIVE_OPTIONS, fsync: false };
  const placement = { cluster: undefined };
  const { signal: stop } = new AbortController();
  await new PreparedTables({ database, options, placement, isEmbedded: true, log: silentLog, stop }).ready();
  for (let first = 0; first < ROWS; first += ROWS_A_STATEMENT) {
    await database.command(FILL, {
      params: { first, rows: ROWS_A_STATEMENT },
      settings: { optimize_on_insert: 0 },
    });
  }
  for (const table of [EXEMPLARS_TABLE, SERIES_TABLE])
    await database.command(`OPTIMIZE TABLE ${table} FINAL`);
  const [figures] = await rowsOf<Record<string, string>>(
    database,
    `SELECT sum(bytes_on_disk) AS bytes, sumIf(rows, table = '${EXEMPLARS_TABLE}') AS rows FROM system.parts WHERE active AND table IN ('${EXEMPLARS_TABLE}', '${SERIES_TABLE}')`,
  );
  console.log(figures);
  return Number(figures!.bytes) / Number(figures!.rows);
}

const FILL = `INSERT INTO ${EXEMPLARS_TABLE} (metric, fp, labels, ts, value, trace_id, span_id, trace_label, span_label, ex_labels, announces)
SELECT concat('app', toString(s % 5), '_request_duration_seconds_bucket') AS metric, sipHash64(s) AS fp,
  map('job', concat('job', toString(s % 10)), 'instance', concat('10.0.0.', toString(s % 20), ':8080'),
    'path', concat('/api/v1/path', toString(intDiv(s, 5) % 50)), 'method', ['GET', 'POST'][intDiv(s, 3) % 2 + 1],
    'status', ['200', '404', '500'][intDiv(s, 7) % 3 + 1], 'le', toString(0.005 * pow(2, s % 10)), 'shard', toString(intDiv(s, 500))) AS labels,
  now64(3) - toIntervalMillisecond(rand(number + 1) % (3 * 86400000)) AS ts,
  round(pow(rand(number + 2) / 4294967296, 3), 9) AS value,
  lower(hex(MD5(toString(rand64(number + 3) % 4600000)))) AS trace_id, lower(hex(rand64(number + 4))) AS span_id,
  'trace_id', 'span_id', if(rand(number + 5) % 20 = 0, map('tier', 'gold'), map()), 1
FROM (SELECT number, toUInt32(50000 * pow(rand(number) / 4294967296, 3)) AS s FROM numbers({first:UInt64}, {rows:UInt64}))`;

async function oneTraceId(database: ChdbDatabase): Promise<string> {
  const [found] = await rowsOf<{ id: string }>(
    database,
    `SELECT trace_id AS id FROM ${EXEMPLARS_TABLE} ORDER BY sipHash64(trace_id) LIMIT 1`,
  );
  return found!.id;
}

async function timed(peer: Peer, traceId: string): Promise<Measured[]> {
  const selector =
    '{__name__="app1_request_duration_seconds_bucket",path=~"/api/v1/path1.*",method="GET",status!="404"}';
  const now = Date.now() / 1000;
  const exemplars = (seconds: number, more = '') =>
    `query_exemplars?query=${encodeURIComponent(selector)}&start=${now - seconds}&end=${now}${more}`;
  const questions: readonly (readonly [what: string, path: string, maxMs?: number])[] = [
    ['(a) an hour, four matchers', exemplars(3_600), 100],
    ['(a3) three days, four matchers, the first 1,000', exemplars(3 * 86_400, '&limit=1000')],
    ['(b) all exemplars of a trace', `traces/${traceId}/exemplars`],
    [
      '(c) the newest 2,500 of an hour, all series',
      `query_exemplars?query=${encodeURIComponent('{__name__=~".+"}')}&start=${now - 3_600}&end=${now}&order=desc&limit=2500`,
    ],
    ['(d) retention, with the archive’s block', 'retention'],
    ['values of a label', 'label/path/values'],
  ];
  const rows: Measured[] = [];
  for (const [what, path, maxMs] of questions) rows.push(row(what, 'ms', await medianMs(peer, path), maxMs));
  return rows;
}

async function medianMs(peer: Peer, path: string): Promise<number> {
  const times: number[] = [];
  for (let i = -WARM_UPS; i < REPEATS; i++) {
    const startMs = performance.now();
    const text = await (await fetch(`${peer.url}/api/v1/${path}`)).text();
    if (i >= 0) times.push(performance.now() - startMs);
    if (text.length < 150 || text.includes('"warnings"')) throw new Error(`${path}: ${text.slice(0, 500)}`);
    if (i === 0) console.log(path.slice(0, 60), text.length, 'bytes');
  }
  return times.sort((a, b) => a - b)[REPEATS >> 1]!;
}

function row(what: string, unit: string, exemplard: number, maxValue?: number): Measured {
  return { what, unit, prometheus: undefined, exemplard, ...(maxValue === undefined ? {} : { maxValue }) };
}
