/** Decisions to others: over HTTP, as events, by a webhook; traces that somebody asks to keep; coverage. */
import { once } from 'node:events';
import { get as httpGet, type IncomingMessage } from 'node:http';
import t from 'tap';
import { type SamplingRouteParts, samplingRoutes } from '../../src/http/sampling.js';
import { createServer } from '../../src/http/server.js';
import { DEFAULT_HTTP_CLIENT } from '../../src/http-client/options.js';
import { skipWithoutChdb } from '../support/chdb.js';
import { serve } from '../support/http-servers.js';
import {
  id,
  OTEL_TRACES,
  openSampling,
  policy,
  type Sampling,
  START_MS,
  tracesJob,
  WINDOW_MS,
} from '../support/sampling.js';
import { until } from '../support/until.js';

const POLICIES = [policy('representative')];

async function openApi(
  t: { teardown(close: () => Promise<void>): unknown },
  sampling: Sampling,
  parts: Partial<SamplingRouteParts> = {},
) {
  const server = await createServer();
  await server.register(
    async (api) =>
      samplingRoutes(api, {
        sampling: sampling.manager,
        enableLifecycle: true,
        clock: sampling.clock,
        ...parts,
      }),
    { prefix: '/api/v1' },
  );
  // As the application does: readers of events are sent away first.
  t.teardown(async () => {
    await sampling.manager.stop();
    await server.close();
  });
  const ask = async (method: 'GET' | 'POST', path: string) => {
    const { statusCode, body } = await server.inject({ method, url: `/api/v1/${path}` });
    return { status: statusCode, ...JSON.parse(body) };
  };
  return { server, get: (path: string) => ask('GET', path), post: (path: string) => ask('POST', path) };
}

t.test('decisions, page by page', skipWithoutChdb(), async (t) => {
  const sampling = await openSampling(t);
  const { manager, database } = sampling;
  const { get, post } = await openApi(t, sampling);
  t.match(await get('sampling/decisions'), { status: 'success', data: [] });
  await database.command(OTEL_TRACES);
  await sampling.addExemplars(
    [1, 2, 3].map((n) => ({ labels: { job: 'shop', path: `/${n}` }, traceId: id(n), value: n })),
  );
  await sampling.addTraces([1, 2].map(id));
  await manager.apply([tracesJob({ policies: POLICIES })]);
  t.match(await post('sampling/run'), {
    data: [
      {
        job: 'j',
        windows: [{ start: START_MS / 1000, chosen: 3, byPolicy: { representative: 3 } }],
        errors: [],
      },
    ],
  });
  const { data } = await get('sampling/decisions');
  t.same(data.map(({ traceId }: { traceId: string }) => traceId).sort(), [1, 2, 3].map(id));
  t.match(
    data.find(({ traceId }: { traceId: string }) => traceId === id(2)),
    {
      job: 'j',
      reasons: ['representative'],
      rate: null,
      group: { job: 'shop', path: '/2' },
      groups: 1,
      service: 'shop',
      value: 2,
      time: START_MS / 1000 + 1,
      window: { start: START_MS / 1000, end: (START_MS + WINDOW_MS) / 1000 },
      found: true,
    },
  );
  const paged: unknown[] = [];
  for (let since = '0'; ; ) {
    const page = (await get(`sampling/decisions?limit=1&since=${since}`)).data;
    if (page.length === 0) break;
    paged.push(page[0]);
    since = page[0].cursor;
  }
  t.same(paged, data, 'one by one, by their cursors');
  t.same((await get('sampling/decisions?job=other')).data, []);
  t.match(await get('sampling/decisions?since=x'), { status: 'error', errorType: 'bad_data' });
  t.match(await get('sampling/decisions?limit=0'), { status: 'error' });

  t.match(await get('sampling/coverage?since=1h'), {
    data: [
      {
        job: 'j',
        windows: 1,
        groups: 3,
        covered: 2,
        coverage: 2 / 3,
        chosen: 3,
        missing: 1,
        spans: 4,
        lagSeconds: 60,
        worst: [
          { label: 'path', value: '/3', groups: 1, covered: 0 },
          { label: 'job', value: 'shop', groups: 3, covered: 2 },
        ],
        deadByService: [{ service: 'shop', chosen: 3, missing: 1 }],
      },
    ],
  });
  t.match(await get('sampling/coverage?job=other'), { status: 'error', errorType: 'not_found' });
  t.match(await get('sampling/preview?since=30m&compare=true'), {
    data: [{ job: 'j', figures: [{ groups: 3, covered: 2 }] }],
  });
  t.match(await get('sampling/preview?since=30d'), { status: 'error' });
});

