import t from 'tap';
import type { ScrapeJobOptions } from '../../src/scrape/options.js';
import { findTargets, groupOf } from '../support/scrape-target.js';
import { createManager, job, nextScrape, nextTick } from '../support/scraping.js';
import { body, type ServedTarget, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

const TEXT = 'm 1 # {a="b"} 1\n# EOF\n';

t.test('scrapes come at the interval, at the place of the target in it', async (t) => {
  const target = await serveTarget(body(TEXT));
  t.teardown(() => target.close());
  const parts = createManager(t);
  await parts.manager.apply([job(target)]);
  t.match(parts.loops()[0]?.status, { health: 'unknown', lastScrapeMs: Number.NaN });
  t.equal(target.requests.length, 0, 'not before its time');
  const timesMs: number[] = [];
  for (let i = 0; i < 3; i++) {
    await nextScrape(parts);
    timesMs.push(parts.loops()[0]!.status.lastScrapeMs);
  }
  const [found] = findTargets(job(target), [groupOf([target.address])]).targets;
  t.same(
    timesMs.map((timeMs) => timeMs % 10_000),
    Array(3).fill(Math.floor(found!.phase * 10_000)),
  );
  t.same([timesMs[1]! - timesMs[0]!, timesMs[2]! - timesMs[1]!], [10_000, 10_000]);
  t.match(parts.loops()[0]?.status, { health: 'up', lastError: '' });
  t.same(
    parts.sink.rows.map((row) => row.timestampMs),
    timesMs.slice(0, 1),
    'the time of the scrape stands in, and what does not change comes once',
  );
});

t.test('never two scrapes of a target at once; a slow one skips ticks', async (t) => {
  const waiting: (() => void)[] = [];
  const target = await serveTarget((response, request) => waiting.push(() => body(TEXT)(response, request)));
  t.teardown(() => target.close());
  const parts = createManager(t);
  await parts.manager.apply([job(target, { timeoutMs: 10_000 })]);
  await nextTick(parts.clock);
  await until(() => target.requests.length === 1, 'the first request');
  await parts.clock.advance(9_999);
  t.equal(target.requests.length, 1, 'none while one is under way');
  waiting.shift()?.();
  await until(() => parts.loops()[0]?.status.health === 'up', 'its end');
  await until(() => parts.clock.waitingMs.length > 0, 'the loop to wait again');
  await parts.clock.advance(10_000);
  await until(() => target.requests.length === 2, 'the next request');
  t.equal(target.requests.length, 2, 'what was missed is not made up for');
});

t.test('the timeout ends a scrape that hangs, and the next one works', async (t) => {
  const target = await serveTarget(() => {});
  t.teardown(() => target.close());
  const parts = createManager(t);
  await parts.manager.apply([job(target)]);
  await nextTick(parts.clock);
  await until(() => target.requests.length === 1, 'the request');
  await parts.clock.advance(5_000);
  await until(() => parts.loops()[0]?.status.health === 'down', 'the timeout');
  t.match(parts.loops()[0]?.status.lastError, /scrape timeout of 5s/);
  target.answer = body(TEXT);
  await nextScrape(parts);
  t.equal(parts.loops()[0]?.status.health, 'up');
  t.same(
    parts.logged.map((line) => line.replace(/ {.*/, '')),
    ['scrape failed; logged again only after it has worked', 'target is up again'],
  );
});

t.test('what makes a target down, and by which reason it is counted', async (t) => {
  const target = await serveTarget();
  t.teardown(() => target.close());
  const plain = { 'content-type': 'text/plain' };
  const cases: [
    string,
    ServedTarget['answer'],
    health: string,
    reason: string,
    Partial<ScrapeJobOptions>?,
  ][] = [
    ['openmetrics', body(TEXT), 'up', ''],
    ['classic text has no exemplars', body('a 1\n', plain), 'up', ''],
    ['no EOF', body('a 1\n'), 'down', 'exposition'],
    ['no type', (r) => r.writeHead(200).end(TEXT), 'down', 'content_type'],
    ['no type, but no body either', (r) => r.writeHead(200).end(), 'up', ''],
    ['another type', body(TEXT, { 'content-type': 'text/html' }), 'down', 'content_type'],
    [
      'another type, with a fallback',
      body(TEXT, { 'content-type': 'text/html' }),
      'up',
      '',
      { fallbackScrapeProtocol: 'OpenMetricsText1.0.0' },
    ],
    ['protobuf', body('', { 'content-type': 'application/vnd.google.protobuf' }), 'up', ''],
    ['protobuf', body('x', { 'content-type': 'application/vnd.google.protobuf' }), 'down', 'exposition'],
    ['status', (r) => r.writeHead(503).end(), 'down', 'status'],
    ['size', body(TEXT), 'down', 'body_size', { bodySizeLimitBytes: 5 }],
    ['samples', body('a 1\nb 1\n# EOF\n'), 'down', 'exposition', { sampleLimit: 1 }],
    ['labels', body('a{x="1"} 1 # {a="b"} 1\n# EOF\n'), 'down', 'exposition', { labelLimit: 1 }],
  ];
  for (const [name, answer, health, reason, options] of cases) {
    target.answer = answer;
    const parts = createManager(t);
    await parts.manager.apply([job(target, options)]);
    await nextScrape(parts);
    const { status } = parts.loops()[0]!;
    t.equal(status.health, health, `${name}: ${status.lastError}`);
    t.equal(status.lastError === '', health === 'up', name);
    const metrics = await parts.registry.metrics();
    t.equal(/failures_total{job="j",reason="(.*)"} 1/.exec(metrics)?.[1] ?? '', reason, name);
    await parts.manager.stop();
  }
});

t.test('a stop ends what hangs, and nothing comes after it', async (t) => {
  const target = await serveTarget(() => {});
  t.teardown(() => target.close());
  const parts = createManager(t);
  await parts.manager.apply([job(target)]);
  await nextTick(parts.clock);
  await until(() => target.inFlight() === 1, 'the request');
  await parts.manager.stop();
  await until(() => target.inFlight() === 0, 'its end');
  t.same(parts.clock.waitingMs, []);
  await parts.clock.advance(60_000);
  t.equal(target.requests.length, 1);
  t.same(parts.loops(), []);
});

t.test('a reload leaves jobs that did not change as they are', async (t) => {
  const [one, two] = [await serveTarget(body(TEXT)), await serveTarget(body(TEXT))];
  t.teardown(() => Promise.all([one.close(), two.close()]));
  const { manager, loops, clock } = createManager(t);
  const jobs = (options: Partial<ScrapeJobOptions> = {}) => [
    job(one, { jobName: 'one' }),
    job(two, { jobName: 'two', ...options }),
  ];
  await manager.apply(jobs());
  const before = loops();
  await manager.apply(jobs());
  t.ok(loops()[0] === before[0] && loops()[1] === before[1], 'the very loops');
  await manager.apply(jobs({ intervalMs: 20_000 }));
  t.ok(loops()[0] === before[0] && loops()[1] !== before[1], 'only the changed job began anew');
  t.equal(clock.waitingMs.length, 2);
  await manager.apply([jobs()[0]!]);
  t.ok(loops().length === 1 && loops()[0] === before[0]);
  await Promise.all([manager.apply([]), manager.apply(jobs()), manager.apply([jobs()[1]!])]);
  t.same(
    loops().map((loop) => loop.target.url),
    [two.url.href],
    'the last of several at once decides',
  );
});

t.test('a change of wall time neither stops a loop nor makes it run wild', async (t) => {
  const target = await serveTarget(body(TEXT));
  t.teardown(() => target.close());
  const parts = createManager(t);
  await parts.manager.apply([job(target)]);
  await nextScrape(parts);
  for (const byMs of [-3_600_000, 3_600_000]) {
    parts.clock.jump(byMs);
    const before = target.requests.length;
    for (let i = 0; i < 3; i++) await nextScrape(parts);
    t.equal(target.requests.length, before + 3);
    t.ok(
      parts.clock.waitingMs.every((ms) => ms > 0 && ms <= 10_000),
      parts.clock.waitingMs.join(),
    );
  }
});

t.test('series end when a scrape fails, and when their target leaves the configuration', async (t) => {
  const [one, two] = [await serveTarget(body(TEXT)), await serveTarget(body(TEXT.replace('m', 'n')))];
  t.teardown(() => Promise.all([one.close(), two.close()]));
  const parts = createManager(t);
  const { sink, manager } = parts;
  const ended = () => sink.stale.splice(0).map((series) => /__name__="(.)"/.exec(series)?.[1]);
  await manager.apply([job(one)]);
  await nextScrape(parts);
  one.answer = (response) => response.writeHead(503).end();
  await nextScrape(parts);
  t.same(ended(), ['m']);
  await nextScrape(parts);
  t.same(ended(), [], 'told once');
  one.answer = body(TEXT.replace('"b"', '"c"'));
  await nextScrape(parts);
  await manager.apply([job(one, { timeoutMs: 4_000 })]);
  t.same(ended(), [], 'a job that changed still has its target');
  one.answer = body(TEXT.replace('"b"', '"d"'));
  await nextScrape(parts);
  await manager.apply([job(two)]);
  t.same(ended(), ['m'], 'another target in its place');
  await nextScrape(parts);
  await manager.apply([]);
  t.same(ended(), ['n']);
  await manager.apply([job(two)]);
  two.answer = body(TEXT.replace('m', 'n').replace('"b"', '"e"'));
  await nextScrape(parts);
  await manager.stop();
  t.same(ended(), [], 'not when the process ends');
});

t.test('an empty body, and classic text, end what they do not show', async (t) => {
  const target = await serveTarget(body(TEXT));
  t.teardown(() => target.close());
  const parts = createManager(t);
  await parts.manager.apply([job(target, { intervalMs: 60_000 })]);
  await nextScrape(parts);
  target.answer = body('m 1\n', { 'content-type': 'text/plain' });
  await nextScrape(parts);
  t.equal(parts.sink.stale.length, 0);
  target.answer = (response) => response.writeHead(200).end();
  await nextScrape(parts);
  t.equal(parts.sink.stale.length, 1);
});

t.test('the doctor looks at a target when there is reason to, and seldom', async (t) => {
  const target = await serveTarget(body('m_total 1\n', { 'content-type': 'text/plain' }));
  t.teardown(() => target.close());
  const parts = createManager(t);
  await parts.manager.apply([job(target)]);
  const codes = () => parts.loops()[0]!.findings.map(({ code }) => code);
  t.same(codes(), []);
  await nextScrape(parts);
  t.same(codes(), ['text_format_only']);
  target.answer = body('# TYPE m counter\nm_total 1\n# EOF\n');
  await nextScrape(parts);
  t.same(codes(), ['no_exemplars']);
  const id = '0af7651916cd43dd8448eb211c80319c';
  const now = () => (parts.clock.nowMs() / 1000).toFixed(3);
  target.answer = (...args) =>
    body(`# TYPE m counter\nm_total 1 # {trace_id="${id}"} 1 ${now()}\n# EOF\n`)(...args);
  await nextScrape(parts);
  t.same(codes(), []);
  target.answer = (...args) =>
    body(`# TYPE m counter\nm_total 1 # {traceid="${id}"} 1 ${now()}\n# EOF\n`)(...args);
  await nextScrape(parts);
  t.same(codes(), [], 'not again for so little');
  target.answer = body('nonsense');
  await nextScrape(parts);
  t.not(codes().length, 0);
  t.equal(parts.loops()[0]!.status.health, 'down');
});
