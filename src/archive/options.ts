import type { ServerOptions } from '../clickhouse/options.js';

/** Where exemplars are kept for good. Keys of `archive`. */
export interface ArchiveOptions {
  /** Undefined: not said, which is `chdb` where there is a storage path and the package is installed. */
  readonly type: 'none' | 'chdb' | 'clickhouse' | undefined;
  /** Of type `clickhouse`. */
  readonly server: ServerOptions | undefined;
  /** 0: for ever. */
  readonly ttlMs: number;
  /** Whether the embedded engine waits for the disk with every insert. */
  readonly fsync: boolean;
  /** Whether tables are made and migrated; if not, they are only checked. */
  readonly createSchema: boolean;
  /** Whether queries also read what the OpenTelemetry exporter has written to its tables in the same database. */
  readonly otelMetricsTables: boolean;
  /** What the embedded engine may take. */
  readonly maxMemoryBytes: number;
  /** What a query waits for the archive. */
  readonly queryTimeoutMs: number;
  /** Exemplars that one query takes from the archive. */
  readonly queryMaxRows: number;
}

export const DEFAULT_ARCHIVE_OPTIONS: ArchiveOptions = {
  type: undefined,
  server: undefined,
  ttlMs: 30 * 24 * 60 * 60_000,
  fsync: true,
  createSchema: true,
  otelMetricsTables: false,
  maxMemoryBytes: 1_536 * 1024 * 1024,
  queryTimeoutMs: 10_000,
  queryMaxRows: 100_000,
};
