/** Targets that come and go while a job runs. */
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import type { Discovery, OnGroups } from '../../src/discovery/discovery.js';
import type { DiscoveryOptions } from '../../src/discovery/options.js';
import { labelValue } from '../../src/model/labels.js';
import { DEFAULT_RELABEL_RULE, type RelabelRule } from '../../src/model/relabel.js';
import type { TargetGroup } from '../../src/model/target-group.js';
import { BodyBufferPool } from '../../src/scrape/body-buffer.js';
import { CheckUps } from '../../src/scrape/check-ups.js';
import { createConnector } from '../../src/scrape/connector.js';
import { ScrapeManager } from '../../src/scrape/manager.js';
import { ScrapeMetrics } from '../../src/scrape/metrics.js';
import { DEFAULT_SCRAPE_JOB, type ScrapeJobOptions } from '../../src/scrape/options.js';
import { createRegistry } from '../../src/telemetry/registry.js';
import { silentLog } from '../../src/util/log.js';
import { FakeClock } from '../support/fake-clock.js';
import { groupOf } from '../support/scrape-target.js';
import { RecordingSink } from '../support/scraped.js';
import { body, type ServedTarget, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

/** A mechanism whose findings the test decides. */
class FakeDiscovery implements Discovery {
  onGroups: OnGroups | undefined;
  isStopped = false;

  start(onGroups: OnGroups): void {
    this.onGroups = onGroups;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
  }

  find(...groups: TargetGroup[]): void {
    this.onGroups!(groups);
  }
}

const mechanism = (url: string): DiscoveryOptions => ({
  type: 'http',
  url,
  shownUrl: url,
  refreshIntervalMs: 1,
  httpClient: DEFAULT_SCRAPE_JOB.httpClient,
});

const job = (options: Partial<ScrapeJobOptions> = {}): ScrapeJobOptions => ({
  ...DEFAULT_SCRAPE_JOB,
  jobName: 'j',
  intervalMs: 10_000,
  discovery: [mechanism('one')],
  ...options,
});

function setup() {
  const clock = new FakeClock();
  const sink = new RecordingSink();
  const registry = createRegistry();
  const logged: string[] = [];
  const note = (fields: object, message: string) => logged.push(`${message} ${JSON.stringify(fields)}`);
  const found = new Map<string, FakeDiscovery>();
  const forgotten: string[] = [];
  const manager = new ScrapeManager({
    clock,
    sink,
    userAgent: 'exemplard/test',
    log: { ...silentLog, error: note, warn: note },
    discover: (options) => {
      const discovery = new FakeDiscovery();
      found.set(options.type === 'http' ? options.url : options.type, discovery);
      return discovery;
    },
    forgetDiscovery: (jobName) => forgotten.push(jobName),
    buffers: new BodyBufferPool(),
    checkUps: new CheckUps(clock),
    connect: createConnector(),
    metrics: new ScrapeMetrics(registry, () => []),
  });
  t.teardown(() => manager.stop());
  const instances = async () => {
    await setImmediate();
    return [...manager.targets()].map(({ loop }) => labelValue(loop.target.labels, 'instance')).join(' ');
  };
  const discovery = (name: string) => found.get(name)!;
  return { clock, sink, registry, manager, logged, forgotten, instances, discovery };
}

const rule = (options: Partial<RelabelRule>): RelabelRule => ({ ...DEFAULT_RELABEL_RULE, ...options });

t.test('what is found is scraped: at once first, then no more often than every 5 s', async (t) => {
  const { manager, clock, forgotten, instances, discovery } = setup();
  await manager.apply([job()]);
  t.equal(await instances(), '');
  discovery('one').find(groupOf(['a:1', 'b:1']));
  t.equal(await instances(), 'a:1 b:1');
  for (let i = 0; i < 100; i++) discovery('one').find(groupOf([`c${i}:1`]));
  t.equal(await instances(), 'a:1 b:1');
  await clock.advance(5_000);
  t.equal(await instances(), 'c99:1');
  await clock.advance(60_000);
  discovery('one').find();
  t.equal(await instances(), '');
  await manager.stop();
  t.ok(discovery('one').isStopped);
  t.same(forgotten, ['j']);
  t.same(clock.waitingMs, [], 'nothing is left');
});

t.test('series of a target that is gone end', async (t) => {
  const parts = setup();
  const target = await serveTarget(body('m 1 # {a="b"} 1\n# EOF\n'));
  t.teardown(() => target.close());
  await parts.manager.apply([job()]);
  parts.discovery('one').find(groupOf([target.address]));
  await scraped(parts, target);
  parts.discovery('one').find();
  await parts.clock.advance(5_000);
  await until(() => parts.sink.stale.length > 0, 'the end of its series');
  t.match(parts.sink.stale, [/__name__="m"/]);
});

async function scraped({ clock, sink }: ReturnType<typeof setup>, target: ServedTarget): Promise<void> {
  const before = target.requests.length;
  await clock.advance(10_000);
  await until(() => target.requests.length > before && target.inFlight() === 0, 'a scrape');
  await until(() => sink.rows.length > 0, 'its rows');
  await until(() => clock.waitingMs.length > 0, 'the loop to wait');
}

t.test(
  'a reload keeps mechanisms, and targets of those it replaces until the new ones have spoken',
  async (t) => {
    const { manager, instances, discovery, clock } = setup();
    await manager.apply([job({ discovery: [mechanism('one'), mechanism('two')] })]);
    discovery('one').find(groupOf(['a:1']));
    discovery('two').find(groupOf(['b:1']));
    await clock.advance(5_000);
    t.equal(await instances(), 'a:1 b:1');
    const one = discovery('one');
    await manager.apply([job({ discovery: [mechanism('one'), mechanism('three')], timeoutMs: 5_000 })]);
    t.equal(discovery('one'), one, 'not started anew');
    t.notOk(one.isStopped);
    t.ok(discovery('two').isStopped);
    t.equal(await instances(), 'a:1 b:1', 'nothing is known of the third');
    t.ok([...manager.targets()].every(({ loop }) => loop.target.timeoutMs === 5_000));
    discovery('three').find(groupOf(['c:1']));
    await clock.advance(5_000);
    t.equal(await instances(), 'a:1 c:1');
  },
);

t.test('relabelling decides at every reload', async (t) => {
  const { manager, instances, discovery } = setup();
  const dropA = rule({ action: 'drop', sourceLabels: ['__address__'], regex: 'a:.*' });
  await manager.apply([job()]);
  discovery('one').find(groupOf(['a:1', 'b:1']));
  await manager.apply([job({ relabelRules: [dropA] })]);
  t.equal(await instances(), 'b:1');
  const [pool] = manager.pools;
  t.equal(pool!.droppedCount, 1);
  t.same(
    pool!.dropped.map((labels) => labelValue(labels, '__address__')),
    ['a:1'],
  );
  await manager.apply([job({ relabelRules: [{ ...dropA, regex: '.*' }], keepDroppedTargets: 1 })]);
  t.equal(await instances(), '');
  t.same([pool!.droppedCount, pool!.dropped.length], [2, 1]);
});

t.test('a target that cannot be one is named once, and costs only itself', async (t) => {
  const { manager, instances, discovery, logged, clock, registry } = setup();
  await manager.apply([job()]);
  for (let i = 0; i < 3; i++) {
    discovery('one').find(
      groupOf(['a:1', 'x/y', 'not a host']),
      groupOf(['b:1'], { __scrape_timeout__: '1y' }),
    );
    await clock.advance(5_000);
  }
  t.equal(await instances(), 'a:1');
  t.equal(logged.filter((line) => line.startsWith('target is not scraped')).length, 3, logged.join('\n'));
  t.match(await registry.metrics(), /exemplard_scrape_refused_targets_total\{job="j"\} 9/);
});

t.test('more targets than the limit: none is scraped, and each says why', async (t) => {
  const parts = setup();
  const target = await serveTarget();
  t.teardown(() => target.close());
  await parts.manager.apply([job({ targetLimit: 1 })]);
  parts.discovery('one').find(groupOf([target.address, 'b:1']));
  await parts.clock.advance(10_000);
  const statuses = () => [...parts.manager.targets()].map(({ loop }) => loop.status.lastError);
  const error = 'target_limit exceeded (number of targets: 2, limit: 1)';
  await until(() => statuses().every((each) => each === error), 'the error');
  t.equal(target.requests.length, 0);
  parts.discovery('one').find(groupOf([target.address]));
  await parts.clock.advance(5_000);
  while (target.requests.length === 0) await parts.clock.advance(1_000);
  await until(() => statuses().every((each) => each === ''), 'a scrape');
  t.ok(target.requests.length > 0);
});

t.test('interval and timeout of a target may be its own, and change', async (t) => {
  const { manager, discovery, clock } = setup();
  await manager.apply([job()]);
  const settings = async () => {
    await setImmediate();
    return [...manager.targets()].map(({ loop }) => [loop.target.intervalMs, loop.target.timeoutMs]);
  };
  discovery('one').find(groupOf(['a:1'], { __scrape_interval__: '1m', __scrape_timeout__: '20s' }));
  t.same(await settings(), [[60_000, 20_000]]);
  discovery('one').find(groupOf(['a:1'], { __scrape_interval__: '2m' }));
  await clock.advance(5_000);
  t.same(await settings(), [[120_000, 10_000]]);
});

t.test('exemplars in classic text are read where the job says so', async (t) => {
  const text = '# TYPE m counter\nm 1 1700000000123 # {a="b"} 1\nn 1 # {a="c"} 2 1700000001.5\n';
  for (const [textExemplars, expected] of [
    ['ignore', []],
    ['read', [1_700_000_000_123, 1_700_000_001_500]],
  ] as const) {
    const parts = setup();
    const target = await serveTarget(body(text, { 'content-type': 'text/plain; version=0.0.4' }));
    t.teardown(() => target.close());
    await parts.manager.apply([job({ textExemplars })]);
    parts.discovery('one').find(groupOf([target.address]));
    await parts.clock.advance(10_000);
    const statuses = () => [...parts.manager.targets()].map(({ loop }) => loop.status.health);
    await until(() => statuses()[0] === 'up', 'a scrape');
    t.same(
      parts.sink.rows.map(({ timestampMs }) => timestampMs),
      expected,
    );
    await parts.manager.stop();
  }
});

t.test('full validation follows Prometheus, whatever the format', async (t) => {
  const parts = setup();
  const target = await serveTarget();
  t.teardown(() => target.close());
  await parts.manager.apply([job({ exemplarValidation: 'full' })]);
  parts.discovery('one').find(groupOf([target.address]));
  const f = async (answer: ReturnType<typeof body>, expected: string) => {
    target.answer = answer;
    const before = target.requests.length;
    await until(() => parts.clock.waitingMs.length > 0, 'the loop to wait');
    await parts.clock.advance(10_000);
    await until(() => target.requests.length > before && target.inFlight() === 0, 'a scrape');
    const error = () => [...parts.manager.targets()][0]!.loop.status.lastError;
    await until(
      () => error() === expected || (expected !== '' && error().includes(expected)),
      `${expected}, not ${error()}`,
    );
    t.pass(expected);
  };
  await f(body('good_total 1 # {a="b"} 1\n# EOF\n'), '');
  await f(body('good_total 1 # {a="b"} 1\nbad  1\n# EOF\n'), 'line 2, column 4');
  await f(body('a{x="1",x="2"} 1\n# EOF\n'), 'line 1');
  await f(body('m 1 # {a="b"} 1\n', { 'content-type': 'text/plain' }), 'expected timestamp or new record');
  await f(body('m 1\n', { 'content-type': 'text/plain' }), '');
});
