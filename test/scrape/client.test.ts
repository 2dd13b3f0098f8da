import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { DEFAULT_HTTP_CLIENT, type HttpClientOptions } from '../../src/http-client/options.js';
import { BodyBuffer } from '../../src/scrape/body-buffer.js';
import { ScrapeClient } from '../../src/scrape/client.js';
import { ScrapeFailure } from '../../src/scrape/failure.js';
import { DEFAULT_SCRAPE_JOB, type ScrapeJobOptions } from '../../src/scrape/options.js';
import { acceptHeader } from '../../src/scrape/protocols.js';
import { systemClock } from '../../src/util/clock.js';
import { temporaryDirectory } from '../support/build.js';
import { findTargets, groupOf, targetAt } from '../support/scrape-target.js';
import { type Answer, body, OPENMETRICS, serveTarget } from '../support/target.js';

const TEXT = 'm 1 # {a="b"} 1 1\n# EOF\n';

/** One exchange. @returns the body, or `reason: message` */
async function fetchOnce(answer: Answer, options: Partial<ScrapeJobOptions> = {}, path = '/metrics') {
  const target = await serveTarget(answer);
  t.teardown(() => target.close());
  const job = { ...DEFAULT_SCRAPE_JOB, jobName: 'j', timeoutMs: 2000, ...options };
  const client = new ScrapeClient(job, { userAgent: 'exemplard/test', clock: systemClock });
  const buffer = new BodyBuffer();
  const signal = new AbortController().signal;
  try {
    const contentType = await client.fetch(
      client.requestTo(targetAt(new URL(path, target.url), job)),
      buffer,
      signal,
    );
    return { text: buffer.bytes.toString('utf8', 0, buffer.length), contentType, target };
  } catch (error) {
    if (!(error instanceof ScrapeFailure)) throw error;
    return { text: `${error.reason}: ${error.message}`, contentType: '', target };
  } finally {
    await client.close();
  }
}

async function reasonOf(fetched: Promise<unknown>): Promise<string> {
  const failure = await fetched.then(
    () => undefined,
    (error) => error,
  );
  return failure instanceof ScrapeFailure ? `${failure.reason}: ${failure.message}` : String(failure);
}

async function f(
  name: string,
  answer: Answer,
  want: string | RegExp,
  options: Partial<ScrapeJobOptions> = {},
) {
  t.match((await fetchOnce(answer, options)).text, want, name);
}

t.test('the request has the headers of Prometheus', async (t) => {
  const { target, contentType } = await fetchOnce(body(TEXT));
  t.equal(contentType, OPENMETRICS);
  const { headers, method, url } = target.requests[0]!;
  t.equal(`${method} ${url}`, 'GET /metrics');
  t.same(
    { ...headers },
    {
      host: target.address,
      connection: 'keep-alive',
      accept:
        'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'accept-encoding': 'gzip',
      'user-agent': 'exemplard/test',
      'x-prometheus-scrape-timeout-seconds': '2',
    },
  );
  const other = await fetchOnce(body(TEXT), { enableCompression: false, timeoutMs: 500 });
  t.match(other.target.requests[0]?.headers, {
    'accept-encoding': 'identity',
    'x-prometheus-scrape-timeout-seconds': '0.5',
  });
});

t.test('weights of the Accept header', async (t) => {
  t.equal(acceptHeader(['PrometheusText0.0.4']), 'text/plain;version=0.0.4;q=0.6,*/*;q=0.5');
  t.equal(
    acceptHeader([
      'PrometheusProto',
      'OpenMetricsText1.0.0',
      'OpenMetricsText0.0.1',
      'PrometheusText1.0.0',
      'PrometheusText0.0.4',
    ]),
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1',
  );
});

t.test('bodies', async () => {
  const long = `${'x'.repeat(1_000_000)}\n# EOF\n`;
  const gzip = { 'content-encoding': 'gzip' };
  await f('plain', body(TEXT), TEXT);
  await f('long', body(long), long);
  await f('empty', body(''), /^$/);
  await f('gzip', body(gzipSync(TEXT), gzip), TEXT);
  await f('long gzip', body(gzipSync(long), gzip), long);
  await f('empty gzip', body(gzipSync(''), gzip), /^$/);
  await f('gzip in two members', body(Buffer.concat([gzipSync('a'), gzipSync('b')]), gzip), 'ab');
  const notAsked = 'encoding: Content-Encoding br was not asked for';
  await f('another compression', body('xyz', { 'content-encoding': 'br' }), notAsked);
  await f('what is no encoding is passed on as it is', body('xyz', { 'content-encoding': 'utf-8' }), 'xyz');
  await f('no gzip', body(TEXT, gzip), /^encoding: gzip: incorrect header check/);
  await f('half a gzip', body(gzipSync(long).subarray(0, 500), gzip), /^encoding: gzip: unexpected end/);
  await f('nothing for gzip', body('', gzip), /^(encoding: gzip: unexpected end|$)/);
});

