/** What the engine answers for each policy, and for labels as they should not be. */
import t from 'tap';
import { DEFAULT_POLICIES, type SamplingJobOptions } from '../../src/sampler/options.js';
import { skipWithoutChdb } from '../support/chdb.js';
import {
  id,
  jobOptions,
  openSampling,
  policy,
  type Sampling,
  type TestExemplar,
} from '../support/sampling.js';

/** Traces with their reasons, of a job that had no other run, ordered by trace. */
async function decided(
  sampling: Sampling,
  exemplars: readonly TestExemplar[],
  options: Partial<SamplingJobOptions>,
) {
  const { manager, database } = sampling;
  for (const table of ['exemplars', 'trace_keep', 'sampler_windows'])
    await database.command(`TRUNCATE TABLE IF EXISTS ${table}`);
  await sampling.addExemplars(exemplars);
  await manager.apply([jobOptions(options)]);
  const [report] = await manager.runOnce('j');
  if (report === undefined || report.errors.length > 0) throw new Error(report?.errors.join());
  return sampling.manager.decisions({ decidedAtMs: 0 }, { limit: 1000 });
}

t.test('on the real engine', skipWithoutChdb(), async (t) => {
  const sampling = await openSampling(t);
  const names = async (exemplars: readonly TestExemplar[], options: Partial<SamplingJobOptions>) =>
    (await decided(sampling, exemplars, options))
      .map(({ traceId }) => Number.parseInt(traceId, 16))
      .sort((a, b) => a - b);

  await t.test('groups', async (t) => {
    const exemplars: TestExemplar[] = [
      { labels: { __name__: 'a_bucket', path: '/a', le: '1' }, traceId: id(1) },
      { labels: { __name__: 'a_bucket', path: '/a', le: '2' }, traceId: id(2) },
      { labels: { __name__: 'b_total', path: '/a' }, traceId: id(3) },
      { labels: { __name__: 'b_total', path: '/a', quantile: '0.5' }, traceId: id(4) },
      { labels: { __name__: 'b_total', path: '/b', method: 'GET' }, traceId: id(5) },
    ];
    const groups = async (groupBy: readonly string[] | undefined) => {
      const policies = [policy('representative')];
      const all = await decided(sampling, exemplars, { policies, groupBy });
      return all
        .map(({ groupLabels }) => groupLabels)
        .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
    };
    t.same(await groups(undefined), [{ method: 'GET', path: '/b' }, { path: '/a' }]);
    t.same(await groups(['path', '__name__']), [
      { path: '/a', __name__: 'a_bucket' },
      { path: '/a', __name__: 'b_total' },
      { path: '/b', __name__: 'b_total' },
    ]);
    t.same(await groups(['none']), [{}], 'one group');
    t.same(await groups([]), [{}]);
  });

  await t.test('policies', async (t) => {
    const exemplars: TestExemplar[] = Array.from({ length: 40 }, (_, i) => ({
      labels: { path: i < 38 ? '/often' : '/rare', status: i % 10 === 3 ? '503' : '200' },
      traceId: id(i + 1),
      value: i,
    }));
    const groupBy = ['path'];
    const only = (type: Parameters<typeof policy>[0], more = {}) =>
      names(exemplars, { groupBy, policies: [policy(type, more)] });
    t.same(await only('slowest'), [38, 40]);
    t.same(await only('slowest', { perGroup: 3 }), [36, 37, 38, 39, 40]);
    const status = [[{ type: '=~' as const, name: 'status', value: '5..' }]];
    t.same(await only('errors', { selectors: status, perGroup: 9 }), [4, 14, 24, 34]);
    const first = await only('representative');
    t.equal(first.length, 2);
    t.same(await only('representative'), first, 'the same again');
    const all = await names(exemplars, { groupBy, policies: [policy('probabilistic', { rate: 1 })] });
    const half = await names(exemplars, { groupBy, policies: [policy('probabilistic', { rate: 0.5 })] });
    t.equal(all.length, 40);
    t.ok(half.length > 8 && half.length < 32, `${half.length} of 40`);
    t.same(await names(exemplars, { groupBy, policies: [policy('rare')], budget: { ...jobOptions().budget, tracesPerRun: 1 } }).then(([n]) => n! >= 39), true); // biome-ignore format: one line
    const matched = [[{ type: '!=' as const, name: 'status', value: '200' }, { type: '!~' as const, name: 'path', value: '/r.*' }]]; // biome-ignore format: one line
    t.same(await names(exemplars, { groupBy, selectors: matched, policies: [policy('slowest')] }), [34]);
    t.same(
      await names(exemplars, { groupBy, selectors: [[{ type: '=', name: '__name__', value: 'other' }]] }),
      [],
    );
    t.match(
      (await decided(sampling, exemplars, { groupBy, serviceLabels: ['service', 'path'] }))
        .map(({ service }) => service)
        .sort(),
      ['/often', '/often', '/often', '/rare', '/rare'].slice(0, 1),
    );
  });

  await t.test('by default, what is counted is not taken for slow', async (t) => {
    const exemplars: TestExemplar[] = [
      {
        labels: { path: '/a', __name__: 'http_request_duration_seconds_bucket' },
        traceId: id(1),
        value: 0.2,
      },
      { labels: { path: '/a', __name__: 'http_requests_total' }, traceId: id(2), value: 1 },
      { labels: { path: '/a', __name__: 'http_response_size_bytes_bucket' }, traceId: id(3), value: 5000 },
    ];
    t.same(await names(exemplars, { policies: [DEFAULT_POLICIES[1]!] }), [1]);
  });

  await t.test('values that sort badly', async (t) => {
    const values = [Number.NaN, Number.POSITIVE_INFINITY, 5, Number.NEGATIVE_INFINITY];
    const exemplars = values.map((value, i) => ({ labels: { path: '/a' }, traceId: id(i + 1), value }));
    // JSON has no number for them; the archive writes them as words.
    const words = exemplars.map((each) => ({
      ...each,
      value: String(each.value).replace('Infinity', 'inf') as never,
    }));
    t.same(await names(words, { policies: [policy('slowest', { perGroup: 2 })] }), [2, 3]);
  });

  await t.test('hostile labels and ids come back as they are, and run nothing', async (t) => {
    const hostile = [
      `it's "quoted" \`so\` \\' \\`,
      'a\n\nDROP TABLE exemplars\n\n',
      '{"a":1}',
      '{v0:String}',
      'a\u0000b',
      '\ud800',
      '; SELECT 1 --',
      'é😀\t\r',
    ];
    const exemplars = hostile.map((text, i) => ({ labels: { path: text, [`bad ${text}`.toWellFormed()]: 'x' }, traceId: i === 0 ? `id${text}` : id(i) })); // biome-ignore format: one line
    const large = { labels: { path: 'x'.repeat(1_000_000) }, traceId: id(99) };
    const all = await decided(sampling, [...exemplars, large], {
      groupBy: ['path'],
      policies: [policy('representative')],
      selectors: [[{ type: '!=', name: "it's", value: "'); DROP TABLE exemplars --" }]],
    });
    t.equal(all.length, hostile.length + 1);
    for (const [i, text] of hostile.entries())
      t.ok(all.some(({ groupLabels, traceId }) => groupLabels.path === text.toWellFormed() && traceId === exemplars[i]!.traceId), JSON.stringify(text)); // biome-ignore format: one line
    t.equal(
      all.find(({ traceId }) => traceId === id(99))?.groupLabels.path?.length,
      257,
      'a long value is cut where it is shown',
    );
    t.equal(
      (await decided(sampling, exemplars, { policies: [policy('representative')] })).length,
      hostile.length,
    );
  });
});
