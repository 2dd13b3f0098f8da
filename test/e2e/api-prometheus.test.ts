import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { request } from 'undici';
import { startApp } from '../support/app.js';
import { prometheusMissing, startPrometheus } from '../support/prometheus.js';
import { until } from '../support/until.js';

interface Case {
  readonly path: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD' | 'OPTIONS' | 'PATCH';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly differs?: keyof typeof DIFFERENCES;
}

/** The status, the headers a client may look at, and the body. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const SEEN_HEADERS = [
  'content-type',
  'allow',
  'vary',
  'x-content-type-options',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
];

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const EXEMPLARS = '/api/v1/query_exemplars';
/** Exemplars of the target are this old when it starts. */
const seconds = Math.floor(Date.now() / 1000) - 60;

const BODY = `# HELP h Help.
# TYPE h histogram
h_bucket{path="/a",le="0.5"} 1 # {trace_id="a1",span_id="s1"} 0.25 ${seconds}.125
h_bucket{path="/a",le="+Inf"} 2 # {trace_id="a2"} 1e-07 ${seconds + 1}.5
h_count{path="/a"} 2
h_sum{path="/a"} 2
# TYPE c counter
c_total{zone="eu",q="say \\"hi\\"\\n\\\\",u="Zoë 漢字 😀"} 1 # {trace_id="b1",Z="1",_z="2",a="3"} 1 ${seconds + 2}
c_total{zone="us"} 1 # {id="é"} +Inf ${seconds + 3}.001
m_total{html="<a href=\\"&\\">"} 1 # {id="<&>"} 1 ${seconds + 2}
c_total{zone="ap"} 1 # {trace_id="n"} NaN ${seconds + 4}
c_total{zone="af"} 1 # {trace_id="d"} 123456789012345678901234567890 ${seconds + 5}
c_total{zone="an"} 1 # {trace_id="z"} -0 ${seconds + 7}.100
# EOF
`;

function query(expression: string, rest = ''): string {
  return `${EXEMPLARS}?query=${encodeURIComponent(expression)}${rest}`;
}

