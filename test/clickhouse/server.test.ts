/** What goes wrong between the official client and servers, and what comes of it. */
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Database, DatabaseError, rowsOf } from '../../src/clickhouse/database.js';
import { rowLines } from '../../src/clickhouse/server/result-pages.js';
import { DEFAULT_TLS } from '../../src/http-client/options.js';
import { Authority, HAS_OPENSSL } from '../support/certificates.js';
import { ClickHouseFront } from '../support/clickhouse-front.js';
import { engineDirectory, jsonLines, openServer, WITHOUT_CHDB } from '../support/databases.js';

async function failure(work: Promise<unknown>): Promise<DatabaseError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof DatabaseError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

const one = (database: Database, timeoutMs = 5_000) => rowsOf(database, 'SELECT 1 AS x', { timeoutMs });
const MANY = "SELECT number AS n, repeat('x', 100) AS s FROM numbers(10000)";

async function* chunksOf(text: string, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
}

t.test('rows of an answer, however it is cut', async (t) => {
  const rows = '{"s":"a\\r\\n{"}\n{"s":"b"}\n';
  const error = 'Code: 241. DB::Exception: too much\nof it. (MEMORY_LIMIT_EXCEEDED)';
  const marked = `\r\n__exception__\r\ntag\r\n${error}\n${error.length + 1} tag\r\n__exception__\r\n`;
  for (let size = 1; size < 200; size++) {
    const read = async (text: string) => {
      let seen = '';
      try {
        for await (const lines of rowLines(chunksOf(text, size))) seen += lines;
        return [seen];
      } catch (failed) {
        return [seen, (failed as DatabaseError).code, (failed as Error).message];
      }
    };
    t.same(await read(rows), [rows]);
    t.same(await read(''), ['']);
    t.same(await read(rows + marked), [rows, 241, error]);
    t.same((await read(`${rows}${error}\n`)).slice(0, 2), [rows, 241], 'an older server');
    t.same((await read(rows.slice(0, -3))).slice(1), [undefined, 'the answer ends within a row']);
  }
});

