import { writeFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { request } from 'undici';
import { HttpClient } from '../../src/http-client/client.js';
import {
  DEFAULT_HTTP_CLIENT,
  DEFAULT_TLS,
  type HttpClientOptions,
  type TlsOptions,
} from '../../src/http-client/options.js';
import { Authority, HAS_OPENSSL } from '../support/certificates.js';
import { FakeClock } from '../support/fake-clock.js';
import { serve } from '../support/http-servers.js';

const skip = !HAS_OPENSSL && 'no openssl';
const text = (value: string) => ({ text: value });

function createClient(t: Test, tls: Partial<TlsOptions>, options: Partial<HttpClientOptions> = {}) {
  const clock = new FakeClock();
  const client = new HttpClient(
    { ...DEFAULT_HTTP_CLIENT, ...options, tls: { ...DEFAULT_TLS, ...tls } },
    { clock, userAgent: 'test', environment: {} },
  );
  t.teardown(() => client.close());
  const get = async (url: string) => {
    const { body } = await request(url, { dispatcher: client.dispatcher, reset: true });
    return body.text();
  };
  return { clock, get };
}

t.test('whom to trust', { skip }, async (t) => {
  const authority = new Authority(t.testdir({}), 'authority');
  const server = await serve((_, response) => response.end('ok'), authority.sign('s', 'DNS:shop.example'));
  t.teardown(() => server.close());
  const url = `https://127.0.0.1:${server.port}/`;
  const ca = text(authority.pair.cert);
  const fails = (tls: Partial<TlsOptions>, message: RegExp) =>
    t.rejects(createClient(t, tls).get(url), { message });
  await fails({}, /self-signed certificate in certificate chain|unable to verify/);
  await fails({ ca }, /127\.0\.0\.1.*not in the cert/);
  await fails({ ca, serverName: 'other.example' }, /other\.example.*is not in the cert/);
  t.equal(await createClient(t, { ca, serverName: 'shop.example' }).get(url), 'ok');
  t.equal(await createClient(t, { insecureSkipVerify: true }).get(url), 'ok');
});

t.test('versions of TLS', { skip }, async (t) => {
  const authority = new Authority(t.testdir({}), 'authority');
  const versions: (string | null)[] = [];
  const server = await serve(
    (request, response) => {
      versions.push((request.socket as TLSSocket).getProtocol());
      response.end();
    },
    { ...authority.sign('s', 'IP:127.0.0.1'), maxVersion: 'TLSv1.2' },
  );
  t.teardown(() => server.close());
  const ca = text(authority.pair.cert);
  const url = `https://127.0.0.1:${server.port}/`;
  await createClient(t, { ca, maxVersion: 'TLS12' }).get(url);
  t.same(versions, ['TLSv1.2']);
  await t.rejects(createClient(t, { ca, minVersion: 'TLS13' }).get(url), { message: /protocol version/ });
});

t.test('client certificates, and files that change', { skip }, async (t) => {
  const directory = t.testdir({});
  const authority = new Authority(directory, 'authority');
  const names: string[] = [];
  const server = await serve(
    (request, response) => {
      names.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      response.end('ok');
    },
    { ...authority.sign('s', 'IP:127.0.0.1'), requestCert: true, ca: authority.pair.cert },
  );
  t.teardown(() => server.close());
  const [one, two] = ['one', 'two'].map((name) => authority.sign(name, `DNS:${name}`));
  const file = (name: string) => ({ file: join(directory, name) });
  const use = ({ cert, key }: { cert: string; key: string }) => {
    writeFileSync(join(directory, 'client.cert'), cert);
    writeFileSync(join(directory, 'client.key'), key);
  };
  use(one!);
  writeFileSync(join(directory, 'ca'), authority.pair.cert);
  const { get, clock } = createClient(t, {
    ca: file('ca'),
    cert: file('client.cert'),
    key: file('client.key'),
  });
  const url = `https://127.0.0.1:${server.port}/`;
  t.equal(await get(url), 'ok');
  use(two!);
  await clock.advance(1_000);
  await get(url);
  t.same(names, ['one', 'two'], 'new connections use the new files');

  const fails = async (name: string, content: string, message: RegExp) => {
    writeFileSync(join(directory, name), content);
    await clock.advance(1_000);
    await t.rejects(get(url), { message });
  };
  await fails('client.key', one!.key, /^tls_config\.cert_file .*client\.cert and tls_config\.key_file .*client\.key: /); // biome-ignore format: one line
  await fails('client.key', 'no key', /^tls_config\.key_file .*client\.key: /);
  await fails('client.cert', 'no certificate', /^tls_config\.cert_file .*client\.cert: /);
  await fails('ca', 'no certificate', /^tls_config\.ca_file .*ca: it holds no PEM certificate/);
  use(two!);
  writeFileSync(join(directory, 'ca'), authority.pair.cert);
  await clock.advance(1_000);
  t.equal(await get(url), 'ok', 'all is well again');
  const missing = createClient(t, { ca: file('missing') });
  await t.rejects(missing.get(url), {
    message: /^tls_config\.ca_file: file .*missing cannot be read: ENOENT/,
  });
});

t.test('HTTP/2 where it is wanted and the server speaks it', { skip }, async (t) => {
  const authority = new Authority(t.testdir({}), 'authority');
  const versions: string[] = [];
  const server = createSecureServer(
    { ...authority.sign('s', 'IP:127.0.0.1'), allowHTTP1: true },
    (request, response) => {
      versions.push(request.httpVersion);
      response.end('ok');
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const ca = text(authority.pair.cert);
  t.equal(await createClient(t, { ca }).get(url), 'ok');
  t.equal(await createClient(t, { ca }, { enableHttp2: false }).get(url), 'ok');
  t.same(versions, ['2.0', '1.1']);
});