t.test('traces that somebody asks to keep', skipWithoutChdb(), async (t) => {
  const sampling = await openSampling(t);
  const { manager, database, clock } = sampling;
  const { get, post } = await openApi(t, sampling);
  const closed = await openApi(t, sampling, { enableLifecycle: false });
  t.match(await closed.post(`traces/${id(1)}/keep`), { status: 'error', errorType: 'forbidden' });
  t.match(await closed.post('sampling/run'), { error: 'Lifecycle API is not enabled.' });
  await database.command(OTEL_TRACES);
  await sampling.addExemplars([{ labels: { path: '/a' }, traceId: id(0xabc) }]);
  await sampling.addTraces([id(0xabc), id(0xdef)]);
  await manager.apply([tracesJob({ policies: POLICIES, budget: { ...tracesJob().budget, spansPerDay: 1 } })]);
  const spellings = ['ABC', '00000000-0000-0000-0000-000000000abc', id(0xdef).toUpperCase()];
  for (const spelling of spellings)
    t.match(await post(`traces/${spelling}/keep?reason=for+the+postmortem`), { status: 'success' });
  for (const wrong of ['xyz', '0', `${id(1)}00`, "'%20OR%201"])
    t.match(await post(`traces/${wrong}/keep`), { status: 'error', errorType: 'bad_data' });
  await manager.runOnce();
  clock.jump(60_000);
  await manager.runOnce();
  t.same(
    await sampling.rows(
      'SELECT TraceId, count() AS n FROM otel_traces_kept GROUP BY TraceId ORDER BY TraceId',
    ),
    [
      { TraceId: id(0xabc), n: '2' },
      { TraceId: id(0xdef), n: '2' },
    ],
    'besides the budget; also one without an exemplar',
  );
  const pinned = (await get('sampling/decisions?job=pinned')).data;
  t.same(new Set(pinned.map(({ traceId }: { traceId: string }) => traceId)), new Set([id(0xabc), id(0xdef)]));
  t.match(pinned[0], { reasons: ['pinned'], note: 'for the postmortem', found: true });
  await sampling.addTraces([id(0xdef)], 0, ['late']);
  clock.jump(10 * 60_000);
  await manager.runOnce();
  t.equal(
    await sampling.number(`SELECT count() FROM otel_traces_kept WHERE TraceId = '${id(0xdef)}'`),
    3,
    'late spans, too',
  );
});

interface Events {
  readonly text: () => string;
  readonly response: IncomingMessage;
}

