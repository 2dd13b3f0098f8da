import type { FastifyInstance } from 'fastify';
import t from 'tap';
import { queryExemplars, queryRetention } from '../../src/cli/query.js';
import { readableBytes, readableRate, readableSeconds, readableSeries } from '../../src/cli/readable.js';
import { textTable } from '../../src/cli/text-table.js';
import { NO_WEB_CONFIG } from '../../src/http/web-config.js';
import { labelsFromRecord } from '../../src/model/labels.js';
import { createApi, createStore } from '../support/api.js';
import { startApp } from '../support/app.js';
import { traced } from '../support/exemplar.js';

const NOW_MS = 1_763_796_000_000;
const TRACE = '0123456789abcdef0123456789abcdef';

async function listen(server: FastifyInstance): Promise<string> {
  return server.listen({ host: '127.0.0.1', port: 0 });
}

async function startShop(): Promise<{ url: string; close: () => Promise<void> }> {
  const store = createStore({ perSeries: 3, maxBytes: 1024 * 1024 });
  const append = (labels: Record<string, string>, count: number, everyMs: number) => {
    const series = store.seriesOf(labelsFromRecord(labels), NOW_MS - count * everyMs);
    for (let i = count - 1; i >= 0; i--) {
      const atMs = NOW_MS - i * everyMs;
      store.append(series, traced(atMs, TRACE, i / 4), atMs);
    }
  };
  append({ __name__: 'a_total', job: 'shop', path: '/"x"' }, 5, 3_600_000);
  append({ __name__: 'b_total', job: 'bank' }, 1, 1000);
  const clock = { nowMs: () => NOW_MS, monotonicMs: () => performance.now(), after: () => () => {} };
  const server = await createApi(store, { clock });
  return { url: await listen(server), close: () => server.close() };
}

