import t from 'tap';
import {
  DEFAULT_STATE,
  type ExploreState,
  readState,
  writeState,
} from '../../src/page/explore/explore-state.js';
import { type TimeRange, widened } from '../../src/page/explore/time-range.js';
import { formatFragment, parseFragment } from '../../src/page/location.js';

const read = (text: string) => readState(new URLSearchParams(text));

t.test('defaults are left out', async (t) => {
  t.equal(writeState(DEFAULT_STATE).toString(), '');
  t.same(read(''), { state: DEFAULT_STATE, problems: [] });
});

t.test('everything survives the way through a URL', async (t) => {
  const state: ExploreState = {
    query: 'sum by (le) (rate(a_bucket{path="/x?y=1&z#"}[5m]))',
    range: { kind: 'between', startMs: 1_763_796_000_123, endMs: 1_763_799_600_000 },
    isLive: false,
    limit: 50_000,
    source: 'archive',
    colorBy: '',
    axis: 'linear',
    minValue: -0.5,
    maxValue: 1e9,
    filters: [
      { name: 'trace_id', operator: '=', value: 'a=b!=c' },
      { name: 'odd=!name', operator: '!=', value: '' },
    ],
    hidden: ['=+Inf', 'other'],
    sort: { column: 'label:a:b', isDescending: true },
    columns: [],
    trace: 'javascript:alert(1)',
  };
  const fragment = formatFragment({ view: 'explore', parameters: writeState(state) });
  const { view, parameters } = parseFragment(fragment);
  t.equal(view, 'explore');
  t.same(readState(parameters), { state, problems: [] });
  const live = { ...DEFAULT_STATE, isLive: true, range: { kind: 'last', seconds: 5400 } as const };
  t.same(readState(writeState(live)).state, live);
  t.equal(writeState(live).toString(), 'range=1h30m&live=1');
});

t.test('what means nothing is named, and left at its default', async (t) => {
  const wrong =
    'query=up&range=soon&limit=1e9&source=disk&axis=cubic&min=low&max=Infinity&sort=-size&filter=x&live=yes';
  const { state, problems } = read(wrong);
  t.same(state, { ...DEFAULT_STATE, query: 'up' });
  t.same(problems.sort(), [
    'axis=cubic',
    'filter=x',
    'limit=1e9',
    'live=yes',
    'max=Infinity',
    'min=low',
    'range=soon',
    'sort=-size',
    'source=disk',
  ]);
  t.same(read('start=2026-01-02&end=2026-01-01').problems, ['start=2026-01-02 end=2026-01-01']);
  t.same(read('start=2026-01-02').problems, ['start=2026-01-02']);
});

t.test('nothing comes live into the archive, or between two moments', async (t) => {
  for (const text of ['live=1&source=archive', 'live=1&start=2026-01-01&end=2026-01-02']) {
    const { state } = read(text);
    t.notOk(state.isLive, text);
    t.notMatch(writeState({ ...state, isLive: true }).toString(), 'live');
  }
});

t.test('widening ends where times do', async (t) => {
  const moments = { kind: 'between', startMs: 4000, endMs: 8000 } as const;
  t.same(widened(moments), { kind: 'between', startMs: 2000, endMs: 10_000 });
  t.same(widened(widened(moments)), { kind: 'between', startMs: 0, endMs: 14_000 });
  let range: TimeRange = { kind: 'between', startMs: Date.UTC(2026, 0), endMs: Date.UTC(2027, 0) };
  for (let step = 0; step < 100; step++) range = widened(range);
  t.same(range, { kind: 'between', startMs: 0, endMs: Date.UTC(9999, 11, 31) });
  t.same(readState(writeState({ ...DEFAULT_STATE, range })).state.range, range);
  t.same(widened({ kind: 'last', seconds: 60 }), { kind: 'last', seconds: 120 });
  t.same(read('range=99999999999w').problems, ['range=99999999999w']);
});

t.test('fragments', async (t) => {
  for (const empty of ['', '#', '#/']) t.equal(parseFragment(empty).view, '');
  t.equal(parseFragment('#/explore').view, 'explore');
  t.equal(parseFragment('#/explore/?query=a?b').parameters.get('query'), 'a?b');
});
