import t from 'tap';
import { formatDuration } from '../../src/page/format/time.js';
import { parseFragment } from '../../src/page/location.js';
import { exploreLink, groupingBelow, narrowed, selectorOf } from '../../src/page/retention/drill-down.js';
import { type RetentionState, readState, writeState } from '../../src/page/retention/retention-state.js';

const read = (text: string) => readState(new URLSearchParams(text));

t.test('everything survives the way through a URL', async (t) => {
  const state: RetentionState = {
    by: 'label:a&b',
    match: '{path="/x?y=1&z#"}',
    sort: { column: 'overwrites', isDescending: false },
    targetSeconds: 90_061,
    perSeries: 4096,
  };
  t.same(readState(writeState(state, formatDuration)), { state, problems: [] });
  t.equal(writeState(read('').state, formatDuration).toString(), '');
});

t.test('what means nothing is named, and left at its default', async (t) => {
  const { state } = read('');
  t.equal(state.by, 'job');
  const isNamed = (text: string) => t.same(read(text), { state, problems: text.split('&') });
  isNamed('sort=size&order=up&by=rack&target=soon&per_series=-1');
  isNamed('by=label:&per_series=1.5');
  // More than the configuration takes.
  isNamed('per_series=2147483648');
});

t.test('selectors', async (t) => {
  t.equal(selectorOf({}), '');
  t.equal(selectorOf({ job: 'a"b\\' }), '{job="a\\"b\\\\"}');
  t.equal(selectorOf({ 'my.label': 'x' }), '{"my.label"="x"}');
  t.equal(selectorOf({ job: '' }), '{job="", __name__!=""}');
  t.equal(narrowed('', { job: 'a' }), '{job="a"}');
  t.equal(narrowed('{job="a"}', { __name__: 'x_total' }), '{job="a", __name__="x_total"}');
  t.equal(narrowed('{job="a"}', { job: 'a', instance: 'i' }), '{job="a", instance="i"}', 'once is enough');
  t.equal(
    narrowed('{exported_job="a"}', { job: 'a' }),
    '{exported_job="a", job="a"}',
    'that is another label',
  );
  t.equal(narrowed('x_total', { job: 'a' }), 'x_total{job="a"}');
  t.equal(narrowed('x_bucket{le="5",}', { job: 'a' }), 'x_bucket{le="5", job="a"}');
});

t.test('a step down', async (t) => {
  t.same(['total', 'job', 'instance', 'label:x', 'metric', 'series'].map(groupingBelow), [
    'job',
    'metric',
    'metric',
    'metric',
    'series',
    undefined,
  ]);
  const link = (oldest: number | null) => {
    const group = { labels: { __name__: 'x_total' }, oldest } as unknown as Parameters<typeof exploreLink>[0];
    return parseFragment(exploreLink(group, 1_000_000)).parameters;
  };
  t.equal(link(null).get('query'), '{__name__="x_total"}');
  t.equal(link(1_000_000 - 60).get('range'), null, 'the usual hour');
  t.equal(link(1_000_000 - 4000).get('range'), '6h');
  t.equal(link(1_000_000 - 9.5 * 86_400).get('range'), '10d');
});