interface Output {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

type Query<Options> = (
  options: Options,
  stdout: (text: string) => void,
  stderr: (text: string) => void,
) => Promise<number>;

async function run<Options>(query: Query<Options>, options: Options): Promise<Output> {
  let out = '';
  let err = '';
  const code = await query(
    options,
    (text) => {
      out += text;
    },
    (text) => {
      err += text;
    },
  );
  return { code, out, err };
}

t.test('exemplars', async (t) => {
  const shop = await startShop();
  t.teardown(() => shop.close());
  const common = { server: shop.url, output: 'table' } as const;
  t.strictSame(await run(queryExemplars, { ...common, expression: 'a_total or b_total' }), {
    code: 0,
    out: [
      'TIME                      VALUE  EXEMPLAR                                   SERIES',
      `2025-11-22T05:20:00.000Z    0.5  trace_id=${TRACE}  a_total{job="shop", path="/\\"x\\""}`,
      `2025-11-22T06:20:00.000Z   0.25  trace_id=${TRACE}  a_total{job="shop", path="/\\"x\\""}`,
      `2025-11-22T07:20:00.000Z      0  trace_id=${TRACE}  a_total{job="shop", path="/\\"x\\""}`,
      `2025-11-22T07:20:00.000Z      0  trace_id=${TRACE}  b_total{job="bank"}`,
      '',
    ].join('\n'),
    err: '',
  });
  const limited = await run(queryExemplars, {
    ...common,
    output: 'json',
    expression: 'a_total',
    start: '2025-11-22T05:30:00Z',
    limit: '1',
    order: 'desc',
    minValue: '0.1',
    maxValue: '1',
  });
  t.match(JSON.parse(limited.out), { status: 'success', data: [{ exemplars: [{ value: '0.25' }] }] });
  t.same((await run(queryExemplars, { ...common, expression: 'nothing' })).out, 'no exemplars\n');
  t.same((await run(queryExemplars, { ...common, expression: '1' })).out, 'no exemplars\n');
});

t.test('retention', async (t) => {
  const shop = await startShop();
  t.teardown(() => shop.close());
  const common = { server: shop.url, output: 'table' } as const;
  const { code, out } = await run(queryRetention, { ...common, by: 'job', target: '1h' });
  t.equal(code, 0);
  const [title, bank, shopLine, , summary] = out.split('\n');
  t.match(title, /^GROUP +SERIES +FULL +EXEMPLARS +WINDOW MIN .* TARGET PER_SERIES +MAX_BYTES$/);
  t.match(bank, /^\{job="bank"\} +1 +0 +1 +0s +0s +0s /);
  t.match(shopLine, /^\{job="shop"\} +1 +1 +3 +2h +2h +2h .* KiB$/);
  t.match(summary, /^\d+\.\d KiB of 1\.0 MiB used, 3 exemplars a series at most$/);
  t.equal(new Set([title, bank, shopLine].map((line) => line!.length)).size, 1, 'columns are aligned');
  const total = await run(queryRetention, common);
  t.match(total.out, /^GROUP .*\nall +2 /);
  t.notMatch(total.out, 'TARGET');
  const matched = await run(queryRetention, {
    ...common,
    output: 'json',
    match: ['a_total', 'b_total'],
    by: 'metric',
  });
  t.equal(JSON.parse(matched.out).data.groups.length, 2);
  t.match((await run(queryRetention, { ...common, by: 'job', match: ['nothing'] })).out, /^no series\n/);
});

t.test('a user and a password in the URL of the server, below a path', async (t) => {
  const hash = '$2b$04$.nphUja3PAt4NSqQKPedhOB90p7NAw/9OGl0VXaxIX354BwqFPXKG';
  const app = await startApp('archive: {type: none}', undefined, {
    routePrefix: '/x',
    loadConfig: () => ({ ...NO_WEB_CONFIG, users: new Map([['ü', hash]]) }),
  });
  t.teardown(() => app.stop());
  const server = (who: string) => `${app.url.replace('//', `//${who}@`)}/x`;
  const options = { output: 'json', expression: 'a' } as const;
  t.match(await run(queryExemplars, { ...options, server: server('%C3%BC:open%20sesame') }), { code: 0 });
  const refused = await run(queryExemplars, { ...options, server: server('%C3%BC:wrong') });
  t.match(refused, { code: 1, err: /401/ });
  t.notMatch(refused.err, 'wrong', 'the password is not shown');
});

t.test('what goes wrong is said, and the exit code is 1', async (t) => {
  const shop = await startShop();
  t.teardown(() => shop.close());
  const ask = (server: string, by = 'total') => run(queryRetention, { server, output: 'table', by });
  t.strictSame(await ask(shop.url, 'nonsense'), {
    code: 1,
    out: '',
    err: `error: ${shop.url} answered 400: invalid parameter "by": "nonsense" is none of total, job, instance, metric, series, label:NAME\n`,
  });
  t.match(await ask(`${shop.url}/prefix/`), { code: 1, err: /answered 404: 404 page not found\n$/ });
  t.match(await ask('ftp://x'), {
    code: 1,
    err: 'error: --server must be a URL like http://127.0.0.1:9199, got "ftp://x"\n',
  });
  t.match(await ask('127.0.0.1:9199'), { code: 1, err: /^error: --server must be a URL/ });
  await shop.close();
  t.match(await ask(shop.url), {
    code: 1,
    err: /^error: http:\/\/127\.0\.0\.1:\d+ cannot be reached: connect ECONNREFUSED .* Does exemplard run there\?/,
  });
});

t.test('figures as people read them', async (t) => {
  const seconds: [number | null, string][] = [
    [null, '-'],
    [0, '0s'],
    [0.0001, '1ms'],
    [0.25, '250ms'],
    [59.9, '59s'],
    [60, '1m'],
    [8000, '2h 13m'],
    [86_400, '1d'],
    [90_061, '1d 1h'],
    [86_460, '1d'],
  ];
  for (const [value, text] of seconds) t.equal(readableSeconds(value), text);
  t.same([0, 0.00123456, 12.3456, 1234.5].map(readableRate), ['0', '0.00123', '12.3', '1235']);
  t.same([null, 0, 1000, 12_900_000].map(readableBytes), ['-', '0 B', '1000 B', '12.3 MiB']);
  t.equal(readableSeries({ __name__: 'a' }), 'a');
  t.equal(readableSeries({ b: 'c' }), '{b="c"}');
  t.equal(readableSeries({}), '{}');
});

t.test('tables', async (t) => {
  const rows = [
    ['é', '1'],
    ['😀😀', '10'],
  ];
  const table = textTable(
    [
      { title: 'A', cell: (row: string[]) => row[0]! },
      { title: 'B', cell: (row: string[]) => row[1]!, align: 'right' },
    ],
    rows,
  );
  t.equal(table, 'A    B\né    1\n😀😀  10\n');
});
