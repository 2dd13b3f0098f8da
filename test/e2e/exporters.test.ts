import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Counter, Histogram, Registry } from 'prom-client';
import t from 'tap';
import { startApp } from '../support/app.js';
import type { QueriedSeries } from '../support/prometheus.js';
import { body, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

const configFor = (address: string) =>
  `global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: exporter
  static_configs: [{targets: ['${address}']}]
`;

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN_ID = '00f067aa0ba902b7';

/** `name{le}` of every series with its exemplars' labels and values. */
function summary(answer: readonly QueriedSeries[]): Record<string, string[]> {
  return Object.fromEntries(
    answer.map(({ seriesLabels: { __name__, le, route }, exemplars }) => [
      [__name__, route, le].filter((part) => part !== undefined).join(' '),
      exemplars.map(({ labels, value }) => `${JSON.stringify(labels)} ${value}`),
    ]),
  );
}

const isRecent = (seconds: number) => Math.abs(Date.now() / 1000 - seconds) < 60;

/** The sum of a counter of ours over all its series. */
function total(metrics: string, name: string): number {
  const lines = metrics.split('\n').filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
}

t.test('prom-client', async (t) => {
  const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const registers = [registry];
  const requests = new Counter<string>({
    name: 'http_requests_total',
    help: 'Requests.',
    labelNames: ['route'],
    enableExemplars: true,
    registers,
  });
  const seconds = new Histogram<string>({
    name: 'http_request_duration_seconds',
    help: 'Time. # {not="one"} 1',
    labelNames: ['route'],
    buckets: [0.1, 1, 10],
    enableExemplars: true,
    registers,
  });
  const ids = { trace_id: TRACE_ID, span_id: SPAN_ID };
  requests.inc({ labels: { route: '/a' }, exemplarLabels: ids });
  requests.inc({ labels: { route: '/b # {' }, exemplarLabels: { trace_id: 'TRACE', user: 'Zoë' } });
  for (const value of [0.05, 0.5, 50])
    seconds.observe({ labels: { route: '/a' }, value, exemplarLabels: { ...ids, n: String(value) } });

  const target = await serveTarget(async (response, request) =>
    body(await registry.metrics())(response, request),
  );
  t.teardown(() => target.close());
  const app = await startApp(configFor(target.address));
  t.teardown(() => app.stop());
  await until(() => target.requests.length >= 3, 'three scrapes');
  const json = (n: string) => JSON.stringify({ n, span_id: SPAN_ID, trace_id: TRACE_ID });
  const first = {
    'http_request_duration_seconds_bucket /a 0.1': [`${json('0.05')} 0.05`],
    'http_request_duration_seconds_bucket /a 1.0': [`${json('0.5')} 0.5`],
    'http_request_duration_seconds_bucket /a +Inf': [`${json('50')} 50`],
    'http_requests_total /a': [`${JSON.stringify({ span_id: SPAN_ID, trace_id: TRACE_ID })} 1`],
    'http_requests_total /b # {': [`${JSON.stringify({ trace_id: 'TRACE', user: 'Zoë' })} 1`],
  };
  const answer = await app.queryExemplars('{job="exporter"}');
  t.same(summary(answer), first, 'each once, whatever the number of scrapes');
  for (const { exemplars } of answer) t.ok(isRecent(exemplars[0]!.timestamp));

  seconds.observe({ labels: { route: '/a' }, value: 0.7, exemplarLabels: { n: 'new' } });
  const before = target.requests.length;
  await until(() => target.requests.length >= before + 2, 'another scrape');
  t.same(summary(await app.queryExemplars('http_request_duration_seconds_bucket{le="1.0"}')), {
    'http_request_duration_seconds_bucket /a 1.0': [`${json('0.5')} 0.5`, '{"n":"new"} 0.7'],
  });
  const metrics = await app.metrics();
  t.equal(total(metrics, 'exemplard_exemplars_accepted_total'), 6, 'accepted');
});

/** Observes once, then once more when a line comes in on stdin. */
const PYTHON = `
import sys
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.openmetrics.exposition import generate_latest, CONTENT_TYPE_LATEST
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

registry = CollectorRegistry()
counter = Counter('jobs', 'Jobs.', ['route'], registry=registry)
histogram = Histogram('job_seconds', 'Time.', registry=registry, buckets=[0.25, 1, 1000000])
counter.labels('/a').inc(1, {'trace_id': '${TRACE_ID}', 'span_id': '${SPAN_ID}'})
counter.labels('a"b\\\\c').inc(1, {'trace_id': 'quote"back\\\\slash'})
histogram.observe(0.125, {'trace_id': 'b1'})
histogram.observe(5000, {'trace_id': 'b3'})
histogram.observe(5e6, {'trace_id': 'inf'})

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = generate_latest(registry)
        self.send_response(200)
        self.send_header('Content-Type', CONTENT_TYPE_LATEST)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        print('scraped', flush=True)

server = HTTPServer(('127.0.0.1', 0), Handler)
Thread(target=server.serve_forever, daemon=True).start()
print('port', server.server_port, flush=True)
for line in sys.stdin:
    histogram.observe(0.2, {'trace_id': 'later'})
`;

/** Debian's package belongs to Debian's interpreter, which may not be the first in the path. */
function pythonWithClient(): string | undefined {
  return ['python3', '/usr/bin/python3'].find(
    (python) => spawnSync(python, ['-c', 'import prometheus_client']).status === 0,
  );
}

const python = pythonWithClient() ?? (process.env.CI === 'true' ? 'python3' : undefined);

t.test(
  'python3-prometheus-client',
  { skip: python === undefined ? 'no prometheus_client (apt-get install python3-prometheus-client)' : false },
  async (t) => {
    const child = spawn(python!, ['-c', PYTHON], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.teardown(() => endOf(child));
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    await until(() => /port \d+/.test(printed) || child.exitCode !== null, 'the exporter to listen');
    const port = /port (\d+)/.exec(printed)?.[1];
    if (port === undefined) throw new Error('the exporter did not start');
    const scrapes = () => printed.split('scraped').length - 1;
    const app = await startApp(configFor(`127.0.0.1:${port}`));
    t.teardown(() => app.stop());
    await until(() => scrapes() >= 3, 'three scrapes');
    const answer = await app.queryExemplars('{job="exporter"}');
    const want = {
      'job_seconds_bucket +Inf': ['{"trace_id":"inf"} 5000000'],
      'job_seconds_bucket 0.25': ['{"trace_id":"b1"} 0.125'],
      'job_seconds_bucket 1e+06': ['{"trace_id":"b3"} 5000'],
      'jobs_total /a': [`{"span_id":"${SPAN_ID}","trace_id":"${TRACE_ID}"} 1`],
      'jobs_total a"b\\c': ['{"trace_id":"quote\\"back\\\\slash"} 1'],
    };
    t.same(summary(answer), want);
    for (const { exemplars } of answer) t.ok(isRecent(exemplars[0]!.timestamp));
    child.stdin.write('again\n');
    const before = scrapes();
    await until(() => scrapes() >= before + 2, 'another scrape');
    t.same(summary(await app.queryExemplars('{job="exporter"}')), {
      ...want,
      'job_seconds_bucket 0.25': [...want['job_seconds_bucket 0.25'], '{"trace_id":"later"} 0.2'],
    });
  },
);

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
