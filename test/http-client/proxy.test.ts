import t, { type Test } from 'tap';
import { request } from 'undici';
import { HttpClient } from '../../src/http-client/client.js';
import { proxyExceptions } from '../../src/http-client/no-proxy.js';
import { DEFAULT_HTTP_CLIENT, NO_PROXY, type ProxyOptions } from '../../src/http-client/options.js';
import { chooseProxy } from '../../src/http-client/proxy.js';
import { Authority, HAS_OPENSSL } from '../support/certificates.js';
import { FakeClock } from '../support/fake-clock.js';
import { serve, serveProxy } from '../support/http-servers.js';

t.test('what goes around the proxy: Go’s rules', async (t) => {
  const f = (noProxy: string, address: string, isDirect: boolean) => {
    const url = new URL(`http://${address}`);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    t.equal(proxyExceptions(noProxy)(host, url.port || '80'), isDirect, `${noProxy}: ${address}`);
  };
  f('', 'a.com', false);
  f('*', 'a.com', true);
  f('x, *', '10.0.0.1', true);
  f('a.com', 'a.com', true);
  f('a.com', 'b.a.com', true);
  f('a.com', 'ba.com', false);
  f('A.Com ', 'a.com', true);
  f('.a.com', 'a.com', false);
  f('.a.com', 'b.a.com', true);
  f('*.a.com', 'b.a.com', true);
  f('*.a.com', 'a.com', false);
  f('a.com:81', 'a.com', false);
  f('a.com:81', 'a.com:81', true);
  f('.a.com:81', 'b.a.com:81', true);
  f('a.com:80', 'a.com', true);
  f(':80', 'a.com', false);
  f(',,', 'a.com', false);
  f('10.0.0.1', '10.0.0.1', true);
  f('10.0.0.1:81', '10.0.0.1', false);
  f('10.0.0.1:81', '10.0.0.1:81', true);
  f('10.0.0.0/8', '10.1.2.3', true);
  f('10.0.0.0/8', '11.1.2.3', false);
  f('10.0.0.0/33', '10.1.2.3', false);
  f('10.0.0.0/x', '10.1.2.3', false);
  f('2001:db8::/32', '[2001:db8::1]', true);
  f('2001:db8::1', '[2001:DB8:0::1]:81', true);
  f('[2001:db8::1]:81', '[2001:db8::1]:81', true);
  f('[2001:db8::1]:81', '[2001:db8::1]', false);
  f('0.1', '10.0.0.1', false);
  f('x', 'localhost', true);
  f('x', '127.8.8.8', true);
  f('x', '[::1]', true);
});

t.test('which proxy', async (t) => {
  const f = (options: Partial<ProxyOptions>, environment: NodeJS.ProcessEnv, url: string, want: string) => {
    const choose = chooseProxy({ ...NO_PROXY, ...options }, environment);
    t.equal(choose(new URL(url))?.href ?? 'direct', want, url);
  };
  const url = 'http://p:1/';
  f({}, { HTTP_PROXY: url }, 'http://a', 'direct');
  f({ url }, {}, 'http://a', url);
  f({ url }, {}, 'https://a', url);
  f({ url }, {}, 'https://127.0.0.1', url);
  f({ url, noProxy: 'a' }, {}, 'http://a', 'direct');
  f({ url, noProxy: 'a' }, {}, 'http://b', url);
  f({ url, noProxy: 'a' }, {}, 'http://127.0.0.1', 'direct');
  const environment = { HTTP_PROXY: 'p:1', https_proxy: 'https://q', NO_PROXY: 'c' };
  f({ fromEnvironment: true }, environment, 'http://a', url);
  f({ fromEnvironment: true }, environment, 'https://a', 'https://q/');
  f({ fromEnvironment: true }, environment, 'http://c', 'direct');
  f({ fromEnvironment: true }, {}, 'http://a', 'direct');
  const bad = chooseProxy({ ...NO_PROXY, fromEnvironment: true }, { HTTPS_PROXY: 'ftp://me:secret@x' });
  t.equal(bad(new URL('http://a')), undefined);
  t.throws(() => bad(new URL('https://a')), {
    message: 'environment variable HTTPS_PROXY holds no URL of an HTTP proxy',
  });
});

