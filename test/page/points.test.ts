import t from 'tap';
import { groupPoints, MAX_GROUPS, suitableColor } from '../../src/page/explore/groups.js';
import { formatFilter, parseFilter } from '../../src/page/explore/label-filter.js';
import {
  isMatching,
  labelOf,
  mergePoints,
  type Point,
  pointsOf,
  summariseLabels,
} from '../../src/page/explore/points.js';
import { placePoints, valueExtent } from '../../src/page/explore/scatter-layout.js';
import { sortPoints } from '../../src/page/explore/sort-points.js';
import { valueScale } from '../../src/page/explore/value-scale.js';

const point = (timeMs: number, value: number, labels = {}, series = {}): Point => ({
  timeMs,
  value,
  valueText: String(value),
  labels,
  series,
  source: 'memory',
});

t.test('an answer becomes points in the order of time', async (t) => {
  const points = pointsOf([
    { seriesLabels: { le: '1' }, exemplars: [{ labels: { id: 'b' }, value: '+Inf', timestamp: 2.0005 }] },
    {
      seriesLabels: { le: '2' },
      exemplars: [{ labels: { id: 'a' }, value: '0.5', timestamp: 1, source: 'archive' }],
    },
  ]);
  t.match(points, [
    { timeMs: 1000, value: 0.5, source: 'archive', series: { le: '2' } },
    { timeMs: 2001, value: Number.POSITIVE_INFINITY, valueText: '+Inf', source: 'memory' },
  ]);
});

t.test('a stream joins what is there', async (t) => {
  const held = [point(1, 1), point(2, 1, { id: 'x' }), point(3, 1)];
  t.equal(mergePoints(held, [], 0), held, 'nothing new, nothing old: the same list');
  t.equal(mergePoints(held, [point(2, 1, { id: 'x' })], 0), held, 'known already');
  const times = (points: readonly Point[]) => points.map(({ timeMs }) => timeMs);
  t.same(times(mergePoints(held, [point(2, 1, { id: 'y' }), point(9, 1)], 0)), [1, 2, 2, 3, 9]);
  t.same(times(mergePoints(held, [point(0, 1), point(4, 1)], 2)), [2, 3, 4], 'the window moved');
  t.same(times(mergePoints(held, [point(4, 1)], 0, 2)), [3, 4], 'the oldest leave');
  t.same(times(mergePoints(held, [], 0, 2)), [2, 3], 'also where nothing is new');
});

t.test('labels of hostile names', async (t) => {
  const hostile = point(1, 1, JSON.parse('{"__proto__":"p","constructor":"c"}'), { toString: 's' });
  t.equal(labelOf(hostile, '__proto__'), 'p');
  t.equal(labelOf(hostile, 'constructor'), 'c');
  t.equal(labelOf(hostile, 'toString'), 's');
  t.equal(labelOf(hostile, 'valueOf'), '');
  t.ok(isMatching(hostile, [{ name: 'valueOf', operator: '=', value: '' }]));
  t.same(
    summariseLabels([hostile]).map(({ name }) => name),
    ['toString', '__proto__', 'constructor'],
  );
});

t.test('filters as text', async (t) => {
  for (const filter of [
    { name: 'a', operator: '=', value: '' },
    { name: 'a=!b', operator: '!=', value: '!=x=\n' },
  ] as const)
    t.same(parseFilter(formatFilter(filter)), filter);
  for (const wrong of ['', 'a', '=b', 'a!b', '%=b']) t.equal(parseFilter(wrong), undefined);
});

t.test('groups', async (t) => {
  const buckets = ['10', '2', '+Inf', '2'].map((le, at) => point(at, 1, {}, { le }));
  const grouping = groupPoints(buckets, 'le');
  t.same(
    grouping.groups.map(({ key, count }) => [key, count]),
    [
      ['=2', 2],
      ['=10', 1],
      ['=+Inf', 1],
    ],
  );
  t.same([...grouping.groupOf], [1, 0, 2, 0]);
  t.ok(grouping.isOrdered);
  const many = Array.from({ length: 30 }, (_, at) => point(at, 1, { id: `t${at}` }));
  const cut = groupPoints([...many, point(40, 1), point(41, 1)], 'id');
  t.equal(cut.groups.length, MAX_GROUPS);
  t.match(cut.groups.at(-1), { key: 'other', count: 20 });
  t.ok(cut.groups.some(({ key, count }) => key === 'absent' && count === 2));
  t.equal(suitableColor(summariseLabels(buckets)), 'le');
  t.equal(suitableColor(summariseLabels(buckets.slice(0, 1))), '');
});

t.test('the order of a table', async (t) => {
  const rows = [point(1, 3, { n: '10' }), point(2, Number.NaN, { n: '9' }), point(3, 1, { n: '2' })];
  const order = (column: string, isDescending: boolean) => [...sortPoints(rows, { column, isDescending })];
  t.same(order('time', true), [2, 1, 0]);
  t.same(order('value', false), [2, 0, 1], 'NaN last');
  t.same(order('value', true), [0, 2, 1], 'NaN last here, too');
  t.same(order('label:n', false), [2, 1, 0], 'numbers as numbers');
  t.same(
    [...sortPoints([...rows, point(4, 1, { n: 'x' })], { column: 'label:n', isDescending: false })],
    [0, 2, 1, 3],
  );
});

t.test('axes', async (t) => {
  const values = (...list: number[]) => list.map((value) => ({ value }));
  const [min, max] = valueExtent(values(-1, 0, 0.1, 10, Number.NaN, Number.POSITIVE_INFINITY), 'log');
  t.ok(min > 0.05 && min < 0.1 && max > 10 && max < 20, `${min} … ${max}`);
  t.same(valueExtent(values(1, 1), 'log'), [0.5, 2]);
  t.same(valueExtent([], 'linear'), [0, 1]);
  t.equal(valueExtent(values(1, 100), 'linear')[0], 0, 'from zero');
  t.ok(valueExtent(values(99, 100), 'linear')[0] > 90, 'not from zero');
  const extent = { startMs: 0, endMs: 100, minValue: 1, maxValue: 100 };
  const points = [point(50, 10), point(101, 10), point(50, 0), point(50, 10)];
  const { x, y } = placePoints(points, (index) => index !== 3, extent, valueScale(1, 100, 'log'), 200, 100);
  t.same([...x], [100, Number.NaN, Number.NaN, Number.NaN]);
  t.equal(y[0], 50);
});
