import { hostname } from 'node:os';
import t from 'tap';
import type { ActiveTarget } from '../../src/http/targets.js';
import { createApi, get } from '../support/api.js';

const target: ActiveTarget = {
  discoveredLabels: ['__address__', 'localhost:80', 'job', 'shop'],
  labels: ['instance', 'localhost:80', 'job', 'shop'],
  scrapePool: 'shop',
  scrapeUrl: 'http://localhost:80/metrics',
  lastError: '',
  lastScrapeMs: 1_763_796_000_120,
  lastDurationMs: 12.5,
  health: 'up',
  scrapeInterval: '15s',
  scrapeTimeout: '1m30s',
  exemplarFindings: [{ code: 'no_exemplars' }],
};
const never: ActiveTarget = {
  ...target,
  scrapePool: 'bank',
  scrapeUrl: 'https://b.example/m?x=localhost',
  health: 'unknown',
  lastScrapeMs: Number.NaN,
  lastDurationMs: 0,
};

t.test('targets', async (t) => {
  const api = await createApi(undefined, {
    activeTargets: () => [target, never],
    scrapePools: () => [
      { name: 'shop', dropped: [['__address__', 'gone:80', 'job', 'shop']], droppedCount: 3 },
      { name: 'bank', dropped: [], droppedCount: 0 },
      { name: 'empty', dropped: [], droppedCount: 0 },
    ],
  });
  const data = async (parameters: string) => (await get(api, `/api/v1/targets?${parameters}`)).body.data;

  // As text, because the order of keys counts.
  t.equal(
    JSON.stringify((await data('scrapePool=shop')).activeTargets),
    JSON.stringify([
      {
        discoveredLabels: { __address__: 'localhost:80', job: 'shop' },
        labels: { instance: 'localhost:80', job: 'shop' },
        scrapePool: 'shop',
        scrapeUrl: 'http://localhost:80/metrics',
        globalUrl: `http://${hostname()}:80/metrics`,
        lastError: '',
        lastScrape: '2025-11-22T07:20:00.12Z',
        lastScrapeDuration: 0.0125,
        health: 'up',
        scrapeInterval: '15s',
        scrapeTimeout: '1m30s',
        exemplarFindings: [{ code: 'no_exemplars' }],
      },
    ]),
  );
  const neverScraped = { lastScrape: '0001-01-01T00:00:00Z', health: 'unknown', globalUrl: never.scrapeUrl };
  t.match(await data('scrapePool=bank'), { activeTargets: [neverScraped] });
  const pools = async (parameters: string) =>
    (await data(parameters)).activeTargets.map((each: ActiveTarget) => each.scrapePool).join();
  t.equal(await pools(''), 'bank,shop');
  t.equal(await pools('state=any'), 'bank,shop');
  t.equal(await pools('state=ACTIVE'), 'bank,shop');
  t.equal(await pools('state=dropped'), '');
  t.equal(await pools('state=other'), '');
  t.strictSame(await data('state=dropped'), {
    activeTargets: [],
    droppedTargets: [{ discoveredLabels: { __address__: 'gone:80', job: 'shop' }, scrapePool: 'shop' }],
    droppedTargetCounts: { bank: 0, empty: 0, shop: 3 },
  });
  t.strictSame((await data('state=dropped&scrapePool=bank')).droppedTargets, []);
  t.strictSame((await get(api, '/api/v1/scrape_pools')).body.data, {
    scrapePools: ['bank', 'empty', 'shop'],
  });
});

t.test('what may be a secret among discovered labels is masked', async (t) => {
  const discoveredLabels = [
    ...['__address__', 'http://u:SECRET@h/?token=SECRET', '__metrics_path__', '/m?api_key=SECRET'],
    ...['__param_module', 'shown', '__param_token', 'SECRET', 'token', 'shown'],
  ];
  const api = await createApi(undefined, {
    activeTargets: () => [{ ...target, discoveredLabels }],
    scrapePools: () => [{ name: 'shop', dropped: [discoveredLabels], droppedCount: 1 }],
  });
  const { data } = (await get(api, '/api/v1/targets')).body;
  for (const shown of [data.activeTargets[0], data.droppedTargets[0]])
    t.strictSame(shown.discoveredLabels, {
      __address__: 'http://u:<secret>@h/?token=<secret>',
      __metrics_path__: '/m?api_key=<secret>',
      __param_module: 'shown',
      __param_token: '<secret>',
      token: 'shown',
    });
});
