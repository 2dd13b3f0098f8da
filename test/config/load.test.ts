import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { formatIssue } from '../../src/config/issue.js';
import { type ConfigResult, loadConfig, loadConfigFile, reloadConfigFile } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import { DEFAULT_QUEUE, DEFAULT_REMOTE_WRITE } from '../../src/forward/options.js';
import { DEFAULT_HTTP_CLIENT } from '../../src/http-client/options.js';
import { DEFAULT_RELABEL_RULE } from '../../src/model/relabel.js';
import { DEFAULT_SCRAPE_JOB } from '../../src/scrape/options.js';
import { DEFAULT_STORE_OPTIONS } from '../../src/store/options.js';
import { temporaryDirectory } from '../support/build.js';
import { staticTargets } from '../support/scrape-target.js';

function configOf(result: ConfigResult): Config {
  if (!result.ok) throw new Error(result.errors.map(formatIssue).join('\n'));
  return result.config;
}

function load(text: string, environment: NodeJS.ProcessEnv = {}): Config {
  return configOf(loadConfig(text, 'exemplard.yml', environment));
}

t.test('defaults are those of the parts', async (t) => {
  const config = load('scrape_configs: [{job_name: a}]\nremote_write: [{url: "http://r:9090/w"}]');
  t.strictSame(config.scrapeJobs, [{ ...DEFAULT_SCRAPE_JOB, jobName: 'a' }]);
  t.strictSame(config.remoteWrites, [
    { ...DEFAULT_REMOTE_WRITE, name: 'r:9090', url: 'http://r:9090/w', externalLabels: [] },
  ]);
  t.strictSame(config.store, DEFAULT_STORE_OPTIONS);
  t.equal(config.retentionTargetMs, undefined);
  t.strictSame(config.externalLabels, []);
});

t.test('an empty file, and one of empty sections, is all defaults', async (t) => {
  for (const text of ['', '# nothing', 'global:\nscrape_configs:\nstorage: {exemplars: }']) {
    t.strictSame(load(text), { ...load(''), text: load(text).text });
  }
});

