/** The keys of `global` and `scrape_configs`. */
import { DEFAULT_SCRAPE_JOB, SCRAPE_PROTOCOLS, type ScrapeProtocol } from '../scrape/options.js';
import { quote } from './document.js';
import {
  notYet,
  optional,
  prometheusOnly,
  required,
  section,
  type UnappliedKey,
  withDefault,
} from './table.js';
import {
  boolean,
  bytes,
  count,
  duration,
  list,
  located,
  nonEmptyText,
  oneOf,
  record,
  text,
  type ValueType,
} from './value-type.js';

const scrapeProtocol = oneOf(SCRAPE_PROTOCOLS);

const scrapeProtocols: ValueType<readonly ScrapeProtocol[]> = {
  ...list(scrapeProtocol),
  read(node, path, report) {
    if (node.kind === 'list' && node.items.length === 0)
      return report.error(node.at, `${path} must not be empty, got []`);
    const protocols = list(located(scrapeProtocol)).read(node, path, report);
    const seen = new Set<ScrapeProtocol>();
    for (const { value, at } of protocols ?? []) {
      if (seen.has(value)) report.error(at, `${path} names ${quote(value)} twice`);
      seen.add(value);
    }
    return seen.size === 0 ? undefined : [...seen];
  },
};

/** Unapplied keys that `global` and every job have alike. */
const UNAPPLIED_IN_BOTH = {
  target_limit: notYet('the number of targets of a job is not limited'),
  keep_dropped_targets: notYet('no target is dropped, as relabelling is not applied'),
  metric_name_validation_scheme: notYet('UTF-8 metric and label names are accepted', 'utf8'),
  metric_name_escaping_scheme: notYet('targets are asked for UTF-8 names unescaped', 'allow-utf-8'),
  scrape_native_histograms: notYet(
    'exemplars of native histograms need the protobuf format, which is not scraped',
    'false',
  ),
  convert_classic_histograms_to_nhcb: notYet(
    'exemplars stay with the classic bucket that exposed them',
    'false',
  ),
  always_scrape_classic_histograms: notYet('classic histograms are always scraped', 'true'),
  extra_scrape_metrics: prometheusOnly('exemplard keeps exemplars, not samples', 'false'),
  scrape_failure_log_file: notYet('failed scrapes appear in the log on stderr only'),
};

const DOCS = {
  sampleLimit: 'A body with more samples fails the scrape; 0: no limit.',
  labelLimit: 'A series with more labels fails the scrape; 0: no limit.',
  labelNameLengthLimit: 'In bytes; a longer label name fails the scrape; 0: no limit.',
  labelValueLengthLimit: 'In bytes; a longer label value fails the scrape; 0: no limit.',
  bodySizeLimit: 'After inflating; a body this large or larger fails the scrape; 0: no limit.',
  scrapeProtocols: 'Formats to ask targets for, the preferred first. Only OpenMetrics ones carry exemplars.',
};

export const GLOBAL_KEYS = {
  scrape_interval: withDefault(duration, DEFAULT_SCRAPE_JOB.intervalMs, 'How often targets are scraped.'),
  scrape_timeout: withDefault(
    duration,
    DEFAULT_SCRAPE_JOB.timeoutMs,
    'How long one scrape may take, from connecting to the last byte. Not given: at most the interval.',
  ),
  scrape_protocols: withDefault(scrapeProtocols, DEFAULT_SCRAPE_JOB.scrapeProtocols, DOCS.scrapeProtocols),
  external_labels: withDefault(
    record(located(text)),
    {},
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of the file, as it is to be shown
    'Labels added to every series that is forwarded. `$NAME` and `${NAME}` in a value are taken from the environment, `$$` is a dollar.',
  ),
  body_size_limit: withDefault(bytes(0), DEFAULT_SCRAPE_JOB.bodySizeLimitBytes, DOCS.bodySizeLimit),
  sample_limit: withDefault(count(0), DEFAULT_SCRAPE_JOB.sampleLimit, DOCS.sampleLimit),
  label_limit: withDefault(count(0), DEFAULT_SCRAPE_JOB.labelLimit, DOCS.labelLimit),
  label_name_length_limit: withDefault(
    count(0),
    DEFAULT_SCRAPE_JOB.labelNameLengthLimitBytes,
    DOCS.labelNameLengthLimit,
  ),
  label_value_length_limit: withDefault(
    count(0),
    DEFAULT_SCRAPE_JOB.labelValueLengthLimitBytes,
    DOCS.labelValueLengthLimit,
  ),
  ...UNAPPLIED_IN_BOTH,
  evaluation_interval: prometheusOnly('exemplard evaluates no rules'),
  rule_query_offset: prometheusOnly('exemplard evaluates no rules'),
  query_log_file: prometheusOnly('exemplard writes no query log'),
};

export const STATIC_CONFIG_KEYS = {
  targets: withDefault(list(located(nonEmptyText)), [], 'Addresses to scrape, each `HOST:PORT`.'),
  labels: withDefault(record(text), {}, 'Labels of all these targets.'),
};

