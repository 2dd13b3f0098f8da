import { monitorEventLoopDelay } from 'node:perf_hooks';
import t from 'tap';
import { labelsFromRecord } from '../../src/model/labels.js';
import { type ExemplarQuery, exemplarsJson } from '../../src/query/exemplars.js';
import { parseSelectors } from '../../src/query/selectors.js';
import type { ExemplarStore } from '../../src/store/exemplar-store.js';
import { systemClock } from '../../src/util/clock.js';
import { TimeSlices } from '../../src/util/time-slices.js';
import { createStore } from '../support/api.js';
import { traced } from '../support/exemplar.js';

const NOW_MS = 1_763_796_000_000;

function append(store: ExemplarStore, name: string, atMs: number, value = 1): void {
  const series = store.seriesOf(labelsFromRecord({ __name__: name }), NOW_MS);
  store.append(series, traced(NOW_MS + atMs, `${name}${atMs}`, value), NOW_MS + 1_000_000);
}

async function ask(store: ExemplarStore, expression: string, query: Partial<ExemplarQuery> = {}) {
  const all: ExemplarQuery = {
    selectors: parseSelectors(expression),
    startMs: Number.NEGATIVE_INFINITY,
    endMs: Number.POSITIVE_INFINITY,
    minValue: undefined,
    maxValue: undefined,
    order: 'asc',
    limit: undefined,
  };
  let json = '';
  for await (const text of exemplarsJson(store, { ...all, ...query }, new TimeSlices(systemClock)))
    json += text;
  return JSON.parse(json) as {
    seriesLabels: { __name__: string };
    exemplars: { labels: { trace_id: string }; value: string }[];
  }[];
}

/** `a: a1 a2; b: b1` */
async function ids(store: ExemplarStore, expression: string, query: Partial<ExemplarQuery> = {}) {
  return (await ask(store, expression, query))
    .map(({ seriesLabels, exemplars }) =>
      [`${seriesLabels.__name__}:`, ...exemplars.map(({ labels }) => labels.trace_id)].join(' '),
    )
    .join('; ');
}

const ANY = '{__name__=~".+"}';

t.test('ranges are inclusive, series are sorted, those without a match are left out', async (t) => {
  const store = createStore();
  for (const name of ['b', 'a', 'B']) for (const atMs of [1, 2, 3]) append(store, name, atMs);
  t.equal(await ids(store, ANY), 'B: B1 B2 B3; a: a1 a2 a3; b: b1 b2 b3');
  t.equal(await ids(store, 'a', { startMs: NOW_MS + 2, endMs: NOW_MS + 2 }), 'a: a2');
  t.equal(await ids(store, 'a', { startMs: NOW_MS + 4 }), '');
  t.equal(await ids(store, 'a', { endMs: NOW_MS }), '');
  t.equal(await ids(store, 'a + a'), 'a: a1 a2 a3', 'a series is shown once');
});

t.test('values', async (t) => {
  const store = createStore();
  const values = [-1, 0, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const [i, value] of values.entries()) append(store, 'a', i, value);
  const shown = async (query: Partial<ExemplarQuery>) =>
    (await ask(store, 'a', query)).flatMap(({ exemplars }) => exemplars.map(({ value }) => value)).join(' ');
  t.equal(await shown({}), '-1 0 0.5 NaN +Inf -Inf');
  t.equal(await shown({ minValue: 0 }), '0 0.5 +Inf');
  t.equal(await shown({ maxValue: 0 }), '-1 0 -Inf');
  t.equal(await shown({ minValue: 0, maxValue: 0.5 }), '0 0.5');
  t.equal(await shown({ minValue: Number.NEGATIVE_INFINITY }), '-1 0 0.5 +Inf -Inf');
});

t.test('order and limit: the first of the whole answer', async (t) => {
  const store = createStore();
  for (const atMs of [1, 4, 5]) append(store, 'a', atMs);
  for (const atMs of [2, 3, 6]) append(store, 'b', atMs);
  t.equal(await ids(store, ANY, { order: 'desc' }), 'a: a5 a4 a1; b: b6 b3 b2');
  t.equal(await ids(store, ANY, { limit: 3 }), 'a: a1; b: b2 b3');
  t.equal(await ids(store, ANY, { limit: 3, order: 'desc' }), 'a: a5 a4; b: b6');
  t.equal(await ids(store, ANY, { limit: 1 }), 'a: a1');
  t.equal(await ids(store, ANY, { limit: 100 }), 'a: a1 a4 a5; b: b2 b3 b6');
  t.equal(await ids(store, ANY, { limit: 2, startMs: NOW_MS + 3 }), 'a: a4; b: b3');
});

t.test('100,000 exemplars do not hold up the event loop', async (t) => {
  const store = createStore({ perSeries: 10 });
  for (let n = 0; n < 10_000; n++) for (let i = 0; i < 10; i++) append(store, `m${n}`, i);
  for (const query of [{}, { limit: 50_000, order: 'desc' }] as const) {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const answer = await ask(store, ANY, query);
    delay.disable();
    t.equal(
      answer.reduce((sum, { exemplars }) => sum + exemplars.length, 0),
      query.limit ?? 100_000,
    );
    // Parsing the whole answer, which is the test's own doing, is part of it; and other tests run beside this one.
    t.ok(delay.max < 500e6, `${delay.max / 1e6} ms`);
  }
});
