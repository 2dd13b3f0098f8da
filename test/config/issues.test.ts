/** What is wrong with a file, or worth saying, each with its place: a table of cases. */
import t from 'tap';
import type { ConfigIssue } from '../../src/config/issue.js';
import { loadConfig } from '../../src/config/load.js';

function placed({ line, column, message }: ConfigIssue): string {
  return `${line}:${column}: ${message}`;
}

const environment = { ZONE: 'eu' };

/** All errors of the text, in order. */
function fails(name: string, text: string, ...expected: string[]): void {
  const result = loadConfig(text, 'f.yml', environment);
  t.same(result.ok ? 'no errors' : result.errors.map(placed), expected, name);
}

/** No errors, and all warnings of the text, in order. */
function warns(name: string, text: string, ...expected: string[]): void {
  const result = loadConfig(text, 'f.yml', environment);
  t.same(result.ok ? result.warnings.map(placed) : result.errors.map(placed), expected, name);
}

function job(...lines: string[]): string {
  return ['scrape_configs:', '  - job_name: a', ...lines.map((line) => `    ${line}`)].join('\n');
}

function remoteWrite(...lines: string[]): string {
  return [
    'scrape_configs: [{job_name: a}]',
    'remote_write:',
    '  - url: http://r/w',
    ...lines.map((line) => `    ${line}`),
  ].join('\n');
}

// YAML itself.
fails('not a map', '- a', '1:1: the file must be a map of keys, got a list');
fails('plain text', 'hello', '1:1: the file must be a map of keys, got "hello"');
fails('duplicate key', 'global: {}\nglobal: {}', '2:1: duplicate key "global", first given in line 1');
fails('key that is no text', '? [a]\n: b', '1:3: a key must be text, got a list');
fails('alias without anchor', 'global: *a', '1:9: alias *a has no complete anchor &a before it');
fails(
  'alias into itself',
  'global: &a {scrape_interval: *a}',
  '1:30: alias *a has no complete anchor &a before it',
);
fails('merge of text', 'global: {<<: 5}', '1:14: "<<" merges maps, got "5"');
fails(
  'unclosed brackets',
  '[[[',
  '1:4: Flow sequence in block collection must be sufficiently indented and end with a ]',
  '1:4: Flow sequence must end with a ]',
);

// Keys.
fails(
  'several mistakes at once',
  'scrape_confg: []\nglobal:\n  scrape_interval: 15\nfoobar: 1',
  '1:1: unknown key "scrape_confg" at the top level; did you mean "scrape_configs"?',
  '3:20: global.scrape_interval must be a duration like 500ms, 30s or 1h30m, of at most 292 years, got "15"',
  '4:1: unknown key "foobar" at the top level',
);
fails(
  'unknown key of a job',
  job('scrap_interval: 5s'),
  '3:5: unknown key "scrap_interval" in scrape_configs[0]; did you mean "scrape_interval"?',
);
fails(
  'unknown key named as what all objects have',
  job('toString: 1', '__proto__: 1', 'constructor: 1'),
  '3:5: unknown key "toString" in scrape_configs[0]',
  '4:5: unknown key "__proto__" in scrape_configs[0]',
  '5:5: unknown key "constructor" in scrape_configs[0]',
);
fails('section that is a list', 'global: []', '1:9: global must be a map of keys, got a list');
fails(
  'section that is text',
  'storage: {exemplars: 5}',
  '1:22: storage.exemplars must be a map of keys, got "5"',
);
fails('list that is a map', 'scrape_configs: {a: b}', '1:17: scrape_configs must be a list, got a map');
fails('empty item', 'scrape_configs:\n  - \n  - job_name: a', '2:5: scrape_configs[0] is empty');

