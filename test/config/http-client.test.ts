/** Keys of how requests are made: what they become, and what Prometheus refuses. */
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { DEFAULT_REMOTE_WRITE } from '../../src/forward/options.js';
import { DEFAULT_TLS, type HttpClientOptions, NO_PROXY } from '../../src/http-client/options.js';

const DEFAULTS = DEFAULT_REMOTE_WRITE.httpClient;
const text = (value: string) => ({ text: value });

/** A configuration file in `directory` with these lines in its remote write, from line 4 on. */
function load(lines: readonly string[], directory = '/') {
  const block = lines.map((line) => `    ${line}\n`).join('');
  const file = `scrape_configs: [{job_name: a}]\nremote_write:\n  - url: http://r/w\n${block}`;
  return loadConfig(file, join(directory, 'exemplard.yml'), {});
}

function issues(...lines: string[]): string[] {
  const result = load(lines);
  const all = result.ok ? result.warnings : result.errors;
  return all.map(({ line, column, message }) => `${line}:${column}: ${message}`);
}

t.test('keys and options', async (t) => {
  const directory = t.testdir({ secret: ' from file\n', ca: 'x', cert: 'y', key: 'z' });
  const f = (lines: string | readonly string[], want: Partial<HttpClientOptions>) => {
    const result = load(typeof lines === 'string' ? [lines] : lines, directory);
    if (!result.ok) throw new Error(JSON.stringify(result.errors));
    t.strictSame(result.warnings, []);
    t.strictSame(result.config.remoteWrites[0]!.httpClient, { ...DEFAULTS, ...want }, String(lines));
  };
  const file = (name: string) => ({ file: join(directory, name) });
  const authorization = (credentials: { text: string } | { file: string }, scheme = 'Bearer') => ({
    auth: { type: 'authorization' as const, scheme, credentials },
  });
  f([], {});
  f('basic_auth:', {});
  f('bearer_token: t', authorization(text('t')));
  f('bearer_token_file: secret', authorization(file('secret')));
  f('authorization: {credentials: t}', authorization(text('t')));
  f('authorization: {type: " bearer ", credentials_file: secret}', authorization(file('secret')));
  f('authorization: {type: Token, credentials: t}', authorization(text('t'), 'Token'));
  f('basic_auth: {username: ü, password: 5}', {
    auth: { type: 'basic', username: text('ü'), password: text('5') },
  });
  f('basic_auth: {username_file: secret, password_file: secret}', {
    auth: { type: 'basic', username: file('secret'), password: file('secret') },
  });
  const oauth2 = {
    clientId: 'i',
    clientSecret: text(''),
    scopes: [],
    tokenUrl: 'http://t/',
    endpointParams: {},
    tls: DEFAULT_TLS,
    proxy: NO_PROXY,
  };
  f('oauth2: {client_id: i, token_url: "http://t/"}', { auth: { type: 'oauth2', oauth2 } });
  f(
    [
      'oauth2:',
      '  client_id: i',
      '  client_secret_file: secret',
      '  scopes: [a, b]',
      '  token_url: http://t/',
      '  endpoint_params: {audience: x}',
      '  tls_config: {insecure_skip_verify: true}',
      '  proxy_url: http://p',
    ],
    {
      auth: {
        type: 'oauth2',
        oauth2: {
          ...oauth2,
          clientSecret: file('secret'),
          scopes: ['a', 'b'],
          endpointParams: { audience: 'x' },
          tls: { ...DEFAULT_TLS, insecureSkipVerify: true },
          proxy: { ...NO_PROXY, url: 'http://p' },
        },
      },
    },
  );
  f('tls_config: {ca_file: ca, cert_file: cert, key: k, server_name: s, min_version: TLS13}', {
    tls: {
      ...DEFAULT_TLS,
      ca: file('ca'),
      cert: file('cert'),
      key: text('k'),
      serverName: 's',
      minVersion: 'TLS13',
    },
  });
  f(['proxy_url: http://u:p@p:1', 'no_proxy: a,b', 'proxy_connect_header: {X-A: [b, c]}'], {
    proxy: {
      url: 'http://u:p@p:1',
      noProxy: 'a,b',
      fromEnvironment: false,
      connectHeaders: { 'X-A': [text('b'), text('c')] },
    },
  });
  f('proxy_url: ""', {});
  f('proxy_from_environment: true', { proxy: { ...NO_PROXY, fromEnvironment: true } });
  f('http_headers: {X-A: {values: [b], secrets: [c], files: [secret]}, X-B: {}}', {
    headers: { 'X-A': [text('b'), text('c'), file('secret')], 'X-B': [] },
  });
  f(['follow_redirects: false', 'enable_http2: true'], { followRedirects: false, enableHttp2: true });
});

