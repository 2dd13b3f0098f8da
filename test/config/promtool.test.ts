// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax of rules
/**
 * Our verdict on a file beside that of Debian's promtool (2.42). Where it refuses we refuse, and where it accepts we accept;
 * the differences are listed, each with its reason.
 */
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { prometheusMissing } from '../support/prometheus.js';
import { promtool } from '../support/promtool.js';

interface Case {
  readonly text: string;
  readonly ours: boolean;
  readonly theirs: boolean;
}

const cases: Case[] = [];

function judged(ours: boolean, theirs: boolean, texts: readonly string[]): void {
  cases.push(...texts.map((text) => ({ text, ours, theirs })));
}

const bothAccept = (...texts: string[]) => judged(true, true, texts);
const bothRefuse = (...texts: string[]) => judged(false, false, texts);
const onlyTheyAccept = (_reason: string, ...texts: string[]) => judged(false, true, texts);
const onlyWeAccept = (_reason: string, ...texts: string[]) => judged(true, false, texts);

const job = (...lines: string[]) =>
  ['scrape_configs:', '  - job_name: a', ...lines.map((line) => `    ${line}`)].join('\n');
const jobs = (...keys: string[]) => keys.map((key) => job(key));
const relabel = (...rules: string[]) => rules.map((rule) => job(`relabel_configs: [{${rule}}]`));
const remoteWrite = (...lines: string[]) =>
  ['remote_write:', '  - url: http://r/w', ...lines.map((line) => `    ${line}`)].join('\n');
const remoteWrites = (...keys: string[]) => keys.map((key) => remoteWrite(key));

// YAML.
bothAccept('', 'null', 'global: {}', 'global: ~\nscrape_configs: ~');
bothAccept(
  'global: {}\n---\nfoo: [',
  '%YAML 1.1\n---\nglobal: {}',
  '---\nglobal: {}\n...',
  '\uFEFFglobal: {}',
);
bothAccept('global: {scrape_interval: !!str 20s}', 'global: {"scrape_interval": \'20s\',}');
bothAccept(
  'global:\n scrape_interval: >-\n  20s\n',
  'global: {scrape_interval: 1m, <<: {scrape_timeout: 5s}}',
);
bothRefuse('- a', 'hello', '[]', '{', 'global: []', 'global: 5', '? [a]\n: b', 'global: *a', 'globl: {}');
bothRefuse('global: {}\nglobal: {}', job('job_name: b'), job('params: {a: [x], a: [y]}'));
bothRefuse('global:\n\tscrape_interval: 20s', 'global:\n  scrape_interval: 20s\n scrape_timeout: 1s');
bothRefuse('scrape_configs: [{job_name: a: b}]', 'scrape_configs: [{job_name: @a}]', 'scrape_configs: [{job_name: %a}]'); // biome-ignore format: one line
onlyWeAccept(
  'In YAML 1.2 a question mark in brackets is a letter like others; Go reads YAML 1.1.',
  ...jobs('params: {a: [x?y]}', 'params: {a: [(https?), c]}'),
);

// Types.
bothRefuse('scrape_configs: {a: b}', 'scrape_configs: [5]', 'scrape_configs: [null]', 'scrape_configs: [{}]');
bothRefuse('scrape_configs: [{job_name: ""}]', 'scrape_configs: [{job_name: [a]}]');
bothRefuse('scrape_configs: [{job_name: a}, {job_name: a}]', ...jobs('foo: 1', 'foo_sd_configs: [{}]'));
bothAccept('scrape_configs: [{job_name: 5}]', 'scrape_configs: [{job_name: true}]');
bothAccept(...['yes', 'TRUE', 'on', 'y', '~'].map((text) => job(`honor_labels: ${text}`)));
bothRefuse(...['"true"', '1', 'maybe', '"yes"', 'tRUE'].map((text) => job(`honor_labels: ${text}`)));

