import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import t from 'tap';
import { runCli } from '../../src/cli/cli.js';
import { type SizeOptions, size } from '../../src/cli/size.js';
import { loadConfig } from '../../src/config/load.js';
import { OPENMETRICS, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

const OPTIONS: SizeOptions = {
  output: 'text',
  for: '400ms',
  interval: '100ms',
  timeout: '5s',
  retention: [],
  header: [],
  insecure: false,
};

async function run(
  urls: readonly string[],
  options: Partial<SizeOptions> = {},
  signal = new AbortController().signal,
) {
  const outcome = { stdout: '', stderr: '' };
  const code = await size(
    urls,
    { ...OPTIONS, ...options },
    {
      stdout: (text) => {
        outcome.stdout += text;
      },
      stderr: (text) => {
        outcome.stderr += text;
      },
      signal,
    },
  );
  return { code, ...outcome };
}

/** A new exemplar on one series with every scrape; on another, always the same. */
async function serveShop(t: { teardown(end: () => unknown): void }) {
  let scrapes = 0;
  const target = await serveTarget((response) => {
    const id = (++scrapes).toString(16).padStart(32, '0');
    const lines = [
      '# TYPE orders counter',
      `orders_total{paid="yes"} ${scrapes} # {trace_id="${id}"} 1 ${Date.now() / 1000}`,
      `orders_total{paid="no"} 1 # {trace_id="${'a'.repeat(32)}"} 1 1700000000`,
      '# EOF\n',
    ];
    response.writeHead(200, { 'content-type': OPENMETRICS }).end(lines.join('\n'));
  });
  t.teardown(() => target.close());
  return target;
}

t.test('what a retention needs', async (t) => {
  const target = await serveShop(t);
  const startMs = performance.now();
  const { code, stdout } = await run([target.url.href], { output: 'json' });
  const tookSeconds = (performance.now() - startMs) / 1000;
  t.equal(code, 0);
  const report = JSON.parse(stdout);
  t.match(report, {
    endpoints: [{ url: target.url.href, scrapes: 5, failures: 0, lastProblem: '' }],
    intervalSeconds: 0.1,
    series: 2,
    receivingSeries: 1,
    exemplarsHeld: 6,
    newExemplars: 4,
    bytesPerExemplar: 50,
    fastestSeries: { __name__: 'orders_total', paid: 'yes', job: 'size', instance: target.url.host },
  });
  t.ok(report.seconds > 0.39 && report.seconds <= tookSeconds, `${report.seconds} s of ${tookSeconds} s`);
  t.ok(Math.abs(report.rate * report.seconds - 4) < 0.01, `${report.rate} a second`);
  t.equal(report.fastestRate, report.rate);
  const [hour, day, week] = report.retentions;
  t.same(
    [hour, day, week].map((need) => need.retentionSeconds),
    [3600, 86_400, 7 * 86_400],
  );
  t.equal(day.perSeries, Math.ceil(report.rate * 1.25 * 86_400) + 1);
  t.equal(day.maxExemplars, day.perSeries + 1, 'the silent series holds one');
  t.ok(day.maxBytes > day.maxExemplars * 50 && day.maxBytes < day.maxExemplars * 100);
  t.equal(hour.maxBytes, 32 * 1024 * 1024, 'not less than is of any use');
  t.equal(report.journalBytesPerDay, report.rate * 86_400 * 113);
  const config = loadConfig(report.config, 'snippet', {});
  t.match(config, { ok: true, config: { store: { perSeries: day.perSeries } } });
});

t.test('what people read', async (t) => {
  const target = await serveShop(t);
  const { code, stdout, stderr } = await run([target.url.href], { retention: ['30m', '2h'] });
  t.equal(code, 0);
  t.match(stdout, /^ENDPOINT +SCRAPES +FAILED/);
  t.match(stdout, /Series +2 with exemplars, 1 of them with new ones\n/);
  t.match(stdout, /Fastest series +[\d.]+ a second: orders_total\{/);
  t.match(stdout, /\n30m +\d+ +\d+ +32\.0 MiB\n2h /);
  t.match(stdout, /32\.0 MiB of memory is the least that is recommended here: these exemplars need less\./);
  t.match(stdout, /To remember 30m:\n\nstorage:\n {2}exemplars:\n {4}per_series: \d+\n/);
  t.match(stderr, /^0s of 400ms: 2 series with exemplars, 0 new exemplars \(Ctrl-C ends the watch\)\n/);
});

t.test('a watch that is ended early reports what it knows', async (t) => {
  const target = await serveShop(t);
  const end = new AbortController();
  const running = run([target.url.href], { output: 'json', for: '1h', interval: '50ms' }, end.signal);
  await until(() => target.requests.length >= 5, 'scrapes');
  end.abort();
  const { code, stdout } = await running;
  t.equal(code, 0);
  t.ok(JSON.parse(stdout).newExemplars >= 2);
});

t.test('what stands there when an endpoint first answers is not new', async (t) => {
  let requests = 0;
  const target = await serveTarget((response) => {
    if (++requests <= 2) response.writeHead(503).end();
    else
      response
        .writeHead(200, { 'content-type': OPENMETRICS })
        .end('# TYPE a counter\na_total 1 # {trace_id="b"} 1 1700000000\n# EOF\n');
  });
  t.teardown(() => target.close());
  const { stdout } = await run([target.url.href], { output: 'json' });
  t.match(JSON.parse(stdout), { endpoints: [{ scrapes: 5, failures: 2 }], series: 1, newExemplars: 0 });
});

t.test('endpoints that answer in protobuf, or in OpenMetrics 2.0', async (t) => {
  const proto = readFileSync(new URL('../../proto/metrics.proto', import.meta.url), 'utf8');
  const family = protobuf.parse(proto).root.lookupType('io.prometheus.client.MetricFamily');
  let scrapes = 0;
  const target = await serveTarget((response, { url }) => {
    const id = `${++scrapes}`;
    if (url === '/protobuf') {
      const exemplar = { label: [{ name: 'trace_id', value: id }], value: 1 };
      const counter = { name: 'a_total', type: 0, metric: [{ counter: { value: 1, exemplar } }] };
      response
        .writeHead(200, { 'content-type': 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited' }) // biome-ignore format: one header
        .end(family.encodeDelimited(family.fromObject(counter)).finish());
    } else if (url === '/2.0') {
      const exemplars = ['x', 'y'].map((part) => ` # {trace_id="${id}${part}"} 1 ${Date.now() / 1000}`);
      response
        .writeHead(200, { 'content-type': 'application/openmetrics-text; version=2.0.0' })
        .end(`# TYPE a counter\na_total 1${exemplars.join('')}\n# EOF\n`);
    } else response.writeHead(200, { 'content-type': 'application/vnd.google.protobuf' }).end('no messages');
  });
  t.teardown(() => target.close());
  const report = async (path: string) => {
    const { stdout } = await run([new URL(path, target.url).href], { output: 'json' });
    return JSON.parse(stdout);
  };
  t.match(await report('/protobuf'), {
    endpoints: [{ scrapes: 5, failures: 0 }],
    series: 1,
    newExemplars: 4,
  });
  t.match(await report('/2.0'), { endpoints: [{ scrapes: 5, failures: 0 }], series: 1, newExemplars: 8 });
  t.match(await report('/garbage'), {
    endpoints: [{ scrapes: 5, failures: 5, lastProblem: /^protobuf exposition: / }],
    series: 0,
  });
});

t.test('nothing to reckon with', async (t) => {
  const target = await serveTarget((response, { url }) => {
    if (url === '/text') response.writeHead(200, { 'content-type': 'text/plain' }).end('a 1\n');
    else if (url === '/bad') response.writeHead(200, { 'content-type': OPENMETRICS }).end('a 1\n');
    else if (url === '/500') response.writeHead(500).end();
    else
      response
        .writeHead(200, { 'content-type': OPENMETRICS })
        .end('# TYPE a counter\na_total 1 # {b="c"} 1 1\n# EOF\n');
  });
  t.teardown(() => target.close());
  const at = (path: string) => new URL(path, target.url).href;
  const { code, stdout } = await run([at('/text'), at('/bad'), at('/500')]);
  t.equal(code, 1);
  t.match(stdout, /only the classic text format/);
  t.match(stdout, /data does not end with # EOF/);
  t.match(stdout, /HTTP status 500/);
  t.match(stdout, /exemplard check metrics URL says why/);
  const old = await run([at('/old')]);
  t.equal(old.code, 1);
  t.match(old.stdout, /No new exemplars came in this time/);
});

t.test('wrong usage', async (t) => {
  t.match(await run(['x']), { code: 2, stderr: /"x" is not a URL/ });
  t.match(await run(['http://a/'], { for: '1' }), { code: 2, stderr: /--for must be a duration/ });
  t.match(await run(['http://a/'], { interval: '0s' }), { code: 2, stderr: /--interval must be a duration/ });
  t.match(await run(['http://a/'], { retention: ['x'] }), {
    code: 2,
    stderr: /--retention must be a duration/,
  });
  t.match(await run(['http://a/'], { for: '1s', interval: '2s' }), {
    code: 2,
    stderr: /--for must not be less/,
  });
  t.equal(await runCli(['size']), 2);
});