// Jobs.
fails(
  'no job_name',
  'scrape_configs:\n  - scheme: http',
  '2:5: scrape_configs[0].job_name is missing or empty',
);
fails(
  'job_name null',
  'scrape_configs:\n  - job_name:',
  '2:5: scrape_configs[0].job_name is missing or empty',
);
fails(
  'job_name empty',
  'scrape_configs:\n  - job_name: ""',
  '2:15: scrape_configs[0].job_name must be text that is not empty, got ""',
);
fails(
  'job_name twice',
  'scrape_configs:\n  - job_name: a\n  - job_name: b\n  - job_name: a',
  '4:15: scrape_configs[2].job_name "a" is taken by scrape_configs[0] in line 2',
);
fails(
  'timeout above the interval',
  job('scrape_interval: 5s', 'scrape_timeout: 6s'),
  '4:21: scrape_configs[0].scrape_timeout must not exceed the scrape_interval 5s, got 6s',
);
fails(
  'timeout above the inherited interval',
  `global: {scrape_interval: 5s}\n${job('scrape_timeout: 6s')}`,
  '4:21: scrape_configs[0].scrape_timeout must not exceed the scrape_interval 5s, got 6s',
);
fails(
  'global timeout above the interval',
  'global: {scrape_timeout: 2m}',
  '1:26: global.scrape_timeout must not exceed the scrape_interval 1m, got 2m',
);
fails(
  'durations',
  job('scrape_interval: -5s', 'scrape_timeout: 300y'),
  '3:22: scrape_configs[0].scrape_interval must be a duration like 500ms, 30s or 1h30m, of at most 292 years, got "-5s"',
  '4:21: scrape_configs[0].scrape_timeout must be a duration like 500ms, 30s or 1h30m, of at most 292 years, got "300y"',
);
fails(
  'sizes',
  job('body_size_limit: 10 potatoes'),
  '3:22: scrape_configs[0].body_size_limit must be a size like 512KiB, 10MB or 4096, got "10 potatoes"',
);
for (const limit of ['-1', '1.5', '.nan', '.inf', '"5"', 'many', '1e20', '[]', '_1', '0b2']) {
  fails(
    `sample_limit ${limit}`,
    job(`sample_limit: ${limit}`),
    `3:19: scrape_configs[0].sample_limit must be a whole number from 0 to 9007199254740991, got ${limit === '[]' ? 'a list' : `"${limit.replaceAll('"', '')}"`}`,
  );
}
fails(
  'booleans',
  job('honor_labels: "true"'),
  '3:19: scrape_configs[0].honor_labels must be true or false, got "true"',
);
fails('scheme', job('scheme: ftp'), '3:13: scrape_configs[0].scheme must be one of http, https, got "ftp"');
fails('params', job('params: {a: b}'), '3:17: scrape_configs[0].params.a must be a list, got "b"');
fails(
  'no protocols',
  job('scrape_protocols: []'),
  '3:23: scrape_configs[0].scrape_protocols must not be empty, got []',
);
fails(
  'protocols',
  job('scrape_protocols: [OpenMetricsText1.0.0, OpenMetricsText1, OpenMetricsText1.0.0]'),
  '3:46: scrape_configs[0].scrape_protocols[1] must be one of PrometheusProto, OpenMetricsText2.0.0, OpenMetricsText0.0.1, OpenMetricsText1.0.0, PrometheusText0.0.4, PrometheusText1.0.0, got "OpenMetricsText1"',
  '3:64: scrape_configs[0].scrape_protocols names "OpenMetricsText1.0.0" twice',
);
fails(
  'a URL as target',
  job('static_configs:', '- targets: ["h:1", "http://h:1/metrics"]'),
  '4:24: target "http://h:1/metrics" looks like a URL; give HOST:PORT here, and scheme and metrics_path beside job_name',
);
fails(
  'no address',
  job('static_configs: [{targets: ["h:1 ", "me@h", "[::1]:1", ""]}]'),
  '3:33: target "h:1 " is not of the form HOST:PORT',
  '3:41: target "me@h" is not of the form HOST:PORT',
  '3:60: scrape_configs[0].static_configs[0].targets[3] must be text that is not empty, got ""',
);
fails(
  'no consequential errors of an interval that could not be read',
  job('scrape_interval: 5 minutes', 'scrape_timeout: 2m'),
  '3:22: scrape_configs[0].scrape_interval must be a duration like 500ms, 30s or 1h30m, of at most 292 years, got "5 minutes"',
);
fails(
  'no consequential errors of a timeout that could not be read',
  'global: {scrape_interval: 5s, scrape_timeout: soon}',
  '1:47: global.scrape_timeout must be a duration like 500ms, 30s or 1h30m, of at most 292 years, got "soon"',
);
fails(
  'label without name',
  job('static_configs: [{targets: [h], labels: {"": v}}]'),
  '3:46: scrape_configs[0].static_configs[0].labels has a key that is empty',
);
fails(
  'label that is a list',
  job('static_configs: [{targets: [h], labels: {a: []}}]'),
  '3:49: scrape_configs[0].static_configs[0].labels.a must be text, got a list',
);

