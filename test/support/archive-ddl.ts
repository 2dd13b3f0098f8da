/** The archive's tables as a file for people who make them themselves: `create_schema: false`. */
import { archiveMigrations, ttlAlterations } from '../../src/archive/schema.js';
import type { Placement } from '../../src/clickhouse/tables.js';
import { samplerMigrations } from '../../src/sampler/schema.js';

const TTL_MS = 30 * 24 * 60 * 60_000;

/** File below `deploy/clickhouse` → its text. */
export function ddlFiles(): Readonly<Record<string, string>> {
  const cluster: Placement = { cluster: '{cluster}' };
  return {
    'archive.sql': fileOf(
      'for one server',
      { cluster: undefined },
      archiveStatements({ cluster: undefined }),
    ),
    'archive-cluster.sql': fileOf('for a cluster, and those of the sampler', cluster, [
      ...archiveStatements(cluster),
      ...samplerMigrations(cluster).flatMap(({ statements }) => statements),
    ]),
  };
}

function archiveStatements(placement: Placement): string[] {
  return [
    ...archiveMigrations(placement).flatMap(({ statements }) => statements),
    ...ttlAlterations(TTL_MS, placement).map(({ sql }) => sql),
  ];
}

function fileOf(whatFor: string, { cluster }: Placement, statements: readonly string[]): string {
  const macros =
    cluster === undefined
      ? ''
      : '-- Macros {cluster}, {shard} and {replica} are those of the servers. Not run by the tests: they have no cluster, and only parse it.\n';
  return `-- Tables of the archive, ${whatFor}. Written by \`npm run ddl\` from src/archive/schema.ts; see README.md.
${macros}-- clickhouse-client --database otel --multiquery < this file
-- Change the time to live (2592000 s, 30 days) here and \`archive.ttl\` alike; series live a day longer.

${statements.map((sql) => `${sql};\n`).join('\n')}`;
}

/** Statements of a file, without comments. */
export function statementsOf(text: string): string[] {
  return text
    .replaceAll(/^--.*\n/gm, '')
    .split(/;\s*(?:\n|$)/)
    .map((sql) => sql.trim())
    .filter((sql) => sql !== '');
}
