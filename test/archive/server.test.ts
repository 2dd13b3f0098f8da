/** The archive on servers that fail, refuse, come back, and have other tables than they should. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { EXEMPLARS_COLUMNS } from '../../src/archive/schema.js';
import { rowsOf } from '../../src/clickhouse/database.js';
import { ServerDatabase } from '../../src/clickhouse/server/server-database.js';
import { DEFAULT_TLS } from '../../src/http-client/options.js';
import { silentLog } from '../../src/util/log.js';
import { archiveQuery, keepingLog, openArchive, shown } from '../support/archives.js';
import { type RowInput, seriesOf } from '../support/batch.js';
import { temporaryDirectory } from '../support/build.js';
import { ClickHouseFront, type Fault } from '../support/clickhouse-front.js';
import { engineDirectory, WITHOUT_CHDB } from '../support/databases.js';
import { fastClock } from '../support/fast-clock.js';
import { until } from '../support/until.js';

const INSERT = /^INSERT INTO exemplars /;
const SELECT = /FROM exemplars/;
const clock = fastClock(20);

function serverDatabase(t: Test, front: ClickHouseFront, password = ''): ServerDatabase {
  const database = new ServerDatabase({
    options: {
      urls: [front.url],
      user: 'default',
      password: { text: password },
      tls: DEFAULT_TLS,
      database: 'default',
      cluster: undefined,
    },
    clock,
    log: silentLog,
  });
  t.teardown(() => database.close());
  return database;
}

const START_MS = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;

/** @param from of the first, in seconds since an hour ago */
function rowsFrom(from: number, count = 3): RowInput[] {
  return Array.from({ length: count }, (_, n) => ({
    series: seriesOf(1, { __name__: 'x_total', job: 'a' }),
    timestampMs: START_MS + (from + n) * 1000,
  }));
}