/** All that is known to differ: how the body of 2.42 becomes that of 3.x, which exemplard follows. */
const DIFFERENCES = {
  /** 3.x does not point at a place where there is nothing. */
  emptyExpression: (body: string) => body.replace('1:1: parse error', 'unknown position: parse error'),
  badTime: (body: string) => body.replace('Invalid time value', 'invalid time value'),
  /** 3.x reports the expression as the user wrote it. */
  badRegex: (body: string) => body.replace('`^(?:a()$`', '`a(`'),
  /** 3.x escapes HTML in errors alone. */
  html: (body: string) =>
    body.replace(/\\u00(3c|3e|26)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
  droppedTargetCounts: (body: string) =>
    body.replace('"droppedTargets":[]', '"droppedTargets":[],"droppedTargetCounts":{"shop":0}'),
};

function badTime(name: string, text: string): Case {
  return { path: query('h_bucket', `&${name}=${encodeURIComponent(text)}`), differs: 'badTime' };
}

const CASES: readonly Case[] = [
  { path: query('h_bucket') },
  { path: query('{__name__=~".+"}'), differs: 'html' },
  { path: query('{job="shop"}'), differs: 'html' },
  { path: query('c_total{zone="eu"}') },
  { path: query('c_total{zone!="eu"}') },
  { path: query('c_total{zone=~"e.|us"}') },
  { path: query('c_total{zone!~"e.|us"}') },
  { path: query('c_total{u="Zoë 漢字 😀"}') },
  { path: query('c_total{u=`Zoë 漢字 😀`}') },
  { path: query('c_total{q=\'say "hi"\\n\\\\\'}') },
  { path: query('c_total{u=~".*\\u6f22.*"}') },
  { path: query('{__name__="c_total",zone=""}') },
  { path: query('c_total{missing=""}') },
  { path: query('c_total{missing!=""}') },
  { path: query('m_total'), differs: 'html' },
  { path: query('{html=~"<"} + {}') },
  { path: query('m_total', '&start=%3C%26%3E'), differs: 'badTime' },
  { path: query('c_total offset 5m') },
  { path: query('rate(h_bucket[5m]) / on (path) group_left sum by (path) (c_total)') },
  { path: query('histogram_quantile(0.9, sum by (le) (rate(h_bucket[5m])))') },
  { path: query('h_bucket @ 0') },
  { path: query('max_over_time(rate(h_bucket[1m])[5m:1m])') },
  { path: query('h_bucket or c_total') },
  { path: query('# comment\nh_bucket') },
  { path: query('h_bucket', `&start=${seconds + 1}&end=${seconds + 2}`) },
  { path: query('h_bucket', `&start=${seconds}.125&end=${seconds}.125`) },
  { path: query('h_bucket', `&start=${seconds}.1254&end=${seconds + 9}`) },
  { path: query('h_bucket', `&start=${seconds}.1256&end=${seconds + 9}`) },
  { path: query('h_bucket', `&start=${encodeURIComponent(new Date(seconds * 1000).toISOString())}`) },
  { path: query('h_bucket', `&start=${seconds}e0&end=1e11`) },
  { path: query('h_bucket', '&start=1970-01-01T00:00:00Z&end=2970-01-01T01:00:00.123456789%2B01:00') },
  { path: query('h_bucket', '&start=-1.5&end=1') },
  badTime('start', '0x10'),
  { path: query('h_bucket', `&start=1_000&end=${seconds + 9}`) },
  // Milliseconds instead of seconds.
  { path: query('h_bucket', `&start=${seconds}000&end=${seconds + 9}000`) },
  { path: query('h_bucket', '&start=&end=') },
  badTime('start', 'abc'),
  badTime('end', 'now-1h'),
  badTime('start', '2025-11-22'),
  badTime('start', '2025-11-22 10:00:00'),
  badTime('start', '2025-13-22T10:00:00Z'),
  badTime('start', ' 1'),
  { path: query('h_bucket', '&start=2&end=1') },
  { path: query('h_bucket{', '&start=2&end=1') },
  { path: query('1') },
  { path: query('time()') },
  { path: query('"text"') },
  { path: EXEMPLARS, differs: 'emptyExpression' },
  { path: query(''), differs: 'emptyExpression' },
  { path: query(' \n'), differs: 'emptyExpression' },
  { path: query('{}') },
  { path: query('up + {}') },
  { path: query('{a=""}') },
  { path: query('{a=~".*"}') },
  {
    path: query('h_bucket{path=~"a("}'),
    differs: 'badRegex',
  },
  { path: query('nothing') },
  { path: EXEMPLARS, method: 'POST', headers: FORM, body: 'query=h_bucket' },
  { path: query('c_total'), method: 'POST', headers: FORM, body: 'query=h_bucket' },
  { path: query('c_total'), method: 'POST', headers: FORM, body: `start=${seconds + 3}` },
  { path: query('c_total'), method: 'POST' },
  {
    path: EXEMPLARS,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"up"}',
    differs: 'emptyExpression',
  },
  {
    path: EXEMPLARS,
    method: 'POST',
    headers: { 'content-type': `${FORM['content-type']}; charset=utf-8` },
    body: 'query=h_bucket',
  },
  { path: query('h_bucket'), headers: { origin: 'http://grafana.example' } },
  { path: query('1'), headers: { origin: 'http://grafana.example' } },
  { path: query('{}'), headers: { origin: 'http://grafana.example' } },
  { path: query('h_bucket'), headers: { accept: 'text/html' } },
  {
    path: EXEMPLARS,
    method: 'OPTIONS',
    headers: { origin: 'http://g', 'access-control-request-method': 'POST' },
  },
  { path: EXEMPLARS, method: 'OPTIONS' },
  { path: '/api/v1/nothing', method: 'OPTIONS' },
  { path: '/nothing', method: 'OPTIONS' },
  { path: '/metrics', method: 'OPTIONS' },
  { path: '/-/healthy', method: 'OPTIONS' },
  { path: EXEMPLARS, method: 'PUT' },
  { path: EXEMPLARS, method: 'DELETE', headers: { origin: 'http://g' } },
  { path: EXEMPLARS, method: 'PATCH' },
  { path: query('up'), method: 'HEAD' },
  { path: '/metrics', method: 'HEAD' },
  { path: '/metrics', method: 'POST' },
  { path: '/-/healthy', method: 'POST' },
  { path: '/-/reload' },
  { path: '/-/reload', method: 'POST' },
  { path: '/api/v1/targets', method: 'POST' },
  { path: '/api/v1/label/job/values', method: 'POST' },
  { path: '/api/v1/status/config', method: 'DELETE' },
  { path: '/api/v1/nothing' },
  { path: '/nothing' },
  { path: '/nothing', method: 'POST', headers: FORM, body: 'a=b' },
  { path: '/api/v1/query?query=1%2B1&time=4' },
  { path: '/api/v1/query', method: 'POST', headers: FORM, body: 'query=1%2B1&time=4' },
  { path: '/api/v1/query?query=-2%5E2%2B7%255*(3-1)/4&time=4.5' },
  { path: '/api/v1/query?query=1/0&time=1.234' },
  { path: '/api/v1/query?query=1e21*1e-30-NaN&time=0' },
  { path: '/api/v1/query?query=1e-7&time=0' },
  { path: '/api/v1/query?query=-1.5e25&time=0' },
  { path: '/api/v1/query?query=(-2)%5E3%5E2&time=-1' },
  {
    path: '/api/v1/query?query=1%2B&time=0',
  },
  {
    path: '/api/v1/query?query=1&time=x',
    differs: 'badTime',
  },
  { path: '/api/v1/series' },
  { path: '/api/v1/series?match[]=c_total' },
  { path: '/api/v1/series?match[]=h_bucket&match[]=c_total{zone="us"}' },
  { path: '/api/v1/series', method: 'POST', headers: FORM, body: 'match[]=c_total' },
  { path: '/api/v1/series?match[]={a=""}' },
  { path: '/api/v1/labels?match[]=c_total' },
  { path: '/api/v1/labels', method: 'POST', headers: FORM, body: 'match[]=h_bucket' },
  { path: '/api/v1/label/zone/values' },
  { path: '/api/v1/label/zone/values?match[]=c_total{zone=~"e.*"}' },
  { path: '/api/v1/label/nothing/values' },
  ...['', '?metric=c', '?metric=nothing', '?limit=9', '?limit=0', '?limit=-1', '?limit=x'].map((rest) => ({
    path: `/api/v1/metadata${rest}`,
  })),
  { path: '/api/v1/metadata', method: 'POST' },
  { path: '/api/v1/rules' },
  { path: '/api/v1/rules?type=alert' },
  { path: '/api/v1/rules?type=x' },
  { path: '/api/v1/alerts' },
  { path: '/api/v1/alertmanagers' },
  { path: '/api/v1/status/walreplay' },
  {
    path: '/api/v1/targets?state=dropped&scrapePool=x',
    differs: 'droppedTargetCounts',
  },
];