const DISCOVERY_MECHANISMS = [
  'aws',
  'azure',
  'consul',
  'digitalocean',
  'dns',
  'docker',
  'dockerswarm',
  'ec2',
  'eureka',
  'file',
  'gce',
  'hetzner',
  'http',
  'ionos',
  'kubernetes',
  'kuma',
  'lightsail',
  'linode',
  'marathon',
  'nerve',
  'nomad',
  'openstack',
  'outscale',
  'ovhcloud',
  'puppetdb',
  'scaleway',
  'serverset',
  'stackit',
  'triton',
  'uyuni',
  'vultr',
];

const discoveryKeys: Readonly<Record<string, UnappliedKey>> = Object.fromEntries(
  DISCOVERY_MECHANISMS.map((mechanism) => [
    `${mechanism}_sd_configs`,
    notYet('the targets it would find are not scraped; list them in static_configs'),
  ]),
);

const NO_CREDENTIALS = 'scrapes carry no credentials, so targets that want them refuse';
const NO_PROXY = 'targets are connected to directly';

const inherited = 'as in `global`';

export const SCRAPE_KEYS = {
  job_name: required(nonEmptyText, 'Label `job` of all its targets. Unique in the file.'),
  scrape_interval: optional(duration, 'How often targets are scraped.', inherited),
  scrape_timeout: optional(
    duration,
    'How long one scrape may take. Never longer than the interval.',
    `${inherited}, at most the interval`,
  ),
  metrics_path: withDefault(text, DEFAULT_SCRAPE_JOB.metricsPath, 'Path of the URL to scrape.'),
  scheme: withDefault(oneOf(['http', 'https']), DEFAULT_SCRAPE_JOB.scheme, 'Scheme of the URL to scrape.'),
  params: withDefault(
    record(list(text)),
    DEFAULT_SCRAPE_JOB.params,
    'Query parameters of the URL to scrape, each a list.',
  ),
  honor_labels: withDefault(
    boolean,
    DEFAULT_SCRAPE_JOB.honorLabels,
    'Where an exposed label and a target label have one name: `true` keeps the exposed one, `false` renames it to `exported_…`.',
  ),
  honor_timestamps: withDefault(
    boolean,
    DEFAULT_SCRAPE_JOB.honorTimestamps,
    'Whether timestamps of samples are used. Those of exemplars always are.',
  ),
  enable_compression: withDefault(
    boolean,
    DEFAULT_SCRAPE_JOB.enableCompression,
    'Whether targets may answer with gzip.',
  ),
  follow_redirects: withDefault(
    boolean,
    DEFAULT_SCRAPE_JOB.followRedirects,
    'Whether redirects are followed; if not, they fail the scrape.',
  ),
  scrape_protocols: optional(scrapeProtocols, DOCS.scrapeProtocols, inherited),
  fallback_scrape_protocol: optional(
    scrapeProtocol,
    'Format of answers without a usable `Content-Type`.',
    'none: such scrapes fail',
  ),
  body_size_limit: optional(bytes(0), DOCS.bodySizeLimit, inherited),
  sample_limit: optional(count(0), DOCS.sampleLimit, inherited),
  label_limit: optional(count(0), DOCS.labelLimit, inherited),
  label_name_length_limit: optional(count(0), DOCS.labelNameLengthLimit, inherited),
  label_value_length_limit: optional(count(0), DOCS.labelValueLengthLimit, inherited),
  static_configs: withDefault(list(section(STATIC_CONFIG_KEYS)), [], 'Targets, in groups that share labels.'),
  relabel_configs: notYet(
    'targets are scraped at the address and with the labels they are listed with, also those a rule would drop',
  ),
  metric_relabel_configs: notYet(
    'series keep the labels they are exposed with, also those a rule would drop',
  ),
  exemplar_relabel_configs: notYet('exemplars keep the labels they are exposed with'),
  exemplar_validation: notYet('only lines that carry an exemplar are parsed', 'exemplars'),
  trace_id_labels: notYet('no label is treated as a trace id'),
  ...discoveryKeys,
  basic_auth: notYet(NO_CREDENTIALS),
  authorization: notYet(NO_CREDENTIALS),
  oauth2: notYet(NO_CREDENTIALS),
  bearer_token: notYet(NO_CREDENTIALS),
  bearer_token_file: notYet(NO_CREDENTIALS),
  tls_config: notYet(
    "targets are verified against the system's certificate authorities, without a client certificate",
  ),
  proxy_url: notYet(NO_PROXY),
  no_proxy: notYet(NO_PROXY),
  proxy_from_environment: notYet(NO_PROXY, 'false'),
  proxy_connect_header: notYet(NO_PROXY),
  http_headers: notYet('scrapes do not carry these headers'),
  enable_http2: notYet('targets are scraped with HTTP/1.1', 'false'),
  track_timestamps_staleness: prometheusOnly('exemplars have no staleness', 'false'),
  native_histogram_bucket_limit: notYet('native histograms are not scraped'),
  native_histogram_min_bucket_factor: notYet('native histograms are not scraped'),
  ...UNAPPLIED_IN_BOTH,
};
