/** What a sampler says while somebody is away: in metrics, in the log, over HTTP. */
import t from 'tap';
import { samplingRoutes } from '../../src/http/sampling.js';
import { createServer } from '../../src/http/server.js';
import { temporaryDirectory } from '../support/build.js';
import { FailingDatabase, openChdb, skipWithoutChdb } from '../support/chdb.js';
import {
  id,
  OTEL_TRACES,
  PLACEMENT,
  policy,
  type Sampling,
  samplingOver,
  tracesJob,
  WINDOW_MS,
} from '../support/sampling.js';
import { until } from '../support/until.js';

const POLICIES = [policy('representative')];
/** Keeps its lines. */
function recordingLog() {
  const lines: { level: string; message: string; [field: string]: unknown }[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ ...fields, level, message });
  };
  return {
    log: { debug() {}, info: at('info'), warn: at('warn'), error: at('error') },
    lines,
    of: (text: RegExp) => lines.filter(({ message }) => text.test(message)),
  };
}

async function openApi(
  t: { teardown(close: () => Promise<void>): unknown },
  { manager, clock }: Sampling,
  sampling = manager,
) {
  const server = await createServer();
  const parts = { sampling, enableLifecycle: true, clock };
  await server.register(async (api) => samplingRoutes(api, parts), { prefix: '/api/v1' });
  t.teardown(() => server.close());
  const ask = async (method: 'GET' | 'POST', path: string) => {
    const { statusCode, body } = await server.inject({ method, url: `/api/v1/${path}` });
    return { httpStatus: statusCode, ...JSON.parse(body) };
  };
  return { get: (path: string) => ask('GET', path), post: (path: string) => ask('POST', path) };
}

const LAG = 'exemplard_sampler_lag_seconds{job="j"}';
const PENDING = 'exemplard_sampler_pending_windows{job="j"}';

async function openFailing(
  t: Parameters<typeof samplingOver>[0],
  parts: Parameters<typeof samplingOver>[2] = {},
) {
  const real = openChdb(await temporaryDirectory(t as never));
  t.teardown(() => real.close());
  const failing = new FailingDatabase(real);
  return { failing, sampling: await samplingOver(t, failing, parts) };
}

t.test('lag and pending windows rise while the archive is away', skipWithoutChdb(), async (t) => {
  const { failing, sampling } = await openFailing(t);
  const { manager, clock, database, metric } = sampling;
  await database.command(OTEL_TRACES);
  await sampling.addExemplars([{ labels: { path: '/a' }, traceId: id(1) }]);
  await sampling.addTraces([id(1)]);
  const job = tracesJob({ policies: POLICIES, catchUpMs: 60 * 60_000 });
  await manager.apply([job]);
  await manager.runOnce();
  t.same([await metric(LAG), await metric(PENDING)], [60, 0]);
  failing.isDown = true;
  clock.jump(2 * WINDOW_MS);
  t.same([await metric(LAG), await metric(PENDING)], [660, 2], 'before anybody has tried');
  await manager.runOnce();
  t.same([await metric(LAG), await metric(PENDING)], [660, 2]);
  await manager.apply([{ ...job, jitterMs: 1 }]);
  clock.jump(WINDOW_MS);
  t.equal(await metric(LAG), 960, 'other options change nothing in it');
  clock.jump(3 * 60 * 60_000);
  t.equal(await metric(PENDING), 11, 'no more than are made up for');
  failing.isDown = false;
  await manager.runOnce();
  t.same([await metric(LAG), await metric(PENDING)], [60, 0]);
  await database.command('DROP TABLE otel_traces');
  clock.jump(WINDOW_MS);
  await manager.runOnce();
  t.same([await metric(LAG), await metric(PENDING)], [360, 1], 'the same where traces are away');
});

t.test('a job that could never do anything', skipWithoutChdb(), async (t) => {
  const { failing, sampling } = await openFailing(t);
  const { manager, clock, metric } = sampling;
  failing.isDown = true;
  await manager.apply([tracesJob({ policies: POLICIES, catchUpMs: 60 * 60_000 })]);
  clock.jump(2 * WINDOW_MS);
  await manager.runOnce();
  t.same([await metric(LAG), await metric(PENDING)], [600, 2], 'counted from its start');
});

t.test('what fails is said at once, once a minute, and when it is over', skipWithoutChdb(), async (t) => {
  const { log, of } = recordingLog();
  const { failing, sampling } = await openFailing(t, { log });
  const { manager, clock, database } = sampling;
  await database.command(OTEL_TRACES);
  await manager.apply([tracesJob({ policies: POLICIES })]);
  failing.isDown = true;
  for (let tick = 0; tick < 12; tick++) {
    await manager.runOnce();
    await clock.advance(10_000);
  }
  t.match(of(/^sampling failed/), [{ job: 'j', error: 'connection refused' }, {}]);
  t.equal(of(/^sampling failed/).length, 2);
  failing.isDown = false;
  await manager.runOnce();
  await manager.runOnce();
  t.match(of(/^sampling works again/), [{ job: 'j', level: 'info', seconds: 120 }]);
  t.equal(of(/^sampling works again/).length, 1);
  failing.isDown = true;
  await manager.runOnce();
  t.equal(of(/^sampling failed/).length, 3, 'anew');
});

