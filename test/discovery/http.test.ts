import type { RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { HttpDiscovery } from '../../src/discovery/http.js';
import type { HttpDiscoveryOptions } from '../../src/discovery/options.js';
import { DEFAULT_HTTP_CLIENT } from '../../src/http-client/options.js';
import { Found } from '../support/discovery.js';
import { FakeClock } from '../support/fake-clock.js';
import { serve } from '../support/http-servers.js';
import { until } from '../support/until.js';

const json =
  (body: string | Buffer, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body);
const list = (...targets: string[]) => JSON.stringify([{ targets }]);

async function discover(t: Test, answer: RequestListener, options: Partial<HttpDiscoveryOptions> = {}) {
  const server = await serve(answer);
  const clock = new FakeClock();
  const found = new Found(clock);
  const url = `http://127.0.0.1:${server.port}/targets?a=b`;
  const discovery = new HttpDiscovery(
    { type: 'http', url, shownUrl: url, refreshIntervalMs: 60_000, httpClient: DEFAULT_HTTP_CLIENT, ...options },
    found.parts,
  ); // biome-ignore format: options in one line
  found.start(discovery);
  t.teardown(async () => {
    await discovery.stop();
    await server.close();
  });
  const ended = async () => (await found.metric('exemplard_discovery_refresh_duration_seconds_count')) ?? 0;
  let requests = 0;
  /** The first request, or the one under way, and what came of it. */
  const idle = async () => {
    requests++;
    await until(async () => (await ended()) === requests, 'the end of a request');
    await until(() => clock.waitingMs.length === 1, 'the pause after it');
  };
  const next = async (answer?: RequestListener) => {
    if (answer !== undefined) server.answer = answer;
    await clock.advance(clock.waitingMs[0]!);
    await idle();
  };
  return { server, clock, found, discovery, url, next, idle };
}

t.test('what is asked, and what is made of the answer', async (t) => {
  const body = '[{"targets":["a:1"],"labels":{"x":"y","__meta_url":"theirs"}},{"targets":["b:1","b:2"]}]';
  const { server, found, url, next, idle } = await discover(t, json(body));
  await idle();
  t.strictSame(found.groups, [
    { source: `${url}:0`, targets: [{ __address__: 'a:1' }], labels: { x: 'y', __meta_url: url } },
    { source: `${url}:1`, targets: [{ __address__: 'b:1' }, { __address__: 'b:2' }], labels: { __meta_url: url } },
  ]); // biome-ignore format: one group a line
  t.match(server.asked[0], {
    method: 'GET',
    url: '/targets?a=b',
    headers: {
      accept: 'application/json',
      'user-agent': 'exemplard/test',
      'x-prometheus-refresh-interval-seconds': '60',
    },
  });
  await next();
  t.equal(found.answers.length, 1, 'the same is not said again');
  await next(json(gzipSync(list('c:1')), { 'content-encoding': 'gzip', 'content-type': ' Application/JSON; charset=UTF-8' })); // biome-ignore format: one line
  t.strictSame(found.addresses, ['c:1']);
  await next(json('[]'));
  t.strictSame([found.groups, found.answers.length], [[], 3]);
  t.strictSame(found.warnings, []);
});

t.test('whatever goes wrong, the last good list stays', async (t) => {
  const { server, found, clock, next, idle } = await discover(t, json(list('a:1')));
  await idle();
  let failures = 0;
  const f = async (answer: RequestListener, message: RegExp) => {
    await next(answer);
    failures++;
    t.match(found.warnings.at(-1), message);
    t.strictSame(found.addresses, ['a:1'], String(message));
    t.equal(await found.metric('exemplard_discovery_failures_total'), failures);
  };
  await f((_, response) => response.writeHead(500).end('no'), /answered 500/);
  await f((_, response) => response.writeHead(204).end(), /answered 204/);
  await f((_, response) => response.writeHead(302, { location: '/targets' }).end(), /answered 302/);
  await f(
    json(list('b:1'), { 'content-type': 'text/plain' }),
    /must be application\/json, got "text\/plain"/,
  );
  await f(json(list('b:1'), { 'content-type': 'application/json; charset=latin1' }), /charset=latin1/);
  await f(json('[{"targets": [1]}]'), /targets\[0\] must be text/);
  await f(json('{"targets": ["b:1"]}'), /must be a list/);
  await f(json('[{"targets": ["b:1"], "more": 1}]'), /unknown key "more"/);
  await f(json('[{"targets": ["b:1"'), /JSON/);
  await f(json(Buffer.from([0xff])), /not UTF-8/);
  await f(json('x', { 'content-encoding': 'gzip' }), /^gzip: /);
  await f(
    json(gzipSync(Buffer.alloc(64 * 1024 * 1024)), { 'content-encoding': 'gzip' }),
    /larger than 33554432/,
  );
  await f((request) => request.socket.destroy(), /closed|reset|hang up/i);
  await f((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
    response.write('[{"targets"', () => response.destroy());
  }, /closed|terminated|reset|aborted/i);
  await f((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = () => !response.destroyed && response.write(Buffer.alloc(1024 * 1024, 0x20), more);
    more();
  }, /larger than 33554432/);
  // An answer that never ends has the timeout.
  server.answer = (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).write('[');
  const asked = server.asked.length;
  await clock.advance(clock.waitingMs[0]!);
  await until(() => server.asked.length > asked, 'a request');
  await clock.advance(60_000);
  await idle();
  t.match(found.warnings.at(-1), /within 60000 ms/);
  t.strictSame(found.addresses, ['a:1']);
  await next(json(list('a:2')));
  t.strictSame(found.addresses, ['a:2']);
  t.match(found.log.lines.at(-1), { level: 'info', message: 'discovery recovered' });
});

t.test('no server at first: nothing is known, which is not "no targets"', async (t) => {
  const { server, found, next, idle } = await discover(t, (request) => request.socket.destroy());
  await idle();
  t.equal(found.warnings.length, 1);
  t.equal(found.answers.length, 0);
  await next();
  t.equal(found.warnings.length, 1, 'the same trouble is said once');
  await next(json(list('a:1')));
  t.strictSame(found.addresses, ['a:1']);
  t.equal(server.asked.length, 3);
});

t.test('credentials, and a stop in the middle of a request', async (t) => {
  const auth = { type: 'basic', username: { text: 'me' }, password: { text: 'pw' } } as const;
  const { server, found, discovery, idle } = await discover(t, json(list('a:1')), {
    httpClient: { ...DEFAULT_HTTP_CLIENT, auth },
    shownUrl: 'http://shown/',
  });
  await idle();
  t.equal(server.asked[0]?.headers.authorization, `Basic ${Buffer.from('me:pw').toString('base64')}`);
  t.equal(found.groups[0]?.labels.__meta_url, 'http://shown/');
  await discovery.stop();
  const second = await discover(t, () => {});
  await until(() => second.server.asked.length === 1, 'a request');
  await second.discovery.stop();
  t.strictSame([second.found.answers, second.found.warnings], [[], []]);
  t.strictSame(second.clock.waitingMs, []);
});
