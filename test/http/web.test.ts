/** How the server is reached: prefixes, other origins, users, limits. */
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { Destinations } from '../../src/http/destination.js';
import { addRoutes } from '../../src/http/routes.js';
import { createServer } from '../../src/http/server.js';
import { NO_WEB_CONFIG } from '../../src/http/web-config.js';
import { labelsFromRecord } from '../../src/model/labels.js';
import type { ExemplarStore } from '../../src/store/exemplar-store.js';
import { apiParts, createApi, createStore, get } from '../support/api.js';
import { startApp } from '../support/app.js';
import { traced } from '../support/exemplar.js';
import { DEFAULT_QUERY_LIMITS } from '../support/query-limits.js';
import { until } from '../support/until.js';

const NOTHING = 'archive: {type: none}';
/** Of `open sesame`. */
const HASH = '$2b$04$.nphUja3PAt4NSqQKPedhOB90p7NAw/9OGl0VXaxIX354BwqFPXKG';
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

function append(store: ExemplarStore, id: string, timestampMs: number): void {
  store.append(store.seriesOf(labelsFromRecord({ __name__: 'a' }), 2_000), traced(timestampMs, id), 2_000);
}

t.test('below a prefix everything, beside it nothing', async (t) => {
  const app = await startApp(NOTHING, undefined, { routePrefix: '/team/exemplars' });
  t.teardown(() => app.stop());
  const at = async (path: string) => {
    const answer = await fetch(app.url + path, { redirect: 'manual' });
    await answer.arrayBuffer();
    return [answer.status, answer.headers.get('location')];
  };
  for (const path of [
    '/-/healthy',
    '/metrics',
    '/api/v1/labels',
    '/exemplard/api/v1/labels',
    '/api/v1/targets?state=any',
  ])
    t.strictSame(await at(`/team/exemplars${path}`), [200, null], path);
  for (const path of ['/', '/team/exemplars']) t.strictSame(await at(path), [302, '/team/exemplars/'], path);
  for (const path of ['/-/healthy', '/team/exemplarsx/metrics', '/api/v1/labels', '/team'])
    t.strictSame(await at(path), [404, null], path);
  t.strictSame(await at('/team/exemplars/nothing'), [404, null]);
});

t.test('beside a prefix nothing is open', async (t) => {
  const app = await startApp(NOTHING, undefined, {
    routePrefix: '/ex',
    loadConfig: () => ({ ...NO_WEB_CONFIG, users: new Map([['u', '']]), openPaths: ['/-/healthy'] }),
  });
  t.teardown(() => app.stop());
  const statusAt = async (path: string) => (await fetch(app.url + path)).status;
  t.equal(await statusAt('/ex/-/healthy'), 200);
  for (const path of ['/ex/metrics', '/xx/-/healthy', '/ex', '/']) t.equal(await statusAt(path), 401, path);
});

t.test('redirects lead to where clients are, in front of a proxy that changes paths', async (t) => {
  const started = async (routePrefix: string, publicPrefix: string) => {
    const app = await startApp(NOTHING, undefined, { routePrefix, publicPrefix });
    t.teardown(() => app.stop());
    return async (path: string) =>
      (await fetch(app.url + path, { redirect: 'manual' })).headers.get('location');
  };
  const cut = await started('', '/ex');
  t.equal(await cut('/exemplard?x=1'), '/ex/exemplard/?x=1');
  t.equal(await cut('/'), null, 'the page is there');
  const other = await started('/in', '/ex');
  t.equal(await other('/in/exemplard'), '/ex/exemplard/');
  t.equal(await other('/in'), '/ex/');
  t.equal(await other('/'), '/in/', 'asked past the proxy');
});

t.test('only origins that may read the API', async (t) => {
  const api = await createApi(undefined, { isAllowedOrigin: (origin) => origin.endsWith('.example') });
  const allowed = async (origin: string) =>
    (await api.inject({ url: '/api/v1/labels', headers: { origin } })).headers['access-control-allow-origin'];
  t.equal(await allowed('http://grafana.example'), 'http://grafana.example');
  t.equal(await allowed('http://evil.test'), undefined);
});

