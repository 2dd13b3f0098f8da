import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ChdbDatabase } from '../clickhouse/chdb/chdb-database.js';
import { isChdbInstalled } from '../clickhouse/chdb/installed.js';
import type { Database } from '../clickhouse/database.js';
import { ServerDatabase } from '../clickhouse/server/server-database.js';
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import type { ArchiveOptions } from './options.js';

/** Of the embedded engine, under `--storage.path`. */
const CHDB_DIRECTORY = 'chdb';

/** Whether an embedded archive was ever there. */
export function hasEmbeddedArchive(storagePath: string): boolean {
  return existsSync(join(storagePath, CHDB_DIRECTORY));
}

export interface OpenDatabaseParts {
  readonly options: ArchiveOptions;
  readonly storagePath: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** The process that the embedded engine runs in. */
export interface EngineStatus {
  readonly pid: number | undefined;
  readonly isUp: boolean;
  readonly restarts: number;
}

export interface OpenDatabase {
  readonly database: Database;
  readonly engine: EngineStatus | undefined;
}

/** The engine that the options mean; connects when it is first asked something. @returns undefined where there is to be none */
export function openDatabase({
  options,
  storagePath,
  clock,
  log,
}: OpenDatabaseParts): OpenDatabase | undefined {
  const { type, server, maxMemoryBytes } = options;
  if (type === 'none') return undefined;
  if (type === 'clickhouse' && server !== undefined)
    return { database: new ServerDatabase({ options: server, clock, log }), engine: undefined };
  if (storagePath === undefined) {
    if (type === 'chdb') log.error({}, 'archive.type chdb needs --storage.path: nothing is archived');
    return undefined;
  }
  if (!isChdbInstalled()) {
    log.warn(
      {},
      'nothing is archived: the optional package chdb is not installed, or not made for this system (npm install chdb; not on Alpine and Windows). ' +
        'archive.type clickhouse needs no package, archive.type none ends this warning',
    );
    return undefined;
  }
  const database = new ChdbDatabase({
    directory: join(storagePath, CHDB_DIRECTORY),
    maxMemoryBytes,
    clock,
    log,
  });
  return { database, engine: database };
}