t.test('body_size_limit is on what is inflated, and exactly the limit fails', async () => {
  const gzip = { 'content-encoding': 'gzip' };
  const limit = (bodySizeLimitBytes: number) => ({ bodySizeLimitBytes });
  const refused = /^body_size: body size limit exceeded/;
  await f('below', body(TEXT), TEXT, limit(TEXT.length + 1));
  await f('at', body(TEXT), refused, limit(TEXT.length));
  await f('above', body(TEXT), refused, limit(5));
  await f('below, gzip', body(gzipSync(TEXT), gzip), TEXT, limit(TEXT.length + 1));
  await f('at, gzip', body(gzipSync(TEXT), gzip), refused, limit(TEXT.length));
  await f('bomb', body(gzipSync(Buffer.alloc(100_000_000)), gzip), refused, limit(1_000_000));
});

t.test('status', async () => {
  await f('404', (r) => r.writeHead(404).end('no'), 'status: server returned HTTP status 404 Not Found');
  await f('500', (r) => r.writeHead(500, 'Oh no').end(), 'status: server returned HTTP status 500 Oh no');
  await f('204', (r) => r.writeHead(204).end(), 'status: server returned HTTP status 204 No Content');
});

t.test('redirects', async () => {
  const hops =
    (count: number): Answer =>
    (response, request) => {
      const hop = Number(new URL(request.url!, 'http://x').searchParams.get('hop') ?? 0);
      if (hop >= count) body(TEXT)(response, request);
      else response.writeHead(302, { location: `/metrics?hop=${hop + 1}` }).end();
    };
  await f('one', hops(1), TEXT);
  await f('ten', hops(10), TEXT);
  const found = 'status: server returned HTTP status 302 Found, a redirect';
  const to =
    (location: string): Answer =>
    (response) =>
      response.writeHead(302, { location }).end();
  await f('not followed', hops(1), `${found}, and follow_redirects is false`, {
    httpClient: { ...DEFAULT_HTTP_CLIENT, followRedirects: false },
  });
  await f('for ever', hops(1e9), `${found} after ten others`);
  await f('nowhere', (r) => r.writeHead(302).end(), `${found} without Location, which leads nowhere`);
  await f('to a file', to('file:///etc'), `${found} to file:, which is neither http: nor https:`);
  await f('to no URL', to('http://[x'), `${found} whose Location is no valid URL`);
  await f(
    '304',
    (r) => r.writeHead(304).end(),
    /304 Not Modified, which is no redirect that can be followed$/,
  );
});

t.test('one timeout for the whole exchange', async (t) => {
  const options = { timeoutMs: 150 };
  const timeout = 'timeout: no complete answer within the scrape timeout of 150ms';
  const drip: Answer = (response) => {
    response.writeHead(200, { 'content-type': OPENMETRICS });
    const timer = setInterval(() => response.write('# HELP x y\n'), 20);
    response.on('close', () => clearInterval(timer));
  };
  const startMs = performance.now();
  await f('no headers', () => {}, timeout, options);
  await f(
    'half a body',
    (r) => r.writeHead(200, { 'content-length': '100' }).write('half'),
    timeout,
    options,
  );
  await f('a body that drips', drip, timeout, options);
  await f(
    'half a gzip',
    (r) => r.writeHead(200, { 'content-encoding': 'gzip' }).write(gzipSync(TEXT).subarray(0, 15)),
    timeout,
    options,
  );
  t.ok(performance.now() - startMs < 20_000, `${performance.now() - startMs} ms`);
});

t.test('what breaks off', async (t) => {
  await f('at once', (r) => r.socket?.destroy(), /^connect: ./);
  await f(
    'in the body',
    (r) => {
      r.writeHead(200, { 'content-length': '100' }).write('half', () => r.socket?.destroy());
    },
    /^connect: .+, after 4 of the 100 bytes of the Content-Length$/,
  );
  const closed = await serveTarget();
  await closed.close();
  const client = new ScrapeClient(
    { ...DEFAULT_SCRAPE_JOB, jobName: 'j' },
    { userAgent: 'x', clock: systemClock },
  );
  const refused = client.fetch(
    client.requestTo(targetAt(closed.url)),
    new BodyBuffer(),
    new AbortController().signal,
  );
  t.match(await reasonOf(refused), /^connect: .*ECONNREFUSED/);
  await client.close();
});

