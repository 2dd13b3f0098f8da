/**
 * Files as they are found in charts, operators and examples start exemplard as they are. What is not applied is named once:
 * a section that is Prometheus' own, a job that only a discovery finds which exemplard lacks.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { isScalar, parseDocument, visit } from 'yaml';
import { type ConfigIssue, formatIssue } from '../../src/config/issue.js';
import { loadConfigFile } from '../../src/config/load.js';
import { ROOT } from '../support/build.js';
import { prometheusMissing } from '../support/prometheus.js';
import { promtool } from '../support/promtool.js';

const FIXTURES = join(ROOT, 'test/fixtures/configs');
const environment = { CLUSTER: 'eu-1', DATACENTER: 'eu', HOSTNAME: 'p-0' };

interface Expectation {
  /** Each job that runs, and by which mechanisms its targets are found. */
  readonly runs: readonly string[];
  /** Line, and what of it; of a file that is included, its name too. */
  readonly warnings: readonly string[];
}

const EXPECTED: Readonly<Record<string, Expectation>> = {
  'annotated-services.yml': {
    runs: [
      'prometheus: static',
      'kubernetes-apiservers: kubernetes',
      'kubernetes-nodes: kubernetes',
      'kubernetes-nodes-cadvisor: kubernetes',
      'kubernetes-service-endpoints: kubernetes',
      'kubernetes-service-endpoints-slow: kubernetes',
      'prometheus-pushgateway: kubernetes',
      'kubernetes-services: kubernetes',
      'kubernetes-pods: kubernetes',
    ],
    warnings: [
      "4 global.evaluation_interval is Prometheus'",
      "7 rule_files is Prometheus'",
      '17 scrape_configs[1].bearer_token_file is no file',
      '29 scrape_configs[1].tls_config.ca_file is no file',
      '32 scrape_configs[2].bearer_token_file is no file',
      '46 scrape_configs[2].tls_config.ca_file is no file',
      '50 scrape_configs[3].bearer_token_file is no file',
      '64 scrape_configs[3].tls_config.ca_file is no file',
      "150 alerting is Prometheus'",
    ],
  },
  'catalogs.yml': {
    runs: ['swarm-dns: dns', 'cadvisor: static'],
    warnings: [
      '11 scrape_configs[0] "consul" skipped: consul_sd_configs',
      '28 scrape_configs[1] "docker" skipped: docker_sd_configs',
      '35 scrape_configs[2] "dockerswarm" skipped: dockerswarm_sd_configs',
      '44 scrape_configs[3] "nomad" skipped: nomad_sd_configs',
    ],
  },
  'clouds.yml': {
    runs: ['rack: static', 'rack-and-cloud: static'],
    warnings: [
      '7 scrape_configs[0] "ec2-node" skipped: ec2_sd_configs',
      '27 scrape_configs[1] "gce-node" skipped: gce_sd_configs',
      '36 scrape_configs[2] "azure-node" skipped: azure_sd_configs',
      '49 scrape_configs[4] "rack-and-cloud" in part: ec2_sd_configs, gce_sd_configs',
      '57 scrape_configs[5] "three-clouds" skipped: digitalocean_sd_configs, hetzner_sd_configs, openstack_sd_configs',
    ],
  },
  'federation.yml': {
    runs: ['federate: static', 'federate-regions: static', 'pushgateway: static'],
    warnings: ['25 scrape_configs[1].basic_auth.password_file is no file'],
  },
  'getting-started.yml': {
    runs: ['prometheus: static'],
    warnings: ["4 global.evaluation_interval is Prometheus'", "6 alerting is Prometheus'"],
  },
  'lists-and-credentials.yml': {
    runs: ['files: file file', 'names: dns dns', 'urls: http http', 'mixed: static file http dns'],
    warnings: [
      '13 scrape_configs[0].file_sd_configs[0].files[0] is no file',
      '13 scrape_configs[0].file_sd_configs[0].files[1] is no file',
      '13 scrape_configs[0].file_sd_configs[0].files[2] is no file',
      '15 scrape_configs[0].file_sd_configs[1].files[0] is no file',
      '27 scrape_configs[1].tls_config.cert_file is no file',
      '27 scrape_configs[1].tls_config.key_file is no file',
      '28 scrape_configs[1].authorization.credentials_file is no file',
      '33 scrape_configs[2].http_sd_configs[0].basic_auth.password_file is no file',
      '43 scrape_configs[2].oauth2.client_secret_file is no file',
      '46 scrape_configs[2].oauth2.tls_config.ca_file is no file',
      '53 scrape_configs[3].file_sd_configs[0].files[0] is no file',
    ],
  },
  'mimir-remote-write.yml': {
    runs: ['agent: static', 'integrations/node_exporter: static'],
    warnings: [
      '12 remote_write[0].basic_auth.password_file is no file',
      "14 remote_write[0].send_native_histograms is Prometheus'",
      "28 remote_write[0].metadata_config is Prometheus'",
      '31 remote_write[1].sigv4 is not yet',
      '47 scrape_configs[2] "integrations/docker" skipped: docker_sd_configs',
    ],
  },
  'newest-keys.yml': {
    runs: [
      'native: static',
      'legacy: static',
      'proxied: static',
      'included-cart: kubernetes',
      'included-shop: static',
    ],
    warnings: [
      "6 global.evaluation_interval is Prometheus'",
      "7 global.rule_query_offset is Prometheus'",
      '14 global.scrape_failure_log_file is not yet',
      "15 global.extra_scrape_metrics is Prometheus'",
      "16 runtime is Prometheus'",
      "21 rule_files is Prometheus'",
      "22 alerting is Prometheus'",
      "24 otlp is Prometheus'",
      "27 tracing is Prometheus'",
      "28 remote_read is Prometheus'",
      "30 storage.tsdb is Prometheus'",
      '36 remote_write[0].round_robin_dns is not yet',
      '37 remote_write[0].azuread is not yet',
      "43 scrape_configs[0].native_histogram_bucket_limit is Prometheus'",
      "44 scrape_configs[0].native_histogram_min_bucket_factor is Prometheus'",
      "51 scrape_configs[1].track_timestamps_staleness is Prometheus'",
      '53 scrape_configs[1].http_headers.X-Tenant is no file',
      '61 scrape_configs[3] "aws" skipped: aws_sd_configs',
      'shop.yml:5 scrape_configs[1] "included-machines" skipped: linode_sd_configs',
    ],
  },
  'operator-generated.yml': {
    runs: [
      'serviceMonitor/shop/checkout/0: kubernetes',
      'serviceMonitor/monitoring/kubelet/1: kubernetes',
      'podMonitor/shop/workers/0: kubernetes',
      'probe/shop/front-door: static',
    ],
    warnings: [
      "3 global.evaluation_interval is Prometheus'",
      "8 rule_files is Prometheus'",
      "13 storage.tsdb is Prometheus'",
      '33 scrape_configs[0].tls_config.ca_file is no file',
      '34 scrape_configs[0].tls_config.cert_file is no file',
      '35 scrape_configs[0].tls_config.key_file is no file',
      '37 scrape_configs[0].bearer_token_file is no file',
      '131 scrape_configs[1].authorization.credentials_file is no file',
      "200 alerting is Prometheus'",
    ],
  },
  'operator-scrape-configs.yml': {
    runs: [
      'scrapeConfig/shop/lists: http http',
      'scrapeConfig/shop/hosts: static',
      'scrapeConfig/shop/names: dns dns',
      'scrapeConfig/shop/files: file',
    ],
    warnings: [
      "4 global.evaluation_interval is Prometheus'",
      '64 scrape_configs[3].file_sd_configs[0].files[0] is no file',
      '68 scrape_configs[4] "scrapeConfig/shop/catalog" skipped: consul_sd_configs',
      '74 scrape_configs[5] "scrapeConfig/shop/machines" skipped: ec2_sd_configs',
    ],
  },
  'probes.yml': {
    runs: [
      'blackbox: static',
      'blackbox_exporter: static',
      'blackbox-all-modules: dns',
      'snmp: static',
      'json: file',
    ],
    warnings: ['56 scrape_configs[4].file_sd_configs[0].files[0] is no file'],
  },
  'sidecar.yml': {
    runs: ['checkout: static'],
    warnings: [],
  },
  'telemetry-demo.yml': {
    runs: ['otel-collector: static', 'spanmetrics: kubernetes'],
    warnings: [
      "5 global.evaluation_interval is Prometheus'",
      "6 otlp is Prometheus'",
      "15 storage.tsdb is Prometheus'",
    ],
  },
  'thanos-sidecar.yml': {
    runs: ['thanos-sidecar: static', 'thanos: dns'],
    warnings: [
      "5 global.evaluation_interval is Prometheus'",
      "6 global.query_log_file is Prometheus'",
      "8 rule_files is Prometheus'",
      "9 alerting is Prometheus'",
      "12 remote_read is Prometheus'",
      "17 storage.tsdb is Prometheus'",
      "18 tracing is Prometheus'",
    ],
  },
};

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/ is not applied, being Prometheus' own business: .*/, " is Prometheus'"],
  [/ is not applied in this version: .*/, ' is not yet'],
  [/: until it can be read, .*/, ' is no file'],
  [/: there is no such file now: .*/, ' is no file'],
  [/ is skipped: (.*) (is|are) not applied in this version, .*/, ' skipped: $1'],
  [/ is scraped in part: (.*) (is|are) not applied in this version, .*/, ' in part: $1'],
];

