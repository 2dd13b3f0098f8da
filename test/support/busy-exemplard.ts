/**
 * An exemplard with everything to do: jobs that go well and badly, rings that overflow, a journal, an archive that
 * stumbles once, a sampling job over real spans, a remote write; and behind it
 * (`upstream`) a Prometheus that scrapes it every second.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Shop } from '../../src/demo/shop.js';
import { type RunningApp, startApp } from './app.js';
import { ROOT, temporaryDirectory } from './build.js';
import { ClickHouseFront } from './clickhouse-front.js';
import { engineDirectory, openServer } from './databases.js';
import { type Prometheus, startPrometheus } from './prometheus.js';
import { OTEL_TRACES } from './sampling.js';
import { body, serveTarget } from './target.js';

interface Teardown {
  teardown(work: () => Promise<void>): unknown;
}

export interface Busy {
  readonly exemplard: RunningApp;
  readonly prometheus: Prometheus;
}

/** Spans for every exemplar in the archive that has none, apart from one in sixteen: those are dead. */
const ADD_SPANS = `INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, ServiceName, Duration)
SELECT ts, trace_id, span_id, 'GET', 'shop', 1000000 FROM exemplars
WHERE trace_id NOT LIKE '%0' AND trace_id NOT IN (SELECT TraceId FROM otel_traces)`;
const FORTY_DAYS_S = 40 * 24 * 3600;

export async function startBusy(t: Teardown): Promise<Busy> {
  const front = await ClickHouseFront.start({ directory: await engineDirectory(t) });
  const database = openServer(t, [front.url]);
  t.teardown(() => front.close());
  await database.command(OTEL_TRACES);
  const shop = await serveShop(t);
  const old = await serveTarget(
    body(`old_total 1 # {trace_id="a"} 1 ${Date.now() / 1000 - FORTY_DAYS_S}\n# EOF\n`),
  );
  t.teardown(() => old.close());
  const oldTargets = join(await temporaryDirectory(t), 'old.json');
  await writeFile(oldTargets, JSON.stringify([{ targets: [old.address] }]));

  const config = (more: string) => `global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- {job_name: demo, static_configs: [{targets: ['${shop}']}]}
- {job_name: old, file_sd_configs: [{files: ['${oldTargets}']}]}
- {job_name: down, static_configs: [{targets: ['127.0.0.1:1']}]}
- job_name: picky
  static_configs: [{targets: ['${shop}']}]
  metric_relabel_configs: [{source_labels: [le], regex: .+, action: drop}]
${more}
storage: {exemplars: {per_series: 4}}
retention_target: 1h
archive: {type: clickhouse, url: '${front.url}'}
sampling: [{job_name: representative, schedule: '* * * * * *', window: 10s, settle: 1s, traces: {}}]
`;
  front.faults.push({
    type: 'status',
    status: 500,
    code: 241,
    body: 'Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)',
    matches: /^INSERT INTO exemplars\b/,
  });
  const exemplard = await startApp(config(''), await temporaryDirectory(t));
  t.teardown(() => exemplard.stop());
  const itself = exemplard.url.replace('http://', '');
  const prometheus = await startPrometheus({
    config: `global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: ['${join(ROOT, 'deploy/alerts/exemplard.rules.yml')}']
scrape_configs:
- {job_name: demo, static_configs: [{targets: ['${shop}']}]}
- {job_name: exemplard, static_configs: [{targets: ['${itself}']}]}
`,
  });
  t.teardown(() => prometheus.stop());
  await exemplard.reload(
    config(`- {job_name: exemplard, static_configs: [{targets: ['${itself}']}]}
remote_write: [{name: prometheus, url: '${prometheus.url}/api/v1/write', exemplar_mode: attach}]
upstream: {url: '${prometheus.url}'}`),
  );
  const archived = new URLSearchParams({ query: 'shop_http_requests_total', source: 'archive', limit: '1' });
  every(t, 1000, () => database.command(ADD_SPANS));
  every(t, 500, () => fetch(`${exemplard.url}/api/v1/query_exemplars?${archived}`));
  return { exemplard, prometheus };
}

async function serveShop(t: Teardown): Promise<string> {
  const shop = new Shop();
  every(t, 25, async () => shop.serveOne(Date.now()));
  const target = await serveTarget(async (response, request) =>
    body(await shop.registry.metrics())(response, request),
  );
  t.teardown(() => target.close());
  return target.address;
}

/** Until the test is over; the next only when the last is done. What fails is tried again next time. */
function every(t: Teardown, ms: number, work: () => Promise<unknown>): void {
  let isOver = false;
  let current: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    current = current.then(() => (isOver ? undefined : work())).catch(() => {});
  }, ms);
  t.teardown(async () => {
    isOver = true;
    clearInterval(timer);
    await current;
  });
}
