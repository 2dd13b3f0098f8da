import t, { type Test } from 'tap';
import { request } from 'undici';
import { HttpClient } from '../../src/http-client/client.js';
import { DEFAULT_HTTP_CLIENT, DEFAULT_TLS, NO_PROXY, type OAuth2Options } from '../../src/http-client/options.js'; // biome-ignore format: one line
import { FakeClock } from '../support/fake-clock.js';
import { serve, serveProxy } from '../support/http-servers.js';
import { until } from '../support/until.js';

async function setup(t: Test, options: Partial<OAuth2Options> = {}) {
  const clock = new FakeClock();
  const tokens = await serve((_, response) => response.end('{"access_token":"t1","expires_in":60}'));
  const server = await serve((_, response) => response.end('ok'));
  const oauth2: OAuth2Options = {
    clientId: 'id',
    clientSecret: { text: 'hunter2' },
    scopes: [],
    tokenUrl: `http://127.0.0.1:${tokens.port}/token?x=y`,
    endpointParams: {},
    tls: DEFAULT_TLS,
    proxy: NO_PROXY,
    ...options,
  };
  const client = new HttpClient(
    { ...DEFAULT_HTTP_CLIENT, auth: { type: 'oauth2', oauth2 } },
    { clock, userAgent: 'test/1', environment: {} },
  );
  t.teardown(() => Promise.all([client.close(), tokens.close(), server.close()]));
  const get = async () => {
    const url = `http://127.0.0.1:${server.port}/`;
    const { body, statusCode } = await request(url, { dispatcher: client.dispatcher });
    await body.dump();
    return statusCode;
  };
  const sent = async () => {
    await get();
    return server.asked.at(-1)?.headers.authorization;
  };
  return { clock, tokens, server, client, get, sent };
}

t.test('a token is asked for once, and used until shortly before it expires', async (t) => {
  const { clock, tokens, sent } = await setup(t, {
    scopes: ['a', 'b'],
    clientId: 'i d',
    endpointParams: { audience: 'é' },
  });
  t.same(await Promise.all([sent(), sent(), sent()]), ['Bearer t1', 'Bearer t1', 'Bearer t1']);
  t.match(tokens.asked, [
    {
      method: 'POST',
      url: '/token?x=y',
      body: 'grant_type=client_credentials&scope=a+b&audience=%C3%A9',
      headers: {
        authorization: `Basic ${Buffer.from('i+d:hunter2').toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
        'user-agent': 'test/1',
      },
    },
  ]);
  await clock.advance(49_000);
  await sent();
  t.equal(tokens.asked.length, 1);
  await clock.advance(1_000);
  tokens.answer = (_, response) => response.end('{"access_token":"t2","token_type":"mac"}');
  t.equal(await sent(), 'mac t2');
  await clock.advance(1e9);
  t.equal(await sent(), 'mac t2', 'one without an end');
});

t.test('a token that is refused is not used again', async (t) => {
  const { tokens, server, get } = await setup(t);
  server.answer = (request, response) =>
    response.writeHead(request.headers.authorization === 'Bearer t2' ? 200 : 401).end();
  t.equal(await get(), 401);
  tokens.answer = (_, response) => response.end('{"access_token":"t2","expires_in":"60"}');
  t.equal(await get(), 200, 'the next try gets a new one');
  t.equal(tokens.asked.length, 2);
});

t.test('an endpoint that wants the secret in the body', async (t) => {
  const { clock, tokens, sent } = await setup(t);
  tokens.answer = (request, response) => {
    if (request.headers.authorization !== undefined) response.writeHead(401).end();
    else response.end('{"access_token":"t1","expires_in":60}');
  };
  t.equal(await sent(), 'Bearer t1');
  await clock.advance(60_000);
  t.equal(await sent(), 'Bearer t1');
  const body = 'grant_type=client_credentials&client_id=id&client_secret=hunter2';
  t.same(
    tokens.asked.map((asked) => asked.body),
    ['grant_type=client_credentials', body, body],
  );
});

t.test('without a token nothing is sent, and the error says why, but no secret', async (t) => {
  const { clock, tokens, server, get } = await setup(t);
  const fails = async (status: number, body: string, why: string) => {
    tokens.answer = (_, response) => response.writeHead(status).end(body);
    const message = `oauth2: no token from http://127.0.0.1:${tokens.port}/token: ${why}`;
    await t.rejects(get(), { message });
  };
  await fails(500, 'x', 'it answered 500');
  await fails(
    401,
    '{"error":"invalid_client","error_description":"hunter2 is wrong"}',
    'it answered 401, invalid_client, <secret> is wrong',
  );
  await fails(200, '{"error":"nope"}', 'it answered 200, nope');
  await fails(200, 'x', 'its answer has no access_token');
  await fails(200, '{"access_token":""}', 'its answer has no access_token');
  await fails(
    200,
    '{"access_token":"a\\nb"}',
    'the token has a character that no header may have (a line break, or not ASCII)',
  );
  await fails(200, 'x'.repeat(2 ** 20 + 1), 'its answer is too large');
  tokens.answer = () => {};
  const before = tokens.asked.length;
  const hanging = t.rejects(get(), { message: /no complete answer within 30000 ms/ });
  await until(() => tokens.asked.length > before, 'the request');
  await clock.advance(30_000);
  await hanging;
  t.equal(server.asked.length, 0);
});

t.test('its own proxy, and its own end', async (t) => {
  const proxy = await serveProxy();
  t.teardown(() => proxy.close());
  const { get, client } = await setup(t, {
    proxy: { ...NO_PROXY, url: `http://127.0.0.1:${proxy.port}` },
    tokenUrl: 'http://tokens.example/',
  });
  await t.rejects(get(), { message: /its answer has no access_token/ });
  t.match(proxy.asked, [{ url: 'http://tokens.example/' }]);
  proxy.answer = () => {};
  const hanging = t.rejects(get());
  await until(() => proxy.asked.length === 2, 'the request');
  await client.close();
  await hanging;
});