const limits = (...texts: string[]) => texts.map((text) => job(`sample_limit: ${text}`));
bothAccept(
  ...limits('0', '+5', '1e3', '1.0', '1.5e+06', '0x10', '010', '0o10', '0b11', '1_000', '99999999999'),
);
bothRefuse(...limits('-1', '"5"', 'many', 'true', '.inf', '.nan', '99999999999999999999', '[]', '_1'));
onlyTheyAccept('A half sample; Go cuts it off.', ...limits('1.5'), ...relabel('action: hashmod, source_labels: [a], target_label: b, modulus: 2.5')); // biome-ignore format: one line

// Durations and sizes.
const intervals = (...texts: string[]) => texts.map((text) => job(`scrape_interval: ${text}`));
bothAccept(...intervals('15s', '0s', '0', '1h30m', '1y2w3d4h5m6s7ms', ''));
bothRefuse(...intervals('15', '"15"', '1.5m', '-5s', '5 s', '30m1h', '""', '5S', '[5s]', '5s5s', '300y'));
bothAccept('global: {scrape_interval: 5s}', job('scrape_interval: 5s'), job('scrape_timeout: 0'));
bothRefuse(
  'global: {scrape_interval: 5s, scrape_timeout: 10s}',
  job('scrape_interval: 5s', 'scrape_timeout: 6s'),
);

const sizes = (...texts: string[]) => texts.map((text) => job(`body_size_limit: ${text}`));
bothAccept(...sizes('10MB', '1.5MiB', '1KB', '5B', '0', '"0"'));
bothRefuse(...sizes('10 potatoes', '10mb'));
onlyWeAccept('Sizes may be a number of bytes alone, and have a space.', ...sizes('10', '10 MB', '1K'));
onlyTheyAccept('Less than nothing, and sums.', ...sizes('-1B', '1MiB512KiB'));

// Jobs.
bothAccept(...jobs('metrics_path: metrics', 'metrics_path: ""', 'params: {a: [1, true]}', 'params: {a: }'));
bothRefuse(...jobs('params: {a: b}', 'params: [a]', 'label_limit: -1', 'follow_redirects: 5'));
onlyTheyAccept('No request could be made with it.', ...jobs('scheme: ftp', 'scheme: ""', 'scheme: HTTP'));
onlyTheyAccept('A list with a hole.', job('params: {a: [x, null]}'));

// Targets.
const statics = (...groups: string[]) => groups.map((group) => job(`static_configs: [${group}]`));
bothAccept(...statics('{}', '{targets: ["[::1]:80", "::1", 5]}', '{targets: ["h:99999", "h:x"]}'));
bothAccept(
  ...statics('{targets: [h], labels: {a: null, b: 1, c: true, d: 2020-01-01, __address__: z, job: q}}'),
);
bothRefuse(...statics('{targets: ["http://h:1/metrics"]}', '{targets: ["h:1/metrics"]}', '{targets: [""]}'));
bothRefuse(...statics('{targets: h}', '{targets: [{a: b}]}', 'null', '{target: [h]}'), job('static_configs: {targets: [h]}')); // biome-ignore format: one line
bothRefuse(...statics('{targets: [h], labels: {"": c}}', '{targets: [h], labels: {a: [b]}}'));
onlyTheyAccept('No address: all scrapes would fail.', ...statics('{targets: ["h 1"]}', '{targets: ["me@h"]}', '{targets: ["h?x"]}', '{targets: ["h#x"]}')); // biome-ignore format: one line
onlyWeAccept(
  'Since 3.0 names are UTF-8.',
  ...statics('{targets: [h], labels: {a-b: c}}', '{targets: [h], labels: {1a: c}}'),
  'global: {external_labels: {a-b: c}}',
  ...relabel('source_labels: [a-b], target_label: c', 'target_label: a-b', 'target_label: ü'),
  ...relabel('action: labelmap, regex: "a_(.+)", replacement: "b-$1"'),
);

