/** Everything a job meets: other people's tables, budgets over restarts, an archive that is away, others who do the same. */
import t from 'tap';
import { temporaryDirectory } from '../support/build.js';
import { FailingDatabase, openChdb, skipWithoutChdb } from '../support/chdb.js';
import {
  id,
  OTEL_TRACES,
  openSampling,
  PLACEMENT,
  policy,
  type Sampling,
  START_MS,
  samplingOver,
  type TestExemplar,
  tracesJob,
  WINDOW_MS,
} from '../support/sampling.js';

const POLICIES = [policy('representative')];

/** One group each. */
function exemplarsOf(numbers: readonly number[], atMs = 1000): TestExemplar[] {
  return numbers.map((n) => ({ labels: { path: `/${n}` }, traceId: id(n), atMs }));
}

const keptSpans = (sampling: Sampling, table = 'otel_traces_kept') =>
  sampling.number(`SELECT count() FROM ${table}`);

t.test(
  'the kept table has the columns of the source, and those it shares are copied',
  skipWithoutChdb(),
  async (t) => {
    const sampling = await openSampling(t);
    const { manager, database, clock } = sampling;
    await database.command(OTEL_TRACES);
    await database.command(
      "ALTER TABLE otel_traces ADD COLUMN `odd ``name\\\\` String DEFAULT concat(SpanId, '!')",
    );
    await database.command(
      'ALTER TABLE otel_traces ADD COLUMN items Array(String) ALIAS mapKeys(SpanAttributes), ADD COLUMN day Date MATERIALIZED toDate(Timestamp)',
    );
    await sampling.addExemplars(exemplarsOf([1]));
    await sampling.addTraces([id(1)]);
    await manager.apply([tracesJob({ policies: POLICIES })]);
    t.match(await manager.runOnce(), [{ errors: [], windows: [{ spans: 2 }] }]);
    const columns = async (table: string) =>
      (
        await sampling.rows<{ name: string }>(
          `SELECT name FROM system.columns WHERE database = currentDatabase() AND table = '${table}' AND default_kind IN ('', 'DEFAULT') ORDER BY position`,
        )
      ).map(({ name }) => name);
    t.same(await columns('otel_traces_kept'), await columns('otel_traces'));
    t.match(await sampling.rows('SELECT * FROM otel_traces_kept ORDER BY SpanId'), [
      {
        SpanId: 'a',
        'odd `name\\': 'a!',
        SpanAttributes: { 'http.path': `it's "quoted"\n\n{` },
        'Events.Name': ['e'],
      },
      { SpanId: 'b' },
    ]);
    const [table] = await sampling.rows<{ engine: string }>(
      "SELECT engine_full AS engine FROM system.tables WHERE name = 'otel_traces_kept'",
    );
    t.match(
      table?.engine,
      /^ReplacingMergeTree.*ORDER BY \(TraceId, SpanId\) TTL toDateTime\(Timestamp\) \+ toIntervalSecond\(15552000\)/,
    );

    // The exporter's next version has another column, and somebody has removed one from the kept table.
    await database.command('ALTER TABLE otel_traces ADD COLUMN Flags UInt32');
    await database.command(
      "ALTER TABLE otel_traces_kept DROP COLUMN StatusMessage, ADD COLUMN Note String DEFAULT 'n'",
    );
    await sampling.addExemplars(exemplarsOf([2], WINDOW_MS + 1000));
    await sampling.addTraces([id(2)], WINDOW_MS);
    clock.jump(WINDOW_MS);
    await manager.apply([
      tracesJob({ policies: POLICIES, traces: { ...tracesJob().traces!, keptTtlMs: 1000 * 86_400_000 } }),
    ]);
    t.match(await manager.runOnce(), [{ errors: [], windows: [{}, { spans: 2 }] }]);
    t.match(await sampling.rows(`SELECT Note FROM otel_traces_kept WHERE TraceId = '${id(2)}'`), [
      { Note: 'n' },
      { Note: 'n' },
    ]);
    const [changed] = await sampling.rows<{ engine: string }>(
      "SELECT engine_full AS engine FROM system.tables WHERE name = 'otel_traces_kept'",
    );
    t.match(changed?.engine, /toIntervalSecond\(86400000\)/, 'the time to live follows the configuration');
  },
);

t.test('a source that is missing, or no table of spans', skipWithoutChdb(), async (t) => {
  const sampling = await openSampling(t);
  const { manager, database } = sampling;
  await sampling.addExemplars(exemplarsOf([1]));
  await manager.apply([tracesJob({ policies: POLICIES })]);
  t.match((await manager.runOnce())[0]?.errors, [/^traces: .*has no table otel_traces$/]);
  await database.command(
    'CREATE TABLE otel_traces (TraceId String, Time DateTime) ENGINE = MergeTree ORDER BY TraceId',
  );
  t.match((await manager.runOnce())[0]?.errors, [/has no column Timestamp, SpanId$/]);
  t.equal(await sampling.metric('exemplard_sampler_failures_total{job="j",reason="traces"}'), 2);
  await database.command('DROP TABLE otel_traces');
  await database.command(
    'CREATE TABLE otel_traces (TraceId UUID, SpanId LowCardinality(String), Timestamp String) ENGINE = MergeTree ORDER BY SpanId',
  );
  t.match((await manager.runOnce())[0]?.errors, [
    /^traces: table otel_traces in .* has Timestamp of type String, not DateTime64 or DateTime; has TraceId of type UUID, not String$/,
  ]);
  await database.command('DROP TABLE otel_traces');
  await database.command(OTEL_TRACES);
  await sampling.addTraces([id(1)]);
  t.match(await manager.runOnce(), [{ errors: [], windows: [{ spans: 2 }] }], 'nothing was lost');
});