// Remote write.
fails('no url', 'remote_write: [{name: a}]', '1:16: remote_write[0].url is missing or empty');
for (const url of ['receiver:9090', 'ftp://r/', 'http://', 'http://r:99999/']) {
  fails(
    `url ${url}`,
    `remote_write: [{url: "${url}"}]`,
    `1:22: remote_write[0].url must be a URL that starts with http:// or https://, got "${url}"`,
  );
}
fails(
  'a secret in a wrong url is not shown',
  'remote_write: [{url: "ftp://me:hunter2@r/"}]',
  '1:22: remote_write[0].url must be a URL that starts with http:// or https://, got "ftp://me:<secret>@r/"',
);
fails(
  'name twice',
  'remote_write: [{url: "http://a", name: x}, {url: "http://b", name: x}]',
  '1:68: remote_write[1].name "x" is taken by remote_write[0] in line 1',
);
fails(
  'headers',
  remoteWrite('headers: {Content-Type: a, AUTHORIZATION: b, "x y": c}'),
  '4:29: remote_write[0].headers must not set "Content-Type": it is set by exemplard',
  '4:47: remote_write[0].headers must not set "AUTHORIZATION"; use basic_auth or authorization',
  '4:57: remote_write[0].headers: "x y" is not a header name',
);
fails(
  'queue',
  remoteWrite(
    'queue_config: {capacity: 0, batch_send_deadline: 0s}',
    'exemplar_mode: attached',
    'protobuf_message: 2.0',
  ),
  '4:30: remote_write[0].queue_config.capacity must be a whole number from 1 to 2147483647, got "0"',
  '4:54: remote_write[0].queue_config.batch_send_deadline must be a duration above 0 like 500ms, 30s or 1h30m, got "0s"',
  '5:20: remote_write[0].exemplar_mode must be one of auto, self_contained, attach, got "attached"',
  '6:23: remote_write[0].protobuf_message must be one of prometheus.WriteRequest, io.prometheus.write.v2.Request, got "2.0"',
);

// Storage and the rest.
fails(
  'storage.exemplars',
  'storage: {exemplars: {per_series: 0, max_bytes: 1KiB, max_bites: 5}}',
  '1:35: storage.exemplars.per_series must be a whole number from 1 to 2147483647, got "0"',
  '1:49: storage.exemplars.max_bytes must be a size of at least 1MiB, like 512KiB, 10MB or 4096, got "1KiB"',
  '1:55: unknown key "max_bites" in storage.exemplars; did you mean "max_bytes"?',
);
fails(
  'retention_target',
  'retention_target: 0s',
  '1:19: retention_target must be a duration above 0 like 500ms, 30s or 1h30m, got "0s"',
);
fails(
  'a long value is cut',
  `retention_target: ${'x'.repeat(200)}`,
  `1:19: retention_target must be a duration above 0 like 500ms, 30s or 1h30m, got "${'x'.repeat(80)}…"`,
);