// Relabelling. Names are judged as 2.42 judges them where `metric_name_validation_scheme` is `legacy`: see below.
bothAccept(...relabel('action: KEEP, source_labels: [a]', 'action: keep', 'action: drop, target_label: b'));
bothAccept(...relabel('target_label: c, replacement: 5, separator: ', 'target_label: "$1"', 'target_label: "${1}_x"')); // biome-ignore format: one line
bothRefuse(...relabel('action: foo', 'action: ""', 'action: hashmod, source_labels: [a], target_label: b'));
bothRefuse(...relabel('', 'source_labels: [a]', 'target_label: ""', 'source_label: [a], target_label: c'));
bothRefuse(...relabel('action: hashmod, target_label: b, modulus: 0', 'action: hashmod, target_label: b, modulus: -1')); // biome-ignore format: one line
bothRefuse(
  ...relabel('action: hashmod, source_labels: [a], modulus: 2', 'source_labels: a, target_label: c'),
);
bothRefuse(...relabel('action: lowercase, source_labels: [x]', 'action: keepequal, source_labels: [x]'));
bothRefuse(...relabel('action: lowercase, source_labels: [x], target_label: y, replacement: z'));
bothRefuse(...relabel('action: keepequal, source_labels: [x], target_label: y, regex: z'));
bothRefuse(...relabel('action: labeldrop, regex: a, source_labels: [b]', 'action: labelkeep, regex: a, target_label: b')); // biome-ignore format: one line
bothRefuse(
  ...relabel('action: labelmap, regex: "a_(.+)", replacement: ""'),
  ...jobs('relabel_configs: [null]'),
);
bothAccept(...relabel('action: labeldrop', 'action: dropequal, source_labels: [x], target_label: y'));
bothRefuse(...jobs('relabel_configs: {action: keep}', 'metric_relabel_configs: [{action: foo}]'));
onlyTheyAccept('A number past 2⁵³.', ...relabel('action: hashmod, source_labels: [a], target_label: b, modulus: 18446744073709551615')); // biome-ignore format: one line

const regexes = (...patterns: string[]) =>
  relabel(...patterns.map((each) => `target_label: b, regex: '${each}'`));
bothAccept(...regexes('', '(?P<x>a)', '\\pN\\p{Greek}', '[[:alpha:]]\\Q(\\E\\z', '(?i)a|b', '(?:a{2}){500}'));
bothAccept(...relabel('target_label: b, regex: ', 'target_label: b, regex: true'));
bothRefuse(...regexes('(', '(?=a)', '\\1', '\\8', 'a{1001}', 'a**', '[b-a]', 'x{2,1}', '[[:foo:]]'));
bothRefuse(
  ...regexes('(?z)a', '\\Z', '\\', '((((', '(?:a{500}){500}'),
  ...relabel('target_label: b, regex: [a]'),
);
onlyTheyAccept(
  'No expression by itself: it is one between the parentheses that Prometheus adds.',
  ...regexes('a)(b'),
);
onlyWeAccept('Go takes this spelling since 1.22.', ...regexes('(?<x>a)'));

// The HTTP client.
bothAccept(...jobs('basic_auth: {}', 'basic_auth: {username: a}', 'authorization: {}', 'authorization:'));
bothAccept(job('bearer_token: ""', 'bearer_token_file: ""', 'basic_auth: {username: a, password: "", password_file: b}')); // biome-ignore format: one line
bothAccept(...jobs('tls_config: {ca_file: "", cert_file: "", key_file: ""}', 'authorization: {type: ""}'));
bothAccept(...jobs('tls_config: {min_version: TLS10}', 'proxy_url: ""', 'enable_http2: no'));
bothRefuse(job('basic_auth: {username: a}', 'authorization: {credentials: c}'), job('bearer_token: a', 'authorization: {}')); // biome-ignore format: one line
bothRefuse(job('bearer_token: a', 'bearer_token_file: b'), remoteWrite('basic_auth: {username: a}', 'bearer_token: b')); // biome-ignore format: one line
bothRefuse(
  ...jobs('basic_auth: {password: b, password_file: c}', 'basic_auth: {user: a}', 'bearer_token: [a]'),
);
bothRefuse(...jobs('authorization: {type: Basic}', 'authorization: {credentials: a, credentials_file: b}'));
bothRefuse(...jobs('oauth2: {}', 'oauth2: {client_id: a, client_secret: b}', 'oauth2: {token_url: "http://h/t", client_secret: b}')); // biome-ignore format: one line
bothRefuse(job('oauth2: {client_id: a, token_url: "http://h/t", client_secret: x, client_secret_file: y}'));
bothRefuse(
  job('basic_auth: {username: a}', 'oauth2: {client_id: a, client_secret: b, token_url: "http://h/t"}'),
);
bothRefuse(
  ...jobs('tls_config: {cert_file: a}', 'tls_config: {key_file: a}', 'tls_config: {min_version: TLS9}'),
);
bothRefuse(
  ...jobs('tls_config: {foo: a}', 'tls_config: {insecure_skip_verify: 1}', 'proxy_url: "http://[::1"'),
);
bothRefuse(...jobs('proxy_connect_header: {a: [b]}', 'proxy_connect_header: {a: b}', 'proxy_url: ":bad"'));
bothAccept(job('proxy_url: "socks5://p:1"'));
onlyTheyAccept('Proxies are spoken to in HTTP alone; to go around one is not for us to decide.', ...jobs('proxy_url: "p:3128"')); // biome-ignore format: one line
onlyTheyAccept('Refused when the configuration is applied.', remoteWrite('tls_config: {cert_file: a}'));
onlyWeAccept('A secret is not asked for any more.', job('oauth2: {client_id: a, token_url: "http://h/t"}'));

