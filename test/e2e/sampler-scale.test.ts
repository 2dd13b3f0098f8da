/**
 * The sampler over 200,000 traces with 2 million spans, of which exemplars name a half, in twelve windows and more than
 * 500 groups. Everything is made within the engine. Figures are printed.
 */
import t from 'tap';
import type { RunReport } from '../../src/sampler/job.js';
import { DEFAULT_TRACE_TABLES } from '../../src/sampler/options.js';
import { skipWithoutChdb } from '../support/chdb.js';
import {
  OTEL_TRACES,
  openSampling,
  policy,
  type Sampling,
  START_MS,
  tracesJob,
  WINDOW_MS,
} from '../support/sampling.js';

const TRACES = 200_000;
const SPANS_PER_TRACE = 10;
const WINDOWS = 12;
const HOUR_MS = WINDOWS * WINDOW_MS;
/** Groups in which only one of a hundred exemplars of a window has a trace. */
const MOSTLY_DEAD_GROUPS = 20;
const TRACES_PER_RUN = 2_000;

const TRACE_ID = (number: string) => `lower(hex(MD5(toString(${number}))))`;
/** Traces are spread evenly over the hour. */
const AT = (trace: string) =>
  `fromUnixTimestamp64Milli(toInt64(${START_MS} + intDiv(${trace} * ${HOUR_MS}, ${TRACES})), 'UTC')`;

/** @param late whether those of every tenth trace's last spans, which come late, or all others */
const insertSpans = (late: boolean) => `INSERT INTO otel_traces
  (Timestamp, TraceId, SpanId, SpanName, ServiceName, SpanAttributes, Duration, StatusCode)
SELECT ${AT('trace')} + toIntervalMillisecond(span), ${TRACE_ID('trace')}, lower(hex(sipHash64(number))),
  concat('op', toString(span)), concat('service', toString(trace % 7)), map('http.path', toString(trace % 50)), 1000000, ''
FROM (SELECT number, intDiv(number, ${SPANS_PER_TRACE}) AS trace, number % ${SPANS_PER_TRACE} AS span
      FROM numbers(${TRACES * SPANS_PER_TRACE}))
WHERE (trace % 10 = 0 AND span = ${SPANS_PER_TRACE - 1}) ${late ? '' : '= 0'}`;

/** The engine's memory is capped. */
const SMALL_BLOCKS = {
  max_block_size: 50_000,
  min_insert_block_size_rows: 100_000,
  max_insert_block_size: 100_000,
};

const COLUMNS = '(metric, fp, labels, ts, value, trace_id)';
const LABELS = `map('job', concat('service', toString(h % 50 % 7)), 'le', toString(h % 11),
  'method', ['DELETE', 'GET', 'POST', 'PUT'][1 + intDiv(h, 50) % 4], 'path', concat('/p', toString(h % 50)),
  'status', ['200', '200', '404', '503'][1 + intDiv(h, 200) % 4])`;

/** Of every second trace, in groups of path, method and status. */
const EXEMPLARS = `INSERT INTO exemplars ${COLUMNS}
SELECT 'http_request_duration_seconds_bucket', sipHash64(labels), ${LABELS} AS labels, ${AT('trace')}, (h % 1000) / 1000, ${TRACE_ID('trace')}
FROM (SELECT 2 * number AS trace, cityHash64(number) AS h FROM numbers(${TRACES / 2}))`;

/** A hundred exemplars in every window and group; of one of them there is a trace. And groups of which there is none. */
const MOSTLY_DEAD = `INSERT INTO exemplars ${COLUMNS}
SELECT 'http_request_duration_seconds_bucket', sipHash64(labels),
  map('job', 'dead', 'path', concat(if(grp < ${MOSTLY_DEAD_GROUPS}, '/mostly-dead/', '/dead/'), toString(grp))) AS labels,
  fromUnixTimestamp64Milli(toInt64(${START_MS} + win * ${WINDOW_MS} + i * 1000), 'UTC'), 1,
  if(i = 99 AND grp < ${MOSTLY_DEAD_GROUPS}, ${TRACE_ID(`intDiv(win * ${TRACES}, ${WINDOWS}) + 2 * grp + 501`)}, ${TRACE_ID("concat('dead', toString(number))")})
FROM (SELECT number, number % 100 AS i, intDiv(number, 100) % ${MOSTLY_DEAD_GROUPS + 5} AS grp, intDiv(number, 100 * ${MOSTLY_DEAD_GROUPS + 5}) AS win
      FROM numbers(${100 * (MOSTLY_DEAD_GROUPS + 5) * WINDOWS}))`;

/** Groups of each window, told apart in another way than the sampler does. */
const GROUP = `(intDiv(toUnixTimestamp64Milli(ts) - ${START_MS}, ${WINDOW_MS}), labels['job'], labels['path'], labels['method'], labels['status'])`;
const groupsWith = (table: string) =>
  `SELECT uniqExact(${GROUP}) FROM exemplars WHERE trace_id IN (SELECT TraceId FROM ${table})`;

async function timed<Result>(work: () => Promise<Result>): Promise<[Result, number]> {
  const startMs = performance.now();
  const result = await work();
  return [result, Math.round(performance.now() - startMs)];
}

const sum = (reports: readonly RunReport[], name: 'spans' | 'chosen' | 'covered' | 'missing' | 'groups') =>
  reports.flatMap(({ windows }) => windows).reduce((total, window) => total + window[name], 0);

