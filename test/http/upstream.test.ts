import { once } from 'node:events';
import { type IncomingMessage, METHODS, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { NO_WEB_CONFIG } from '../../src/http/web-config.js';
import { startApp } from '../support/app.js';
import { fastClock } from '../support/fast-clock.js';
import { serve } from '../support/http-servers.js';
import { body as exposed, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

/** exemplard before a server that answers as the test says. */
async function startBefore(
  t: Test,
  answer: RequestListener,
  { path = '', more = '', config = '', web = {} as Parameters<typeof startApp>[2] } = {},
) {
  const upstream = await serve(answer);
  t.teardown(() => upstream.close());
  const url = `http://127.0.0.1:${upstream.port}${path}`;
  const app = await startApp(
    `upstream: {url: '${url}'${more}}\narchive: {type: none}\n${config}`,
    undefined,
    web,
  );
  t.teardown(() => app.stop());
  return { app, upstream };
}

/** Sends bytes as they are; resolves with all that comes back. */
async function raw(url: string, head: string, body = ''): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(`${head}\r\nConnection: close\r\n\r\n${body}`);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  await once(socket, 'close');
  return text;
}

t.test('path, query, headers and bodies go through as they are', async (t) => {
  const { app, upstream } = await startBefore(
    t,
    (_request, response) => {
      response.writeHead(418, 'Teapot', [
        ...['X-Many', '1', 'X-Many', '2', 'Set-Cookie', 'a=b', 'Set-Cookie', 'c=d', 'ETag', 'W/"x"'],
        ...['Connection', 'x-secret-of-connection', 'X-Secret-Of-Connection', 'y'],
      ]);
      response.end(Buffer.from([0, 255, 1]));
    },
    { path: '/select/0/prometheus/' },
  );
  const text = await raw(
    app.url,
    'GET /api/v1/label/U__a_2e_b/values?a={b}&c="d"%20&&match[]=x HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer x\r\n' +
      'X-Scope-OrgID: tenant\r\nX-Many: 1\r\nX-Many: 2\r\nTE: trailers\r\nAccept-Encoding: zstd',
  );
  const [asked] = upstream.asked;
  t.equal(asked!.url, '/select/0/prometheus/api/v1/label/U__a_2e_b/values?a={b}&c="d"%20&&match[]=x');
  t.match(asked!.headers, {
    host: `127.0.0.1:${upstream.port}`,
    authorization: 'Bearer x',
    'x-scope-orgid': 'tenant',
    'x-many': '1, 2',
    'accept-encoding': 'zstd',
  });
  t.notOk(asked!.headers.te);
  t.match(text, /^HTTP\/1\.1 418 /);
  t.match(
    text,
    /X-Many: 1\r\nX-Many: 2\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nETag: W\/"x"\r\n/,
    'spelling and order',
  );
  t.notMatch(text, /x-secret-of-connection/i, 'what is of one connection stays there');
  const posted = await fetch(`${app.url}/api/v1/query?x=1`, {
    method: 'POST',
    body: new URLSearchParams({ query: 'ä b' }),
  });
  await posted.arrayBuffer();
  t.match(upstream.asked.at(-1), {
    method: 'POST',
    url: '/select/0/prometheus/api/v1/query?x=1',
    body: 'query=%C3%A4+b',
  });
});

t.test('every method that HTTP has is passed on', async (t) => {
  const { app, upstream } = await startBefore(t, (_request, response) => response.end('there'));
  // CONNECT asks for a tunnel, and is no request to pass on.
  const methods = METHODS.filter((method) => method !== 'CONNECT');
  for (const method of methods) {
    const answer = await raw(app.url, `${method} /api/v1/x HTTP/1.1\r\nHost: x`);
    t.match(answer, /^HTTP\/1\.1 200 /, method);
    t.match(upstream.asked.at(-1), { method, url: '/api/v1/x' });
  }
  await fetch(`${app.url}/api/v1/x`, { method: 'PROPFIND', body: '<propfind/>' });
  t.match(upstream.asked.at(-1), { method: 'PROPFIND', body: '<propfind/>' });
  t.match(await raw(app.url, 'PROPFIND /api/v1/retention HTTP/1.1\r\nHost: x'), /^HTTP\/1\.1 405 /, 'ours');
  t.match(await raw(app.url, 'PROPFIND /-/nothing HTTP/1.1\r\nHost: x'), /^HTTP\/1\.1 404 /);
});

t.test('a query as long as one may be fits into a URL', async (t) => {
  const { app, upstream } = await startBefore(t, (_request, response) => response.end('{}'));
  upstream.server.removeAllListeners('request');
  let length = 0;
  upstream.server.on('request', (request, response) => {
    length = request.url!.length;
    response.end('{}');
  });
  const asked = await fetch(`${app.url}/api/v1/query?query=${'x'.repeat(14_000)}`);
  t.equal(asked.status, 200);
  t.ok(length > 14_000);
  const own = await fetch(`${app.url}/api/v1/query_exemplars?query=a%7Bb%3D%22${'%20'.repeat(60_000)}%22%7D`);
  t.equal(own.status, 200, 'ours has 64 KiB, percent-encoded');
});

t.test('long headers of an answer come through', async (t) => {
  const { app } = await startBefore(t, (_request, response) => {
    response.writeHead(200, { 'x-long': 'a'.repeat(100_000) }).end('{}');
  });
  t.match(
    await raw(app.url, 'GET /api/v1/query HTTP/1.1\r\nHost: x'),
    /^HTTP\/1.1 200 .*x-long: a{100000}\r\n/is,
  );
});

t.test('nothing of a request chooses another host, or leaves the path', async (t) => {
  const other = await serve((_request, response) => response.end('other'));
  t.teardown(() => other.close());
  const { app, upstream } = await startBefore(t, (_request, response) => response.end('upstream'), {
    path: '/tenant',
  });
  const evil = `127.0.0.1:${other.port}`;
  const targets = [
    `http://${evil}/api/v1/x`,
    `//${evil}/api/v1/x`,
    `/\\${evil}/x`,
    `/@${evil}/`,
    `/api/v1/x#@${evil}`,
  ];
  for (const target of targets) {
    const answer = await raw(app.url, `GET ${target} HTTP/1.1\r\nHost: ${evil}\r\nX-Forwarded-Host: ${evil}`);
    t.match(answer, /^HTTP\/1\.1 (?:200|400) /, target);
  }
  t.strictSame(other.asked, []);
  t.ok(upstream.asked.length >= 3);
  for (const { url } of upstream.asked) t.match(url, /^\/tenant\//);
  upstream.asked.length = 0;
  for (const path of [
    '/api/../../x',
    '/api/%2e%2E/x',
    '/..',
    '/a/.%2e/b',
    '/a/..%2fb',
    '/a/..%5Cb',
    '/a\\..\\b',
  ])
    t.match(
      await raw(app.url, `GET ${path} HTTP/1.1\r\nHost: x`),
      /^HTTP\/1\.1 400 [\s\S]*"errorType":"bad_data"/,
      path,
    );
  t.strictSame(upstream.asked, []);
});

t.test('bodies flow both ways, and nothing is held back', async (t) => {
  let toClient: IncomingMessage | undefined;
  const { app, upstream } = await startBefore(t, () => {});
  upstream.server.removeAllListeners('request');
  upstream.server.on('request', (request, response) => {
    toClient = request;
    response.write('first');
    request.on('data', (chunk) => response.write(`<${chunk}>`));
    request.on('end', () => response.end('last'));
  });
  const { hostname, port } = new URL(app.url);
  const socket = connect(Number(port), hostname).setEncoding('utf8');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.write('POST /api/v1/write HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
  socket.write('3\r\nabc\r\n');
  await until(() => text.includes('<abc>'), 'an answer before the request has ended');
  socket.write('3\r\ndef\r\n');
  await until(() => text.includes('<def>'), 'an echo');
  socket.write('0\r\n\r\n');
  await until(() => text.includes('last'), 'the end');
  socket.destroy();
  t.ok(toClient);
});

t.test('a client that leaves is not waited for', async (t) => {
  let hasLeft = false;
  const { app, upstream } = await startBefore(t, (_request, response) => {
    response.on('close', () => {
      hasLeft = true;
    });
  });
  const leave = new AbortController();
  const asked = fetch(`${app.url}/api/v1/query`, { signal: leave.signal });
  await until(() => upstream.asked.length > 0, 'the question to arrive');
  leave.abort();
  await t.rejects(asked);
  await until(() => hasLeft, 'the upstream to be told');
  t.match(await app.metrics(), 'exemplard_upstream_failures_total 0', 'which is nobody’s failure');
});

t.test('a client that waited for long, and left, was not answered', async (t) => {
  const { app, upstream } = await startBefore(t, () => {}, { web: { clock: fastClock(1000) } });
  const leave = new AbortController();
  const asked = fetch(`${app.url}/api/v1/query`, { signal: leave.signal });
  await until(() => upstream.asked.length > 0, 'the question to arrive');
  // Half a minute.
  await setTimeout(30);
  leave.abort();
  await t.rejects(asked);
  await until(async () => /upstream_failures_total 1/.test(await app.metrics()), 'a failure');
});

t.test('a body in a coding that nobody undid is not passed on', async (t) => {
  const { app, upstream } = await startBefore(t, (_request, response) => response.end());
  const post = (coding: string) =>
    raw(app.url, `POST /api/v1/write HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ${coding}`, '0\r\n\r\n');
  t.match(await post('gzip, chunked'), /^HTTP\/1.1 400 .*only chunked is passed on/s);
  t.equal(upstream.asked.length, 0);
  t.match(await post('Chunked'), /^HTTP\/1.1 200 /);
});

t.test('half an answer does not look like a whole one', async (t) => {
  let breakOff = () => {};
  const { app } = await startBefore(t, (_request, response) => {
    response.write('{"status":"succ');
    breakOff = () => response.destroy();
  });
  const answer = await fetch(`${app.url}/api/v1/query`);
  t.equal(answer.status, 200);
  breakOff();
  await t.rejects(answer.text());
});

t.test('answers without a body that say how long it would be', async (t) => {
  const { app } = await startBefore(t, ({ url }, response) => {
    response.socket!.write(
      url === '/304'
        ? 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 500\r\n\r\n'
        : 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n',
    );
  });
  for (let again = 0; again < 2; again++)
    t.match(
      await raw(app.url, 'GET /304 HTTP/1.1\r\nHost: x\r\nIf-None-Match: "x"'),
      /^HTTP\/1.1 304 .*ETag: "x".*\r\n\r\n$/s,
    );
  t.match(
    await raw(app.url, 'HEAD /x HTTP/1.1\r\nHost: x'),
    /^HTTP\/1.1 200 .*Content-Length: 500\r\n.*\r\n\r\n$/s,
  );
});

t.test('without the upstream, exemplars are answered still', async (t) => {
  const target = await serveTarget(exposed('# TYPE c counter\nc_total 1 # {trace_id="a"} 1\n# EOF\n'));
  t.teardown(() => target.close());
  const { app, upstream } = await startBefore(t, (_request, response) => response.end('{}'), {
    more: ', merge_exemplars: true',
    config: `scrape_configs: [{job_name: j, scrape_interval: 1s, static_configs: [{targets: ['${target.address}']}]}]`,
  });
  await upstream.close();
  const answer = await fetch(`${app.url}/api/v1/query?query=up`, { headers: { origin: 'http://g' } });
  t.equal(answer.status, 502);
  t.equal(answer.headers.get('access-control-allow-origin'), '*', 'for a browser that asks itself');
  t.match(await answer.json(), { status: 'error', errorType: 'bad_gateway', error: /ECONNREFUSED/ });
  await until(async () => (await app.queryExemplars('c_total')).length === 1, 'an exemplar');
  const merged = await (await fetch(`${app.url}/api/v1/query_exemplars?query=c_total`)).json();
  t.match(merged, {
    data: [{ exemplars: [{ labels: { trace_id: 'a' } }] }],
    warnings: [/upstream: not merged: .*ECONNREFUSED/],
  });
  t.match(await app.metrics(), /exemplard_upstream_failures_total [1-9]/);
});

t.test('an upstream that leads back is found out', async (t) => {
  const { app, upstream } = await startBefore(t, () => {});
  upstream.answer = (request, response) => {
    const headers = request.headers as Record<string, string>;
    fetch(`${app.url}${request.url}`, { headers: { 'x-exemplard-relay': headers['x-exemplard-relay']! } })
      .then(async (again) => response.writeHead(again.status).end(await again.text()))
      .catch(() => response.destroy());
  };
  const answer = await fetch(`${app.url}/api/v1/query`);
  t.equal(answer.status, 502);
  t.match(await answer.text(), /leads back to this exemplard/);
});

t.test('what is ours stays ours, and below /exemplard all of it', async (t) => {
  const { app, upstream } = await startBefore(t, (_request, response) => response.end('upstream'));
  const get = async (path: string) => (await fetch(app.url + path)).text();
  for (const path of [
    '/-/healthy',
    '/metrics',
    '/api/v1/retention',
    '/api/v1/query_exemplars?query=x',
    '/api/v1/traces/ab/exemplars',
    '/exemplard/api/v1/labels',
    '/exemplard/api/v1/targets',
    '/exemplard/api/v1/query?query=1%2B1',
  ])
    t.not(await get(path), 'upstream', path);
  for (const path of [
    '/%2d/reload',
    '/-%2freload',
    '//-/reload',
    '/%2D/quit%zz',
    '/api/v1/query%5fexemplars',
    '/%61pi/v1/retention',
  ])
    t.notMatch(
      await raw(app.url, `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0`),
      /upstream$/,
      path,
    );
  t.strictSame(upstream.asked, []);
  for (const path of [
    '/api/v1/labels',
    '/api/v1/targets',
    '/api/v1/status/buildinfo',
    '/graph',
    '/exemplardx',
    '/api/v1/query_exemplarsx',
    '/config/v1/rules',
  ])
    t.equal(await get(path), 'upstream', path);
  t.equal((await fetch(`${app.url}/-/elsewhere`)).status, 404, 'not a way in');
  t.equal((await fetch(`${app.url}/exemplard/-/elsewhere`)).status, 404);
});

t.test('a reload lets requests that are under way end', async (t) => {
  let end = () => {};
  const { app, upstream } = await startBefore(
    t,
    (_request, response) => {
      response.write('begun, ');
      end = () => response.end('and ended');
    },
    { web: { clock: fastClock(10) } },
  );
  const answer = await fetch(`${app.url}/api/v1/query`);
  await app.reload(
    `upstream: {url: 'http://127.0.0.1:${upstream.port}', merge_exemplars: true}\narchive: {type: none}`,
  );
  await setTimeout(600);
  end();
  t.equal(await answer.text(), 'begun, and ended');
});

t.test('redirects lead to where the upstream is found here', async (t) => {
  let to = '';
  const { app, upstream } = await startBefore(
    t,
    (_request, response) => response.writeHead(302, { location: to }).end(),
    {
      path: '/prometheus',
      web: { routePrefix: '/in', publicPrefix: '/ex' },
    },
  );
  const location = async () =>
    (await fetch(`${app.url}/in/graph`, { redirect: 'manual' })).headers.get('location');
  for (const [given, expected] of [
    ['/prometheus/graph/?x=/prometheus/', '/ex/graph/?x=/prometheus/'],
    ['/elsewhere', '/elsewhere'],
    ['graph/', 'graph/'],
    ['//prometheus/graph', '//prometheus/graph'],
    ['http://other/prometheus/', 'http://other/prometheus/'],
    [`http://127.0.0.1:${upstream.port}/prometheus/graph?x`, '/ex/graph?x'],
    [`HTTP://127.0.0.1:${upstream.port}/prometheus/`, '/ex/'],
    [`http://127.0.0.1:${upstream.port}/other/`, `http://127.0.0.1:${upstream.port}/other/`],
    [`https://127.0.0.1:${upstream.port}/prometheus/`, `https://127.0.0.1:${upstream.port}/prometheus/`],
    ['http://[/prometheus/', 'http://[/prometheus/'],
  ] as const) {
    to = given;
    t.equal(await location(), expected, given);
  }
});

t.test('which origins may read what is passed on', async (t) => {
  const answer: RequestListener = (_request, response) =>
    response
      .writeHead(200, {
        'Access-Control-Allow-Origin': '*',
        'access-control-allow-credentials': 'true',
        Vary: 'Accept',
        'X-Other': 'stays',
      })
      .end('{}');
  const ask = async (app: { url: string }, origin: string, init: RequestInit = {}) => {
    const { status, headers } = await fetch(`${app.url}/api/v1/query?query=1`, {
      ...init,
      headers: { origin, ...init.headers },
    });
    return { status, of: (name: string) => headers.get(name) };
  };
  const { app: open, upstream: openUpstream } = await startBefore(t, answer);
  const passed = await ask(open, 'http://a.com.evil.com');
  t.equal(passed.of('access-control-allow-origin'), '*', 'as it comes, unless exemplard is told');
  t.equal(passed.of('access-control-allow-credentials'), 'true');
  const preflight = { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } };
  await ask(open, 'http://a.com', preflight);
  t.match(openUpstream.asked.at(-1), { method: 'OPTIONS' });

  const isAllowedOrigin = (origin: string) => /^https?:\/\/(a|b)\.com$/.test(origin);
  const { app: told, upstream } = await startBefore(t, answer, { web: { isAllowedOrigin } });
  const evil = await ask(told, 'http://a.com.evil.com');
  t.equal(evil.of('access-control-allow-origin'), null);
  t.equal(evil.of('access-control-allow-credentials'), null);
  t.equal(evil.of('x-other'), 'stays');
  const good = await ask(told, 'http://a.com');
  t.equal(good.of('access-control-allow-origin'), 'http://a.com');
  t.equal(good.of('vary'), 'Accept, Origin');
  upstream.asked.length = 0;
  const asked = await ask(told, 'http://b.com', preflight);
  t.equal(asked.status, 204);
  t.equal(asked.of('access-control-allow-origin'), 'http://b.com');
  t.equal((await ask(told, 'http://evil.com', preflight)).of('access-control-allow-origin'), null);
  t.strictSame(upstream.asked, [], 'a preflight is answered here');
  await ask(told, 'http://b.com', { method: 'OPTIONS' });
  t.equal(upstream.asked.length, 1, 'other OPTIONS are not');
});

t.test('a reload changes the upstream', async (t) => {
  const { app } = await startBefore(t, (_request, response) => response.end('one'));
  const two = await serve((_request, response) => response.end('two'));
  t.teardown(() => two.close());
  const get = async () => (await fetch(`${app.url}/api/v1/labels`)).text();
  t.equal(await get(), 'one');
  await app.reload(`upstream: {url: 'http://127.0.0.1:${two.port}'}\narchive: {type: none}`);
  t.equal(await get(), 'two');
  await app.reload('archive: {type: none}');
  t.match(await get(), /"data":\[\]/, 'without one, it is answered here');
});

t.test('credentials for exemplard are not shown to the upstream; its own are', async (t) => {
  // Of the password "open sesame".
  const hash = '$2b$04$.nphUja3PAt4NSqQKPedhOB90p7NAw/9OGl0VXaxIX354BwqFPXKG';
  const { app, upstream } = await startBefore(t, (_request, response) => response.end('{}'), {
    more: ', basic_auth: {username: a, password: b}, http_headers: {X-Scope-OrgID: {values: [mine]}}',
    web: {
      loadConfig: () => ({ ...NO_WEB_CONFIG, users: new Map([['u', hash]]), openPaths: ['/-/healthy'] }),
    },
  });
  t.equal((await fetch(`${app.url}/api/v1/labels`)).status, 401);
  t.equal((await fetch(`${app.url}/-/healthy`)).status, 200);
  t.strictSame(upstream.asked, [], 'nobody gets through without');
  const authorization = `Basic ${Buffer.from('u:open sesame').toString('base64')}`;
  t.equal((await fetch(`${app.url}/api/v1/labels`, { headers: { authorization } })).status, 200);
  t.match(upstream.asked, [
    { headers: { authorization: `Basic ${Buffer.from('a:b').toString('base64')}`, 'x-scope-orgid': 'mine' } },
  ]);
});

t.test('exemplars of the upstream are merged, each once', async (t) => {
  const target = await serveTarget(
    exposed('# TYPE c counter\nc_total 1 # {trace_id="a"} 1 1795000000.123\n# EOF\n'),
  );
  t.teardown(() => target.close());
  const instance = target.address;
  const series = (name: string, exemplars: object[]) => ({
    seriesLabels: { __name__: name, cluster: 'k', instance, job: 'j' },
    exemplars,
  });
  const both = { labels: { trace_id: 'a' }, value: '1', timestamp: 1795000000.123 };
  const theirs = { labels: { trace_id: 'b' }, value: '+Inf', timestamp: 1795000001 };
  const { app, upstream } = await startBefore(
    t,
    (_request, response) => {
      response.end(
        JSON.stringify({
          status: 'success',
          data: [series('c_total', [both, theirs]), series('only', [theirs])],
        }),
      );
    },
    {
      more: ', merge_exemplars: true, add_external_labels: true',
      config: `
global: {external_labels: {cluster: k}}
scrape_configs: [{job_name: j, scrape_interval: 1s, static_configs: [{targets: ['${instance}']}]}]`,
    },
  );
  const ask = async (more: string) =>
    (await (
      await fetch(`${app.url}/api/v1/query_exemplars?query=c_total%7Bcluster%3D%22k%22%7D&${more}`, {
        headers: { 'x-scope-orgid': 'me', cookie: 'x=y' },
      })
    ).json()) as { data: object[]; warnings?: string[] };
  await until(
    async () => JSON.stringify((await ask('source=memory')).data).includes('trace_id'),
    'the scrape',
  );
  const from = (exemplar: object, source: string) => ({ ...exemplar, source });
  t.strictSame((await ask('show_source=true')).data, [
    series('c_total', [from(both, 'memory'), from(theirs, 'upstream')]),
    series('only', [from(theirs, 'upstream')]),
  ]);
  t.match(upstream.asked.at(-1), {
    method: 'POST',
    url: '/api/v1/query_exemplars',
    headers: { 'x-scope-orgid': 'me', cookie: 'x=y' },
  });
  t.equal(new URLSearchParams(upstream.asked.at(-1)!.body).get('query'), 'c_total{cluster="k"}');
  t.strictSame((await ask('limit=1&order=desc&max_value=5')).data, [series('c_total', [both])]);
  t.strictSame((await ask('source=memory')).data, [series('c_total', [both])]);
  for (const [answer, warning] of [
    ['{"data":7}', /no list of series/],
    ['{"data":[{"exemplars":[{"value":"x"}]}]}', /an exemplar that is none/],
    ['{', /not merged/],
  ] as const) {
    upstream.answer = (_request, response) => response.end(answer);
    t.match(await ask(''), { data: [series('c_total', [both])], warnings: [warning] }, answer);
  }
  upstream.answer = (_request, response) => response.writeHead(422).end('{"error":"no exemplars here"}');
  t.match((await ask('')).warnings, [/answers 422: no exemplars here/]);
});

t.test('an upstream that does not answer keeps nobody waiting twice', async (t) => {
  const { app, upstream } = await startBefore(t, () => {}, {
    more: ', merge_exemplars: true',
    web: { clock: fastClock(5) },
  });
  const ask = async () =>
    (await (await fetch(`${app.url}/api/v1/query_exemplars?query=a`)).json()) as { warnings: string[] };
  t.match((await ask()).warnings, [/not merged: .*no answer within 10 s/]);
  t.match((await ask()).warnings, [/left alone for a while/]);
  t.equal(upstream.asked.length, 1);
  t.match(await app.metrics(), 'exemplard_upstream_failures_total 1', 'and it is counted');
});
