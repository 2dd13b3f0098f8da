/** The keys of `global` and `scrape_configs`. */
import {
  DEFAULT_SCRAPE_JOB,
  DEFAULT_SCRAPE_PROTOCOLS,
  EXEMPLAR_VALIDATIONS,
  NAME_ESCAPING_SCHEMES,
  NAME_VALIDATION_SCHEMES,
  SCRAPE_PROTOCOLS,
  type ScrapeProtocol,
  TEXT_EXEMPLARS,
} from '../scrape/options.js';
import { DISCOVERY_KEYS } from './discovery-keys.js';
import { quote } from './document.js';
import { httpClientKeys } from './http-client-keys.js';
import { relabelRules } from './relabel-keys.js';
import { notYet, optional, prometheusOnly, required, withDefault } from './table.js';
import {
  boolean,
  bytes,
  duration,
  limit,
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

const DOCS = {
  sampleLimit: 'A body with more samples fails the scrape; 0: no limit.',
  labelLimit: 'A series with more labels fails the scrape; 0: no limit.',
  labelNameLengthLimit: 'In bytes; a longer label name fails the scrape; 0: no limit.',
  labelValueLengthLimit: 'In bytes; a longer label value fails the scrape; 0: no limit.',
  targetLimit: 'A job with more targets is not scraped; 0: no limit.',
  keepDroppedTargets:
    'How many targets that relabelling drops are shown at `/exemplard/api/v1/targets`; 0: all.',
  nativeHistograms: 'Whether targets are asked for protobuf first, which native histograms need.',
  classicHistograms:
    'Whether the exemplars of classic buckets are read from a histogram that is native, too.',
  nhcb: 'Whether exemplars of classic buckets go to the series of the whole histogram.',
  nameValidation: '`legacy`: a series with a UTF-8 name fails the scrape.',
  nameEscaping: 'How targets are asked to write UTF-8 names.',
  failureLog: 'failed scrapes are logged to stderr',
  bodySizeLimit: 'After inflating; a body this large or larger fails the scrape; 0: no limit.',
  scrapeProtocols:
    'Formats to ask targets for, the preferred first. OpenMetrics and protobuf carry exemplars.',
};

const inherited = 'as in `global`';
const ESCAPING_DEFAULT = '`allow-utf-8`, `underscores` with `legacy` names';

export const GLOBAL_KEYS = {
  scrape_interval: withDefault(duration, DEFAULT_SCRAPE_JOB.intervalMs, 'How often targets are scraped.'),
  scrape_timeout: withDefault(
    duration,
    DEFAULT_SCRAPE_JOB.timeoutMs,
    'How long one scrape may take, from connecting to the last byte. Not given: at most the interval.',
  ),
  scrape_protocols: optional(
    scrapeProtocols,
    DOCS.scrapeProtocols,
    `\`[${DEFAULT_SCRAPE_PROTOCOLS.join(', ')}]\`, behind PrometheusProto with \`scrape_native_histograms\``,
  ),
  external_labels: withDefault(
    record(located(text)),
    {},
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of the file, as it is to be shown
    'Labels added to every series that is forwarded. `$NAME` and `${NAME}` in a value are taken from the environment, `$$` is a dollar.',
  ),
  body_size_limit: withDefault(bytes(0), DEFAULT_SCRAPE_JOB.bodySizeLimitBytes, DOCS.bodySizeLimit),
  sample_limit: withDefault(limit, DEFAULT_SCRAPE_JOB.sampleLimit, DOCS.sampleLimit),
  target_limit: withDefault(limit, DEFAULT_SCRAPE_JOB.targetLimit, DOCS.targetLimit),
  label_limit: withDefault(limit, DEFAULT_SCRAPE_JOB.labelLimit, DOCS.labelLimit),
  label_name_length_limit: withDefault(
    limit,
    DEFAULT_SCRAPE_JOB.labelNameLengthLimitBytes,
    DOCS.labelNameLengthLimit,
  ),
  label_value_length_limit: withDefault(
    limit,
    DEFAULT_SCRAPE_JOB.labelValueLengthLimitBytes,
    DOCS.labelValueLengthLimit,
  ),
  keep_dropped_targets: withDefault(limit, DEFAULT_SCRAPE_JOB.keepDroppedTargets, DOCS.keepDroppedTargets),
  scrape_native_histograms: withDefault(
    boolean,
    DEFAULT_SCRAPE_JOB.scrapeNativeHistograms,
    DOCS.nativeHistograms,
  ),
  always_scrape_classic_histograms: withDefault(
    boolean,
    DEFAULT_SCRAPE_JOB.alwaysScrapeClassicHistograms,
    DOCS.classicHistograms,
  ),
  convert_classic_histograms_to_nhcb: withDefault(
    boolean,
    DEFAULT_SCRAPE_JOB.convertClassicHistogramsToNhcb,
    DOCS.nhcb,
  ),
  metric_name_validation_scheme: withDefault(
    oneOf(NAME_VALIDATION_SCHEMES),
    DEFAULT_SCRAPE_JOB.nameValidation,
    DOCS.nameValidation,
  ),
  metric_name_escaping_scheme: optional(oneOf(NAME_ESCAPING_SCHEMES), DOCS.nameEscaping, ESCAPING_DEFAULT),
  extra_scrape_metrics: prometheusOnly('exemplard keeps exemplars, not samples', 'false'),
  scrape_failure_log_file: notYet(DOCS.failureLog),
  evaluation_interval: prometheusOnly('exemplard evaluates no rules'),
  rule_query_offset: prometheusOnly('exemplard evaluates no rules'),
  query_log_file: prometheusOnly('exemplard writes no query log'),
};

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
  scrape_protocols: optional(scrapeProtocols, DOCS.scrapeProtocols, inherited),
  fallback_scrape_protocol: optional(
    scrapeProtocol,
    'Format of answers without a usable `Content-Type`.',
    'none: such scrapes fail',
  ),
  body_size_limit: optional(bytes(0), DOCS.bodySizeLimit, inherited),
  sample_limit: optional(limit, DOCS.sampleLimit, inherited),
  label_limit: optional(limit, DOCS.labelLimit, inherited),
  label_name_length_limit: optional(limit, DOCS.labelNameLengthLimit, inherited),
  label_value_length_limit: optional(limit, DOCS.labelValueLengthLimit, inherited),
  ...DISCOVERY_KEYS,
  ...httpClientKeys(DEFAULT_SCRAPE_JOB.httpClient.enableHttp2),
  relabel_configs: withDefault(
    relabelRules,
    [],
    'Rules that rewrite the labels of targets before they are scraped, address and path among them, or drop them.',
  ),
  metric_relabel_configs: withDefault(
    relabelRules,
    [],
    'Rules that rewrite the labels of scraped series, or drop them.',
  ),
  exemplar_relabel_configs: withDefault(
    relabelRules,
    [],
    'Rules that rewrite the labels which exemplars bring themselves, or drop exemplars, before their length is judged.',
  ),
  exemplar_validation: withDefault(
    oneOf(EXEMPLAR_VALIDATIONS),
    DEFAULT_SCRAPE_JOB.exemplarValidation,
    '`exemplars`: only lines that carry one are parsed, and a bad one costs itself. `full`: all are, and a bad one fails the scrape, as in Prometheus.',
  ),
  text_exemplars: withDefault(
    oneOf(TEXT_EXEMPLARS),
    DEFAULT_SCRAPE_JOB.textExemplars,
    'What becomes of exemplars in an answer of type `text/plain`, a format that has none: `read` takes them in, as if it were OpenMetrics.',
  ),
  trace_id_labels: withDefault(
    list(nonEmptyText),
    DEFAULT_SCRAPE_JOB.traceIdLabels,
    'Labels of exemplars that hold the id of a trace, the likeliest first.',
  ),
  track_timestamps_staleness: prometheusOnly('exemplars have no staleness', 'false'),
  native_histogram_bucket_limit: prometheusOnly('exemplard keeps exemplars, not samples'),
  native_histogram_min_bucket_factor: prometheusOnly('exemplard keeps exemplars, not samples'),
  target_limit: optional(limit, DOCS.targetLimit, inherited),
  keep_dropped_targets: optional(limit, DOCS.keepDroppedTargets, inherited),
  scrape_native_histograms: optional(boolean, DOCS.nativeHistograms, inherited),
  always_scrape_classic_histograms: optional(boolean, DOCS.classicHistograms, inherited),
  scrape_classic_histograms: optional(boolean, 'What Prometheus 2 calls `always_scrape_classic_histograms`.', inherited), // biome-ignore format: one line
  convert_classic_histograms_to_nhcb: optional(boolean, DOCS.nhcb, inherited),
  metric_name_validation_scheme: optional(oneOf(NAME_VALIDATION_SCHEMES), DOCS.nameValidation, inherited),
  metric_name_escaping_scheme: optional(oneOf(NAME_ESCAPING_SCHEMES), DOCS.nameEscaping, ESCAPING_DEFAULT),
  extra_scrape_metrics: prometheusOnly('exemplard keeps exemplars, not samples', 'false'),
  scrape_failure_log_file: notYet(DOCS.failureLog),
};
