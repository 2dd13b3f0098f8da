/** The keys of `archive`, and from what was read by them its options. */
import { type ArchiveOptions, DEFAULT_ARCHIVE_OPTIONS } from '../archive/options.js';
import type { ServerOptions } from '../clickhouse/options.js';
import type { Secret } from '../http-client/options.js';
import { TLS_KEYS } from './http-client-keys.js';
import { type FileContext, resolveTls, secretOf } from './http-client-schema.js';
import type { IssueReport } from './issue.js';
import { optional, type Section, section, withDefault } from './table.js';
import { splitUrl } from './url-credentials.js';
import {
  boolean,
  bytes,
  count,
  duration,
  httpUrl,
  type Located,
  located,
  oneOf,
  oneOrList,
  positiveDuration,
  scalar,
  secret,
  text,
} from './value-type.js';

const TYPES = ['none', 'chdb', 'clickhouse'] as const;
const DEFAULT_USER = 'default';
const DEFAULT_DATABASE = 'default';
const OF_CLICKHOUSE = 'Of type `clickhouse`.';

/** They stand in statements. A macro of the server, such as `{cluster}`, is a name, too. */
const databaseName = scalar({
  name: 'text',
  expectation: 'a name of letters, digits and underscores',
  parse: (value) => (/^[A-Za-z_]\w*$/.test(value) ? value : undefined),
});
const clusterName = scalar({
  name: 'text',
  expectation: 'a name of letters, digits, underscores, dots and hyphens, or a macro in braces',
  parse: (value) => (/^(?:[\w.-]+|\{[\w.-]+\})$/.test(value) ? value : undefined),
});

export const ARCHIVE_KEYS = {
  type: optional(
    oneOf(TYPES),
    'Where exemplars are kept for good: `chdb` is ClickHouse embedded, below `--storage.path`; `clickhouse` is a server or cluster.',
    '`chdb` with `--storage.path` and the optional package chdb, else `none`',
  ),
  url: withDefault(
    oneOrList(located(httpUrl)),
    [],
    `${OF_CLICKHOUSE} A URL, or a list of them, of servers that are one: where one does not answer, the next is asked. Required there.`,
  ),
  user: withDefault(text, DEFAULT_USER, OF_CLICKHOUSE),
  password: optional(secret, OF_CLICKHOUSE),
  password_file: optional(text, `${OF_CLICKHOUSE} File with the password. Read again when it changes.`),
  tls_config: optional(section(TLS_KEYS), `${OF_CLICKHOUSE} How TLS is spoken.`, 'its own defaults'),
  database: withDefault(databaseName, DEFAULT_DATABASE, `${OF_CLICKHOUSE} It must be there.`),
  cluster: optional(
    clusterName,
    `${OF_CLICKHOUSE} The cluster on which tables are replicated, and distributed by series.`,
    'tables of one server',
  ),
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

const CLICKHOUSE_ONLY = [
  'url',
  'user',
  'password',
  'password_file',
  'tls_config',
  'database',
  'cluster',
] as const;
const CHDB_ONLY = ['fsync', 'max_memory'] as const;

export function resolveArchive(section: ArchiveSection, context: FileContext): ArchiveOptions {
  const { values } = section;
  // Whoever switches it off for a while may leave the rest as it is.
  if (values.type !== 'none' && !section.refused('type')) refuseOther(section, context.report);
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
  for (const key of isServer ? CHDB_ONLY : CLICKHOUSE_ONLY)
    if (section.given(key))
      report.error(section.at(key), `${section.path}.${key} needs ${section.path}.type ${type}`);
}

function resolveServer(section: ArchiveSection, context: FileContext): ServerOptions {
  const { values } = section;
  if (values.url.length === 0 && !section.refused('url'))
    context.report.error(section.at('url'), `${section.path}.type clickhouse needs ${section.path}.url`);
  return {
    urls: values.url.map(({ value }) => splitUrl(value).url),
    ...resolveCredentials(section, context),
    tls: resolveTls(values.tls_config, context),
    database: values.database,
    cluster: values.cluster,
  };
}

const CREDENTIAL_KEYS = ['user', 'password', 'password_file'] as const;

/** They may also stand in the URLs: in one of them, or in all the same. */
function resolveCredentials(
  section: ArchiveSection,
  context: FileContext,
): { user: string; password: Secret } {
  const { report } = context;
  const inUrls = section.values.url.flatMap((url) => {
    const credentials = credentialsOf(url);
    return credentials === undefined ? [] : [credentials];
  });
  const first = inUrls[0];
  if (first === undefined)
    return { user: section.values.user, password: secretOf(section, 'password', context) };
  for (const { at, user, password } of inUrls)
    if (user !== first.user || password !== first.password)
      report.error(at, `${section.path}.url: user and password must be the same in each URL`);
  const given = CREDENTIAL_KEYS.find((key) => section.given(key));
  if (given !== undefined)
    report.error(
      section.at(given),
      `${section.path}: user and password are in url already; ${given} cannot be given, too`,
    );
  return { user: first.user, password: { text: first.password } };
}

function credentialsOf({ value, at }: Located<string>) {
  const { auth } = splitUrl(value);
  if (auth?.type !== 'basic' || !('text' in auth.username) || !('text' in auth.password)) return undefined;
  return { at, user: auth.username.text || DEFAULT_USER, password: auth.password.text };
}