function shown(warning: ConfigIssue, fixture: string): string {
  const message = KINDS.reduce((text, [pattern, short]) => text.replace(pattern, short), warning.message);
  const file = basename(warning.file);
  return `${file === fixture ? '' : `${file}:`}${warning.line} ${message}`;
}

t.test('every file is expected to do something', async (t) => {
  const fixtures = readdirSync(FIXTURES).filter((name) => name.endsWith('.yml'));
  t.strictSame(Object.keys(EXPECTED), fixtures.sort());
});

for (const [fixture, expected] of Object.entries(EXPECTED)) {
  t.test(fixture, async (t) => {
    const result = loadConfigFile(join(FIXTURES, fixture), environment);
    if (!result.ok) throw new Error(result.errors.map(formatIssue).join('\n'));
    const { scrapeJobs, text } = result.config;
    t.strictSame(
      scrapeJobs.map(
        ({ jobName, discovery }) => `${jobName}: ${discovery.map(({ type }) => type).join(' ')}`,
      ),
      expected.runs,
    );
    t.strictSame(
      result.warnings.map((warning) => shown(warning, fixture)),
      expected.warnings,
    );
    t.notMatch(text, /mysecret|not-?real/, 'shown without secrets');
  });
}

t.test('the warning of a job that is skipped says what to do', async (t) => {
  const { warnings } = loadConfigFile(join(FIXTURES, 'clouds.yml'), environment);
  t.strictSame(
    [warnings[2], warnings[3]].map((warning) => warning?.message),
    [
      'scrape_configs[2] "azure-node" is skipped: azure_sd_configs is not applied in this version, so it has no targets; list them in static_configs, or serve them to http_sd_configs',
      'scrape_configs[4] "rack-and-cloud" is scraped in part: ec2_sd_configs, gce_sd_configs are not applied in this version, so the targets from there are missing; list them in static_configs, or serve them to http_sd_configs',
    ],
  );
});