async function fill(sampling: Sampling): Promise<number> {
  const { database } = sampling;
  await database.command(OTEL_TRACES);
  const [, fillMs] = await timed(async () => {
    for (const sql of [insertSpans(false), EXEMPLARS, MOSTLY_DEAD])
      await database.command(sql, { settings: SMALL_BLOCKS });
  });
  return fillMs;
}

t.test('200,000 traces', { ...skipWithoutChdb(), timeout: 240_000 }, async (t) => {
  const sampling = await openSampling(t);
  const { manager, clock, database } = sampling;
  t.comment(`filled in ${await fill(sampling)} ms`);
  const keptSpans = (table = 'otel_traces_kept') => sampling.number(`SELECT count() FROM ${table}`);
  clock.jump(HOUR_MS - WINDOW_MS);
  const policies = [
    policy('errors', { share: 0.3, selectors: [[{ type: '=~', name: 'status', value: '5..' }]] }),
    policy('slowest', { share: 0.2 }),
    policy('rare', { share: 0.1 }),
    policy('representative', { share: 0.4 }),
  ];
  const budget = { ...tracesJob().budget, tracesPerRun: TRACES_PER_RUN };
  // A little over what is to be covered: the newest window is always due, those before are made up for.
  const lateWindowMs = 2 * HOUR_MS;
  const job = tracesJob({ jobName: 'all', policies, budget, catchUpMs: HOUR_MS + WINDOW_MS, lateWindowMs });
  await manager.apply([job]);

  const [reports, runMs] = await timed(() => manager.runOnce('all'));
  t.same(reports[0]?.errors, []);
  t.equal(reports[0]?.windows.length, WINDOWS, 'all windows');
  const wanted = await sampling.number(groupsWith('otel_traces'));
  const [spans, traces] = [
    await keptSpans(),
    await sampling.number('SELECT uniqExact(TraceId) FROM otel_traces_kept'),
  ];
  t.ok(wanted >= WINDOWS * 500, `${wanted} groups of windows`);
  t.equal(
    await sampling.number(groupsWith('otel_traces_kept')),
    wanted,
    'each group with a trace that exists is covered',
  );
  t.equal(sum(reports, 'covered'), wanted, 'and said to be');
  t.equal(sum(reports, 'groups'), wanted + 5 * WINDOWS);
  t.equal(sum(reports, 'missing'), 5 * WINDOWS, 'one dead exemplar for each group without');
  t.equal(sum(reports, 'spans'), spans);
  t.ok(
    reports[0]!.windows.every(({ chosen }) => chosen <= TRACES_PER_RUN),
    'traces per run',
  );
  const sourceSpans = await sampling.number('SELECT count() FROM otel_traces');
  t.comment(
    `${wanted} groups covered by ${traces} traces with ${spans} of ${sourceSpans} spans (${((100 * spans) / sourceSpans).toFixed(1)} %); ` +
      `12 windows in ${runMs} ms, ${Math.round(runMs / WINDOWS)} ms a window`,
  );

  const decisions = await sampling.number('SELECT count() FROM trace_keep');
  await database.command('TRUNCATE TABLE sampler_windows');
  const [again, againMs] = await timed(() => manager.runOnce('all'));
  t.equal(again[0]?.windows.length, WINDOWS, 'all windows again, as after a loss of what was done');
  t.equal(await keptSpans(), spans, 'no span more');
  t.equal(await sampling.number('SELECT count() FROM trace_keep'), decisions, 'no decision more');
  t.comment(`again: ${againMs} ms, nothing added`);

  await database.command(insertSpans(true), { settings: SMALL_BLOCKS });
  const late = await sampling.number(
    `SELECT count() FROM otel_traces WHERE SpanName = 'op${SPANS_PER_TRACE - 1}' AND TraceId IN (SELECT TraceId FROM otel_traces_kept)
     AND SpanId NOT IN (SELECT SpanId FROM otel_traces_kept)`,
  );
  clock.jump(lateWindowMs);
  const [, lateMs] = await timed(() => manager.runOnce('all'));
  t.ok(late > 100);
  t.equal(await keptSpans(), spans + late, 'late spans, and no other');
  t.equal(
    await sampling.number(
      `SELECT count() FROM (SELECT TraceId, count() AS n FROM otel_traces_kept GROUP BY TraceId HAVING n != ${SPANS_PER_TRACE})`,
    ),
    0,
    'every kept trace is whole',
  );
  t.equal(await sampling.number('SELECT count() FROM otel_traces_kept FINAL'), spans + late, 'none twice');
  t.comment(`${late} late spans in ${lateMs} ms`);

  const tight = { ...budget, tracesPerRun: 100, spansPerDay: 5_000, serviceShare: 0.5 };
  const traceTables = { ...DEFAULT_TRACE_TABLES, kept: 'kept_tight' };
  clock.jump(-lateWindowMs);
  await manager.apply([{ ...job, jobName: 'tight', budget: tight, traces: traceTables }]);
  const [tightReports, tightMs] = await timed(() => manager.runOnce('tight'));
  const [tightSpans, tightTraces] = [await keptSpans('kept_tight'), sum(tightReports, 'chosen')];
  t.equal(tightTraces, WINDOWS * 100);
  t.ok(tightSpans <= 5_000 && tightSpans > 4_900, `${tightSpans} spans`);
  t.equal(
    (await sampling.number(
      "SELECT max(n) FROM (SELECT count() AS n FROM trace_keep FINAL WHERE job = 'tight' GROUP BY window_start, service)",
    )) <= 50,
    true,
    'no service has more than its share',
  );
  t.comment(
    `budget of 100 traces a window and 5,000 spans a day: ${tightTraces} traces, ${tightSpans} spans, ${tightMs} ms`,
  );
});
