/** What every engine promises (src/clickhouse/database.ts): the same tests for chDB and for the official client. */
import t, { type Test } from 'tap';
import { type Database, DatabaseError, type Param, rowsOf } from '../../src/clickhouse/database.js';
import { ClickHouseFront } from '../support/clickhouse-front.js';
import { engineDirectory, jsonLines, openChdb, openServer, WITHOUT_CHDB } from '../support/databases.js';

interface Engine {
  /** The same tables each time. */
  open(t: Test): Database;
}

let front: Promise<ClickHouseFront> | undefined;
t.teardown(async () => (await front)?.close());

const ENGINES: Readonly<Record<string, (t: Test) => Promise<Engine>>> = {
  async chDB(t) {
    const directory = await engineDirectory(t);
    return { open: (t) => openChdb(t, directory) };
  },
  // chDB takes one directory in a process.
  async server() {
    front ??= engineDirectory(t).then((directory) => ClickHouseFront.start({ directory }));
    const { url } = await front;
    return { open: (t) => openServer(t, [url]) };
  },
};

const HOSTILE = [
  '',
  "it's",
  '"double" `back`',
  'a\nb\n\nc\r\n',
  '\n\ndrop table kept;\n',
  '{x:String}',
  '\\ \\n \\x41 \\',
  'a\u0000b',
  '\ttab\b\f\v\u0007\u007f',
  '%_?&=+#;--/* */',
  "'); DROP TABLE kept; --",
  'é ü 漢字 \u2028\u2029 \ufeff',
  '😀👩‍👩‍👧',
  '\\N',
  'NULL',
  "']",
  'x'.repeat(1024 * 1024),
  "\n\n'\\".repeat(100_000),
];

/** Sums hashes until it is stopped. */
const ENDLESS = 'SELECT count() AS n FROM numbers(1000000000000) WHERE sipHash64(number) = 1';

async function failure(t: Test, work: Promise<unknown>): Promise<DatabaseError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof DatabaseError) return error;
    t.fail(`no DatabaseError: ${(error as Error).stack}`);
  }
  throw new Error('it did not fail');
}

const read = async (database: Database, type: string, value: Param) =>
  (await rowsOf<{ v: unknown }>(database, `SELECT {v:${type}} AS v`, { params: { v: value } }))[0]?.v;

