/** The files that people make tables and users with. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  EXEMPLARS_COLUMNS,
  EXEMPLARS_TABLE,
  SERIES_COLUMNS,
  SERIES_TABLE,
} from '../../src/archive/schema.js';
import { rowsOf } from '../../src/clickhouse/database.js';
import { checkColumns } from '../../src/clickhouse/migrations.js';
import { ddlFiles, statementsOf } from '../support/archive-ddl.js';
import { archiveQuery, openArchive, shown } from '../support/archives.js';
import { seriesOf } from '../support/batch.js';
import { ROOT } from '../support/build.js';
import { openChdb } from '../support/chdb.js';
import { engineDirectory, WITHOUT_CHDB } from '../support/databases.js';
import { until } from '../support/until.js';

const fileOf = (name: string) => readFileSync(join(ROOT, 'deploy/clickhouse', name), 'utf8');

t.test('are what the code makes; `npm run ddl` writes them', async (t) => {
  for (const [name, text] of Object.entries(ddlFiles())) t.equal(fileOf(name), text, name);
});

t.test('run on one engine, and exemplard finds everything there', WITHOUT_CHDB, async (t) => {
  const database = openChdb(await engineDirectory(t));
  t.teardown(() => database.close());
  const statements = statementsOf(fileOf('archive.sql'));
  t.ok(statements.length >= 5);
  for (const sql of statements) await database.command(sql);
  await checkColumns(database, EXEMPLARS_TABLE, EXEMPLARS_COLUMNS);
  await checkColumns(database, SERIES_TABLE, SERIES_COLUMNS);
  const { archive, append } = openArchive(t, database, { createSchema: false });
  append([{ series: seriesOf(1, { __name__: 'x' }), timestampMs: Date.now() }]);
  await until(() => archive.status.pendingRows === 0, 'it to be in');
  t.equal(shown((await archive.exemplars(archiveQuery())).found).length, 1);
});

t.test('of a cluster and of users are at least read by the engine', WITHOUT_CHDB, async (t) => {
  const database = openChdb(await engineDirectory(t));
  t.teardown(() => database.close());
  for (const name of ['archive-cluster.sql', 'users.sql']) {
    const statements = statementsOf(fileOf(name));
    t.ok(statements.length >= 8, name);
    for (const sql of statements) {
      const [first] = await rowsOf<{ explain: string }>(database, `EXPLAIN AST ${sql}`);
      t.ok(first, sql.slice(0, 60));
    }
  }
  const distributed = statementsOf(fileOf('archive-cluster.sql')).filter((sql) =>
    sql.includes('Distributed('),
  );
  t.match(distributed[0], /exemplars_local, fp\)$/, 'a series stays on one shard');
  t.rejects(
    rowsOf(database, 'EXPLAIN AST CREATE TABLE x (a UInt8) ENGINE ='),
    'what is wrong would be found',
  );
});