t.test('what changes something is not for pages of other origins', async (t) => {
  const api = await createApi(undefined, { enableLifecycle: true });
  const post = async (url: string, origin: string) =>
    (await api.inject({ method: 'POST', url, headers: { host: 'exemplard:9199', origin } })).statusCode;
  for (const url of ['/-/reload', '/-/quit', '/api/v1/sampling/run', '/api/v1/traces/ab/keep'])
    for (const origin of ['http://evil.example', 'null', 'http://exemplard:9198'])
      t.equal(await post(url, origin), 403, `${url} ${origin}`);
  t.equal(await post('/-/reload', 'http://exemplard:9199'), 200);
});

t.test('the page and what it loads say what a browser may do with them', async (t) => {
  const api = await createApi();
  const page = await api.inject('/');
  const script = /src="\.(\/assets\/[^"]+\.js)"/.exec(page.body)?.[1];
  const loaded = await api.inject(script!);
  t.same([page.statusCode, loaded.statusCode], [200, 200]);
  for (const { headers } of [page, loaded]) t.equal(headers['x-content-type-options'], 'nosniff');
  t.match(loaded.headers, { vary: /accept-encoding/i, 'cache-control': /immutable/ });
  t.match(page.headers['content-security-policy'], /^default-src 'none'; script-src 'self' 'sha256-[^ ]+'; /);
  t.match(page.headers, { 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer' });
});

t.test('users', async (t) => {
  let users = new Map([['u', HASH]]);
  const app = await startApp(NOTHING, undefined, {
    loadConfig: () => ({
      ...NO_WEB_CONFIG,
      users,
      openPaths: ['/-/healthy'],
      headers: { 'x-frame-options': 'DENY' },
    }),
  });
  t.teardown(() => app.stop());
  const status = async (path: string, authorization?: string) => {
    const answer = await fetch(
      app.url + path,
      authorization === undefined ? {} : { headers: { authorization } },
    );
    await answer.arrayBuffer();
    return answer.status;
  };
  for (const path of ['/', '/metrics', '/api/v1/labels', '/nothing', '/-/ready', '/assets/x', '/-/%68ealthy'])
    t.equal(await status(path), 401, path);
  t.equal(await status('/-/healthy'), 200, 'open');
  t.equal(await status('/-/healthy?x=1'), 200);
  for (const wrong of ['u:no', 'v:open sesame', 'u', ':', ''])
    t.equal(await status('/api/v1/labels', basic(wrong)), 401, wrong);
  for (const wrong of ['Bearer x', 'Basic', 'Basic !', ''])
    t.equal(await status('/api/v1/labels', wrong), 401, wrong);
  for (let i = 0; i < 2; i++) t.equal(await status('/api/v1/labels', basic('u:open sesame')), 200);
  const answer = await fetch(`${app.url}/api/v1/labels`);
  t.match(await answer.text(), 'Unauthorized');
  t.equal(answer.headers.get('www-authenticate'), 'Basic');
  t.equal(answer.headers.get('x-frame-options'), 'DENY', 'headers of the configuration');
  users = new Map([['u', '$2b$04$.nphUja3PAt4NSqQKPedhOB90p7NAw/9OGl0VXaxIX354BwqFPXKH']]);
  await app.reload(NOTHING);
  t.equal(await status('/api/v1/labels', basic('u:open sesame')), 401, 'a new hash is a new password');
});

t.test('so many queries at once, each for so long', async (t) => {
  const store = createStore();
  append(store, 'x', 1_000);
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const answer = async () => {
    await released;
    return { found: [], warnings: [] };
  };
  const archive = { isShared: true, exemplars: answer, labelSets: answer };
  const api = await createApi(store, {
    archive: () => archive as never,
    queryLimits: { ...DEFAULT_QUERY_LIMITS, maxConcurrency: 1, timeoutMs: 300 },
  });
  const first = get(api, '/api/v1/query_exemplars?query=a');
  const second = await get(api, '/api/v1/query_exemplars?query=a');
  t.equal(second.status, 503);
  t.match(second.body, {
    status: 'error',
    errorType: 'timeout',
    error: /timed out after 300ms \(--query.timeout\)/,
  });
  const headers = { accept: 'text/event-stream' };
  const asEvents = await api.inject({ url: '/api/v1/series?match[]=a', headers });
  t.equal(asEvents.statusCode, 503, 'a header does not lift the limit');
  t.equal(
    (await get(api, '/api/v1/status/buildinfo')).status,
    200,
    'what takes no time is answered meanwhile',
  );
  release();
  await first;
  t.equal((await get(api, '/api/v1/query_exemplars?query=a')).status, 200, 'then there is room again');
});

