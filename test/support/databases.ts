/** ClickHouse engines for tests: chDB as it is used, and the official client with a front before chDB. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChdbDatabase } from '../../src/clickhouse/chdb/chdb-database.js';
import { isChdbInstalled } from '../../src/clickhouse/chdb/installed.js';
import type { ServerOptions } from '../../src/clickhouse/options.js';
import { ServerDatabase } from '../../src/clickhouse/server/server-database.js';
import { DEFAULT_TLS } from '../../src/http-client/options.js';
import { systemClock } from '../../src/util/clock.js';
import { silentLog } from '../../src/util/log.js';

/** What to skip a test with: chdb is optional, except where everything is to be tested. */
export const WITHOUT_CHDB =
  isChdbInstalled() || process.env.CI === 'true'
    ? {}
    : { skip: 'the optional package chdb is not installed' };

interface Teardown {
  teardown(work: () => Promise<void>): unknown;
}

export async function engineDirectory(t: Teardown): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'exemplard-engine-'));
  t.teardown(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

const MIB = 1024 * 1024;

export function openChdb(t: Teardown, directory: string): ChdbDatabase {
  const database = new ChdbDatabase({
    directory,
    maxMemoryBytes: 1_536 * MIB,
    clock: systemClock,
    log: silentLog,
  });
  t.teardown(() => database.close());
  return database;
}

export function openServer(
  t: Teardown,
  urls: readonly string[],
  options: Partial<ServerOptions> = {},
): ServerDatabase {
  const defaults = {
    user: 'default',
    password: { text: '' },
    tls: DEFAULT_TLS,
    database: 'default',
    cluster: undefined,
  };
  const database = new ServerDatabase({
    options: { ...defaults, urls, ...options },
    clock: systemClock,
    log: silentLog,
  });
  t.teardown(() => database.close());
  return database;
}

/** Rows as an insert takes them. */
export function jsonLines(rows: readonly object[]): Buffer {
  return Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}