t.test('every key', async (t) => {
  const config = load(
    `
global:
  scrape_interval: 30s
  scrape_timeout: 20s
  scrape_protocols: [OpenMetricsText1.0.0, PrometheusText0.0.4]
  external_labels: {zone: "\${ZONE}-1", replica: 1, empty: $NOTHING, price: $$5 $}
  body_size_limit: 10MB
  sample_limit: 1_000
  label_limit: 64
  label_name_length_limit: 100
  label_value_length_limit: 1e3
  target_limit: 5
  keep_dropped_targets: 7
  scrape_native_histograms: true
  metric_name_validation_scheme: legacy
scrape_configs:
  - job_name: shop
    target_limit: 6
    always_scrape_classic_histograms: true
    convert_classic_histograms_to_nhcb: true
    metric_name_escaping_scheme: dots
    exemplar_validation: full
    text_exemplars: read
    trace_id_labels: [tid]
    bearer_token: t0ken
    relabel_configs: [{action: drop, source_labels: [a], regex: b}]
    metric_relabel_configs: [{action: labeldrop, regex: pod}]
    exemplar_relabel_configs: [{action: labelkeep, regex: tid}]
    scrape_interval: 15s
    metrics_path: /probe
    scheme: https
    params: {module: [a, b], debug: ["1"]}
    honor_labels: yes
    honor_timestamps: Off
    enable_compression: FALSE
    follow_redirects: false
    scrape_protocols: [OpenMetricsText0.0.1]
    fallback_scrape_protocol: PrometheusText0.0.4
    body_size_limit: 1MiB
    sample_limit: 0
    label_limit: 1
    static_configs:
      - targets: [a:80, 'b:80']
        labels: {version: 1.10, on: true, empty: }
      - targets: [c:80]
remote_write:
  - url: https://r/w
    name: r
    remote_timeout: 1m
    headers: {X-Scope-OrgID: shop}
    basic_auth: {username: me, password: pa:ss}
    send_exemplars: true
    exemplar_mode: attach
    write_relabel_configs:
      - {action: LabelDrop, regex: pod}
      - {source_labels: [a, b], target_label: c}
    protobuf_message: io.prometheus.write.v2.Request
    queue_config:
      capacity: 1
      max_shards: 2
      min_shards: 2
      max_samples_per_send: 3
      batch_send_deadline: 1s
      min_backoff: 1ms
      max_backoff: 2ms
      retry_on_http_429: false
      sample_age_limit: 1h
      replay: true
storage:
  exemplars:
    per_series: 16
    max_exemplars: 1000
    max_bytes: 64MiB
    max_series: 10
    out_of_order_time_window: 0s
    max_future: 1m
    series_idle_timeout: 2h
retention_target: 1d
`,
    { ZONE: 'eu' },
  );
  t.strictSame(config.scrapeJobs, [
    {
      jobName: 'shop',
      intervalMs: 15_000,
      timeoutMs: 15_000,
      metricsPath: '/probe',
      scheme: 'https',
      params: { module: ['a', 'b'], debug: ['1'] },
      honorLabels: true,
      honorTimestamps: false,
      nameValidation: 'legacy',
      nameEscaping: 'dots',
      exemplarValidation: 'full',
      textExemplars: 'read',
      traceIdLabels: ['tid'],
      scrapeNativeHistograms: true,
      alwaysScrapeClassicHistograms: true,
      convertClassicHistogramsToNhcb: true,
      relabelRules: [{ ...DEFAULT_RELABEL_RULE, action: 'drop', sourceLabels: ['a'], regex: 'b' }],
      metricRelabelRules: [{ ...DEFAULT_RELABEL_RULE, action: 'labeldrop', regex: 'pod' }],
      exemplarRelabelRules: [{ ...DEFAULT_RELABEL_RULE, action: 'labelkeep', regex: 'tid' }],
      enableCompression: false,
      scrapeProtocols: ['OpenMetricsText0.0.1'],
      fallbackScrapeProtocol: 'PrometheusText0.0.4',
      bodySizeLimitBytes: 1024 * 1024,
      sampleLimit: 1_000,
      targetLimit: 6,
      keepDroppedTargets: 7,
      labelLimit: 1,
      labelNameLengthLimitBytes: 100,
      labelValueLengthLimitBytes: 1_000,
      discovery: [
        {
          type: 'static',
          groups: [
            {
              source: 'scrape_configs[0].static_configs[0]',
              targets: [{ __address__: 'a:80' }, { __address__: 'b:80' }],
              labels: { version: '1.10', on: 'true', empty: '' },
            },
            {
              source: 'scrape_configs[0].static_configs[1]',
              targets: [{ __address__: 'c:80' }],
              labels: {},
            },
          ],
        },
      ],
      httpClient: {
        ...DEFAULT_HTTP_CLIENT,
        followRedirects: false,
        auth: { type: 'authorization', scheme: 'Bearer', credentials: { text: 't0ken' } },
      },
    },
  ]);
  const externalLabels = ['price', '$5 $', 'replica', '1', 'zone', 'eu-1'];
  t.strictSame(config.externalLabels, externalLabels);
  t.strictSame(config.remoteWrites, [
    {
      name: 'r',
      url: 'https://r/w',
      remoteTimeoutMs: 60_000,
      httpClient: {
        ...DEFAULT_REMOTE_WRITE.httpClient,
        auth: { type: 'basic', username: { text: 'me' }, password: { text: 'pa:ss' } },
        headers: { 'X-Scope-OrgID': [{ text: 'shop' }] },
      },
      externalLabels,
      writeRelabelRules: [
        { ...DEFAULT_RELABEL_RULE, action: 'labeldrop', regex: 'pod' },
        { ...DEFAULT_RELABEL_RULE, sourceLabels: ['a', 'b'], targetLabel: 'c', replacement: '$1' },
      ],
      sendExemplars: true,
      exemplarMode: 'attach',
      protobufMessage: 'io.prometheus.write.v2.Request',
      queue: {
        capacity: 1,
        minShards: 2,
        maxShards: 2,
        maxSamplesPerSend: 3,
        batchSendDeadlineMs: 1_000,
        minBackoffMs: 1,
        maxBackoffMs: 2,
        retryOnHttp429: false,
        sampleAgeLimitMs: 3_600_000,
        replay: true,
      },
    },
  ]);
  t.strictSame(config.store, {
    perSeries: 16,
    maxExemplars: 1_000,
    maxBytes: 64 * 1024 * 1024,
    maxSeries: 10,
    outOfOrderTimeWindowMs: 0,
    maxFutureMs: 60_000,
    seriesIdleTimeoutMs: 7_200_000,
  });
  t.equal(config.retentionTargetMs, 86_400_000);
});

