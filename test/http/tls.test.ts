import { writeFileSync } from 'node:fs';
import { connect as connectInTheClear } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type PeerCertificate } from 'node:tls';
import t, { type Test } from 'tap';
import { Agent, request } from 'undici';
import { loadWebConfig } from '../../src/config/web-config-keys.js';
import { serverTls } from '../../src/http/server-tls.js';
import { SecretFiles } from '../../src/http-client/secret-files.js';
import { systemClock } from '../../src/util/clock.js';
import { startApp } from '../support/app.js';
import { Authority, HAS_OPENSSL, type Pair } from '../support/certificates.js';
import { until } from '../support/until.js';

const skip = HAS_OPENSSL ? false : 'no openssl';

async function startWith(t: Test, more = '') {
  const directory = t.testdir({ other: {} });
  const authority = new Authority(directory, 'authority');
  const other = new Authority(join(directory, 'other'), 'other');
  authority.sign('s', 'IP:127.0.0.1');
  const file = join(directory, 'web.yml');
  const write = (text: string) =>
    writeFileSync(file, `tls_server_config: {cert_file: s.pem, key_file: s.key${text}}`);
  write(more);
  const app = await startApp('archive: {type: none}', undefined, {
    loadConfig: () => loadWebConfig(file, () => {}),
  });
  t.teardown(() => app.stop());
  const ca = authority.pair.cert;
  const status = async (tls: ConnectionOptions = {}) => {
    const dispatcher = new Agent({ connect: { ca, ...tls } as object });
    try {
      const answer = await request(`${app.url}/-/healthy`, { dispatcher });
      await answer.body.dump();
      return answer.statusCode;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    } finally {
      await dispatcher.destroy();
    }
  };
  return { app, authority, other, status, write, ca, directory };
}

t.test('TLS 1.2 and newer', { skip }, async (t) => {
  const { app, status } = await startWith(t);
  t.match(app.url, /^https:\/\//);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    t.equal(await status({ minVersion: version, maxVersion: version }), 200, version);
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  t.match(await status(old), /PROTOCOL_VERSION|EPROTO|ERR_SSL/);
  t.match(await status({ ca: [] }), /UNABLE_TO_VERIFY|SELF_SIGNED/, 'by its own authority');
});

t.test('who speaks HTTP in the clear is told that there is TLS', { skip }, async (t) => {
  const { app, status } = await startWith(t);
  const answer = await fetch(app.url.replace('https:', 'http:'));
  t.equal(answer.status, 400);
  t.equal(await answer.text(), 'Client sent an HTTP request to an HTTPS server.\n');
  const nonsense = connectInTheClear(Number(new URL(app.url).port)).on('error', () => {});
  let said = '';
  nonsense.on('data', (chunk) => {
    said += chunk.toString('latin1');
  });
  nonsense.write('nonsense\r\n\r\n');
  await new Promise((resolve) => nonsense.once('close', resolve));
  t.notMatch(said, 'HTTP', 'what is neither gets no text');
  t.equal(await status(), 200);
});

t.test('kinds of certificates of clients', { skip }, async (t) => {
  const kinds = {
    RequestClientCert: { none: true, unknown: true, known: true },
    RequireAnyClientCert: { none: false, unknown: true, known: true },
    VerifyClientCertIfGiven: { none: true, unknown: false, known: true },
    RequireAndVerifyClientCert: { none: false, unknown: false, known: true },
  };
  for (const [kind, expected] of Object.entries(kinds)) {
    const needsCa = kind.includes('Verify') ? ', client_ca_file: authority.pem' : '';
    const { authority, other, status } = await startWith(t, `, client_auth_type: ${kind}${needsCa}`);
    const clients: Record<keyof typeof expected, Partial<Pair>> = {
      none: {},
      unknown: other.sign('c', 'DNS:c'),
      known: authority.sign('c', 'DNS:c'),
    };
    for (const [who, pair] of Object.entries(clients))
      t.equal((await status(pair)) === 200, expected[who as keyof typeof expected], `${kind}: ${who}`);
  }
  const { authority, status } = await startWith(
    t,
    ', client_auth_type: RequireAndVerifyClientCert, client_ca_file: authority.pem, client_allowed_sans: [shop.example, 10.1.2.3]',
  );
  t.equal(await status(authority.sign('a', 'DNS:shop.example')), 200);
  t.equal(await status(authority.sign('b', 'DNS:x,IP:10.1.2.3')), 200);
  t.not(await status(authority.sign('c', 'DNS:other.example')), 200, 'another name');
});

t.test('files that hold nothing', { skip }, async (t) => {
  const directory = t.testdir({ 'empty.pem': '' });
  new Authority(directory, 'authority').sign('s', 'IP:127.0.0.1');
  const read = (tls: string) => {
    writeFileSync(join(directory, 'web.yml'), `tls_server_config: {${tls}}`);
    return serverTls(loadWebConfig(join(directory, 'web.yml'), () => {}).tls!, new SecretFiles(systemClock));
  };
  await t.rejects(read('cert_file: empty.pem, key_file: s.key'), /cert_file: it holds no PEM certificate/);
  await t.rejects(read('cert_file: s.pem, key_file: empty.pem'), /key_file: it is empty/);
  const ca = 'client_auth_type: RequireAndVerifyClientCert, client_ca_file: empty.pem';
  await t.rejects(
    read(`cert_file: s.pem, key_file: s.key, ${ca}`),
    /client_ca_file: it holds no PEM certificate/,
  );
});

t.test('certificates are renewed while it runs', { skip }, async (t) => {
  const { app, authority, ca, directory, status, write } = await startWith(t);
  const serial = () =>
    new Promise<string>((resolve, reject) => {
      const { port } = new URL(app.url);
      const socket = connect({ port: Number(port), host: '127.0.0.1', ca }, () => {
        resolve((socket.getPeerCertificate() as PeerCertificate).serialNumber);
        socket.destroy();
      }).on('error', reject);
    });
  const before = await serial();
  authority.sign('s', 'IP:127.0.0.1');
  await until(async () => (await serial()) !== before, 'the new certificate');
  write('}\n#');
  await app.reload('archive: {type: none}');
  t.equal(
    (await request(`${app.url}/-/healthy`, { dispatcher: new Agent({ connect: { ca } }) })).statusCode,
    200,
  );
  for (const name of ['s.pem', 's.key']) {
    writeFileSync(join(directory, name), '');
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    t.equal(await status(), 200, `${name} is being written: the old one stays`);
  }
  write(', client_auth_type: RequireAnyClientCert}\n#');
  await t.rejects(app.reload('archive: {type: none}'), /client_auth_type cannot change/);
  t.equal(await status(), 200);
  write(', min_version: TLS09');
  await t.rejects(app.reload('archive: {type: none}'), /min_version/, 'a wrong one changes nothing');
});