const AUTH = 'basic_auth, authorization, oauth2, bearer_token, bearer_token_file';

t.test('what is refused', async (t) => {
  const f = (line: string, ...want: string[]) => t.strictSame(issues(line), want, line);
  t.strictSame(issues('basic_auth: {username: u}', 'bearer_token: t'), [
    `5:19: remote_write[0]: at most one of ${AUTH} must be configured, got basic_auth, bearer_token`,
  ]);
  t.strictSame(issues('sigv4: {region: x}', 'bearer_token: t'), [
    `5:19: remote_write[0]: at most one of ${AUTH} must be configured, got sigv4, bearer_token`,
  ]);
  const inUrl = loadConfig('remote_write: [{url: "http://u:p@r/", authorization: {credentials: t}}]', 'f', {}); // biome-ignore format: one line
  t.match(inUrl, { ok: false, errors: [{ column: 54, message: /got credentials in url, authorization$/ }] });
  f(
    'basic_auth: {password: p, password_file: /dev/null}',
    '4:46: remote_write[0].basic_auth: at most one of password & password_file must be configured',
  );
  f(
    'authorization: {type: Basic, credentials: x}',
    '4:27: remote_write[0].authorization: authorization type cannot be set to "basic", use "basic_auth" instead',
  );
  f(
    'bearer_token: "a\\nb"',
    '4:19: remote_write[0].bearer_token has a character that no header may have (a line break, or not ASCII)',
  );
  f(
    'oauth2: {scopes: [a]}',
    '4:13: remote_write[0].oauth2: oauth2 client_id must be configured',
    '4:13: remote_write[0].oauth2: oauth2 token_url must be configured',
  );
  f(
    'oauth2: {client_id: a, token_url: "ftp://me:hunter2@h"}',
    '4:39: remote_write[0].oauth2.token_url must be a URL that starts with http:// or https://, got "ftp://me:<secret>@h"',
  );
  f(
    'tls_config: {ca: x, ca_file: /dev/null}',
    '4:34: remote_write[0].tls_config: at most one of ca & ca_file must be configured',
  );
  f(
    'tls_config: {cert_file: /dev/null}',
    '4:29: remote_write[0].tls_config: exactly one of key or key_file must be configured when a client certificate is configured',
  );
  f(
    'tls_config: {key: x}',
    '4:23: remote_write[0].tls_config: exactly one of cert or cert_file must be configured when a client key is configured',
  );
  f(
    'tls_config: {min_version: TLS9}',
    '4:31: remote_write[0].tls_config.min_version must be one of TLS10, TLS11, TLS12, TLS13, got "TLS9"',
  );
  f('no_proxy: a', '4:15: remote_write[0]: if no_proxy is configured, proxy_url must also be configured');
  f(
    'proxy_connect_header: {X-A: [b]}',
    '4:27: remote_write[0]: if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured',
  );
  t.strictSame(issues('proxy_from_environment: true', 'proxy_url: http://p', 'no_proxy: a'), [
    '5:16: remote_write[0]: if proxy_from_environment is configured, proxy_url must not be configured',
    '6:15: remote_write[0]: if proxy_from_environment is configured, no_proxy must not be configured',
  ]);
  f(
    'proxy_url: socks5://p',
    '4:16: remote_write[0].proxy_url must be a URL that starts with http:// or https://: SOCKS proxies are not supported',
  );
  f(
    'http_headers: {Host: {values: [a]}, X-A: {secrets: ["\\n"]}, X-B: {values: a}}',
    '4:26: remote_write[0].http_headers must not set "Host": it is set by exemplard',
    '4:46: remote_write[0].http_headers.X-A has a character that no header may have (a line break, or not ASCII)',
    '4:79: remote_write[0].http_headers.X-B.values must be a list, got "a"',
  );
});

t.test('a file that is not there (yet) is worth a warning', async (t) => {
  t.strictSame(issues('bearer_token_file: /nowhere/token'), [
    "4:24: remote_write[0].bearer_token_file: until it can be read, requests fail: ENOENT: no such file or directory, access '/nowhere/token'",
  ]);
});