t.test('what a job inherits', async (t) => {
  const timing = (global: string, job: string) => {
    const [first] = load(`global: {${global}}\nscrape_configs: [{job_name: a, ${job}}]`).scrapeJobs;
    return [first!.intervalMs, first!.timeoutMs];
  };
  t.strictSame(timing('', ''), [60_000, 10_000]);
  t.strictSame(timing('scrape_interval: 5s', ''), [5_000, 5_000], 'the timeout is cut to the interval');
  t.strictSame(timing('', 'scrape_interval: 5s'), [5_000, 5_000]);
  t.strictSame(timing('scrape_interval: 5s', 'scrape_interval: 1m'), [60_000, 5_000]);
  t.strictSame(timing('scrape_timeout: 30s', 'scrape_timeout: 0s'), [60_000, 30_000], '0 is not given');
  const protocols = (job: string) =>
    load(`global: {scrape_protocols: [OpenMetricsText1.0.0]}\nscrape_configs: [{job_name: a, ${job}}]`)
      .scrapeJobs[0]!.scrapeProtocols;
  t.strictSame(protocols(''), ['OpenMetricsText1.0.0']);
  t.strictSame(protocols('scrape_protocols: [PrometheusText0.0.4]'), ['PrometheusText0.0.4']);
});

t.test('protocols that cannot be read are not offered', async (t) => {
  const protocols = (list: string) =>
    load(`scrape_configs: [{job_name: a, scrape_protocols: [${list}]}]`).scrapeJobs[0]!.scrapeProtocols;
  t.strictSame(protocols('PrometheusProto, OpenMetricsText0.0.1'), [
    'PrometheusProto',
    'OpenMetricsText0.0.1',
  ]);
});

t.test('targets may be URLs where relabelling makes addresses of them', async (t) => {
  const config = load(
    'scrape_configs: [{job_name: a, relabel_configs: [{target_label: x}], static_configs: [{targets: [https://x, h:1]}]}]',
  );
  t.strictSame(staticTargets(config.scrapeJobs[0]!), [['https://x', 'h:1']]);
});

t.test('anchors, aliases and merge keys', async (t) => {
  const config = load(`
scrape_configs:
  - &first
    job_name: a
    scheme: https
    static_configs: &group
      - targets: [h:1]
  - <<: *first
    job_name: b
  - {<<: [{scheme: http}, *first], job_name: c, static_configs: *group}
`);
  t.strictSame(
    config.scrapeJobs.map(({ jobName, scheme }) => [jobName, scheme]),
    [
      ['a', 'https'],
      ['b', 'https'],
      ['c', 'http'],
    ],
  );
  for (const job of config.scrapeJobs) t.strictSame(staticTargets(job), [['h:1']]);
});

t.test('names of remote writes', async (t) => {
  const names = (...blocks: string[]) =>
    load(`remote_write: [${blocks.join(', ')}]`).remoteWrites.map(({ name }) => name);
  const block = '{url: "http://r/"}';
  t.strictSame(names(block, '{url: "http://r/", name: r-2}', block), ['r', 'r-2', 'r-3']);
});

t.test('credentials leave the URL', async (t) => {
  const [first] = load('remote_write: [{url: "http://me:pa%3Ass@r:1/w?x=1"}]').remoteWrites;
  t.equal(first!.url, 'http://r:1/w?x=1');
  t.strictSame(first!.httpClient.auth, {
    type: 'basic',
    username: { text: 'me' },
    password: { text: 'pa:ss' },
  });
  t.equal(first!.name, 'r:1');
});

t.test('labels may have any name', async (t) => {
  const text =
    'scrape_configs: [{job_name: a, static_configs: [{targets: [h], labels: {__proto__: x, "a b": y}}]}]';
  const [mechanism] = load(text).scrapeJobs[0]!.discovery;
  const group = mechanism?.type === 'static' ? mechanism.groups[0] : undefined;
  t.strictSame(Object.entries(group!.labels), [
    ['__proto__', 'x'],
    ['a b', 'y'],
  ]);
});