function createClient(t: Test, proxy: Partial<ProxyOptions>, ca?: string) {
  const tls = { ...DEFAULT_HTTP_CLIENT.tls, ca: ca === undefined ? undefined : { text: ca } };
  const client = new HttpClient(
    { ...DEFAULT_HTTP_CLIENT, tls, proxy: { ...NO_PROXY, ...proxy } },
    { clock: new FakeClock(), userAgent: 'test', environment: {} },
  );
  t.teardown(() => client.close());
  return async (url: string) => {
    const { body } = await request(url, { dispatcher: client.dispatcher, headers: { 'x-mine': '1' } });
    return body.text();
  };
}

const PASSED_ON = `Basic ${Buffer.from('me:pa:ss').toString('base64')}`;

t.test('a proxy is asked for the whole URL', async (t) => {
  const proxy = await serveProxy();
  t.teardown(() => proxy.close());
  const get = createClient(t, {
    url: `http://me:pa%3Ass@127.0.0.1:${proxy.port}`,
    connectHeaders: { 'X-Connect': [{ text: '1' }] },
  });
  t.equal(await get('http://shop.example/a?b=c'), 'by proxy');
  t.match(proxy.asked, [
    {
      method: 'GET',
      url: 'http://shop.example/a?b=c',
      headers: {
        host: 'shop.example',
        'x-mine': '1',
        'proxy-authorization': PASSED_ON,
        'x-connect': undefined,
      },
    },
  ]);
});

t.test('a tunnel to a server with TLS', { skip: !HAS_OPENSSL && 'no openssl' }, async (t) => {
  const authority = new Authority(t.testdir({}), 'authority');
  const identity = authority.sign('server', 'DNS:localhost,IP:127.0.0.1');
  const server = await serve((_, response) => response.end('far end'), identity);
  const proxy = await serveProxy();
  const tlsProxy = await serveProxy(identity);
  const refusing = await serveProxy(undefined, '407 Proxy Authentication Required');
  t.teardown(() => Promise.all([server, proxy, tlsProxy, refusing].map((each) => each.close())));
  const url = `https://localhost:${server.port}/x`;

  const connectHeaders = { 'X-Connect': [{ text: '1' }] };
  const options = { url: `http://me:pa%3Ass@127.0.0.1:${proxy.port}`, connectHeaders };
  const get = createClient(t, options, authority.pair.cert);
  t.equal(await get(url), 'far end');
  t.equal(await get(url), 'far end', 'again');
  t.match(proxy.asked, [
    {
      method: 'CONNECT',
      url: `localhost:${server.port}`,
      headers: {
        host: `localhost:${server.port}`,
        'proxy-authorization': PASSED_ON,
        'x-connect': '1',
        'x-mine': undefined,
      },
    },
  ]);
  t.match(server.asked[0], { url: '/x', headers: { 'x-mine': '1', 'proxy-authorization': undefined } });

  const byTls = createClient(t, { url: `https://127.0.0.1:${tlsProxy.port}` }, authority.pair.cert);
  t.equal(await byTls(url), 'far end', 'through a proxy that speaks TLS itself');
  t.equal(await byTls('http://shop.example/'), 'by proxy');
  t.same(
    tlsProxy.asked.map((asked) => asked.method),
    ['CONNECT', 'GET'],
  );

  const refused = createClient(t, { url: `http://me:hunter2@127.0.0.1:${refusing.port}` });
  await t.rejects(refused(url), {
    message: `proxy http://127.0.0.1:${refusing.port} does not connect to localhost:${server.port}: it answered 407 Proxy Authentication Required`,
  });
  await refusing.close();
  await t.rejects(refused(url), { message: /^proxy http:\/\/127.0.0.1:\d+: connect ECONNREFUSED/ });
});