t.test('one server', WITHOUT_CHDB, async (t) => {
  const directory = await engineDirectory(t);
  const front = await ClickHouseFront.start({ directory });
  t.teardown(() => front.close());
  const database = openServer(t, [front.url]);
  await database.command('CREATE TABLE rows (i UInt32) ENGINE = MergeTree ORDER BY i SETTINGS non_replicated_deduplication_window = 100'); // biome-ignore format: one statement
  const block = { table: 'rows', lines: jsonLines([{ i: 1 }]), rows: 1, token: 'a' };
  const count = async () =>
    Number((await rowsOf<{ n: string }>(database, 'SELECT count() AS n FROM rows'))[0]!.n);

  t.test('what an insert says', async (t) => {
    await database.insert(block);
    const { sql, settings, rows } = front.statements.at(-1)!;
    t.equal(sql, 'INSERT INTO rows FORMAT JSONEachRow');
    t.same(rows, block.lines);
    t.match(settings, {
      async_insert: '0',
      insert_deduplicate: '1',
      insert_deduplication_token: 'a',
      optimize_on_insert: '0',
      distributed_foreground_insert: '1',
      max_execution_time: '30',
    });
  });

  t.test('faults', async (t) => {
    const before = await count();
    front.faults.push({ type: 'status', status: 503, body: '<html>no upstream</html>' });
    t.match(await failure(database.insert(block)), {
      code: undefined,
      isTransient: true,
      message: /no upstream/,
    });
    front.faults.push({ type: 'status', status: 503, body: '' });
    t.match(await failure(one(database)), { code: undefined, isTransient: true });
    const busy = 'Code: 202. DB::Exception: Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES)';
    front.faults.push({ type: 'status', status: 503, body: busy, code: 202 });
    t.match(await failure(database.insert(block)), { code: 202, isTransient: true });
    front.faults.push({ type: 'stall' });
    const startMs = performance.now();
    t.match(await failure(one(database, 200)), { code: undefined, isTransient: true, message: /no answer within 200 ms/ }); // biome-ignore format: one line
    t.ok(performance.now() - startMs < 20_000);
    front.faults.push({ type: 'reset', when: 'before' });
    t.match(await failure(database.insert({ ...block, token: 'b' })), { code: undefined, isTransient: true });
    t.equal(await count(), before);
    front.faults.push({ type: 'reset', when: 'after' });
    t.match(await failure(database.insert({ ...block, token: 'b' })), { isTransient: true });
    await database.insert({ ...block, token: 'b' });
    t.equal(await count(), before + 1, 'it was in, and is in once');
    t.same(await one(database), [{ x: 1 }]);
  });

  t.test('answers that do not come whole are no short results', async (t) => {
    for (const bytes of [0, 1, 1_000, 500_000]) {
      front.faults.push({ type: 'cut', bytes });
      t.match(
        await failure(rowsOf(database, MANY)),
        { code: undefined, isTransient: true },
        `cut after ${bytes}`,
      );
      const text = 'Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)';
      front.faults.push({ type: 'error', bytes, text });
      t.match(
        await failure(rowsOf(database, MANY)),
        { code: 241, isTransient: true },
        `error after ${bytes}`,
      );
    }
    front.faults.push({ type: 'cut', bytes: 1_000, politely: true });
    t.match(await failure(rowsOf(database, MANY)), { isTransient: true }, 'within a row, and ended well');
    t.equal((await rowsOf(database, MANY)).length, 10_000);
  });

  t.test('who asks', async (t) => {
    [front.user, front.password] = ['writer', 'sésame:1'];
    t.match(await failure(one(database)), { code: 516, isTransient: false });
    const file = join(directory, 'password');
    await writeFile(file, 'wrong-secret\n');
    const other = openServer(t, [front.url], { user: 'writer', password: { file } });
    const refused = await failure(one(other));
    t.match(refused, { code: 516 });
    t.notMatch(refused.message, /wrong-secret/);
    await writeFile(file, 'sésame:1\n');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    t.same(await one(other), [{ x: 1 }], 'the file is read again');
    const missing = openServer(t, [front.url], { user: 'writer', password: { file: `${file}-missing` } });
    t.match(await failure(one(missing)), {
      isTransient: true,
      message: /archive\.password: file .*-missing/,
    });
    [front.user, front.password] = ['default', ''];
  });

  t.test('the next where one does not answer', async (t) => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const two = openServer(t, [`http://localhost:${port}`, front.url]);
    t.same(await one(two), [{ x: 1 }], 'within one statement');
    t.match(await failure(one(openServer(t, [`http://localhost:${port}`]))), {
      isTransient: true,
      code: undefined,
    });
    const second = await ClickHouseFront.start({ directory });
    t.teardown(() => second.close());
    const pair = openServer(t, [front.url, second.url]);
    front.faults.push({ type: 'reset', when: 'before' });
    t.match(
      await failure(pair.insert({ ...block, token: 'c' })),
      { isTransient: true },
      'nobody knows whether it is in',
    );
    await pair.insert({ ...block, token: 'c' });
    t.equal(second.statements.length, 1, 'the next try goes to the other one');
    await one(pair);
    t.equal(second.statements.length, 2, 'and so do others, for a while');
  });

  t.test('TLS', HAS_OPENSSL ? {} : { skip: 'no openssl' }, async (t) => {
    const authority = new Authority(await engineDirectory(t), 'test authority');
    const pair = authority.sign('server', 'DNS:clickhouse.internal');
    const start = async (tls: object) => {
      const secure = await ClickHouseFront.start({
        directory,
        tls: { ...pair, ca: authority.pair.cert, ...tls },
      });
      t.teardown(() => secure.close());
      return secure.url;
    };
    const [plain, strict] = [await start({}), await start({ requestCert: true })];
    const open = (t: Test, tls: object, url = plain) =>
      openServer(t, [url], { tls: { ...DEFAULT_TLS, ...tls } });
    const ca = { text: authority.pair.cert };
    t.same(await one(open(t, { ca, serverName: 'clickhouse.internal' })), [{ x: 1 }]);
    t.match(await failure(one(open(t, { ca }))), { isTransient: true, message: /localhost/ });
    t.match(await failure(one(open(t, { serverName: 'clickhouse.internal' }))), { isTransient: true });
    t.same(await one(open(t, { insecureSkipVerify: true })), [{ x: 1 }]);
    const client = authority.sign('client', 'DNS:exemplard');
    const mutual = {
      ca,
      serverName: 'clickhouse.internal',
      cert: { text: client.cert },
      key: { text: client.key },
    };
    t.same(await one(open(t, mutual, strict)), [{ x: 1 }]);
    t.match(await failure(one(open(t, { ...mutual, cert: undefined, key: undefined }, strict))), {
      isTransient: true,
    });
    t.match(await failure(one(open(t, { ca: { text: 'none' } }))), { message: /tls_config\.ca/ });
  });
});
