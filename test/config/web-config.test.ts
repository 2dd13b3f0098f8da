import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadWebConfig } from '../../src/config/web-config-keys.js';
import { Authority, HAS_OPENSSL } from '../support/certificates.js';
import { prometheusMissing } from '../support/prometheus.js';

const skip = HAS_OPENSSL ? prometheusMissing() : 'no openssl';
const HASH = '$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi';
const TLS = 'tls_server_config: {cert_file: s.pem, key_file: s.key';

/** What promtool says of each, and what we say must be the same, but for what is named here. */
const FILES: readonly (readonly [text: string, ours: RegExp | 'fine', promtool?: 'fine' | 'refused'])[] = [
  ['', 'fine'],
  [`basic_auth_users: {alice: '${HASH}', bob: '${HASH}'}`, 'fine'],
  ['basic_auth_users: {alice: secret}', /basic_auth_users.alice must be a bcrypt hash.*got .*<secret>/],
  [`${TLS}}`, 'fine'],
  [`${TLS}, client_auth_type: RequireAndVerifyClientCert, client_ca_file: authority.pem}`, 'fine'],
  [`${TLS}, client_auth_type: RequireAndVerifyClientCert}`, /needs client_ca_file/, 'fine'],
  [`${TLS}, client_ca_file: authority.pem}`, /of no use with client_auth_type NoClientCert/],
  [`${TLS}, client_auth_type: Sometimes}`, /client_auth_type must be one of/],
  [
    `${TLS}, min_version: TLS13, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256], curve_preferences: [CurveP256, X25519]}`,
    'fine',
  ],
  [`${TLS}, min_version: TLS10}`, /TLS10 is not safe/, 'fine'],
  [`${TLS}, min_version: TLS13, max_version: TLS12}`, /max_version is older/, 'fine'],
  [`${TLS}, cipher_suites: [RC4]}`, /must be one of/],
  [`${TLS}, curve_preferences: [P1]}`, /must be one of/],
  [`${TLS}, prefer_server_cipher_suites: false}`, 'fine'],
  ['tls_server_config: {cert_file: s.pem}', /key_file \(or key\) must be configured/],
  ['tls_server_config: {key_file: s.key}', /cert_file \(or cert\) must be configured/],
  ["http_server_config: {headers: {X-Frame-Options: deny, Strict-Transport-Security: 'max-age=1'}}", 'fine'],
  ['http_server_config: {headers: {X-Frame-Options: sometimes}}', /X-Frame-Options must be one of/],
  ['http_server_config: {headers: {Server: me}}', /headers: Server is none of/],
  ['http_server_config: {http2: true}', 'fine', 'fine'],
  ['auth_excluded_paths: [/-/healthy]', 'fine', 'refused'],
  ['basic_auth_user: {}', /basic_auth_user/],
  ['- a', /must be a map/],
  ['a: [', /./],
];

t.test('the file is judged as by promtool', { skip }, async (t) => {
  const directory = t.testdir();
  const authority = new Authority(directory, 'authority');
  authority.sign('s', 'IP:127.0.0.1');
  for (const [text, ours, promtool] of FILES) {
    const file = join(directory, 'web.yml');
    writeFileSync(file, text);
    let verdict = 'fine';
    try {
      loadWebConfig(file, () => {});
    } catch (error) {
      verdict = (error as Error).message;
    }
    t.match(verdict, ours === 'fine' ? /^fine$/ : ours, text);
    const { status } = spawnSync('promtool', ['check', 'web-config', file], { cwd: directory });
    t.equal(
      status === 0 ? 'fine' : 'refused',
      promtool ?? (ours === 'fine' ? 'fine' : 'refused'),
      `promtool: ${text}`,
    );
  }
});

t.test('errors say where', async (t) => {
  const file = join(
    t.testdir({ 'web.yml': 'basic_auth_users:\n  bob: plain\nbasic_auth_use: {}\n' }),
    'web.yml',
  );
  t.throws(
    () => loadWebConfig(file, () => {}),
    /web\.yml:2:8: basic_auth_users\.bob[^\n]*\n[^\n]*web\.yml:3:1: /,
  );
  t.throws(() => loadWebConfig('/nowhere/web.yml', () => {}), /nowhere/);
});