t.test('so many who watch, and what one more is told', async (t) => {
  const full = { isFull: true } as never;
  const api = await createApi(undefined, { live: full, sampling: { jobs: ['j'], feed: full } as never });
  const watch = async (url: string) => {
    const { statusCode, body } = await api.inject({ url, headers: { accept: 'text/event-stream' } });
    return [statusCode, JSON.parse(body).error];
  };
  t.match(await watch('/api/v1/query_exemplars?query=a'), [503, /^20 clients watch .* end one of these/]);
  t.match(await watch('/api/v1/sampling/decisions'), [503, /^32 clients read decisions .* end one of these/]);
});

t.test('that nothing comes is said now and then, in a way that a browser tells of', async (t) => {
  const live = {
    async *follow() {
      for (let page = 0; page < 80; page++) yield { json: undefined, skipped: 0 };
    },
  };
  const api = await createApi(undefined, { live: live as never });
  const { body } = await api.inject({
    url: '/api/v1/query_exemplars?query=a',
    headers: { accept: 'text/event-stream' },
  });
  const quiet = 'event: quiet\ndata: {}\n\n';
  t.equal(body, `: exemplars as they are accepted\n\n${quiet}${quiet}`);
});

t.test('an answer that would be too large', async (t) => {
  const store = createStore();
  for (let i = 0; i < 10; i++) append(store, String(i), 1_000 + i);
  const queryLimits = { ...DEFAULT_QUERY_LIMITS, maxExemplars: 5 };
  for (const archive of [
    undefined,
    { isShared: true, exemplars: async () => ({ found: [], warnings: [] }) },
  ]) {
    const api = await createApi(store, { queryLimits, archive: () => archive as never });
    const all = await get(api, '/api/v1/query_exemplars?query=a');
    t.equal(all.status, 422);
    t.match(all.body, {
      errorType: 'execution',
      error: /10 exemplars, .* more than 5 \(--query.max-exemplars\)/,
    });
    t.equal((await get(api, '/api/v1/query_exemplars?query=a&limit=5')).status, 200);
    t.equal((await get(api, '/api/v1/query_exemplars?query=a&end=1.004')).status, 200);
    t.equal((await get(api, '/api/v1/query_exemplars?query=a&end=1.005')).status, 422);
  }
});

t.test('what is no HTTP, or too slow, or too much of it', async (t) => {
  const destinations = new Destinations({ routePrefix: '', publicPrefix: '', hasUpstream: () => false });
  const server = await createServer({ destinations, readTimeoutMs: 500, maxConnections: 3 });
  await addRoutes(server, destinations, apiParts(createStore()));
  await server.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(() => server.close());
  const { port } = server.server.address() as { port: number };
  const say = async (text: string) => {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', () => {});
    socket.write(text);
    await once(socket, 'close');
    return answer;
  };
  t.match(await say('nonsense\r\n\r\n'), /^HTTP\/1\.1 400 [\s\S]*"status":"error"[\s\S]*no valid HTTP/);
  t.match(await say(`GET / HTTP/1.1\r\nx: ${'a'.repeat(300_000)}\r\n\r\n`), /^HTTP\/1\.1 431 [\s\S]*headers/);
  t.match(await say('GET / HTTP/1.1\r\nHost: x\r\n'), /^HTTP\/1\.1 408 [\s\S]*in time/);
  t.match(
    await say('POST /api/v1/labels HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\na'),
    /^HTTP\/1\.1 408 /,
  );
  // They take in the answer, and keep their side open.
  const holding = [1, 2, 3].map(() => connect({ port, host: '127.0.0.1', allowHalfOpen: true }).resume());
  for (const socket of holding) socket.on('error', () => {}).write('GET / HTTP/1.1\r\nHo');
  await Promise.all(holding.map((socket) => once(socket, 'end')));
  const isAnswered = async () =>
    /200 OK/.test(await say('GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
  await until(isAnswered, 'connections: who is slow does not keep them');
  for (const socket of holding) socket.destroy();
  const idle = [1, 2, 3].map(() => connect(port, '127.0.0.1'));
  await Promise.all(idle.map((socket) => once(socket, 'connect')));
  const fourth = connect(port, '127.0.0.1');
  fourth.on('error', () => {});
  await once(fourth, 'close');
  t.pass('a connection too many is closed');
  for (const socket of idle) socket.destroy();
});