t.test('nesting and aliases without end are errors', async (t) => {
  const errorsOf = (text: string) => {
    const result = loadConfig(text, 'f', {});
    return result.ok ? [] : result.errors.map(({ message }) => message);
  };
  for (const opening of ['[', '{a: ', '- ', '? ', 'a: [']) {
    t.strictSame(
      errorsOf(opening.repeat(20_000)),
      ['the YAML is nested too deeply'],
      JSON.stringify(opening),
    );
  }
  const bomb = Array.from({ length: 30 }, (_, i) => `- &a${i + 1} [*a${i}, *a${i}]`).join('\n');
  t.match(errorsOf(`rule_files:\n- &a0 x\n${bomb}`).join(), /aliases stand for more than 100000 values/);
  const wide = `scrape_configs:\n${`  - *job\n`.repeat(10_000)}`;
  t.match(
    errorsOf(`rule_files: &job [${'x, '.repeat(100)}]\n${wide}`)[0],
    /must be a map of keys|aliases stand for/,
  );
});

t.test('files that cannot be read', async (t) => {
  const directory = t.testdir({ 'latin1.yml': Buffer.from([0x61, 0x3a, 0x20, 0xe4]) });
  mkdirSync(join(directory, 'directory.yml'));
  const messageOf = (name: string) => {
    const result = loadConfigFile(join(directory, name));
    return result.ok
      ? 'loaded'
      : result.errors.map(({ line, column, message }) => `${line}:${column}: ${message}`).join();
  };
  t.match(messageOf('missing.yml'), /^1:1: the file cannot be read: ENOENT: no such file/);
  t.match(messageOf('directory.yml'), /^1:1: the file cannot be read: EISDIR/);
  t.equal(messageOf('latin1.yml'), '1:1: the file cannot be read: it is not UTF-8');
  writeFileSync(join(directory, 'bom.yml'), '\ufeffglobal: {}\r\n');
  t.equal(messageOf('bom.yml'), 'loaded');
});

t.test('the queue defaults stay when one key is given', async (t) => {
  const [first] = load('remote_write: [{url: "http://r", queue_config: {capacity: 5}}]').remoteWrites;
  t.strictSame(first!.queue, { ...DEFAULT_QUEUE, capacity: 5 });
});

t.test('numbers as Prometheus reads them', async (t) => {
  const f = (text: string, want: number) => {
    const result = loadConfig(`scrape_configs: [{job_name: a, sample_limit: ${text}}]`, 'f', {});
    t.equal(result.ok && result.config.scrapeJobs[0]?.sampleLimit, want, text);
  };
  f('1.5e+06', 1_500_000);
  f('1_500', 1_500);
  f('1.0', 1);
  f('0x1F', 31);
  f('010', 8);
  f('0o10', 8);
  f('08', 8);
  f('0b11', 3);
  f('+5', 5);
  f('99999999999', 99_999_999_999);
});

t.test('only the first document is shown', async (t) => {
  const result = loadConfig('scrape_configs: [{job_name: a}]\n---\npassword: [hunter2', 'f', {});
  t.equal(result.ok && result.config.text, 'scrape_configs: [{job_name: a}]\n');
});

t.test('a parameter without values', async (t) => {
  const result = loadConfig('scrape_configs: [{job_name: a, params: {b: , c: [d]}}]', 'f', {});
  t.strictSame(result.ok && result.config.scrapeJobs[0]?.params, { b: [], c: ['d'] });
});

t.test('an empty file: accepted at the start, refused while another configuration runs', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'f.yml');
  writeFileSync(file, '');
  t.match(loadConfigFile(file), {
    ok: true,
    warnings: [{ message: 'no scrape_configs: nothing is scraped' }],
  });
  t.strictSame(reloadConfigFile(file), {
    ok: false,
    errors: [{ file, line: 1, column: 1, message: 'the file is empty; the old configuration stays' }],
    warnings: [],
  });
  writeFileSync(file, '# nothing\n');
  t.match(reloadConfigFile(file), { ok: true });
});

t.test('the key of Prometheus 2 for classic histograms means the same', async (t) => {
  const f = (keys: string, expected: boolean) => {
    const result = loadConfig(`scrape_configs: [{job_name: a, ${keys}}]`, 'f');
    t.match(result, { config: { scrapeJobs: [{ alwaysScrapeClassicHistograms: expected }] } });
  };
  f('scrape_classic_histograms: true', true);
  f('scrape_classic_histograms: false', false);
  f('scrape_classic_histograms: true, always_scrape_classic_histograms: false', false);
});