const encodings = ['gzip', 'deflate', 'gzip, deflate', 'br', 'identity', 'gzip;q=0'];

t.test('the API against a real Prometheus', { skip: prometheusMissing() }, async (t) => {
  const target = createServer((_request, response) => {
    response.setHeader('content-type', 'application/openmetrics-text; version=1.0.0; charset=utf-8');
    response.end(BODY);
  }).listen(0, '127.0.0.1');
  await once(target, 'listening');
  t.teardown(() => target.close());
  const { port } = target.address() as AddressInfo;
  const text = `scrape_configs: [{job_name: shop, scrape_interval: 1s, static_configs: [{targets: ["127.0.0.1:${port}"]}]}]`;
  const prometheus = await startPrometheus({ config: text });
  t.teardown(() => prometheus.stop());
  const exemplard = await startApp(text);
  t.teardown(() => exemplard.stop());
  const ours = exemplard.url;
  for (const url of [prometheus.url, ours]) {
    await until(
      async () => (await ask(url, { path: query('{zone="an"}') })).body.includes('"z"'),
      `a scrape of ${url}`,
    );
  }

  for (const each of CASES) {
    const name = `${each.method ?? 'GET'} ${decodeURIComponent(each.path)} ${JSON.stringify(each.headers ?? {})} ${each.body ?? ''}`;
    const theirs = await ask(prometheus.url, each);
    const body = each.differs === undefined ? theirs.body : DIFFERENCES[each.differs](theirs.body);
    t.strictSame(await ask(ours, each), { ...theirs, body }, name);
    if (each.differs !== undefined) t.not(body, theirs.body, `${name}: still differs`);
  }

  for (const encoding of encodings) {
    const headers = { 'accept-encoding': encoding };
    for (const path of [query('h_bucket'), query('{}')]) {
      const [a, b] = await Promise.all(
        [prometheus.url, ours].map(async (url) => {
          const { headers: received, body } = await request(url + path, { headers });
          await body.dump();
          return received['content-encoding'];
        }),
      );
      t.equal(b, a, `${encoding}: ${path}`);
    }
  }
});

async function ask(url: string, { path, method = 'GET', headers = {}, body = '' }: Case): Promise<Answer> {
  const response = await request(url + path.replaceAll(' ', '%20'), { method, headers, body });
  const seen = SEEN_HEADERS.map((name) => [name, response.headers[name]]);
  return {
    status: response.statusCode,
    headers: Object.fromEntries(seen.filter(([, value]) => value !== undefined)),
    body: await response.body.text(),
  };
}
