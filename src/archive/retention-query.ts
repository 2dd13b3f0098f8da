/** How much the archive holds, of what time, and how fast it grows. */
import { type Database, rowsOf, type StatementOptions } from '../clickhouse/database.js';
import { type Placement, storedTable } from '../clickhouse/tables.js';
import { EXEMPLARS_TABLE, SERIES_TABLE } from './schema.js';

const DAY_MS = 24 * 60 * 60_000;

export interface TableFigures {
  readonly rows: number;
  readonly bytes: number;
  /** Parts found broken when the engine started, and put aside with their rows. */
  readonly brokenParts: number;
  readonly freeBytes: number | undefined;
}

export interface TimeFigures {
  readonly oldestMs: number | undefined;
  readonly newestMs: number | undefined;
  readonly rowsPerDay: number;
}

/** From what the engine knows of its parts: cheap. Of a cluster, one replica of each shard. */
export async function readTableFigures(
  database: Database,
  placement: Placement,
  options: StatementOptions,
): Promise<TableFigures> {
  const params = {
    tables: [EXEMPLARS_TABLE, SERIES_TABLE].map((name) => storedTable(name, placement)),
    exemplars: storedTable(EXEMPLARS_TABLE, placement),
    ...(placement.cluster === undefined ? {} : { cluster: placement.cluster }),
  };
  const system = (table: string) =>
    placement.cluster === undefined ? `system.${table}` : `cluster({cluster:String}, system.${table})`;
  const read = async (sql: string) =>
    (await rowsOf<Record<string, string | null>>(database, sql, { ...options, params }))[0] ?? {};
  const isOurs = 'database = currentDatabase() AND table IN {tables:Array(String)}';
  const parts = await read(
    `SELECT sumIf(rows, table = {exemplars:String}) AS rows, sum(bytes_on_disk) AS bytes FROM ${system('parts')} WHERE active AND ${isOurs}`,
  );
  const broken = await read(
    `SELECT count() AS parts FROM ${system('detached_parts')} WHERE ${isOurs} AND startsWith(ifNull(reason, ''), 'broken')`,
  );
  const disks = await read(`SELECT sum(free_space) AS free FROM ${system('disks')} WHERE name = 'default'`);
  const freeBytes = Number(disks.free ?? 0);
  return {
    rows: Number(parts.rows ?? 0),
    bytes: Number(parts.bytes ?? 0),
    brokenParts: Number(broken.parts ?? 0),
    // Disks in the cloud do not end.
    freeBytes: freeBytes > 0 && freeBytes < 2 ** 60 ? freeBytes : undefined,
  };
}

export async function readTimeFigures(
  database: Database,
  nowMs: number,
  options: StatementOptions,
): Promise<TimeFigures> {
  // All of it is known without reading a row: how many each part has, and of which times.
  const read = async (sql: string, params = {}) =>
    (await rowsOf<Record<string, string>>(database, sql, { ...options, params }))[0];
  const row = await read(
    `SELECT toUnixTimestamp64Milli(min(ts)) AS oldest, toUnixTimestamp64Milli(max(ts)) AS newest, count() AS rows FROM ${EXEMPLARS_TABLE}`,
  );
  if (row === undefined || Number(row.rows) === 0) {
    return { oldestMs: undefined, newestMs: undefined, rowsPerDay: 0 };
  }
  // Whole days: yesterday, and what there is of today.
  const sinceMs = Math.floor(nowMs / DAY_MS) * DAY_MS - DAY_MS;
  const recent = await read(
    `SELECT count() AS rows FROM ${EXEMPLARS_TABLE} WHERE toDate(ts) >= toDate({since:DateTime('UTC')})`,
    { since: sinceMs / 1000 },
  );
  const oldestMs = Number(row.oldest);
  const spanMs = Math.max(60_000, nowMs - Math.max(oldestMs, sinceMs));
  return {
    oldestMs,
    newestMs: Number(row.newest),
    rowsPerDay: (Number(recent?.rows ?? 0) * DAY_MS) / spanMs,
  };
}
