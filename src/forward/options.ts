import { DEFAULT_HTTP_CLIENT, type HttpClientOptions } from '../http-client/options.js';
import type { Labels } from '../model/labels.js';
import type { RelabelRule } from '../model/relabel.js';

export type ExemplarMode = 'auto' | 'self_contained' | 'attach';

/** The message that carries the exemplars: remote write 1.0, and 2.0. */
export const PROTOBUF_MESSAGES = ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request'] as const;
export type ProtobufMessage = (typeof PROTOBUF_MESSAGES)[number];

/** One `remote_write` block, all defaults resolved. */
export interface RemoteWriteOptions {
  /** Unique; shown in logs and metrics. */
  readonly name: string;
  readonly url: string;
  readonly remoteTimeoutMs: number;
  /** Credentials, headers of the user, TLS, proxy and redirects of the requests. */
  readonly httpClient: HttpClientOptions;
  readonly externalLabels: Labels;
  /** Over the labels of a series, external ones included. */
  readonly writeRelabelRules: readonly RelabelRule[];
  readonly sendExemplars: boolean;
  readonly exemplarMode: ExemplarMode;
  /** `auto`: 1.0, and the other where the receiver does not know it. */
  readonly protobufMessage: ProtobufMessage | 'auto';
  readonly queue: QueueOptions;
}

/** Keys of `queue_config`, with Prometheus' meaning. */
export interface QueueOptions {
  readonly capacity: number;
  readonly minShards: number;
  readonly maxShards: number;
  readonly maxSamplesPerSend: number;
  readonly batchSendDeadlineMs: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly retryOnHttp429: boolean;
  readonly sampleAgeLimitMs: number;
  /** Whether a remote write that the log has not met before starts at the oldest it has, or at what comes next. */
  readonly replay: boolean;
}

export const DEFAULT_QUEUE: QueueOptions = {
  capacity: 10_000,
  minShards: 1,
  // One shard sends about 10,000 exemplars a second to a receiver that answers in 200 ms (2,000 a request).
  maxShards: 50,
  maxSamplesPerSend: 2_000,
  batchSendDeadlineMs: 5_000,
  minBackoffMs: 30,
  maxBackoffMs: 5_000,
  // Unlike Prometheus: a receiver that asks us to slow down is not a reason to lose exemplars.
  retryOnHttp429: true,
  sampleAgeLimitMs: 0,
  replay: false,
};

export const DEFAULT_REMOTE_WRITE: Omit<RemoteWriteOptions, 'name' | 'url' | 'externalLabels'> = {
  remoteTimeoutMs: 30_000,
  // As in Prometheus: requests are few and large, and a shard has a connection of its own.
  httpClient: { ...DEFAULT_HTTP_CLIENT, enableHttp2: false },
  writeRelabelRules: [],
  sendExemplars: true,
  exemplarMode: 'auto',
  protobufMessage: 'auto',
  queue: DEFAULT_QUEUE,
};