t.test('types that are others than the exporter has, and fit', skipWithoutChdb(), async (t) => {
  const sampling = await openSampling(t);
  const { manager, database } = sampling;
  await database.command(
    `CREATE TABLE otel_traces (TraceId FixedString(32), SpanId LowCardinality(String), Timestamp DateTime('UTC')) ENGINE = MergeTree ORDER BY SpanId`,
  );
  await database.command(
    `INSERT INTO otel_traces VALUES ('${id(1)}', 'a', toDateTime(${START_MS / 1000 + 1}, 'UTC'))`,
  );
  await sampling.addExemplars(exemplarsOf([1]));
  await manager.apply([tracesJob({ policies: POLICIES })]);
  t.match(await manager.runOnce(), [{ errors: [], windows: [{ spans: 1 }] }]);
});

t.test('the spans of a day, over restarts; what is most important first', skipWithoutChdb(), async (t) => {
  const sampling = await openSampling(t);
  const { manager, database, clock } = sampling;
  await database.command(OTEL_TRACES);
  await sampling.addExemplars(
    [1, 2, 3].map((n) => ({ labels: { path: `/${n}` }, traceId: id(n), value: n })),
  );
  await sampling.addTraces([1, 2, 3].map(id));
  const budget = { ...tracesJob().budget, spansPerDay: 5 };
  const job = tracesJob({ policies: [policy('slowest')], budget });
  await manager.apply([job]);
  await manager.runOnce();
  t.same(await sampling.rows('SELECT DISTINCT TraceId FROM otel_traces_kept ORDER BY TraceId'), [
    { TraceId: id(2) },
    { TraceId: id(3) },
  ]);
  t.equal(
    (await sampling.metric('exemplard_sampler_budget_exhausted_total{budget="spans",job="j"}')) ??
      (await sampling.metric('exemplard_sampler_budget_exhausted_total{job="j",budget="spans"}')),
    1,
  );
  const next = sampling.another();
  await next.apply([job]);
  clock.jump(5 * 60_000);
  await next.runOnce();
  t.equal(await keptSpans(sampling), 4, 'another process, the same day');
  const small = { ...budget, spansPerDay: 100, spansPerTrace: 1 };
  await next.apply([{ ...job, jobName: 'small', budget: small }]);
  await next.runOnce('small');
  t.equal(await keptSpans(sampling), 4, 'a trace of more spans than one may have');
});

t.test(
  'windows that were missed are made up for; those without exemplars are noted down',
  skipWithoutChdb(),
  async (t) => {
    const sampling = await openSampling(t);
    const { manager, database, clock } = sampling;
    await database.command(OTEL_TRACES);
    const minutes = [1, 16, 32];
    for (const minute of minutes) await sampling.addExemplars(exemplarsOf([minute], minute * 60_000));
    await sampling.addTraces(minutes.map(id), 10 * 60_000);
    const job = tracesJob({ policies: POLICIES, catchUpMs: 60 * 60_000 });
    clock.jump(35 * 60_000);
    await manager.apply([job]);
    const starts = (await manager.runOnce())[0]!.windows.map(
      ({ window }) => (window.startMs - START_MS) / 60_000,
    );
    t.same(starts, [30, 15, 0], 'the newest first');
    t.equal(await sampling.number('SELECT count() FROM sampler_windows FINAL WHERE groups = 0'), 8);
    t.same((await manager.runOnce())[0]?.windows, []);
    await manager.apply([{ ...job, windowMs: 60_000 }]);
    const shorter = (await manager.runOnce())[0]!.windows.filter(({ window }) => window.lengthMs === 60_000);
    t.ok(
      shorter.every(({ chosen }) => chosen === 0),
      'what was decided is not decided again in windows of another length',
    );
    await sampling.addExemplars(exemplarsOf([50], 41 * 60_000));
    clock.jump(28 * 24 * 60 * 60_000);
    await manager.apply([{ ...job, catchUpMs: 0 }]);
    t.same(
      (await manager.runOnce())[0]!.windows.map(({ chosen }) => chosen),
      [0],
      'no further back than is asked for',
    );
  },
);