t.test('a dry run looks at each window once', skipWithoutChdb(), async (t) => {
  const { log, of } = recordingLog();
  const { sampling } = await openFailing(t, { log });
  const { manager, clock, database, metric } = sampling;
  await database.command(OTEL_TRACES);
  await sampling.addExemplars([
    { labels: { path: '/a' }, traceId: id(1) },
    { labels: { path: '/a' }, traceId: id(2), atMs: WINDOW_MS },
  ]);
  await sampling.addTraces([id(1)]);
  await manager.apply([tracesJob({ policies: POLICIES, dryRun: true, catchUpMs: 60 * 60_000 })]);
  for (let tick = 0; tick < 3; tick++) await manager.runOnce();
  t.equal(of(/^dry run$/).length, 1);
  t.equal(await metric('exemplard_sampler_windows_total{job="j"}'), 1);
  t.same([await metric(LAG), await metric(PENDING)], [60, 0]);
  clock.jump(WINDOW_MS);
  t.equal(await metric(PENDING), 1);
  for (let tick = 0; tick < 3; tick++) await manager.runOnce();
  t.equal(of(/^dry run$/).length, 2);
  t.equal(await metric('exemplard_sampler_traces_chosen_total{job="j"}'), 2);
});

t.test('pinned traces where the tables of one job are broken', skipWithoutChdb(), async (t) => {
  const { log, of } = recordingLog();
  const { sampling } = await openFailing(t, { log });
  const { manager, database, metric, clock } = sampling;
  await database.command(OTEL_TRACES);
  await sampling.addTraces([id(1)]);
  const broken = { ...tracesJob().traces!, source: 'missing' };
  await manager.apply([
    tracesJob({ policies: POLICIES }),
    tracesJob({ policies: POLICIES, jobName: 'broken', traces: broken }),
    tracesJob({ policies: POLICIES, jobName: 'also', traces: broken }),
  ]);
  await manager.pin(id(1), '');
  clock.jump(60_000);
  for (let tick = 0; tick < 3; tick++) await manager.runOnce();
  t.match(of(/^pinned traces were not copied/), [
    { tables: 'missing → otel_traces_kept', jobs: 'broken, also', error: /no table missing/ },
  ]);
  t.equal(of(/^pinned traces were not copied/).length, 1);
  t.equal(await sampling.number('SELECT count() FROM otel_traces_kept'), 2);
  const FAILED = 'exemplard_sampler_failures_total{job="pinned",reason="traces"}';
  t.notOk(await metric(FAILED), 'pins were copied');
  await database.command('DROP TABLE otel_traces');
  await manager.pin(id(2), '');
  clock.jump(60_000);
  await manager.runOnce();
  t.equal(await metric(FAILED), 1, 'nobody has copied them');
});

t.test('over HTTP', skipWithoutChdb(), async (t) => {
  const { failing, sampling } = await openFailing(t);
  const { manager, database, clock } = sampling;
  const { get, post } = await openApi(t, sampling);
  await database.command(OTEL_TRACES);
  await sampling.addExemplars([{ labels: { path: '/a' }, traceId: id(1) }]);
  const broken = { ...tracesJob().traces!, source: 'missing' };
  await manager.apply([
    tracesJob({ policies: POLICIES }),
    tracesJob({ policies: POLICIES, jobName: 'broken', traces: broken }),
  ]);
  t.match(await post('sampling/run'), {
    httpStatus: 200,
    data: [{ errors: [] }, { errors: [/no table missing/] }],
    warnings: [/^broken: traces: .*no table missing$/],
  });
  t.match(await post('sampling/run?job=broken'), { httpStatus: 500, error: /^broken: traces: / });
  failing.isDown = true;
  t.match(await post('sampling/run'), { httpStatus: 500, error: /^j: traces: connection refused; broken: / });
  failing.isDown = false;

  // Somebody who takes a question, and never answers.
  const silent = new Proxy(failing, {
    get(target, name) {
      if (name !== 'query') return Reflect.get(target, name);
      return async function* () {
        await new Promise(() => {});
      };
    },
  });
  const waiting = sampling.another({
    archive: () => ({ database: silent, placement: PLACEMENT, createSchema: true }),
  });
  await waiting.apply([tracesJob({ policies: POLICIES })]);
  const api = await openApi(t, sampling, waiting);
  const asked = [
    api.get('sampling/decisions'),
    api.get('sampling/coverage'),
    api.get('sampling/preview'),
    api.post(`traces/${id(1)}/keep`),
  ];
  await until(() => clock.waitingMs.length >= 4, 'all questions');
  await clock.advance(10_000);
  for (const answer of asked)
    t.match(await answer, { httpStatus: 503, errorType: 'timeout', error: /not answered within 10 s/ });
  t.match(await get('sampling/decisions'), { httpStatus: 200 });
});