t.test('one engine, many troubles', { ...WITHOUT_CHDB, timeout: 240_000 }, async (t) => {
  const front = await ClickHouseFront.start({ directory: await engineDirectory(t) });
  t.teardown(() => front.close());
  const admin = serverDatabase(t, front);
  const tables = ['exemplar_series_view', 'exemplar_series', 'exemplars', 'exemplard_schema'];
  t.beforeEach(async () => {
    front.faults.length = 0;
    for (const table of tables) await admin.command(`DROP TABLE IF EXISTS ${table} SYNC`);
    front.statements.length = 0;
  });
  const counts = async () => {
    const [row] = await rowsOf<Record<string, string>>(
      admin,
      `SELECT (SELECT count() FROM exemplars) AS rows, (SELECT count() FROM exemplars FINAL) AS final`,
    );
    return [Number(row!.rows), Number(row!.final)];
  };
  const open = (t: Test, options = {}, parts = {}) =>
    openArchive(t, serverDatabase(t, front), options, { clock, ...parts });

  const faults: Readonly<Record<string, readonly Fault[]>> = {
    'a server that is busy for a while': [503, 503, 502].map((status) => ({ type: 'status', status, body: 'no', matches: INSERT })), // biome-ignore format: one list
    'a server that never answers': [{ type: 'stall', matches: INSERT }],
    'a connection that breaks before': [{ type: 'reset', when: 'before', matches: INSERT }],
    'a connection that breaks after the rows are in': Array(3).fill({ type: 'reset', when: 'after', matches: INSERT }), // biome-ignore format: one list
    'too much memory': [{ type: 'status', status: 500, code: 241, body: 'Code: 241. DB::Exception: memory (MEMORY_LIMIT_EXCEEDED)', matches: INSERT }], // biome-ignore format: one list
  };
  for (const [name, list] of Object.entries(faults)) {
    t.test(name, async (t) => {
      const { archive, append, meter } = open(t);
      front.faults.push(...list);
      append(rowsFrom(0));
      append(rowsFrom(3));
      await until(() => archive.status.pendingRows === 0, 'all to be in');
      t.same(front.faults, [], 'all of them happened');
      t.same(await counts(), [6, 6], 'once');
      t.ok([...meter.failures.values()].reduce((sum, count) => sum + count, 0) >= list.length);
      t.ok(archive.status.isTaking);
    });
  }

  t.test('told to stop while its tables are made: what it has in hand goes into them', async (t) => {
    const { archive, append } = open(t);
    append(rowsFrom(0));
    await until(() => front.statements.length > 0, 'it to begin');
    await archive.stop(600_000);
    t.same(await counts(), [3, 3]);
  });

  t.test('queries that fail answer with what is on its way, and say so', async (t) => {
    const { archive, append } = open(t);
    append(rowsFrom(0));
    await until(() => archive.status.pendingRows === 0, 'they are in');
    const troubles: readonly (readonly [Fault, RegExp])[] = [
      [{ type: 'status', status: 503, body: 'no', matches: SELECT }, /: no;/],
      [{ type: 'cut', bytes: 40, matches: SELECT }, /.+/],
      [{ type: 'cut', bytes: 40, politely: true, matches: SELECT }, /ends within a row/],
      [{ type: 'error', bytes: 40, text: 'Code: 241. DB::Exception: too much. (MEMORY_LIMIT_EXCEEDED)', matches: SELECT }, /241/], // biome-ignore format: a row
      [{ type: 'stall', matches: SELECT }, /within 10 s/],
    ];
    for (const [fault, warning] of troubles) {
      append(rowsFrom(3, 1));
      front.faults.push(fault);
      const { found, warnings } = await archive.exemplars(archiveQuery());
      t.match(warnings.join(), /^archive: .*; what only it has is missing$/s, fault.type);
      t.match(warnings.join(), warning);
      t.ok(shown(found).length <= 1, 'nothing half read');
      await until(() => archive.status.pendingRows === 0, 'they are in');
    }
    // One that has just hung is given little time.
    await until(async () => {
      const { found, warnings } = await archive.exemplars(archiveQuery());
      return warnings.length === 0 && shown(found).length === 4;
    }, 'it is well again');
  });

  t.test('away for long: what comes waits, and drains when it is back', async (t) => {
    const log = keepingLog();
    const { archive, append } = open(t, {}, { log });
    append(rowsFrom(0));
    await until(() => archive.status.pendingRows === 0, 'the first are in');
    front.password = 'another';
    let appended = 3;
    for (let i = 0; i < 50; i++) {
      append(rowsFrom(appended, 100));
      appended += 100;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await until(() => !archive.status.isTaking, 'it to notice');
    t.equal(archive.status.pendingRows, 5_000, 'nothing is lost');
    const { found, warnings } = await archive.exemplars(archiveQuery());
    t.match(warnings.join(), /516|Authentication/);
    t.equal(shown(found).length, 5_000, 'what is on its way is shown');
    await until(() => archive.status.lagSeconds > 0, 'the lag to show');
    const refusals = log.lines.filter(({ level }) => level === 'warn');
    t.match(refusals[0], { message: /takes nothing/, fields: { code: 516, waiting: /\d+/ } });
    t.notMatch(JSON.stringify(log.lines), /another/, 'no password in the log');
    front.password = '';
    await until(() => archive.status.pendingRows === 0, 'the rest is in');
    t.same(await counts(), [5_003, 5_003]);
    t.match(log.lines.at(-1), { message: 'the archive takes exemplars again' });
  });

  t.test('a table that goes missing is made again', async (t) => {
    const { archive, append } = open(t);
    append(rowsFrom(0));
    await until(() => archive.status.pendingRows === 0, 'they are in');
    for (const table of tables) await admin.command(`DROP TABLE IF EXISTS ${table} SYNC`);
    append(rowsFrom(10));
    await until(() => archive.status.pendingRows === 0, 'what came after is in');
    t.same(await counts(), [3, 3]);
  });

  t.test('somebody else’s tables: what is missing is said, and nothing is made', async (t) => {
    const log = keepingLog();
    const { archive, append } = open(t, { createSchema: false }, { log });
    append(rowsFrom(0));
    const errors = () => log.lines.filter(({ level }) => level === 'error').map(({ fields }) => (fields as { error: string }).error); // biome-ignore format: one expression
    await until(() => errors().length > 0, 'an error');
    t.match(errors()[0], /has no table exemplars$/);
    const columns = Object.entries(EXEMPLARS_COLUMNS).filter(([name]) => name !== 'span_label');
    const text = columns.map(([name, type]) => `${name} ${name === 'value' ? 'Float32' : type}`).join(', ');
    await admin.command(`CREATE TABLE exemplars (${text}) ENGINE = MergeTree ORDER BY ts`);
    await until(() => errors().length > 1, 'another');
    t.match(errors()[1], /has column value as Float32, not as Float64; has no column span_label/);
    t.equal(
      front.statements.filter(({ sql }) => /^CREATE TABLE (?!exemplars \()|^ALTER/.test(sql)).length,
      0,
    );
    t.equal(archive.status.pendingRows, 3, 'they wait');
  });

  t.test('rows that are refused are put aside, and hold up no others', async (t) => {
    const storagePath = await temporaryDirectory(t);
    const { archive, append, meter } = open(t, {}, { storagePath });
    await archive.refreshFigures();
    // By what a value says, and the engine names the row.
    await admin.command("ALTER TABLE exemplars ADD CONSTRAINT even CHECK toUnixTimestamp(ts) % 2 = 0 OR ex_labels['odd'] = ''"); // biome-ignore format: one statement
    const rows = rowsFrom(0, 20).map((row, n) => ({
      ...row,
      labels: { trace_id: `${n}`.padStart(32, '0'), ...([3, 8].includes(n) ? { odd: 'x\n\n"' } : {}) },
    }));
    const odd = rows.filter(({ labels, timestampMs }) => 'odd' in labels && (timestampMs / 1000) % 2 === 1);
    t.equal(odd.length, 1);
    append(rows);
    await until(() => archive.status.pendingRows === 0, 'all to be settled');
    t.same(await counts(), [19, 19]);
    t.equal(meter.refusedRows, 1);
    const [line, ...others] = readFileSync(join(storagePath, 'archive-refused.jsonl'), 'utf8').trimEnd().split('\n'); // biome-ignore format: one expression
    t.same(others, []);
    t.match(JSON.parse(line!), { error: /469|CONSTRAINT/i, row: { trace_id: odd[0]!.labels.trace_id, ex_labels: { odd: 'x\n\n"' } } }); // biome-ignore format: one comparison
  });

  t.test('the engine may name the row, or not', async (t) => {
    const storagePath = await temporaryDirectory(t);
    const { archive, append, meter } = open(t, {}, { storagePath });
    await archive.refreshFigures();
    const refusal = (text: string): Fault => ({ type: 'status', status: 400, body: `Code: 27. DB::Exception: ${text}. (CANNOT_PARSE_INPUT_ASSERTION_FAILED)`, matches: INSERT }); // biome-ignore format: one fault
    front.faults.push(refusal('Cannot parse: (at row 2)'));
    append(rowsFrom(0, 4));
    await until(() => archive.status.pendingRows === 0, 'the rest to be in');
    t.same(await counts(), [3, 3]);
    // Halves of halves, until one row is alone.
    front.faults.push(refusal('no row'), refusal('no row'), refusal('no row'));
    append(rowsFrom(10, 4));
    await until(() => archive.status.pendingRows === 0, 'the rest to be in');
    t.same(await counts(), [6, 6]);
    t.equal(meter.refusedRows, 2);
    const kept = readFileSync(join(storagePath, 'archive-refused.jsonl'), 'utf8').trimEnd().split('\n');
    t.same(
      kept.map((text) => (JSON.parse(text).row.ts - START_MS) / 1000),
      [1, 10],
    );
  });

  t.test('migration: from nothing, from what is there, and not from what is later', async (t) => {
    const first = open(t);
    first.append(rowsFrom(0));
    await until(() => first.archive.status.pendingRows === 0, 'they are in');
    const ddl = () => front.statements.filter(({ sql }) => /^(CREATE|ALTER)/.test(sql)).map(({ sql }) => sql);
    const atFirst = ddl();
    t.ok(atFirst.length >= 4, 'made');
    await first.archive.stop(1_000);
    front.statements.length = 0;
    const second = open(t, { ttlMs: 0 });
    second.append(rowsFrom(10));
    await until(() => second.archive.status.pendingRows === 0, 'they are in');
    t.notMatch(ddl().join('\n'), /ALTER|CREATE TABLE IF NOT EXISTS exemplars|VIEW/, 'found as they are');
    t.same(await counts(), [6, 6]);
    await second.archive.stop(1_000);

    await admin.command("INSERT INTO exemplard_schema (component, version, detail) VALUES ('archive', 99, 'from the future')"); // biome-ignore format: one statement
    const log = keepingLog();
    const third = open(t, {}, { log });
    third.append(rowsFrom(20));
    await until(() => log.lines.some(({ level }) => level === 'error'), 'a refusal');
    t.match(log.lines.find(({ level }) => level === 'error')?.fields, { error: /are of version 99, and this exemplard knows/ }); // biome-ignore format: one comparison
    t.same(await counts(), [6, 6], 'nothing is written to what is not understood');
  });

  t.test('the time to live is altered where it is another', async (t) => {
    const DAY_MS = 86_400_000;
    const alters = async (ttlMs: number) => {
      front.statements.length = 0;
      const { archive } = open(t, { ttlMs });
      await until(() => archive.status.figures !== undefined, 'it to be ready');
      await archive.stop(1_000);
      return front.statements.filter(({ sql }) => sql.startsWith('ALTER')).map(({ sql }) => sql);
    };
    t.match(
      (await alters(30 * DAY_MS)).join('\n'),
      /exemplars MODIFY TTL .*2592000.*exemplar_series MODIFY TTL/s,
    );
    t.same(await alters(30 * DAY_MS), []);
    t.match((await alters(7 * DAY_MS)).join('\n'), /604800/);
    t.match((await alters(0)).join('\n'), /REMOVE TTL/);
    t.same(await alters(0), []);
  });
});