// Discovery.
bothAccept(
  ...jobs(
    'file_sd_configs: [{files: ["a/*.json", "a*b*.json", "b[0-9].yml"]}]',
    'http_sd_configs: [{url: "HTTP://h/"}]',
  ),
);
bothRefuse(
  ...jobs('file_sd_configs: [{}]', 'file_sd_configs: [{files: []}]', 'file_sd_configs: [{files: [a.txt]}]'),
);
bothRefuse(...jobs('file_sd_configs: [{files: ["*/a.json"]}]'));
bothRefuse(...jobs('file_sd_configs: [{files: a.json}]', 'file_sd_configs: [{files: [a.Json]}]'));
bothRefuse(...['', 'h', 'ftp://h/', 'http:///x', 'http://a b/'].map((url) => job(`http_sd_configs: [{url: "${url}"}]`)), job('http_sd_configs: [{}]')); // biome-ignore format: one line
bothAccept(
  ...jobs('dns_sd_configs: [{names: [a], type: a, port: 1}, {names: [a]}, {names: [a], type: MX, port: 25}]'),
);
bothRefuse(
  ...jobs('dns_sd_configs: [{}]', 'dns_sd_configs: [{names: []}]', 'dns_sd_configs: [{names: [a], type: A}]'),
);
bothRefuse(...jobs('dns_sd_configs: [{names: [a], type: TXT}]'));
onlyTheyAccept(
  'Prometheus panics once it runs: no ticker takes 0.',
  ...jobs('file_sd_configs: [{files: [a.json], refresh_interval: 0s}]', 'dns_sd_configs: [{names: [a], refresh_interval: 0s}]'), // biome-ignore format: one line
);
onlyTheyAccept('No port.', ...jobs('dns_sd_configs: [{names: [a], type: A, port: 70000}]', 'http_sd_configs: [{url: "http://h:99999/"}]')); // biome-ignore format: one line
onlyTheyAccept('No name.', job('dns_sd_configs: [{names: [""]}]'));
onlyWeAccept('Newer.', job('dns_sd_configs: [{names: [a], type: NS, port: 25}]'));
onlyWeAccept('A URL for browsers; it is sent as it stands.', job('http_sd_configs: [{url: "http://h/%zz"}]'));

