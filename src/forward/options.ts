import type { Labels } from '../model/labels.js';

export type ExemplarMode = 'auto' | 'self_contained' | 'attach';

/** One `remote_write` block, all defaults resolved. */
export interface RemoteWriteOptions {
  /** Unique; shown in logs and metrics. */
  readonly name: string;
  readonly url: string;
  readonly remoteTimeoutMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly auth:
    | { readonly type: 'none' }
    | { readonly type: 'basic'; readonly username: string; readonly password: string }
    | { readonly type: 'bearer'; readonly credentials: string };
  readonly externalLabels: Labels;
  readonly sendExemplars: boolean;
  readonly exemplarMode: ExemplarMode;
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
};

export const DEFAULT_REMOTE_WRITE: Omit<RemoteWriteOptions, 'name' | 'url' | 'externalLabels'> = {
  remoteTimeoutMs: 30_000,
  headers: {},
  auth: { type: 'none' },
  sendExemplars: true,
  exemplarMode: 'auto',
  queue: DEFAULT_QUEUE,
};