// Warnings.
warns(
  'a second document',
  `${job()}\n---\nfoo: [`,
  '3:1: a second YAML document starts here; as in Prometheus, only the first counts',
);
warns(
  'no exemplars wanted',
  `storage: {exemplars: {max_exemplars: 0}}\n${job()}`,
  '1:38: storage.exemplars.max_exemplars is 0, with which Prometheus keeps none, and counts as not given',
);
warns('a name that is empty', `${remoteWrite('name: ""')}\n  - {url: http://r/w, name: ""}`);
warns('files whose names are empty', job('bearer_token_file: ""', 'tls_config: {ca_file: ""}'));
warns('an empty file', '', '1:1: no scrape_configs: nothing is scraped');
warns(
  'sections without content',
  'global:\nscrape_configs:\nremote_write:\nstorage:\n',
  '1:1: no scrape_configs: nothing is scraped',
);
warns('a job', job());
warns(
  'interval 0',
  job('scrape_interval: 0s'),
  '3:22: scrape_configs[0].scrape_interval is 0 and counts as not given',
);
warns(
  'environment',
  `global: {external_labels: {a: "\${ZONE}", b: "$NOPE"}}\n${job()}`,
  '1:45: global.external_labels.b: environment variable NOPE is not set, its place stays empty',
);
warns(
  'relabelled URL as target',
  job('relabel_configs: [{action: keep}]', 'static_configs: [{targets: [https://h]}]'),
);
warns(
  'text formats alone',
  job('scrape_protocols: [PrometheusText0.0.4]'),
  '3:23: scrape_configs[0].scrape_protocols names text formats alone: they carry no exemplars, so none will be found',
);
warns(
  'nothing to send',
  remoteWrite('send_exemplars: false'),
  '4:21: remote_write[0].send_exemplars is false: nothing is sent, as exemplard sends nothing but exemplars',
);
warns(
  'a maximum below its minimum',
  remoteWrite('queue_config: {min_shards: 60, max_backoff: 10ms}'),
  '4:32: remote_write[0].queue_config.max_shards 50 is below min_shards 60 and counts as 60',
  '4:49: remote_write[0].queue_config.max_backoff 10ms is below min_backoff 30ms and counts as 30ms',
);
warns(
  'values that ask for what is done anyway',
  job('enable_http2: false', 'file_sd_configs: []', 'tls_config: {}', 'proxy_url:'),
);
warns(
  'jobs that only a discovery finds which is lacked',
  `scrape_configs:
  - job_name: clouds
    ec2_sd_configs: [{region: x}]
    gce_sd_configs: [{zone: y}]
    static_configs: []
    azure_sd_configs: []
    scrape_failure_log_file: f
    scrape_interval: 0s
    tls_config: {ca_file: /not/there}
  - job_name: both
    consul_sd_configs: [{server: x}]
    scrape_failure_log_file: f
    static_configs: [{targets: [a:1]}]`,
  '3:21: scrape_configs[0] "clouds" is skipped: ec2_sd_configs, gce_sd_configs are not applied in this version, so it has no targets; list them in static_configs, or serve them to http_sd_configs',
  '11:24: scrape_configs[1] "both" is scraped in part: consul_sd_configs is not applied in this version, so the targets from there are missing; list them in static_configs, or serve them to http_sd_configs',
  '12:5: scrape_configs[1].scrape_failure_log_file is not applied in this version: failed scrapes are logged to stderr',
);
warns(
  'jobs behind SOCKS proxies',
  `scrape_configs:
  - job_name: a
    proxy_url: socks5://u:p@h:1
    scrape_interval: 0s
  - job_name: b
    oauth2: {client_id: a, token_url: 'http://h', proxy_url: 'socks5h://h:1'}
  - job_name: c
    http_sd_configs: [{url: 'http://h', proxy_url: 'SOCKS5://h:1'}]
  - job_name: d
    proxy_url: http://h:1`,
  '3:16: scrape_configs[0] "a" is skipped: scrape_configs[0].proxy_url is a SOCKS proxy, which is not applied in this version; proxies of http:// and https:// are',
  '6:62: scrape_configs[1] "b" is skipped: scrape_configs[1].oauth2.proxy_url is a SOCKS proxy, which is not applied in this version; proxies of http:// and https:// are',
  '8:52: scrape_configs[2] "c" is skipped: scrape_configs[2].http_sd_configs[0].proxy_url is a SOCKS proxy, which is not applied in this version; proxies of http:// and https:// are',
);
fails(
  'other schemes of proxies',
  job('proxy_url: ftp://h', 'oauth2: {client_id: a, token_url: "http://h", proxy_url: "socks5://"}'),
  '3:16: scrape_configs[0].proxy_url must be a URL that starts with http:// or https://, got "ftp://h"',
  '4:62: scrape_configs[0].oauth2.proxy_url must be a URL that starts with http:// or https://, got "socks5://"',
);
warns(
  'the name of a key in Prometheus 2',
  job('scrape_classic_histograms: true'),
  '3:32: scrape_configs[0].scrape_classic_histograms is called always_scrape_classic_histograms since Prometheus 3',
);
warns(
  'files with targets that are not there',
  job('file_sd_configs: [{files: [/not/there/*.json, /not/there.yml]}]'),
  '3:32: scrape_configs[0].file_sd_configs[0].files[0]: there is no such file now: "/not/there/*.json"',
  '3:51: scrape_configs[0].file_sd_configs[0].files[1]: there is no such file now: "/not/there.yml"',
);
fails(
  'two errors of one relabelling rule',
  job('relabel_configs: [{action: replace, regex: "("}]'),
  "3:23: scrape_configs[0].relabel_configs[0]: relabel configuration for replace action requires 'target_label' value",
  '3:48: scrape_configs[0].relabel_configs[0].regex is no RE2 expression: error parsing regexp: missing closing ): `(?s)(`, got "("',
);
fails(
  'errors of a job that is skipped',
  job('ec2_sd_configs: [{region: x}]', 'scheme: ftp'),
  '4:13: scrape_configs[0].scheme must be one of http, https, got "ftp"',
);
