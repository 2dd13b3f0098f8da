/** What is written down for people who own their tables is what the sampler looks for. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { ROOT } from '../support/build.js';
import { skipWithoutChdb } from '../support/chdb.js';
import { id, OTEL_TRACES, openSampling, PLACEMENT, policy, tracesJob } from '../support/sampling.js';

/** Statements between semicolons, comments left out. */
const statementsOf = (text: string) =>
  text
    .replaceAll(/^--.*$/gm, '')
    .split(';')
    .map((each) => each.trim())
    .filter((each) => each !== '');

t.test('tables and views', skipWithoutChdb(), async (t) => {
  const sampling = await openSampling(t);
  const { database } = sampling;
  await database.command(OTEL_TRACES);
  const ddl = statementsOf(await readFile(join(ROOT, 'deploy/clickhouse/sampler.sql'), 'utf8'));
  const manager = sampling.another({
    archive: () => ({ database, placement: PLACEMENT, createSchema: false }),
  });
  const job = tracesJob({ policies: [policy('representative')] });
  await manager.apply([{ ...job, traces: { ...job.traces!, createSchema: false } }]);
  t.match((await manager.runOnce())[0]?.errors, [/has no table trace_keep/]);
  for (const sql of ddl.filter((each) => each.startsWith('CREATE TABLE')))
    await database.command(sql.replaceAll('otel.', ''));
  await sampling.addExemplars([{ labels: { path: '/a' }, traceId: id(1) }]);
  await sampling.addTraces([id(1), id(2)]);
  t.match(await manager.runOnce(), [{ errors: [], windows: [{ spans: 2 }] }]);

  const page = await readFile(join(ROOT, 'docs/sampling.md'), 'utf8');
  const views = /```sql\n(CREATE VIEW[\s\S]*?)```/.exec(page)![1]!;
  for (const sql of statementsOf(views)) await database.command(sql);
  await database.command(`ALTER TABLE otel_traces DELETE WHERE SpanId = 'b'`, {
    settings: { mutations_sync: 1 },
  });
  const spans = (traceId: string) =>
    sampling.rows<{ SpanId: string }>(
      `SELECT SpanId FROM otel_traces_all WHERE TraceId = '${traceId}' ORDER BY SpanId`,
    );
  t.same(await spans(id(1)), [{ SpanId: 'a' }, { SpanId: 'b' }], 'each once, wherever it is');
  t.same(await spans(id(2)), [{ SpanId: 'a' }]);
  t.equal(
    await sampling.number(
      `SELECT count() FROM otel_traces_all_trace_id_ts WHERE TraceId = '${id(1)}' AND Start <= End`,
    ),
    1,
  );
});

t.test('the configurations of the page load', async (t) => {
  const { loadConfig } = await import('../../src/config/load.js');
  const page = await readFile(join(ROOT, 'docs/sampling.md'), 'utf8');
  const configs = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)]
    .map(([, text]) => text!)
    .filter((text) => text.includes('job_name'));
  t.equal(configs.length, 2);
  for (const text of configs) {
    const whole = text.startsWith('- ') ? `sampling:\n${text}` : text;
    t.match(loadConfig(`scrape_configs: [{job_name: a}]\n${whole}`, 'f', {}), { ok: true, warnings: [] });
  }
});
