/** A real Prometheus behind exemplard: whoever asks through exemplard cannot tell. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { Agent } from 'undici';
import { startApp } from '../support/app.js';
import { prometheusMissing, startPrometheus } from '../support/prometheus.js';
import fc from '../support/properties.js';
import { body, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

const REQUESTS = 1_000;

const ORDINARY = ['GET', 'GET', 'GET', 'GET', 'POST', 'POST'];
const METRICS = ['up', 'requests_total', 'seconds_bucket', 'nothing'];
const LABELS = ['__name__', 'le', 'job', 'instance', 'path', 'U__path', 'U__a_2e_b', 'nope', '%5F_name__'];
const QUERIES = [
  ...METRICS,
  'rate(requests_total[1m])',
  'sum by (job) (up)',
  'histogram_quantile(0.9, rate(seconds_bucket[5m]))',
  '{path=~".+"}',
  'up{job="ä<b>&\\"c"}',
  '1+1',
  'up{',
  '',
  'topk(1, {job=~"j.*"})',
  'vector(1)',
];
const TIMES = ['1795000000', '1795000000.123', '2026-11-18T11:46:40Z', '-1', 'abc', '', '1e99'];

const asked = (name: string, values: readonly string[]) =>
  fc.tuple(fc.constant(name), fc.constantFrom(...values));
const parameters = fc.array(
  fc.oneof(
    asked('query', QUERIES),
    asked('match[]', QUERIES),
    asked('start', TIMES),
    asked('end', TIMES),
    asked('time', TIMES),
    asked('step', ['15', '1m', '0', 'x']),
    asked('limit', ['1', '0', '-1', 'x', '40000']),
    asked('timeout', ['1s', 'x']),
    fc.tuple(fc.string({ maxLength: 5 }), fc.string({ maxLength: 10 })),
  ),
  { maxLength: 5 },
);

/** What a client may write after the `?`: as a library escapes it, and as a person types it. */
const queryString = fc
  .tuple(parameters, fc.boolean())
  .map(([pairs, isEscaped]) =>
    isEscaped
      ? new URLSearchParams(pairs).toString()
      : pairs.map(([name, value]) => `${bare(name)}=${bare(value)}`).join('&'),
  );

function bare(text: string): string {
  return text.replace(/[^!$'()*,./:;<>@[\]^_`{|}~\w"-]/g, (character) => encodeURIComponent(character));
}

const path = fc.oneof(
  fc.constantFrom(
    ...[
      'query',
      'query_range',
      'labels',
      'series',
      'metadata',
      'rules',
      'alerts',
      'alertmanagers',
      'nothing',
    ],
    ...[
      'format_query',
      'status/buildinfo',
      'status/config',
      'status/flags',
      'targets/metadata',
      'write',
      'read',
    ],
    ...['admin/tsdb/clean_tombstones', 'targets?state=dropped', 'query//x', ''],
  ),
  fc.constantFrom(...LABELS).map((name) => `label/${name}/values`),
);

const exchange = fc.record({
  method: fc.constantFrom(...ORDINARY, ...ORDINARY, ...ORDINARY, 'OPTIONS', 'HEAD', 'PUT', 'DELETE'),
  path: path.map((each) => `/api/v1/${each}`),
  query: queryString,
  form: fc.option(parameters.map((pairs) => new URLSearchParams(pairs).toString())),
  headers: fc.dictionary(
    fc.constantFrom('accept-encoding', 'origin', 'accept', 'x-scope-orgid', 'authorization', 'if-none-match'),
    fc.constantFrom('gzip', 'deflate, gzip;q=0.5', '*/*', 'http://grafana.example', 'Bearer a.b', 'identity'),
  ),
});
type Exchange = typeof exchange extends fc.Arbitrary<infer Value> ? Value : never;

async function answerOf(url: string, { method, path, query, form, headers }: Exchange, agent: Agent) {
  const hasBody = form !== null && !['GET', 'HEAD'].includes(method);
  const mark = path.includes('?') ? '&' : '?';
  // By its parts, so that nothing tidies up the path.
  const answer = await agent.request({
    origin: url,
    method: method as 'GET',
    path: `${path}${query === '' ? '' : mark + query}`,
    headers: { ...headers, ...(hasBody ? { 'content-type': 'application/x-www-form-urlencoded' } : {}) },
    body: hasBody ? form : null,
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  const { date: _, connection: __, 'keep-alive': ___, ...kept } = answer.headers;
  // How long a body is, is said or not, as it comes.
  delete kept['content-length'];
  delete kept['transfer-encoding'];
  return { status: answer.statusCode, headers: kept, body: bytes.toString('latin1') };
}

t.test(
  'random requests are answered the same with and without exemplard between',
  { skip: prometheusMissing() },
  async (t) => {
    const target = await serveTarget(
      body(
        '# TYPE requests counter\nrequests_total{path="/"} 3 # {trace_id="a"} 1\n# TYPE seconds histogram\n' +
          'seconds_bucket{le="1"} 1\nseconds_bucket{le="+Inf"} 2\nseconds_sum 1\nseconds_count 2\n# EOF\n',
      ),
    );
    t.teardown(() => target.close());
    const prometheus = await startPrometheus({
      config: `scrape_configs: [{job_name: j, scrape_interval: 1s, static_configs: [{targets: ['${target.address}']}]}]`,
    });
    t.teardown(() => prometheus.stop());
    await until(
      async () => (await (await fetch(`${prometheus.url}/api/v1/query?query=up`)).text()).includes('"1"'),
      'Prometheus to have scraped',
    );
    const app = await startApp(`upstream: {url: '${prometheus.url}'}\narchive: {type: none}`);
    t.teardown(() => app.stop());
    const agent = new Agent({ headersTimeout: 10_000 });
    t.teardown(() => agent.close());
    const statuses = new Map<number, number>();
    for (const each of fc.sample(exchange, { numRuns: REQUESTS, seed: 6 })) {
      // What is asked without a time is asked of now, which may tick between the two.
      let [direct, through] = [
        await answerOf(prometheus.url, each, agent),
        await answerOf(app.url, each, agent),
      ];
      for (let again = 0; again < 3 && JSON.stringify(direct) !== JSON.stringify(through); again++) {
        await sleep(10);
        const both = await Promise.all([
          answerOf(prometheus.url, each, agent),
          answerOf(app.url, each, agent),
        ]);
        [direct, through] = both.map(withoutNow) as typeof both;
      }
      statuses.set(direct.status, (statuses.get(direct.status) ?? 0) + 1);
      if (JSON.stringify(direct) === JSON.stringify(through)) continue;
      t.strictSame(through, direct, JSON.stringify(each));
    }
    t.comment(`answers by status: ${JSON.stringify(Object.fromEntries(statuses))}`);
    t.ok((statuses.get(200) ?? 0) > REQUESTS / 4, 'enough of them are answers');
    t.ok((statuses.get(400) ?? 0) > REQUESTS / 20, 'and errors');
  },
);

/** The time of an evaluation that was asked for "now", to the millisecond. */
function withoutNow<Answer extends { body: string }>(answer: Answer): Answer {
  return { ...answer, body: answer.body.replace(/\[\d{10}(?:\.\d{1,3})?,/g, '[now,') };
}
