import t from 'tap';
import { formatLabels } from '../../src/model/labels.js';
import type { TargetGroup } from '../../src/model/target-group.js';
import type { ScrapeJobOptions } from '../../src/scrape/options.js';
import { findTargets, groupOf } from '../support/scrape-target.js';

const targets = (options: Partial<ScrapeJobOptions>, groups: readonly TargetGroup[]) =>
  findTargets(options, groups).targets;

/** One target of a job. */
const one = (options: Partial<ScrapeJobOptions>, labels: Record<string, string> = {}, address = 'h:1') =>
  targets(options, [groupOf([address], labels)])[0]!;

t.test('URLs', async (t) => {
  const f = (options: Partial<ScrapeJobOptions>, want: string, labels: Record<string, string> = {}) =>
    t.equal(one(options, labels).url, want);
  f({}, 'http://h:1/metrics');
  f({ scheme: 'https', metricsPath: '/a/b' }, 'https://h:1/a/b');
  f({ metricsPath: 'no/slash' }, 'http://h:1/no/slash');
  f({ params: { m: ['b', 'a'], a: ['x y&z'] } }, 'http://h:1/metrics?a=x+y%26z&m=b&m=a');
  f({ params: { 'ä[]': ["!'()*~"] } }, 'http://h:1/metrics?%C3%A4%5B%5D=%21%27%28%29%2A~');
  f({ params: { m: [] } }, 'http://h:1/metrics');
  f({ params: { m: ['a', 'b'] } }, 'http://h:1/metrics?m=c&m=b', { __param_m: 'c' });
  f({}, 'http://h:1/metrics?z=1', { __param_z: '1' });
  f({}, 'https://h:1/x', { __scheme__: 'https', __metrics_path__: '/x' });
});

t.test('URLs as they are shown', async (t) => {
  const options = { params: { module: ['m'], token: ['SECRET', 'SECRET'] } };
  const { url, shownUrl } = one(options, { __param_pwd: 'SECRET' });
  t.match(url, /SECRET.*SECRET.*SECRET/);
  t.equal(shownUrl, 'http://h:1/metrics?module=m&pwd=<secret>&token=<secret>&token=<secret>');
});

t.test('labels', async (t) => {
  const f = (labels: Record<string, string>, want: string) =>
    t.equal(formatLabels(one({}, labels).labels), want);
  f({}, '{instance="h:1", job="j"}');
  f({ job: 'other', instance: 'me', x: 'y' }, '{instance="me", job="other", x="y"}');
  f({ job: '', instance: '', x: '' }, '{instance="h:1", job="j"}');
  f({ __meta_a: 'b', __tmp: 'c' }, '{instance="h:1", job="j"}');
  f({ __address__: 'other:2' }, '{instance="h:1", job="j"}');
  t.equal(
    formatLabels(one({ intervalMs: 90_000, params: { m: ['a'] } }, { __meta_a: 'b' }).discoveredLabels),
    '{__address__="h:1", __always_scrape_classic_histograms__="false", __convert_classic_histograms_to_nhcb__="false", __meta_a="b", __metrics_path__="/metrics", __param_m="a", __scheme__="http", __scrape_interval__="1m30s", __scrape_native_histograms__="false", __scrape_timeout__="10s", job="j"}',
  );
});

t.test('the same target twice is scraped once', async (t) => {
  const found = targets({}, [
    groupOf(['a:1', 'b:1', 'a:1'], {}),
    groupOf(['a:1'], { x: 'y' }),
    groupOf(['a:1'], { __meta_file: 'z' }),
  ]);
  t.same(
    found.map((target) => formatLabels(target.labels)),
    ['{instance="a:1", job="j"}', '{instance="b:1", job="j"}', '{instance="a:1", job="j", x="y"}'],
  );
});

t.test('every target has its place in the interval, and the same one every time', async (t) => {
  const addresses = Array.from({ length: 1000 }, (_, i) => `h:${i}`);
  const phases = () => targets({}, [groupOf(addresses, {})]).map((target) => target.phase);
  t.same(phases(), phases());
  const tenths = new Map<number, number>();
  for (const phase of phases())
    tenths.set(Math.floor(phase * 10), (tenths.get(Math.floor(phase * 10)) ?? 0) + 1);
  t.same([...tenths.keys()].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for (const count of tenths.values()) t.ok(count > 60 && count < 140, `${count} in a tenth`);
});