/** Mechanisms that Debian leaves out of its Prometheus. */
const LEFT_OUT = ['consul_sd_configs', 'kubernetes_sd_configs', 'nomad_sd_configs'];

/** Keys that Prometheus 2.42 does not know yet, by the files that have them. */
const NEWER_KEYS: Readonly<Record<string, readonly string[]>> = {
  'lists-and-credentials.yml': [
    'body_size_limit',
    'label_limit',
    'label_name_length_limit',
    'label_value_length_limit',
    'sample_limit',
    'target_limit',
  ],
  'newest-keys.yml': [
    'always_scrape_classic_histograms',
    'aws_sd_configs',
    'azuread',
    'ca',
    'convert_classic_histograms_to_nhcb',
    'enable_compression',
    'extra_scrape_metrics',
    'fallback_scrape_protocol',
    'http_headers',
    'keep_dropped_targets',
    'metric_name_escaping_scheme',
    'metric_name_validation_scheme',
    'native_histogram_bucket_limit',
    'native_histogram_min_bucket_factor',
    'otlp',
    'protobuf_message',
    // Known, and refused without the next one.
    'proxy_connect_header',
    'proxy_from_environment',
    'round_robin_dns',
    'rule_query_offset',
    'runtime',
    'sample_age_limit',
    'scrape_config_files',
    'scrape_failure_log_file',
    'scrape_native_histograms',
    'scrape_protocols',
    'track_timestamps_staleness',
  ],
  'telemetry-demo.yml': ['otlp', 'scrape_protocols'],
};

/** Takes keys away, wherever they stand. @returns those that were there */
function removeKeys(document: ReturnType<typeof parseDocument>, names: readonly string[]): Set<string> {
  const removed = new Set<string>();
  visit(document, {
    Pair(_, { key }) {
      const name = isScalar(key) ? String(key.value) : '';
      if (!names.includes(name)) return undefined;
      removed.add(name);
      return visit.REMOVE;
    },
  });
  return removed;
}

t.test('a real Prometheus takes them, too', { skip: prometheusMissing() }, async (t) => {
  const fixtures = Object.keys(EXPECTED);
  const texts = fixtures.map((fixture) => {
    const document = parseDocument(readFileSync(join(FIXTURES, fixture), 'utf8'));
    const newer = NEWER_KEYS[fixture] ?? [];
    const removed = removeKeys(document, [...newer, ...LEFT_OUT]);
    t.strictSame([...removed].filter((key) => !LEFT_OUT.includes(key)).sort(), newer, `${fixture}: keys`);
    return document.toString();
  });
  for (const [i, complaint] of promtool(texts).entries()) t.equal(complaint, undefined, fixtures[i]!);
});
