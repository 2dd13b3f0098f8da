/**
 * Grafana's Prometheus data source in front of exemplard: with nothing behind, with a Prometheus behind (`upstream`),
 * and below `/exemplard`. Every call it makes, by POST and by GET, and what it reads from the answers.
 */
import t, { type Test } from 'tap';
import { type RunningApp, startApp } from '../support/app.js';
import { GRAFANA_HEADERS, GrafanaClient } from '../support/grafana-client.js';
import { prometheusMissing, startPrometheus } from '../support/prometheus.js';
import { body, type ServedTarget, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

const METHODS = ['POST', 'GET'] as const;
const HISTOGRAM = 'http_request_duration_seconds_bucket';
const PANEL = `histogram_quantile(0.99, sum by (le) (rate(${HISTOGRAM}{job=~".*"}[1m])))`;
const seconds = Math.floor(Date.now() / 1000) - 60;

/** Counters go on from scrape to scrape, exemplars stay. */
function bodyAt(count: number): string {
  return `# HELP http_request_duration_seconds Time to answer.
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{path="/a",le="0.5"} ${count} # {trace_id="a1",span_id="s1"} 0.25 ${seconds}.125
http_request_duration_seconds_bucket{path="/a",le="+Inf"} ${2 * count} # {trace_id="a2"} 2.5 ${seconds + 1}.5
http_request_duration_seconds_count{path="/a"} ${2 * count}
http_request_duration_seconds_sum{path="/a"} ${count}
# TYPE http_requests counter
http_requests_total{path="/a"} ${count} # {traceID="b1"} 1 ${seconds + 2}
# EOF
`;
}

async function serve(t: Test): Promise<ServedTarget> {
  let count = 0;
  const target = await serveTarget((response, request) => body(bodyAt(++count))(response, request));
  t.teardown(() => target.close());
  return target;
}

const scrapes = ({ address }: ServedTarget) => `global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs: [{job_name: shop, static_configs: [{targets: ['${address}']}]}]
`;

async function start(t: Test, config: string): Promise<RunningApp> {
  const app = await startApp(config);
  t.teardown(() => app.stop());
  await until(async () => (await app.queryExemplars('http_requests_total')).length > 0, 'a scrape');
  return app;
}

const range = () => {
  const endMs = Date.now();
  return { startMs: endMs - 5 * 60_000, endMs, stepSeconds: 15 };
};

/** What Grafana needs to draw points: names in this order, text as labels, times ascending. */
function pointsOf(json: {
  status: string;
  data: { seriesLabels: object; exemplars: { labels: object; value: string; timestamp: number }[] }[];
}): string[] {
  // biome-ignore format: one line
  if (json.status !== 'success' || !Array.isArray(json.data)) throw new Error(JSON.stringify(json));
  return json.data.flatMap(({ exemplars }) =>
    exemplars.map(
      ({ labels, value, timestamp }) => `${Object.values(labels).join(' ')} ${value} ${timestamp}`,
    ),
  );
}

const POINTS = [`s1 a1 0.25 ${seconds}.125`, `a2 2.5 ${seconds + 1}.5`];

/** The same whatever is behind. */
async function checkExemplars(t: Test, client: GrafanaClient): Promise<void> {
  const probe = await client.probeExemplars(Date.now());
  t.match(probe, { status: 200, json: { status: 'success', data: [] } }, 'the probe turns exemplars on');
  const known = await client.probeExemplars(Date.now(), HISTOGRAM);
  t.match(known, { status: 200, json: { status: 'success', data: [] } }, 'milliseconds are a far future');
  const panel = await client.exemplars(PANEL, range());
  t.equal(panel.status, 200);
  t.same(pointsOf(panel.json).sort(), [...POINTS].sort());
  t.same(Object.keys(panel.json.data[0]), ['seriesLabels', 'exemplars']);
  const both = await client.exemplars(`rate(${HISTOGRAM}[5m]) / on() group_left() rate(http_requests_total[5m])`, range()); // biome-ignore format: one statement
  t.equal(pointsOf(both.json).length, 3, 'every selector of the expression');
  const wrong = await client.exemplars('rate(', range());
  t.match(wrong, { status: 400, json: { status: 'error', errorType: 'bad_data' } });
}

/** Metric browser, autocomplete, variables. */
async function checkNames(t: Test, client: GrafanaClient): Promise<void> {
  const times = { start: String(seconds - 3600), end: String(seconds + 3600) };
  const names = await client.resource('/api/v1/label/__name__/values', { ...times, limit: '40000' });
  t.match(names, { status: 200, method: 'GET', json: { status: 'success' } });
  for (const name of [HISTOGRAM, 'http_requests_total']) t.ok(names.json.data.includes(name), name);
  const values = await client.resource('/api/v1/label/path/values', { ...times, 'match[]': `${HISTOGRAM}{job="shop"}` }); // biome-ignore format: one statement
  t.match(values.json, { status: 'success', data: ['/a'] }, 'label_values(metric, label)');
  const labels = await client.resource('/api/v1/labels', { ...times, 'match[]': HISTOGRAM, limit: '40000' });
  t.same(labels.json.data, ['__name__', 'instance', 'job', 'le', 'path']);
  const series = await client.resource('/api/v1/series', { ...times, 'match[]': '{__name__!=""}', limit: '40000' }); // biome-ignore format: one statement
  t.ok(series.json.data.some((one: { __name__: string }) => one.__name__ === HISTOGRAM));
  const metadata = await client.resource('/api/v1/metadata', { limit: '40000' });
  t.match(metadata.json, { status: 'success', data: { http_request_duration_seconds: [{ type: 'histogram' }] } }); // biome-ignore format: one statement
}

async function checkRest(t: Test, client: GrafanaClient): Promise<void> {
  const health = await client.query('/api/v1/query', { query: '1+1', time: '4', timeout: '60s' });
  t.match(health, { status: 200, json: { status: 'success', data: { resultType: 'scalar', result: [4, '2'] } } }); // biome-ignore format: one statement
  const build = await client.resource('/api/v1/status/buildinfo');
  t.match(build, { status: 200, json: { status: 'success', data: { version: String } } });
  t.notOk(build.json.data.features, 'features would make it a Mimir');
  const rules = await client.resource('/api/v1/rules');
  t.match(rules, { status: 200, json: { status: 'success', data: { groups: [] } } });
  const alerts = await client.resource('/api/v1/alerts');
  t.match(alerts, { status: 200, json: { status: 'success', data: { alerts: [] } } });
}

t.test('with nothing behind', async (t) => {
  const app = await start(t, scrapes(await serve(t)));
  for (const base of [app.url, `${app.url}/exemplard`])
    for (const method of METHODS)
      await t.test(`${method} ${base.replace(app.url, '') || '/'}`, async (t) => {
        const client = new GrafanaClient(base, method);
        await checkExemplars(t, client);
        await checkNames(t, client);
        await checkRest(t, client);
        const graph = await client.query('/api/v1/query_range', { query: PANEL, start: String(seconds), end: String(seconds + 60), step: '15', timeout: '60s' }); // biome-ignore format: one statement
        t.match(graph, { status: 422, json: { status: 'error', errorType: 'execution', error: /Prometheus/ } }); // biome-ignore format: one statement
      });
});

t.test('paths for GET alone answer POST with 405, which Grafana tries again', async (t) => {
  const app = await start(t, scrapes(await serve(t)));
  for (const path of ['/label/job/values', '/metadata', '/targets', '/rules', '/alerts', '/status/buildinfo'])
    t.equal((await fetch(`${app.url}/api/v1${path}`, { method: 'POST' })).status, 405, path);
  const client = new GrafanaClient(app.url, 'POST');
  t.match(await client.resource('/api/v1/series', { 'match[]': '{' }), { status: 400, method: 'GET' });
});

t.test('with a Prometheus behind', { skip: prometheusMissing() }, async (t) => {
  const target = await serve(t);
  const prometheus = await startPrometheus({ config: scrapes(target) });
  t.teardown(() => prometheus.stop());
  const config = `${scrapes(target)}upstream: {url: '${prometheus.url}'}\n`;
  const app = await start(t, config);
  await until(async () => (await prometheus.queryExemplars(HISTOGRAM)).length === 2, 'exemplars there, too');
  await until(async () => (await graphOf(prometheus.url)) > 0, 'rates');
  for (const method of METHODS)
    await t.test(method, async (t) => {
      const client = new GrafanaClient(app.url, method);
      await checkExemplars(t, client);
      await checkNames(t, client);
      await checkRest(t, client);
      const behind = new GrafanaClient(prometheus.url, method);
      const [ours, theirs] = await Promise.all(
        [client, behind].map((each) => each.exemplars(PANEL, range())),
      );
      t.same(ours!.json, theirs!.json, 'the same points as Prometheus has');
      for (const path of ['/api/v1/status/buildinfo', '/api/v1/alertmanagers', '/api/v1/status/flags']) {
        const [front, back] = await Promise.all([client.resource(path), behind.resource(path)]);
        t.same(front!.json, back!.json, `${path} is Prometheus'`);
      }
      const bad = await client.query('/api/v1/query', { query: 'rate(' });
      t.match(bad, { status: 400, json: { status: 'error', errorType: 'bad_data' } });
    });
  t.ok((await graphOf(app.url)) > 0, 'one data source has the graph and its points');
  const own = new GrafanaClient(`${app.url}/exemplard`, 'POST');
  t.match(await own.resource('/api/v1/targets'), { json: { data: { activeTargets: [{ exemplarFindings: Array }] } } }); // biome-ignore format: one statement

  await t.test('which goes away', async (t) => {
    await prometheus.stop();
    for (const method of METHODS) {
      const client = new GrafanaClient(app.url, method);
      await checkExemplars(t, client);
      const graph = await client.query('/api/v1/query', { query: PANEL });
      t.match(graph, { status: /^50[23]$/, json: { status: 'error', errorType: String, error: String } });
    }
  });
});

/** @returns points of the panel's lines */
async function graphOf(url: string): Promise<number> {
  const end = Date.now() / 1000;
  const parameters = { query: PANEL, start: String(end - 60), end: String(end), step: '1' };
  const { json } = await new GrafanaClient(url, 'POST').query('/api/v1/query_range', parameters);
  const values = json.data?.result[0]?.values ?? [];
  return values.filter(([, value]: [number, string]) => Number.isFinite(Number(value))).length;
}

t.test('what Grafana sends along reaches whoever is behind', async (t) => {
  const upstream = await serveTarget((response) =>
    response
      .writeHead(200, { 'content-type': 'application/json', 'x-from': 'upstream' })
      .end('{"status":"success","data":{"resultType":"matrix","result":[]}}'),
  );
  t.teardown(() => upstream.close());
  const config = `${scrapes(await serve(t))}upstream: {url: '${upstream.url.origin}/prometheus'}\n`;
  const app = await start(t, config);
  const search = 'query=up%7Bjob%3D~%22a%2Bb%22%7D&start=1.5&end=2&step=15';
  const headers = { ...GRAFANA_HEADERS, authorization: 'Bearer secret', 'x-scope-orgid': 'team-a' };
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const seen: string[] = [];
  const answer = upstream.answer;
  upstream.answer = async (response, request) => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    seen.push(`${request.method} ${request.url} ${text}`);
    answer(response, request);
  };
  const got = await fetch(`${app.url}/api/v1/query_range?${search}`, { headers });
  t.equal(got.headers.get('x-from'), 'upstream');
  await fetch(`${app.url}/api/v1/query_range`, { method: 'POST', headers: { ...headers, ...form }, body: search }); // biome-ignore format: one statement
  t.same(seen, [
    `GET /prometheus/api/v1/query_range?${search} `,
    `POST /prometheus/api/v1/query_range ${search}`,
  ]);
  for (const request of upstream.requests) t.match(request.headers, headers);
  t.equal(upstream.requests.length, 2, 'exemplars are not asked for there');
});