t.test('what is not HTTP', async (t) => {
  const server = createServer((socket) => socket.end('hello\r\n\r\n')).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const client = new ScrapeClient(
    { ...DEFAULT_SCRAPE_JOB, jobName: 'j' },
    { userAgent: 'x', clock: systemClock },
  );
  const url = new URL(`http://127.0.0.1:${port}/`);
  t.match(
    await reasonOf(
      client.fetch(client.requestTo(targetAt(url)), new BodyBuffer(), new AbortController().signal),
    ),
    /^connect: /,
  );
  await client.close();
  server.close();
});

t.test('a stop ends an exchange that hangs', async (t) => {
  const target = await serveTarget(() => {});
  t.teardown(() => target.close());
  const client = new ScrapeClient(
    { ...DEFAULT_SCRAPE_JOB, jobName: 'j' },
    { userAgent: 'x', clock: systemClock },
  );
  const stop = new AbortController();
  const fetched = client.fetch(client.requestTo(targetAt(target.url)), new BodyBuffer(), stop.signal);
  await setTimeout(50);
  stop.abort();
  t.match(await reasonOf(fetched), /^stopped: /);
  t.match(
    await reasonOf(client.fetch(client.requestTo(targetAt(target.url)), new BodyBuffer(), stop.signal)),
    /^stopped: /,
  );
  await client.close();
});

t.test('one connection serves one target after another scrape', async (t) => {
  const target = await serveTarget(body(TEXT));
  t.teardown(() => target.close());
  const client = new ScrapeClient(
    { ...DEFAULT_SCRAPE_JOB, jobName: 'j' },
    { userAgent: 'x', clock: systemClock },
  );
  for (let i = 0; i < 3; i++) {
    await client.fetch(
      client.requestTo(targetAt(target.url)),
      new BodyBuffer(),
      new AbortController().signal,
    );
    await setTimeout(10);
  }
  t.equal(new Set(target.requests.map((request) => request.socket)).size, 1);
  await client.close();
});

t.test('a Unix socket', async (t) => {
  const path = join(await temporaryDirectory(t), 'metrics.sock');
  const hosts: (string | undefined)[] = [];
  const server = createHttpServer((request, response) => {
    hosts.push(request.headers.host);
    response.writeHead(200, { 'content-type': OPENMETRICS }).end(TEXT);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  const [target] = findTargets({}, [groupOf(['app:8080'], { __unix_socket__: path })]).targets;
  const client = new ScrapeClient(
    { ...DEFAULT_SCRAPE_JOB, jobName: 'j' },
    { userAgent: 'x', clock: systemClock },
  );
  for (let i = 0; i < 2; i++) {
    const buffer = new BodyBuffer();
    t.equal(await client.fetch(client.requestTo(target!), buffer, new AbortController().signal), OPENMETRICS);
    t.equal(buffer.bytes.toString('utf8', 0, buffer.length), TEXT);
  }
  t.same(hosts, ['app:8080', 'app:8080']);
  const [gone] = findTargets({}, [groupOf(['app:8080'], { __unix_socket__: `${path}.gone` })]).targets;
  const failed = client.fetch(client.requestTo(gone!), new BodyBuffer(), new AbortController().signal);
  t.match(await reasonOf(failed), /^connect: .*ENOENT/);
  await client.close();
});

t.test('credentials, headers and proxies are those of the HTTP client', async (t) => {
  const httpClient: HttpClientOptions = {
    ...DEFAULT_HTTP_CLIENT,
    auth: { type: 'basic', username: { text: 'me' }, password: { text: 'secret' } },
    headers: { 'X-Scope': [{ text: 'a' }] },
  };
  const { target } = await fetchOnce(body(TEXT), { httpClient });
  t.match(target.requests[0]!.headers, { authorization: 'Basic bWU6c2VjcmV0', 'x-scope': 'a' });
  const unreadable = { ...httpClient, auth: { ...httpClient.auth, password: { file: '/nowhere' } } };
  const { text } = await fetchOnce(body(TEXT), { httpClient: unreadable as HttpClientOptions });
  t.match(text, /^connect: .*\/nowhere cannot be read/);
});