t.test('an archive that goes away at any statement', skipWithoutChdb(), async (t) => {
  const directory = await temporaryDirectory(t);
  const real = openChdb(directory);
  t.teardown(() => real.close());
  const failing = new FailingDatabase(real);
  const sampling = await samplingOver(t, failing);
  const { database } = sampling;
  await database.command(OTEL_TRACES);
  await sampling.addExemplars(exemplarsOf([1, 2, 3]));
  await sampling.addTraces([1, 2, 3].map(id));
  // Of the statements of a run, the first, then the second, …, is not answered, and none after it.
  let statements = 0;
  let failsAt = 0;
  const guarded = new Proxy(failing, {
    get(target, name) {
      if (name === 'query' || name === 'command' || name === 'insert')
        failing.isDown = ++statements >= failsAt;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const manager = sampling.another({
    archive: () => ({ database: guarded, placement: PLACEMENT, createSchema: true }),
  });
  await manager.apply([tracesJob({ policies: POLICIES })]);
  let done = false;
  for (failsAt = 1; !done && failsAt < 60; failsAt++) {
    statements = 0;
    const [report] = await manager.runOnce('j');
    done = report!.errors.length === 0 && statements < failsAt && report!.windows.length === 0;
  }
  failing.isDown = false;
  t.ok(done && failsAt > 10, `${failsAt} statements`);
  t.equal(await keptSpans(sampling), 6, 'all is there');
  t.equal(await sampling.number('SELECT count() FROM trace_keep'), 3, 'and once');
});

t.test('two samplers at once do as one', skipWithoutChdb(), async (t) => {
  const sampling = await openSampling(t);
  const { manager, database } = sampling;
  await database.command(OTEL_TRACES);
  const numbers = Array.from({ length: 50 }, (_, i) => i + 1);
  await sampling.addExemplars([
    ...exemplarsOf(numbers),
    ...numbers.map((n) => ({ labels: { path: `/${n}` }, traceId: id(n + 100) })),
  ]);
  await sampling.addTraces([...numbers, ...numbers.map((n) => n + 100)].map(id));
  const second = sampling.another();
  const job = tracesJob({ policies: POLICIES });
  await Promise.all([manager.apply([job]), second.apply([job])]);
  await Promise.all([manager.runOnce(), second.runOnce()]);
  t.equal(await sampling.number('SELECT count() FROM trace_keep FINAL'), 50);
  t.equal(await sampling.number('SELECT count() FROM otel_traces_kept FINAL'), 100);
});

t.test(
  'spans in another database: decisions go there, and the copy is made there',
  skipWithoutChdb(),
  async (t) => {
    const sampling = await openSampling(t);
    const { database } = sampling;
    await database.command(OTEL_TRACES);
    // The same engine under another name: what is asked of it is what is asked of a server.
    const elsewhere = new FailingDatabase(database);
    const manager = sampling.another({ openServer: () => elsewhere });
    const server = {
      urls: ['http://h'],
      user: '',
      password: { text: '' },
      tls: {} as never,
      database: 'd',
      cluster: undefined,
    };
    await sampling.addExemplars(exemplarsOf([1]));
    await sampling.addTraces([id(1)]);
    await manager.apply([tracesJob({ policies: POLICIES, traces: { ...tracesJob().traces!, server } })]);
    elsewhere.isDown = true;
    t.match((await manager.runOnce())[0]?.errors, [/^traces: /]);
    elsewhere.isDown = false;
    t.match(await manager.runOnce(), [{ errors: [], windows: [{ spans: 2 }] }]);
    t.equal(
      await sampling.number("SELECT count() FROM exemplard_schema WHERE component = 'sampler decisions'"),
      1,
    );
  },
);

t.test('a dry run writes nothing; policies are compared', skipWithoutChdb(), async (t) => {
  const sampling = await openSampling(t);
  const { manager, database } = sampling;
  await database.command(OTEL_TRACES);
  await sampling.addExemplars([
    ...exemplarsOf([1, 2, 3]),
    { labels: { path: '/4', status: '503' }, traceId: id(4) },
    { labels: { path: '/dead' }, traceId: id(5) },
  ]);
  await sampling.addTraces([1, 2, 3, 4].map(id));
  const errors = policy('errors', { share: 0.5, selectors: [[{ type: '=', name: 'status', value: '503' }]] });
  await manager.apply([
    tracesJob({ dryRun: true, policies: [errors, policy('representative', { share: 0.5 })] }),
  ]);
  t.match(await manager.runOnce(), [
    {
      errors: [],
      windows: [{ groups: 5, covered: 4, chosen: 5, missing: 1, byPolicy: { errors: 1, representative: 4 } }],
    },
  ]);
  t.match(await manager.preview(60 * 60_000, { compare: true }), [
    {
      job: 'j',
      figures: [
        { policies: ['errors', 'representative'], windows: 1, groups: 5, covered: 4, chosen: 5, missing: 1 },
        { policies: ['errors'], covered: 1, chosen: 1, missing: 0 },
        { policies: ['representative'], covered: 4, chosen: 5 },
      ],
    },
  ]);
  const tables = await sampling.rows<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND name IN ('trace_keep', 'sampler_windows', 'otel_traces_kept')",
  );
  t.same(tables, [], 'not even tables');
  await t.rejects(manager.runOnce('other'), /there is no sampling job "other"/);
});
