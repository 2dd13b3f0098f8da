/** The life of the child process with the engine. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { DatabaseError, rowsOf } from '../../src/clickhouse/database.js';
import { engineDirectory, jsonLines, openChdb, WITHOUT_CHDB } from '../support/databases.js';
import { until } from '../support/until.js';

const ENDLESS = 'SELECT count() AS n FROM numbers(1000000000000) WHERE sipHash64(number) = 1';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function failure(work: Promise<unknown>): Promise<DatabaseError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof DatabaseError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

async function table(t: Test) {
  const database = openChdb(t, await engineDirectory(t));
  await database.command('CREATE TABLE rows (i UInt32, s String) ENGINE = MergeTree ORDER BY i SETTINGS non_replicated_deduplication_window = 1000'); // biome-ignore format: one statement
  return database;
}

t.test('nothing runs before it is needed', WITHOUT_CHDB, async (t) => {
  const database = openChdb(t, await engineDirectory(t));
  t.same([database.pid, database.isUp, database.restarts], [undefined, false, 0]);
  await database.close();
  await t.rejects(rowsOf(database, 'SELECT 1'), /closed/);
});

t.test('killed in the middle of a query', WITHOUT_CHDB, async (t) => {
  const database = await table(t);
  const under = failure(rowsOf(database, ENDLESS));
  await new Promise((resolve) => setTimeout(resolve, 200));
  process.kill(database.pid!, 'SIGKILL');
  t.match(await under, { isTransient: true, code: undefined, message: /SIGKILL/ });
  t.same(await rowsOf(database, 'SELECT 1 AS x'), [{ x: 1 }], 'who asks meanwhile waits for the next one');
  t.equal(database.restarts, 1);
  process.kill(database.pid!, 'SIGKILL');
  t.match(
    await failure(rowsOf(database, 'SELECT 1', { timeoutMs: 50 })),
    { isTransient: true },
    'but not for ever',
  );
});

t.test('killed in the middle of inserts: what was acknowledged is there, once', WITHOUT_CHDB, async (t) => {
  const database = await table(t);
  const acknowledged = new Set<number>();
  let killed = 0;
  for (let i = 0; i < 60; i++) {
    const rows = Array.from({ length: 500 }, () => ({ i, s: 'x'.repeat(100) }));
    const block = { table: 'rows', lines: jsonLines(rows), rows: rows.length, token: `block:${i}` };
    if (i % 20 === 10) setTimeout(() => process.kill(database.pid!, 'SIGKILL'), 2);
    for (;;) {
      try {
        await database.insert(block);
        acknowledged.add(i);
        break;
      } catch (error) {
        if (!(error instanceof DatabaseError && error.isTransient)) throw error;
        killed++;
      }
    }
  }
  const counts = await rowsOf<{ i: number; n: string }>(
    database,
    'SELECT i, count() AS n FROM rows GROUP BY i ORDER BY i',
  );
  t.same(counts.map(({ n }) => n), Array.from(acknowledged, () => '500')); // biome-ignore format: one line
  t.equal(counts.length, 60);
  t.ok(database.restarts >= 2, `${database.restarts} restarts, ${killed} failed`);
});

t.test('a process that hangs', WITHOUT_CHDB, async (t) => {
  const database = await table(t);
  process.kill(database.pid!, 'SIGSTOP');
  const failed = await failure(database.insert({ table: 'rows', lines: jsonLines([{ i: 1 }]), rows: 1 }, { timeoutMs: 100 })); // biome-ignore format: one line
  t.match(failed, { isTransient: true, message: /no answer/ });
  t.same(await rowsOf(database, 'SELECT 1 AS x'), [{ x: 1 }]);
});

t.test('signals to the whole group', WITHOUT_CHDB, async (t) => {
  const database = await table(t);
  const { pid } = database;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid!, signal);
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.same(await rowsOf(database, 'SELECT 1 AS x'), [{ x: 1 }]);
  t.equal(database.pid, pid);
  await database.close();
  t.notOk(isAlive(pid!));
});

t.test('a directory has one process', WITHOUT_CHDB, async (t) => {
  const directory = await engineDirectory(t);
  const first = openChdb(t, directory);
  await rowsOf(first, 'SELECT 1');
  const second = openChdb(t, directory);
  const refused = await failure(rowsOf(second, 'SELECT 1'));
  t.match(refused, { isTransient: true, message: `the archive in ${directory} is used by another process` });
  await first.close();
  t.same(await rowsOf(second, 'SELECT 1 AS x'), [{ x: 1 }], 'when it is free');
});

t.test('ends with its parent', WITHOUT_CHDB, async (t) => {
  const script = fileURLToPath(new URL('../support/chdb-parent.ts', import.meta.url));
  const parent = fork(script, [await engineDirectory(t)], { execArgv: ['--import=tsx'] });
  const [pid] = (await once(parent, 'message')) as [number];
  t.ok(isAlive(pid));
  parent.kill('SIGKILL');
  await until(() => !isAlive(pid), 'the child is gone');
});

t.test('pages are asked for', WITHOUT_CHDB, async (t) => {
  const database = await table(t);
  const pages = database.query<{ n: string }>(
    "SELECT number AS n, repeat('x', 1000) AS s FROM numbers(2000000)",
  );
  await pages.next();
  const before = process.memoryUsage().rss;
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const grown = process.memoryUsage().rss - before;
  t.ok(grown < 64 * 1024 * 1024, `who does not read gets nothing: ${grown} bytes more`);
  await pages.return();
  t.same(await rowsOf(database, 'SELECT 1 AS x'), [{ x: 1 }]);
});
