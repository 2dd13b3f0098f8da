/** Who gets a ring when there are more series than room. */
import t from 'tap';
import { labelsFromRecord } from '../../src/model/labels.js';
import { NO_SERIES } from '../../src/model/refs.js';
import { ExemplarStore } from '../../src/store/exemplar-store.js';
import { DEFAULT_STORE_OPTIONS, type StoreOptions } from '../../src/store/options.js';

const MINUTE_MS = 60_000;
const labelsOf = (name: string) => labelsFromRecord({ __name__: name });

function createStore(options: Partial<StoreOptions>) {
  const store = new ExemplarStore({ ...DEFAULT_STORE_OPTIONS, ...options });
  const admit = (name: string, nowMs: number) => store.admit(labelsOf(name), nowMs) !== NO_SERIES;
  const has = (name: string) => store.index.find(labelsOf(name)) !== undefined;
  return { store, admit, has };
}

t.test('a series in use keeps its place, and a new one is refused', async (t) => {
  const { store, admit, has } = createStore({ maxSeries: 2 });
  t.same([admit('a', 0), admit('b', 1), admit('c', 2)], [true, true, false]);
  t.equal(admit('a', 3), true, 'one that is known is no new one');
  t.same([has('a'), has('b'), has('c')], [true, true, false]);
  t.same([store.seriesRefused, store.totals.seriesEvicted], [1, 0]);
});

t.test('one that no target has shown for two minutes makes room, the longest idle first', async (t) => {
  const { store, admit, has } = createStore({ maxSeries: 2 });
  admit('a', 0);
  admit('b', MINUTE_MS / 2);
  t.equal(admit('c', 2 * MINUTE_MS - 1), false);
  t.equal(admit('c', 2 * MINUTE_MS + 5_000), false, 'nobody looks again so soon');
  t.equal(admit('c', 2 * MINUTE_MS + 10_000), true);
  t.same([has('a'), has('b'), has('c')], [false, true, true]);
  t.equal(store.totals.seriesEvicted, 1);
});

t.test('what makes it worth asking again is told by the generation', async (t) => {
  const { store, admit } = createStore({ maxSeries: 1 });
  const before = store.generation(NO_SERIES);
  admit('a', 0);
  admit('b', 0);
  t.equal(store.generation(NO_SERIES), before);
  store.forgetIdle(MINUTE_MS);
  t.not(store.generation(NO_SERIES), before);
  store.setOptions({ ...DEFAULT_STORE_OPTIONS, maxSeries: 2 }, MINUTE_MS);
  t.equal(admit('b', MINUTE_MS), true);
});

t.test('the same where bytes are what is short', async (t) => {
  const { store, admit } = createStore({ maxBytes: 1024 * 1024 });
  let admitted = 0;
  for (let i = 0; i < 10_000; i++) admitted += Number(admit(`series_number_${i}`, 0));
  t.ok(admitted > 100 && admitted < 10_000, `${admitted} series`);
  t.equal(store.index.size, admitted, 'none of them went for another');
  t.equal(admit('late', 10 * MINUTE_MS), true);
  t.equal(store.index.size < admitted, true, 'some that were idle went');
});