for (const [name, start] of Object.entries(ENGINES)) {
  t.test(name, WITHOUT_CHDB, async (t) => {
    const engine = await start(t);
    const database = engine.open(t);
    await database.command('CREATE TABLE kept (s String) ENGINE = MergeTree ORDER BY s');

    t.test('parameters', async (t) => {
      for (const [i, text] of HOSTILE.entries())
        t.ok((await read(database, 'String', text)) === text, `hostile text ${i}`);
      t.same(await read(database, 'Array(String)', HOSTILE.slice(0, -2)), HOSTILE.slice(0, -2));
      t.equal(await read(database, 'String', 'lone \ud800 surrogate'), 'lone \ufffd surrogate');
      t.equal(await read(database, 'UInt64', 2n ** 64n - 1n), '18446744073709551615');
      t.same(await read(database, 'Array(UInt64)', [0, 1n, 2n ** 64n - 1n]), [
        '0',
        '1',
        '18446744073709551615',
      ]);
      t.same(await read(database, 'Array(UInt64)', []), []);
      t.equal(await read(database, 'Int64', -5), '-5');
      t.equal(await read(database, 'Int64', 1_795_067_608_500), '1795067608500');
      t.equal(await read(database, 'UInt32', 7), 7);
      t.equal(await read(database, 'Float64', 0.1), 0.1);
      t.equal(await read(database, 'Float64', 5e-324), 5e-324);
      const many = Array.from({ length: 20_000 }, (_, i) => 2n ** 63n + BigInt(i));
      const [counted] = await rowsOf(database, 'SELECT sum(x) - 20000 * toUInt128(9223372036854775808) AS s FROM (SELECT arrayJoin({v:Array(UInt64)})::UInt128 AS x)', { params: { v: many } }); // biome-ignore format: one statement
      t.equal(Number((counted as { s: string }).s), (20_000 * 19_999) / 2);
      t.same(await rowsOf(database, 'SELECT {a:String} AS a, {b:String} AS b', { params: { a: '1', b: '2' } }), [{ a: '1', b: '2' }]); // biome-ignore format: one line
    });

    t.test('parameters of many statements at once do not meet', async (t) => {
      const numbers = Array.from({ length: 200 }, (_, i) => i);
      const sql = 'SELECT {v:UInt32} AS v, sleepEachRow(0.005) AS s FROM numbers(2)';
      const results = await Promise.all(
        numbers.map((v) => rowsOf<{ v: number }>(database, sql, { params: { v } })),
      );
      t.same(results.map((rows) => rows.map(({ v }) => v)), numbers.map((v) => [v, v])); // biome-ignore format: one line
    });

    t.test('parameters of commands', async (t) => {
      await database.command(
        'CREATE TABLE said (s String, u UInt64, f Float64) ENGINE = MergeTree ORDER BY u',
      );
      for (const [u, s] of HOSTILE.slice(0, -2).entries())
        await database.command('INSERT INTO said SELECT {s:String}, {u:UInt64}, {f:Float64}', {
          params: { s, u: 2n ** 64n - 1n - BigInt(u), f: u / 3 },
        });
      const rows = await rowsOf<{ s: string; f: number }>(database, 'SELECT s, f FROM said ORDER BY u DESC');
      t.same(rows, HOSTILE.slice(0, -2).map((s, u) => ({ s, f: u / 3 }))); // biome-ignore format: one line
      await database.command('DROP TABLE said');
      // The front's connections keep them.
      if (name === 'chDB')
        t.equal(
          (await failure(t, database.command('INSERT INTO kept SELECT {s:String}'))).code,
          456,
          'none is left',
        );
    });

    t.test('rows come back as they went', async (t) => {
      await database.command(
        "CREATE TABLE hostile (i UInt32, s String, m Map(LowCardinality(String), String), d DateTime64(3, 'UTC'), u UInt64) ENGINE = MergeTree ORDER BY i",
      );
      const texts = [...HOSTILE, 'lone \ud800'.toWellFormed()];
      const rows = texts.map((s, i) => ({ i, s, m: { [s.slice(0, 50)]: s.slice(0, 50) }, d: 1_795_067_608_000 + i, u: '18446744073709551615' })); // biome-ignore format: one row
      await database.insert({ table: 'hostile', lines: jsonLines(rows), rows: rows.length });
      const back = await rowsOf<{ i: number; s: string; m: object; ms: string; u: string }>(database, 'SELECT i, s, m, toUnixTimestamp64Milli(d) AS ms, u FROM hostile ORDER BY i'); // biome-ignore format: one statement
      t.equal(back.length, rows.length);
      for (const { i, s, m, ms, u } of back) {
        t.ok(s === rows[i]!.s, `hostile text ${i}`);
        t.same({ m, ms: Number(ms), u }, { m: rows[i]!.m, ms: rows[i]!.d, u: rows[i]!.u });
      }
      t.same(await rowsOf(database, 'EXISTS TABLE kept'), [{ result: 1 }], 'nothing was executed');
    });

    t.test('floats', async (t) => {
      await database.command('CREATE TABLE floats (i UInt32, v Float64) ENGINE = MergeTree ORDER BY i');
      const values = [0, 1, -1.5, 0.1, 5e-324, 1.7976931348623157e308, -1.7976931348623157e308, 2 ** 53 + 2, 1e21, 1.0000000000000002, 123456.789e-300]; // biome-ignore format: one list
      const odd = {
        nan: Number.NaN,
        inf: Number.POSITIVE_INFINITY,
        '-inf': Number.NEGATIVE_INFINITY,
        '-0': -0,
      };
      const rows = [...values, ...Object.keys(odd)].map((v, i) => ({ i, v }));
      await database.insert({ table: 'floats', lines: jsonLines(rows), rows: rows.length });
      const back = (await rowsOf<{ v: number | string }>(database, 'SELECT v FROM floats ORDER BY i')).map(
        ({ v }) => v,
      );
      t.strictSame(back.slice(0, values.length), values);
      t.strictSame(back.slice(values.length, -1), ['nan', 'inf', '-inf']);
      t.ok(Object.is(back.at(-1), -0), '-0');
    });

    t.test('tokens', async (t) => {
      await database.command(
        'CREATE TABLE tokens (i UInt32) ENGINE = MergeTree ORDER BY i SETTINGS non_replicated_deduplication_window = 100',
      );
      const count = async (of: Database) =>
        Number((await rowsOf<{ n: string }>(of, 'SELECT count() AS n FROM tokens'))[0]!.n);
      const block = {
        table: 'tokens',
        lines: jsonLines([{ i: 1 }, { i: 2 }]),
        rows: 2,
        token: 'journal:17-42',
      };
      await database.insert(block);
      await database.insert(block);
      t.equal(await count(database), 2);
      await database.insert({ ...block, token: 'journal:43-44' });
      t.equal(await count(database), 4, 'another token');
      if (name === 'chDB') await database.close();
      const again = name === 'chDB' ? engine.open(t) : database;
      await again.insert(block);
      t.equal(await count(again), 4, 'it is remembered');
      if (name === 'chDB') await again.close();
    });
  });

  t.test(`${name}: what fails`, WITHOUT_CHDB, async (t) => {
    const engine = await start(t);
    const database = engine.open(t);
    await database.command('CREATE TABLE rows (i UInt32, s String) ENGINE = MergeTree ORDER BY i');
    const one = async () => t.same(await rowsOf(database, 'SELECT 1 AS x'), [{ x: 1 }], 'the next one works');

    t.test('errors have numbers', async (t) => {
      const lines = jsonLines([{ i: 1 }, { i: 2 }, { i: 'three' }, { i: 4 }]);
      const bad = await failure(t, database.insert({ table: 'rows', lines, rows: 4 }));
      t.match(bad, { code: 27, failedAtRow: 3, isTransient: false });
      t.same(await rowsOf(database, 'SELECT count() AS n FROM rows'), [{ n: '0' }], 'none is in');
      t.match(await failure(t, database.insert({ table: 'nowhere', lines, rows: 4 })), {
        code: 60,
        isTransient: false,
      });
      t.match(await failure(t, rowsOf(database, 'SELECT * FROM nowhere')), { code: 60, isTransient: false });
      t.match(await failure(t, rowsOf(database, 'SELECT (1')), { code: 62, isTransient: false });
      t.match(await failure(t, database.command('DROP TABLE (')), { code: 62, isTransient: false });
      t.match(await failure(t, rowsOf(database, "SELECT match('a', {v:String})", { params: { v: '(?=x)' } })), { code: 427 }); // biome-ignore format: one line
      const late = await failure(t, rowsOf(database, 'SELECT throwIf(number = 900000) AS x FROM numbers(1000000)', { settings: { max_block_size: 1000 } })); // biome-ignore format: one line
      t.match(late, { code: 395, isTransient: false }, 'in the middle of the rows');
      t.match(await failure(t, rowsOf(database, 'SELECT groupArray(number) FROM numbers(1000000000)', { settings: { max_memory_usage: 50_000_000 } })), { code: 241, isTransient: true }); // biome-ignore format: one line
      await one();
    });

    t.test('an empty line is refused before it gets anywhere', async (t) => {
      for (const text of ['\n{"i":1}\n', '{"i":1}\n\nDROP TABLE rows\n', '{"i":1}'])
        await t.rejects(
          database.insert({ table: 'rows', lines: Buffer.from(text), rows: 1 }),
          /rows? to insert/,
        );
      await t.rejects(
        database.insert({ table: 'rows; DROP TABLE rows', lines: jsonLines([{}]), rows: 1 }),
        TypeError,
      );
      await t.rejects(
        rowsOf(database, 'SELECT 1', { settings: { max_threads: "1'; DROP TABLE rows" } }),
        TypeError,
      );
      t.same(await rowsOf(database, 'EXISTS TABLE rows'), [{ result: 1 }]);
    });

    t.test('time', async (t) => {
      const startMs = performance.now();
      t.match(await failure(t, rowsOf(database, ENDLESS, { timeoutMs: 300 })), {
        code: 159,
        isTransient: true,
      });
      t.match(await failure(t, database.command(`INSERT INTO rows SELECT n, '' FROM (${ENDLESS})`, { timeoutMs: 300 })), { code: 159 }); // biome-ignore format: one line
      const rows = 'SELECT number, sleepEachRow(0.01) AS s FROM numbers(100000)';
      t.match(
        await failure(t, rowsOf(database, rows, { timeoutMs: 300, settings: { max_block_size: 10 } })),
        { code: 159 },
      );
      t.ok(performance.now() - startMs < 20_000, `${performance.now() - startMs} ms`);
      await one();
    });

    t.test('a signal', async (t) => {
      const startMs = performance.now();
      t.match(await failure(t, rowsOf(database, ENDLESS, { signal: AbortSignal.timeout(200) })), {
        code: undefined,
      });
      t.match(await failure(t, rowsOf(database, 'SELECT 1', { signal: AbortSignal.abort() })), {
        code: undefined,
      });
      t.match(await failure(t, database.command('SELECT 1', { signal: AbortSignal.abort() })), {
        code: undefined,
      });
      t.ok(performance.now() - startMs < 20_000);
      await one();
    });

    t.test('whoever stops reading stops the statement', async (t) => {
      for (let round = 0; round < 12; round++) {
        for await (const rows of database.query('SELECT number AS n FROM numbers(2000000000000)')) {
          t.same(rows[0], { n: '0' });
          break;
        }
      }
      await one();
      const running = "SELECT query, elapsed FROM system.processes WHERE query LIKE '%numbers(2000000000000)%' AND query NOT LIKE '%processes%'"; // biome-ignore format: one statement
      let left: unknown[] = [running];
      for (let tries = 0; left.length > 0 && tries < 40; tries++) {
        left = await rowsOf(database, running);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      t.same(left, []);
    });

    t.test('a long result', async (t) => {
      let [count, last, pages, largest] = [0, '', 0, 0];
      for await (const rows of database.query<{ n: string }>(
        "SELECT number AS n, repeat('x', 200) AS s FROM numbers(200000)",
      )) {
        // biome-ignore format: one statement
        count += rows.length;
        pages++;
        largest = Math.max(largest, rows.length);
        last = rows.at(-1)!.n;
      }
      t.equal(count, 200_000);
      t.equal(last, '199999');
      t.ok(pages > 100 && largest < 2_000, `${pages} pages of up to ${largest} rows`);
      const wide = await rowsOf<{ s: string }>(
        database,
        "SELECT concat(repeat('y', 1000000), repeat('y', 1000000), repeat('y', 1000000)) AS s FROM numbers(3)",
      );
      t.same(wide.map(({ s }) => s.length), [3_000_000, 3_000_000, 3_000_000], 'rows longer than a page'); // biome-ignore format: one line
      t.same(await rowsOf(database, 'SELECT 1 AS x WHERE 0'), []);
    });

    t.test('settings are those of their statement alone', async (t) => {
      const seen = async (options = {}) => {
        const sql = "SELECT name, value FROM system.settings WHERE name IN ('max_result_rows', 'max_memory_usage', 'join_use_nulls') ORDER BY name"; // biome-ignore format: one statement
        return (await rowsOf<{ value: string }>(database, sql, options)).map(({ value }) => value).join();
      };
      const before = await seen();
      t.equal(await seen({ settings: { max_result_rows: 7, max_memory_usage: 123_456_789, join_use_nulls: 1 } }), '1,123456789,7'); // biome-ignore format: one line
      for (let round = 0; round < 8; round++) t.equal(await seen(), before);
      const unknown = await failure(t, rowsOf(database, 'SELECT 1', { settings: { no_such_setting: 1 } }));
      t.equal(unknown.code, 115);
      for (let round = 0; round < 8; round++) t.equal(await seen(), before);
      await one();
    });

    t.test('an insert does not wait for a query', async (t) => {
      const stop = new AbortController();
      let ended = 0;
      const queries = [1, 2].map(() =>
        failure(t, rowsOf(database, ENDLESS, { signal: stop.signal })).finally(() => ended++),
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
      await database.insert({ table: 'rows', lines: jsonLines([{ i: 1 }]), rows: 1 });
      await database.command('SELECT 1');
      await one();
      t.equal(ended, 0, 'they are still running');
      stop.abort();
      await Promise.all(queries);
    });

    t.test('closed', async (t) => {
      const under = failure(t, rowsOf(database, ENDLESS));
      await new Promise((resolve) => setTimeout(resolve, 100));
      await Promise.all([database.close(), database.close()]);
      t.match(await under, { isTransient: true });
      t.match(await failure(t, rowsOf(database, 'SELECT 1')), { isTransient: true });
      await database.close();
    });
  });
}
