/** The keys of `archive`, and from what was read by them its options. */
import { type ArchiveOptions, DEFAULT_ARCHIVE_OPTIONS } from '../archive/options.js';
import type { FileContext } from './http-client-schema.js';
import type { IssueReport } from './issue.js';
import { resolveServer, SERVER_KEY_NAMES, serverKeys } from './server-keys.js';
import { optional, type Section, withDefault } from './table.js';
import { boolean, bytes, count, duration, oneOf, positiveDuration } from './value-type.js';

const TYPES = ['none', 'chdb', 'clickhouse'] as const;
const OF_CLICKHOUSE = 'Of type `clickhouse`.';

export const ARCHIVE_KEYS = {
  type: optional(
    oneOf(TYPES),
    'Where exemplars are kept for good: `chdb` is ClickHouse embedded, below `--storage.path`; `clickhouse` is a server or cluster.',
    '`chdb` with `--storage.path` and the optional package chdb, else `none`',
  ),
  ...serverKeys(OF_CLICKHOUSE),
  ttl: withDefault(duration, DEFAULT_ARCHIVE_OPTIONS.ttlMs, 'How long exemplars are kept; `0s`: for ever.'),
  fsync: withDefault(
    boolean,
    DEFAULT_ARCHIVE_OPTIONS.fsync,
    'Of type `chdb`. Whether each insert waits for the disk: what a power failure may cost. A killed process loses nothing.',
  ),
  create_schema: withDefault(
    boolean,
    DEFAULT_ARCHIVE_OPTIONS.createSchema,
    'Whether tables are made and migrated; if not, they are checked at the start.',
  ),
  otel_metrics_tables: withDefault(
    boolean,
    DEFAULT_ARCHIVE_OPTIONS.otelMetricsTables,
    'Whether queries also read the exemplars that the OpenTelemetry exporter has written to its tables in the same database.',
  ),
  max_memory: withDefault(
    bytes(256 * 1024 * 1024),
    DEFAULT_ARCHIVE_OPTIONS.maxMemoryBytes,
    'Of type `chdb`. What the process with the engine may take.',
  ),
  query_timeout: withDefault(
    positiveDuration,
    DEFAULT_ARCHIVE_OPTIONS.queryTimeoutMs,
    'What a query waits for the archive; then it answers with what memory holds, and a warning.',
  ),
  query_max_rows: withDefault(
    count(1),
    DEFAULT_ARCHIVE_OPTIONS.queryMaxRows,
    'Exemplars that one query takes from the archive.',
  ),
};

type ArchiveSection = Section<typeof ARCHIVE_KEYS>;

const CHDB_ONLY = ['fsync', 'max_memory'] as const;

export function resolveArchive(section: ArchiveSection, context: FileContext): ArchiveOptions {
  const { values } = section;
  // Whoever switches it off for a while may leave the rest as it is.
  if (values.type !== 'none' && !section.refused('type')) refuseOther(section, context.report);
  if (values.type === 'clickhouse' && values.url.length === 0 && !section.refused('url'))
    context.report.error(section.at('url'), `${section.path}.type clickhouse needs ${section.path}.url`);
  return {
    type: values.type,
    server: values.type === 'clickhouse' ? resolveServer(section, context) : undefined,
    ttlMs: values.ttl,
    fsync: values.fsync,
    createSchema: values.create_schema,
    otelMetricsTables: values.otel_metrics_tables,
    maxMemoryBytes: values.max_memory,
    queryTimeoutMs: values.query_timeout,
    queryMaxRows: values.query_max_rows,
  };
}

function refuseOther(section: ArchiveSection, report: IssueReport): void {
  const isServer = section.values.type === 'clickhouse';
  const type = isServer ? 'chdb' : 'clickhouse';
  for (const key of isServer ? CHDB_ONLY : SERVER_KEY_NAMES)
    if (section.given(key))
      report.error(section.at(key), `${section.path}.${key} needs ${section.path}.type ${type}`);
}
