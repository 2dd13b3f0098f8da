/** The keys of `remote_write`. */
import {
  DEFAULT_QUEUE,
  DEFAULT_REMOTE_WRITE,
  type ExemplarMode,
  PROTOBUF_MESSAGES,
} from '../forward/options.js';
import { httpClientKeys } from './http-client-keys.js';
import { relabelRules } from './relabel-keys.js';
import { notYet, optional, prometheusOnly, required, subsection, withDefault } from './table.js';
import {
  boolean,
  count,
  duration,
  httpUrl,
  located,
  oneOf,
  positiveDuration,
  record,
  text,
} from './value-type.js';

const EXEMPLAR_MODES: readonly ExemplarMode[] = ['auto', 'self_contained', 'attach'];

export const QUEUE_KEYS = {
  capacity: withDefault(count(1), DEFAULT_QUEUE.capacity, 'Exemplars that each shard buffers.'),
  max_shards: withDefault(count(1), DEFAULT_QUEUE.maxShards, 'Most requests under way at once.'),
  min_shards: withDefault(count(1), DEFAULT_QUEUE.minShards, 'Shards to start with.'),
  max_samples_per_send: withDefault(
    count(1),
    DEFAULT_QUEUE.maxSamplesPerSend,
    'Most exemplars in one request.',
  ),
  batch_send_deadline: withDefault(
    positiveDuration,
    DEFAULT_QUEUE.batchSendDeadlineMs,
    'How long an exemplar waits for its request to fill.',
  ),
  min_backoff: withDefault(
    positiveDuration,
    DEFAULT_QUEUE.minBackoffMs,
    'First wait before a request is tried again; doubles each time.',
  ),
  max_backoff: withDefault(positiveDuration, DEFAULT_QUEUE.maxBackoffMs, 'Longest such wait.'),
  retry_on_http_429: withDefault(
    boolean,
    DEFAULT_QUEUE.retryOnHttp429,
    'Whether requests refused as too many are tried again; if not, they are dropped and counted.',
  ),
  sample_age_limit: withDefault(
    duration,
    DEFAULT_QUEUE.sampleAgeLimitMs,
    'Older exemplars are dropped instead of sent, and counted; `0s`: none.',
  ),
  replay: withDefault(
    boolean,
    DEFAULT_QUEUE.replay,
    'Whether a remote write that the journal has not met before starts with the oldest exemplar kept there, instead of with what is scraped from now on. Without `--storage.path` nothing older is kept.',
  ),
};

const OTHER_CREDENTIALS = 'requests carry no such credentials, so the receiver may refuse them';

export const REMOTE_WRITE_KEYS = {
  url: required(httpUrl, 'Where to send. A user name and password in it are sent as basic authentication.'),
  name: optional(text, 'For logs and metrics. Unique in the file.', 'host and port of `url`'),
  remote_timeout: withDefault(
    positiveDuration,
    DEFAULT_REMOTE_WRITE.remoteTimeoutMs,
    'How long one request may take.',
  ),
  headers: withDefault(
    record(located(text)),
    {},
    'Headers to add to each request. Those that remote write itself sets are refused.',
  ),
  // As in Prometheus: requests of remote write are few and large.
  ...httpClientKeys(DEFAULT_REMOTE_WRITE.httpClient.enableHttp2),
  send_exemplars: withDefault(
    boolean,
    DEFAULT_REMOTE_WRITE.sendExemplars,
    'Whether anything is sent. Unlike in Prometheus the default is `true`.',
  ),
  exemplar_mode: withDefault(
    oneOf(EXEMPLAR_MODES),
    DEFAULT_REMOTE_WRITE.exemplarMode,
    '`self_contained` sends the sample of the same line with an exemplar, so that the receiver knows the series; `attach` sends the exemplar alone; `auto` starts self-contained and attaches where the receiver refuses the samples.',
  ),
  protobuf_message: optional(
    oneOf(PROTOBUF_MESSAGES),
    'Remote write 1.0 or 2.0. If given, it is kept to; if not, the other is sent to a receiver that answers 415.',
    '`prometheus.WriteRequest`',
  ),
  queue_config: subsection(QUEUE_KEYS, 'How requests are batched and tried again.'),
  write_relabel_configs: withDefault(
    relabelRules,
    [],
    'Rules that rewrite the labels of series before they are sent, or drop the exemplars of a series; external labels are among them.',
  ),
  metadata_config: prometheusOnly(
    'metadata goes along with its series in remote write 2.0, and not at all in 1.0',
  ),
  send_native_histograms: prometheusOnly('exemplard sends no native histograms', 'false'),
  round_robin_dns: notYet('the address is chosen by the system', 'false'),
  sigv4: notYet(OTHER_CREDENTIALS),
  azuread: notYet(OTHER_CREDENTIALS),
  google_iam: notYet(OTHER_CREDENTIALS),
};