// The rest.
bothAccept('global: {external_labels: {a: "${X}", __a: x, b: 1, c: null}}', 'rule_files: [a/b-*.yml]');
bothRefuse('global: {external_labels: {a: [b]}}', 'global: {external_labels: [a]}', 'storage: {foo: 1}', 'storage: {exemplars: 5}'); // biome-ignore format: one line
bothAccept('storage: {exemplars: {max_exemplars: 0}, tsdb: {out_of_order_time_window: 30m}}');
onlyTheyAccept('Less than nothing.', 'storage: {exemplars: {max_exemplars: -1}}');
onlyWeAccept(
  "What is Prometheus' own business, or not applied yet, is not looked into.",
  ...[
    'alerting: 5',
    'alerting: {foo: 1}',
    'alerting: {alert_relabel_configs: [{action: foo}]}',
    'tracing: {foo: 1}',
  ],
  ...['rule_files: 5', 'rule_files: [a/*/b.yml]', 'remote_read: [{}]', 'storage: {tsdb: {foo: 1}}'],
  ...['global: {evaluation_interval: soon}', 'global: {query_log_file: [a]}'],
  ...jobs('ec2_sd_configs: [{}]', 'ec2_sd_configs: 5', 'gce_sd_configs: [{foo: a}]'),
  ...remoteWrites('metadata_config: {foo: 5}', 'send_native_histograms: 5', 'sigv4: {access_key: a}'),
);

// Remote write.
bothAccept(
  ...remoteWrites('sigv4: {}', 'name: ""', 'headers: {X-Scope-OrgID: 5}', 'queue_config: {min_shards: 60}'),
);
bothRefuse(
  'remote_write: [{}]',
  'remote_write: [null]',
  'remote_write: {url: a}',
  remoteWrite('url: http://b/'),
);
bothRefuse('remote_write: [{url: "http://a", name: x}, {url: "http://b", name: x}]');
bothRefuse(...['Authorization', 'Host', 'User-Agent', 'X-Prometheus-Remote-Write-Version'].map((name) => remoteWrite(`headers: {${name}: a}`))); // biome-ignore format: one line
bothRefuse(...remoteWrites('headers: {X-A: [b]}', 'queue_config: {foo: 1}', 'remote_timeout: soon', 'send_exemplars: maybe')); // biome-ignore format: one line
bothRefuse(...remoteWrites('write_relabel_configs: [{action: foo}]', 'write_relabel_configs: [null]'));
onlyTheyAccept(
  'Nothing could be sent there.',
  ...['', 'h', 'ftp://r/', 'r:9090', 'http://', '/api'].map((url) => `remote_write: [{url: "${url}"}]`),
  remoteWrite('headers: {"x y": a}'),
);
onlyTheyAccept(
  'Nothing would be sent, or nothing else be done than sending.',
  ...['capacity: 0', 'capacity: -1', 'max_shards: 0', 'max_samples_per_send: 0', 'batch_send_deadline: 0s', 'min_backoff: 0s'].map((key) => remoteWrite(`queue_config: {${key}}`)), // biome-ignore format: one line
  remoteWrite('remote_timeout: 0s'),
);

t.test('ours', async (t) => {
  for (const { text, ours } of cases) t.equal(loadConfig(text, 'f.yml', {}).ok, ours, text);
});

t.test('that of promtool', { skip: prometheusMissing() }, async (t) => {
  const complaints = promtool(cases.map(({ text }) => text));
  for (const [i, { text, theirs }] of cases.entries())
    t.equal(complaints[i] === undefined, theirs, `${text}\n${complaints[i]}`);
});

t.test('names that rules set, where they are to be legacy', { skip: prometheusMissing() }, async (t) => {
  const names = ['a', 'a-b', '1a', '_1', 'ü', 'a b', '$1', '${1}', 'a${1}b', '${1}-b', '$x_y', '${x', '${', '$', '1$1', '$1$2', '${1}1', 'a.b', '__tmp']; // biome-ignore format: one line
  const actions = ['replace', 'lowercase', 'hashmod, modulus: 2'];
  const rules = [
    // Newer ones refuse groups in what `lowercase` sets, as we do.
    ...actions.flatMap((action) => names.filter((name) => action !== 'lowercase' || !name.includes('$')).map((name) => `action: ${action}, source_labels: [x], target_label: "${name}"`)), // biome-ignore format: one line
    ...names.map((name) => `action: labelmap, regex: "(a)", replacement: "${name}"`),
  ];
  const complaints = promtool(relabel(...rules));
  for (const [i, text] of relabel(...rules).entries()) {
    const { ok } = loadConfig(`global: {metric_name_validation_scheme: legacy}\n${text}`, 'f.yml', {});
    t.equal(ok, complaints[i] === undefined, rules[i]!);
  }
});
