import { unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { request } from 'undici';
import { HttpClient } from '../../src/http-client/client.js';
import { DEFAULT_HTTP_CLIENT, type HttpClientOptions } from '../../src/http-client/options.js';
import { FakeClock } from '../support/fake-clock.js';
import { serve } from '../support/http-servers.js';

function createClient(t: Test, options: Partial<HttpClientOptions> = {}, clock = new FakeClock()) {
  const client = new HttpClient(
    { ...DEFAULT_HTTP_CLIENT, ...options },
    { clock, userAgent: 'test', environment: {} },
  );
  t.teardown(() => client.close());
  return client;
}

async function get(client: HttpClient, url: string, init: object = {}) {
  const { statusCode, body } = await request(url, { dispatcher: client.dispatcher, ...init });
  return { status: statusCode, text: await body.text() };
}

const text = (value: string) => ({ text: value });

t.test('each kind of credentials is sent as it should be', async (t) => {
  const server = await serve((_, response) => response.end('ok'));
  t.teardown(() => server.close());
  const sends = async (options: Partial<HttpClientOptions>, want: string | undefined) => {
    await get(createClient(t, options), `http://127.0.0.1:${server.port}/`);
    t.equal(server.asked.at(-1)?.headers.authorization, want);
  };
  await sends({}, undefined);
  await sends(
    { auth: { type: 'basic', username: text('me'), password: text('pä:ss') } },
    `Basic ${Buffer.from('me:pä:ss').toString('base64')}`,
  );
  await sends({ auth: { type: 'authorization', scheme: 'Token', credentials: text('x y') } }, 'Token x y');
});

t.test('headers of the user, several values of one name, and what the request itself sets', async (t) => {
  const directory = t.testdir({ value: ' from file \n' });
  const server = await serve((_, response) => response.end('ok'));
  t.teardown(() => server.close());
  const client = createClient(t, {
    headers: { 'X-Many': [text('a'), { file: join(directory, 'value') }], 'X-One': [text('1')], Accept: [text('mine')] }, // biome-ignore format: one line
  });
  await get(client, `http://127.0.0.1:${server.port}/`, { headers: { accept: 'theirs' } });
  t.match(server.asked[0]?.headers, { 'x-many': 'a, from file', 'x-one': '1', accept: 'theirs' });
});

t.test('a file is read again when it changes; one that cannot be read fails the request alone', async (t) => {
  const path = join(t.testdir({ token: 'one\n' }), 'token');
  const clock = new FakeClock();
  const server = await serve((_, response) => response.end('ok'));
  t.teardown(() => server.close());
  const auth = { type: 'authorization', scheme: 'Bearer', credentials: { file: path } } as const;
  const client = createClient(t, { auth }, clock);
  const url = `http://127.0.0.1:${server.port}/`;
  const sent = async () => {
    await get(client, url);
    return server.asked.at(-1)?.headers.authorization;
  };
  t.equal(await sent(), 'Bearer one');
  writeFileSync(path, 'two');
  t.equal(await sent(), 'Bearer one', 'within a second it is not read again');
  await clock.advance(1_000);
  t.equal(await sent(), 'Bearer two');
  unlinkSync(path);
  await clock.advance(1_000);
  const requests = server.asked.length;
  const failure = `authorization.credentials: file ${path} cannot be read: ENOENT: no such file or directory, open '${path}'`; // biome-ignore format: one line
  await t.rejects(sent(), { message: failure });
  writeFileSync(path, 'th\nree');
  await t.rejects(sent(), { message: /authorization.credentials has a character that no header may have/ });
  writeFileSync(path, 'x'.repeat(2 ** 20 + 1));
  await clock.advance(1_000);
  await t.rejects(sent(), { message: /it is larger than 1048576 bytes/ });
  writeFileSync(path, 'four');
  t.equal(await sent(), 'Bearer four', 'a failure is not remembered');
  t.equal(server.asked.length, requests + 1, 'nothing was sent without');
});

t.test('a caller may give up while a file is being read', async (t) => {
  const server = await serve((_, response) => response.end('ok'));
  t.teardown(() => server.close());
  const client = createClient(t, {
    auth: { type: 'authorization', scheme: 'Bearer', credentials: { file: '/dev/null' } },
  });
  const abort = new AbortController();
  const asked = get(client, `http://127.0.0.1:${server.port}/`, { signal: abort.signal });
  abort.abort(new Error('enough'));
  await t.rejects(asked, { message: 'enough' });
  await wait(50);
  t.equal(server.asked.length, 0);
});

t.test('redirects: credentials and headers of the user stay with the host they are meant for', async (t) => {
  const other = await serve((request, response) => {
    if (request.url === '/back')
      response.writeHead(307, { location: `http://127.0.0.1:${server.port}/end` }).end(); // biome-ignore format: one line
    else response.end('other');
  });
  const server = await serve((request, response) => {
    const to = new Map([
      ['/here', '/end'],
      ['/other', `http://localhost:${other.port}/x`],
      ['/return', `http://localhost:${other.port}/back`],
      ['/loop', '/loop'],
      ['/ftp', 'ftp://x/'],
      ['/bad', 'http://['],
    ]).get(request.url ?? '');
    if (to === undefined) response.end('end');
    else response.writeHead(308, { location: to }).end('moved'.repeat(request.url === '/here' ? 50_000 : 1));
  });
  t.teardown(() => Promise.all([server.close(), other.close()]));
  const client = createClient(t, {
    auth: { type: 'basic', username: text('u'), password: text('p') },
    headers: { 'X-Api-Key': [text('secret')] },
  });
  const url = (path: string) => `http://127.0.0.1:${server.port}${path}`;
  const post = { method: 'POST', body: 'the body', headers: { 'content-type': 'text/x' } };
  const isTrusted = (asked: (typeof server.asked)[number] | undefined) =>
    [asked?.headers.authorization, asked?.headers['x-api-key']].map((header) => header !== undefined);

  t.same(await get(client, url('/here'), post), { status: 200, text: 'end' });
  t.match(server.asked.at(-1), { method: 'POST', url: '/end', body: 'the body' }, 'the same request again');
  t.same(isTrusted(server.asked.at(-1)), [true, true]);
  t.same(await get(client, url('/other'), post), { status: 200, text: 'other' });
  t.match(other.asked.at(-1), { body: 'the body', headers: { 'content-type': 'text/x' } });
  t.same(isTrusted(other.asked.at(-1)), [false, false]);
  t.same(await get(client, url('/return')), { status: 200, text: 'end' });
  t.same(isTrusted(server.asked.at(-1)), [false, false], 'who was sent elsewhere is not trusted when back');
  server.asked.length = 0;
  t.match(await get(client, url('/loop')), { status: 308 }, 'the last answer where there is no end');
  t.equal(server.asked.length, 11);
  t.match(await get(client, url('/ftp')), { status: 308 });
  t.match(await get(client, url('/bad')), { status: 308 });
  t.match(await get(createClient(t, { followRedirects: false }), url('/here')), { status: 308 });
});

t.test('303 is followed where nothing is to be delivered', async (t) => {
  const server = await serve((request, response) => {
    if (request.url === '/') response.writeHead(303, { location: '/end' }).end();
    else response.end('end');
  });
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${server.port}/`;
  t.same(await get(createClient(t), url), { status: 200, text: 'end' });
  t.match(await get(createClient(t), url, { method: 'POST', body: 'x' }), { status: 303 });
});

t.test('a caller may give up during a redirect, and closing ends what is under way', async (t) => {
  const server = await serve((request, response) => {
    if (request.url === '/') response.writeHead(302, { location: '/hang' }).end();
  });
  t.teardown(() => server.close());
  const client = createClient(t);
  const abort = new AbortController();
  const url = `http://127.0.0.1:${server.port}/`;
  const first = get(client, url, { signal: abort.signal });
  while (server.asked.length < 2) await wait(2);
  abort.abort(new Error('enough'));
  await t.rejects(first, { message: 'enough' });
  const second = get(client, url);
  while (server.asked.length < 4) await wait(2);
  await Promise.all([t.rejects(second), client.close()]);
  await t.rejects(get(client, url));
});

t.test('connections without TLS can be made by the caller', async (t) => {
  const server = await serve((_, response) => response.end('ok'));
  t.teardown(() => server.close());
  const made: string[] = [];
  const { buildConnector } = await import('undici');
  const usual = buildConnector({});
  const client = new HttpClient(DEFAULT_HTTP_CLIENT, {
    clock: new FakeClock(),
    userAgent: 'test',
    environment: {},
    connectPlain: (target, callback) => {
      made.push(target.port);
      usual(target, callback);
    },
  });
  t.teardown(() => client.close());
  await get(client, `http://127.0.0.1:${server.port}/`);
  t.same(made, [String(server.port)]);
});
