import type { Secret, TlsOptions } from '../http-client/options.js';

/** Servers that are one ClickHouse: where to find them, and as whom. */
export interface ServerOptions {
  /** In this order; the next where one does not answer. */
  readonly urls: readonly string[];
  readonly user: string;
  readonly password: Secret;
  readonly tls: TlsOptions;
  readonly database: string;
  /** Of `ON CLUSTER`, for replicated and distributed tables; undefined: one server. */
  readonly cluster: string | undefined;
}