async function listen(url: string, headers: Record<string, string> = {}): Promise<Events> {
  const request = httpGet(url, { headers: { accept: 'text/event-stream', ...headers } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  response.on('error', () => {});
  return { text: () => text, response };
}

t.test('events', skipWithoutChdb(), async (t) => {
  const sampling = await openSampling(t);
  const { manager, clock } = sampling;
  const { server } = await openApi(t, sampling);
  const url = `${await server.listen({ host: '127.0.0.1', port: 0 })}/api/v1/sampling/decisions`;
  await sampling.addExemplars([
    { labels: { path: '/a' }, traceId: id(1) },
    { labels: { path: 'line\n\nbreak' }, traceId: id(2) },
    { labels: { path: '/a' }, traceId: id(3), atMs: WINDOW_MS },
  ]);
  await manager.apply([tracesJob({ policies: POLICIES, traces: undefined })]);
  const first = await listen(url);
  t.equal(first.response.headers['content-type'], 'text/event-stream');
  await until(() => first.text().includes(': still here'), 'a sign of life');
  await manager.runOnce();
  await until(() => first.text().split('event: decision').length === 3, 'two events');
  const events = [...first.text().matchAll(/id: (\S+)\nevent: decision\ndata: (.*)\n\n/g)];
  t.equal(events.length, 2);
  t.same(new Set(events.map(([, , data]) => JSON.parse(data!).traceId)), new Set([id(1), id(2)]));

  t.same(
    events.map(([, cursor, data]) => JSON.parse(data!).cursor === cursor),
    [true, true],
  );
  for (const wrong of ['x', '1', `1-${2n ** 64n}`])
    t.equal((await listen(url, { 'last-event-id': wrong })).response.statusCode, 400, wrong);

  const again = await listen(url, { 'last-event-id': events[0]![1]! });
  await until(() => again.text().includes('event: decision'), 'what came after that');
  t.ok(again.text().includes(`id: ${events[1]![1]}\n`) && !again.text().includes(`id: ${events[0]![1]}\n`));
  const fromStart = await listen(`${url}?since=0`);
  await until(() => fromStart.text().split('event: decision').length === 3, 'all');

  clock.jump(WINDOW_MS);
  await manager.runOnce();
  await until(
    () => [first, again, fromStart].every((each) => each.text().includes(id(3))),
    'the next for all',
  );
  again.response.destroy();
  const many = await Promise.all(Array.from({ length: 40 }, () => listen(url)));
  const statuses = many.map(({ response }) => response.statusCode);
  t.ok(statuses.filter((status) => status === 503).length >= 8, 'not more than there is room for');
  t.ok(statuses.filter((status) => status === 200).length >= 29);
  await manager.stop();
  await until(() => first.response.complete, 'the end');
});

t.test('webhook', skipWithoutChdb(), async (t) => {
  const sampling = await openSampling(t);
  const { manager, clock } = sampling;
  const statuses = [500, 200, 400];
  const receiver = await serve((_request, response) => {
    response.statusCode = statuses.shift() ?? 200;
    response.end('thank you');
  });
  t.teardown(() => receiver.close());
  const url = `http://127.0.0.1:${receiver.port}/hook`;
  const webhook = { url, shownUrl: url, timeoutMs: 5_000, retries: 1, httpClient: DEFAULT_HTTP_CLIENT };
  await sampling.addExemplars([
    { labels: { path: '/a' }, traceId: id(1) },
    { labels: { path: '/a' }, traceId: id(2), atMs: WINDOW_MS },
  ]);
  await manager.apply([tracesJob({ policies: POLICIES, traces: undefined, webhook })]);
  const running = manager.runOnce();
  await until(() => receiver.asked.length === 1, 'the first attempt');
  await until(() => clock.waitingMs.includes(1_000), 'the wait');
  await clock.advance(1_000);
  await running;
  t.equal(receiver.asked.length, 2);
  t.match(JSON.parse(receiver.asked[1]!.body), {
    job: 'j',
    window: { start: START_MS / 1000, end: (START_MS + WINDOW_MS) / 1000 },
    decisions: [{ traceId: id(1), reasons: ['representative'] }],
  });
  const { get } = await openApi(t, sampling);
  t.same(
    JSON.parse(receiver.asked[1]!.body).decisions,
    (await get('sampling/decisions?since=0')).data,
    'as everybody else sees them, cursors included',
  );
  clock.jump(WINDOW_MS);
  t.match(await manager.runOnce(), [{ errors: [] }], 'a webhook that refuses harms nobody');
  t.equal(receiver.asked.length, 3, 'what is refused is not tried again');
  t.equal(await sampling.metric('exemplard_sampler_failures_total{job="j",reason="webhook"}'), 1);
});
