import t from 'tap';
import {
  compareLabels,
  type Labels,
  labelsFromRecord,
  labelsToJson,
  labelValue,
} from '../../src/model/labels.js';
import { createMatcher, type Matcher } from '../../src/model/matcher.js';
import type { SeriesRef } from '../../src/model/refs.js';
import { selectSeries } from '../../src/store/selection.js';
import { SeriesIndex } from '../../src/store/series-index.js';
import { systemClock } from '../../src/util/clock.js';
import { TimeSlices } from '../../src/util/time-slices.js';
import { fuzzBounds } from '../support/fuzz.js';
import fc from '../support/properties.js';

const VALUES = ['', 'a', 'b', 'ab', 'é', '\u{ffff}', '😀', 'a.b', 'x\ny'];
const LABELS: fc.Arbitrary<Labels> = fc
  .record(
    {
      __name__: fc.constantFrom('m', 'n', 'mn'),
      x: fc.constantFrom(...VALUES),
      y: fc.constantFrom(...VALUES),
    },
    { requiredKeys: ['__name__'] },
  )
  .map((record) => labelsFromRecord(record as Record<string, string>));

const MATCHER: fc.Arbitrary<Matcher> = fc
  .tuple(
    fc.constantFrom('__name__', 'x', 'y', 'z'),
    fc.oneof(
      fc.tuple(fc.constantFrom('=' as const, '!=' as const), fc.constantFrom('m', ...VALUES)),
      fc.tuple(
        fc.constantFrom('=~' as const, '!~' as const),
        fc.constantFrom(
          '',
          '.*',
          '.+',
          'a|b',
          'a.*',
          '[ab]+',
          'a\\.b',
          'm|n',
          '|a',
          'x.y',
          'nothing',
          'a.b|é',
        ),
      ),
    ),
  )
  .map(([name, [type, value]]) => createMatcher(type, name, value));

const STEP = fc.oneof(
  { weight: 8, arbitrary: LABELS.map((labels) => ({ type: 'add' as const, labels })) },
  { weight: 4, arbitrary: fc.nat().map((n) => ({ type: 'forget' as const, n })) },
  { weight: 1, arbitrary: fc.constant({ type: 'sweep' as const }) },
  {
    weight: 4,
    arbitrary: fc
      .array(fc.array(MATCHER, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
      .map((selectors) => ({ type: 'select' as const, selectors })),
  },
);

const matches = (labels: Labels, matchers: readonly Matcher[]) =>
  matchers.every((matcher) => matcher.matches(labelValue(labels, matcher.name)));

t.test('the index finds what looking at every series would', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { maxLength: 80, size: 'max' }), async (steps) => {
      const index = new SeriesIndex();
      const known = new Map<string, { ref: SeriesRef; labels: Labels }>();
      for (const step of steps) {
        if (step.type === 'add') {
          const key = labelsToJson(step.labels);
          const found = index.find(step.labels);
          if (found !== known.get(key)?.ref) throw new Error(`found ${found} for ${key}`);
          if (found === undefined) known.set(key, { ref: index.add(step.labels), labels: step.labels });
        } else if (step.type === 'forget') {
          const entry = [...known.entries()][step.n % Math.max(1, known.size)];
          if (entry === undefined) continue;
          index.forget(entry[1].ref);
          known.delete(entry[0]);
        } else if (step.type === 'sweep') index.sweep();
        else {
          const wanted = [...known.values()]
            .filter(({ labels }) => step.selectors.some((matchers) => matches(labels, matchers)))
            .sort((a, b) => compareLabels(a.labels, b.labels));
          const slices = new TimeSlices(systemClock);
          const found = await index.sorted(await selectSeries(index, step.selectors, slices), slices);
          const texts = found.map((series) => index.labelsJson(series));
          const wantedTexts = wanted.map(({ labels }) => labelsToJson(labels));
          if (texts.join('\n') !== wantedTexts.join('\n')) {
            throw new Error(`found ${texts.join(' ')}, wanted ${wantedTexts.join(' ')}`);
          }
        }
        if (index.size !== known.size) throw new Error(`${index.size} series, not ${known.size}`);
      }
      for (const { ref, labels } of known.values()) {
        if (labelsToJson(index.labels(ref)) !== labelsToJson(labels)) throw new Error(`labels of ${ref}`);
        index.forget(ref);
      }
      index.sweep();
      if (index.labelBytes !== 0 || index.indexBytes !== 0) throw new Error(`${index.labelBytes} bytes left`);
    }),
    fuzzBounds(1500),
  );
  t.pass();
});

t.test('many series, most of which come and go, stay found', async (t) => {
  const index = new SeriesIndex();
  const labels = (i: number) => labelsFromRecord({ __name__: 'm', pod: `p${i % 97}`, i: String(i) });
  const refs = new Map<number, SeriesRef>();
  for (let i = 0; i < 20_000; i++) {
    refs.set(i, index.add(labels(i)));
    const gone = i - 5000;
    if (gone >= 0) {
      index.forget(refs.get(gone)!);
      refs.delete(gone);
    }
  }
  let wrong = 0;
  for (let i = 0; i < 20_000; i++) if (index.find(labels(i)) !== refs.get(i)) wrong++;
  t.equal(wrong, 0);
  t.equal(index.size, 5000);
  t.equal(new Set(refs.values()).size, 5000, 'no ref twice');
  t.ok(index.refLimit < 8000, `numbers are used again: ${index.refLimit}`);
  const found = await selectSeries(
    index,
    [[createMatcher('=', 'pod', 'p5'), createMatcher('=~', 'i', '19.*')]],
    new TimeSlices(systemClock),
  );
  t.equal(found.length, [...refs.keys()].filter((i) => i % 97 === 5 && String(i).startsWith('19')).length);
});

t.test('a regular expression judges a value once, however many series have it', async (t) => {
  const index = new SeriesIndex();
  for (let i = 0; i < 1000; i++)
    index.add(labelsFromRecord({ __name__: 'm', kind: `k${i % 5}`, i: String(i) }));
  const judged: string[] = [];
  const regex = createMatcher('=~', 'kind', 'k[12]');
  const counting: Matcher = {
    ...regex,
    matches: (value) => {
      judged.push(value);
      return regex.matches(value);
    },
  };
  const selectors = [[createMatcher('=', '__name__', 'm'), counting]];
  t.equal((await selectSeries(index, selectors, new TimeSlices(systemClock))).length, 400);
  t.ok(judged.length <= 6, judged.join());
});
