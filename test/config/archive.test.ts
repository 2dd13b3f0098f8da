/** `archive`: what it comes to, and what is wrong with it. */
import t from 'tap';
import { DEFAULT_ARCHIVE_OPTIONS } from '../../src/archive/options.js';
import { loadConfig } from '../../src/config/load.js';
import { DEFAULT_TLS } from '../../src/http-client/options.js';

const read = (...lines: string[]) =>
  loadConfig(
    ['scrape_configs: [{job_name: a}]', 'archive:', ...lines.map((line) => `  ${line}`)].join('\n'),
    '/etc/f.yml',
    {},
  );

function options(...lines: string[]) {
  const result = read(...lines);
  if (!result.ok) throw new Error(result.errors.map(({ message }) => message).join('; '));
  return result.config.archive;
}

function errors(...lines: string[]): string[] {
  const result = read(...lines);
  return result.ok ? [] : result.errors.map(({ line, column, message }) => `${line}:${column}: ${message}`);
}

const SERVER = {
  urls: ['http://a:8123'],
  user: 'default',
  password: { text: '' },
  tls: DEFAULT_TLS,
  database: 'default',
  cluster: undefined,
};

t.test('what it comes to', async (t) => {
  t.same(options(), DEFAULT_ARCHIVE_OPTIONS);
  t.same(options('type: none', 'url: http://a:8123', 'fsync: false'), { ...DEFAULT_ARCHIVE_OPTIONS, type: 'none', fsync: false }); // biome-ignore format: one line
  t.same(options('type: chdb', 'ttl: 0s', 'fsync: false', 'max_memory: 2GiB', 'create_schema: false', 'otel_metrics_tables: true', 'query_timeout: 3s', 'query_max_rows: 5'), { type: 'chdb', server: undefined, ttlMs: 0, fsync: false, createSchema: false, otelMetricsTables: true, maxMemoryBytes: 2 ** 31, queryTimeoutMs: 3_000, queryMaxRows: 5 }); // biome-ignore format: one line
  t.same(options('type: clickhouse', 'url: http://a:8123').server, SERVER);
  t.same(
    options(
      'type: clickhouse',
      'url: [https://a:8443, https://b:8443/ch]',
      'user: writer',
      'password_file: secret',
      'database: exemplars',
      "cluster: '{cluster}'",
      'tls_config: {ca_file: ca.pem, server_name: c}',
    ).server,
    {
      urls: ['https://a:8443', 'https://b:8443/ch'],
      user: 'writer',
      password: { file: '/etc/secret' },
      tls: { ...DEFAULT_TLS, ca: { file: '/etc/ca.pem' }, serverName: 'c' },
      database: 'exemplars',
      cluster: '{cluster}',
    },
  );
  t.same(options('type: clickhouse', 'url: ["http://w:p%40ss@a:8123", "http://b:8123"]').server, {
    ...SERVER,
    urls: ['http://a:8123/', 'http://b:8123'],
    user: 'w',
    password: { text: 'p@ss' },
  });
});

t.test('what is wrong with it', async (t) => {
  t.same(errors('type: postgres'), [
    '3:9: archive.type must be one of none, chdb, clickhouse, got "postgres"',
  ]);
  t.same(errors('type: clickhouse'), ['3:3: archive.type clickhouse needs archive.url']);
  t.same(errors('type: clickhouse', 'url: []'), ['4:8: archive.type clickhouse needs archive.url']);
  t.same(errors('type: clickhouse', 'url: [tcp://a:9000]').length, 1);
  t.same(errors('url: http://a:8123'), ['3:8: archive.url needs archive.type clickhouse']);
  t.same(errors('type: chdb', 'user: w', 'cluster: c'), [
    '4:9: archive.user needs archive.type clickhouse',
    '5:12: archive.cluster needs archive.type clickhouse',
  ]);
  t.same(errors('type: clickhouse', 'url: http://a', 'max_memory: 1GiB'), ['5:15: archive.max_memory needs archive.type chdb']); // biome-ignore format: one line
  t.same(errors('type: clickhouse', 'url: http://w:p@a', 'password: q'), ['5:13: archive: user and password are in url already; password cannot be given, too']); // biome-ignore format: one line
  t.same(errors('type: clickhouse', 'url: ["http://w:p@a", "http://w:q@b"]'), ['4:25: archive.url: user and password must be the same in each URL']); // biome-ignore format: one line
  t.same(errors('type: clickhouse', 'url: http://a', 'password: p', 'password_file: f').length, 1);
  for (const line of ['database: "a; DROP"', 'cluster: "a b"', 'cluster: "{a}\'"', 'query_max_rows: 0', 'query_timeout: 0s', 'max_memory: 1MiB', 'ttl: -1d']) // biome-ignore format: one list
    t.equal(errors('type: clickhouse', 'url: http://a', line).filter((error) => error.startsWith('5:')).length > 0, true, line); // biome-ignore format: one line
});

t.test('secrets are not shown', async (t) => {
  const result = read(
    'type: clickhouse',
    'url: ["http://w:sesame@a:8123"]',
    'tls_config: {key: sesame, cert: c}',
  );
  t.notMatch(result.ok && result.config.text, /sesame/);
  const other = read('type: clickhouse', 'url: http://a:8123', 'password: sesame');
  t.match(other.ok && other.config.text, /password: <secret>/);
  t.notMatch(errors('type: clickhouse', 'url: ftp://w:sesame@a').join(), /sesame/);
});
