import { setImmediate as settle } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { SeriesExemplars } from '../../src/page/api/answers.js';
import { type Answer, ApiError } from '../../src/page/api/client.js';
import type { LiveEvents } from '../../src/page/api/live.js';
import {
  type Answered,
  ExemplarFeed,
  type ExemplarSource,
  nothingIn,
  type Question,
} from '../../src/page/explore/exemplar-feed.js';
import { until } from '../support/until.js';

/** A server whose answers and streams come when a test says so. */
class HeldBackServer implements ExemplarSource {
  readonly questions: {
    readonly question: Question;
    readonly signal: AbortSignal;
    readonly answer: (values: readonly number[], warnings?: string[]) => Promise<void>;
    readonly fail: (error: Error) => Promise<void>;
  }[] = [];
  readonly streams: { readonly events: LiveEvents; isClosed: boolean }[] = [];

  ask(question: Question, _interval: unknown, signal: AbortSignal): Promise<Answer<SeriesExemplars[]>> {
    return new Promise((resolve, reject) => {
      this.questions.push({
        question,
        signal,
        answer: (values, warnings = []) => {
          resolve({ data: seriesOf(values), warnings });
          return settle();
        },
        fail: (error) => {
          reject(error);
          return settle();
        },
      });
    });
  }

  follow(_question: Question, events: LiveEvents): () => void {
    const stream = { events, isClosed: false };
    this.streams.push(stream);
    return () => {
      stream.isClosed = true;
    };
  }

  open(nth = this.streams.length - 1): Promise<void> {
    const { events } = this.streams[nth]!;
    events.onState('open');
    events.onOpen();
    return settle();
  }
}

/** Each so many milliseconds, which tell them apart, after a quarter of an hour ago. */
const START_MS = Date.now() - 900_000;
const seriesOf = (values: readonly number[]): SeriesExemplars[] => [
  {
    seriesLabels: { __name__: 'x_total' },
    exemplars: values.map((value) => ({
      labels: { trace_id: String(value) },
      value: String(value),
      timestamp: (START_MS + value) / 1000,
    })),
  },
];

const LAST: Question = {
  query: 'x_total',
  range: { kind: 'last', seconds: 3600 },
  limit: 5,
  source: 'all',
  minValue: undefined,
  maxValue: undefined,
};
const OTHER: Question = { ...LAST, query: 'y_total' };

function start(t: Test) {
  const server = new HeldBackServer();
  const held: { shown: Answered } = { shown: nothingIn({ startMs: 0, endMs: 1 }) };
  const feed = new ExemplarFeed(server, held.shown, (shown) => {
    held.shown = shown;
  });
  t.teardown(() => feed.close());
  const values = () => held.shown.points.map(({ value }) => value);
  return { server, feed, held, values };
}

t.test('an answer is that of the last question', async (t) => {
  const { server, feed, held, values } = start(t);
  feed.show(LAST, false);
  await settle();
  feed.show(LAST, false);
  t.equal(server.questions.length, 1, 'asked once');
  feed.show(OTHER, false);
  await settle();
  t.ok(server.questions[0]!.signal.aborted);
  await server.questions[1]!.answer([2]);
  t.same(values(), [2]);
  await server.questions[0]!.answer([1]);
  t.same(values(), [2], 'one that comes late is for nobody');
  feed.show({ ...LAST, query: '' }, false);
  t.same(values(), []);
  t.equal(held.shown.isLoading, false);
});

t.test('an error is that of the last question', async (t) => {
  const { server, feed, held } = start(t);
  feed.show(LAST, false);
  await settle();
  feed.show(OTHER, false);
  await settle();
  await server.questions[0]!.fail(new ApiError('late', 'server'));
  t.match(held.shown, { error: undefined, isLoading: true });
  await server.questions[1]!.fail(new ApiError('out of order', 'server'));
  t.match(held.shown, { error: { message: 'out of order' }, isLoading: false, isAnswered: false });
  feed.askAgain();
  t.match(held.shown, { error: undefined, isLoading: true });
  await settle();
  await server.questions[2]!.answer([1], ['half of it']);
  t.match(held.shown, { isAnswered: true, warnings: ['half of it'] });
});

t.test('the newest, when there are more than the limit', async (t) => {
  const { server, feed, held, values } = start(t);
  feed.show(LAST, false);
  await settle();
  await server.questions[0]!.answer([6, 1, 5, 2, 4, 3]);
  t.same(values(), [2, 3, 4, 5, 6]);
  t.equal(held.shown.isCut, true);
});

t.test('the newest, when only answer and stream together are more than the limit', async (t) => {
  const { server, feed, held, values } = start(t);
  feed.show(LAST, true);
  await server.open();
  server.streams[0]!.events.onExemplars(seriesOf([4, 5, 6]));
  await server.questions[0]!.answer([1, 2, 3, 4]);
  t.same(values(), [2, 3, 4, 5, 6]);
  t.equal(held.shown.isCut, true);
  feed.show({ ...LAST, range: { kind: 'between', startMs: START_MS, endMs: START_MS + 3 } }, false);
  await settle();
  t.equal(server.questions.length, 2, 'what was left out is asked for');
});

t.test('a question waits for its stream, but not for ever', async (t) => {
  const { server, feed, held, values } = start(t);
  feed.show(LAST, true);
  await settle();
  t.equal(server.questions.length, 0);
  await server.open();
  t.equal(server.questions.length, 1);
  server.streams[0]!.events.onExemplars(seriesOf([2, 3]));
  await server.questions[0]!.answer([1, 2]);
  t.same(values(), [1, 2, 3], 'what both brought is there once');
  t.equal(server.questions.length, 1, 'nothing can have come between');
  server.streams[0]!.events.onExemplars(seriesOf([4]));
  await until(() => values().length === 4, 'what the stream brought');

  feed.show(OTHER, true);
  t.ok(server.streams[0]!.isClosed);
  await until(() => server.questions.length === 2, 'the question');
  await server.questions[1]!.answer([1]);
  await server.open();
  t.equal(server.questions.length, 3, 'what came before the stream did is asked for');
  t.equal(held.shown.isLoading, true);
});

t.test('a stream that is tried again is not waited for', async (t) => {
  const { server, feed } = start(t);
  feed.show(LAST, true);
  server.streams[0]!.events.onState('waiting');
  await settle();
  t.equal(server.questions.length, 1);
});

t.test('a stream that opens while an answer is on its way', async (t) => {
  const { server, feed, values } = start(t);
  feed.show(LAST, true);
  await server.open();
  await server.open();
  await server.open();
  t.equal(server.questions.length, 1, 'does not starve it');
  await server.questions[0]!.answer([1]);
  t.equal(server.questions.length, 2, 'is asked for once more');
  await server.questions[1]!.answer([1, 2]);
  t.same(values(), [1, 2]);
  t.equal(server.questions.length, 2);
});

t.test("points of two questions never mix, an old stream's neither", async (t) => {
  const { server, feed, values } = start(t);
  feed.show(LAST, true);
  await server.open();
  await server.questions[0]!.answer([1]);
  feed.show(OTHER, true);
  await server.open();
  server.streams[1]!.events.onExemplars(seriesOf([3]));
  // Longer than points wait to be shown.
  await new Promise((resolve) => setTimeout(resolve, 600));
  t.same(values(), [1]);
  await server.questions[1]!.answer([2]);
  t.same(values(), [2, 3]);
});

t.test('a question that is refused has no stream, until it is asked again', async (t) => {
  const { server, feed, held } = start(t);
  feed.show(LAST, true);
  await server.open();
  await server.questions[0]!.fail(new ApiError('unknown function', 'question'));
  t.ok(server.streams[0]!.isClosed);
  t.equal(held.shown.live, undefined);
  feed.show(LAST, false);
  feed.show(LAST, true);
  t.equal(server.streams.length, 1);
  feed.askAgain();
  t.equal(server.streams.length, 2);
  await server.open();
  await server.questions[1]!.answer([1]);
  t.match(held.shown, { error: undefined, isAnswered: true });
});

t.test('a pause keeps what is shown, and afterwards what came meanwhile is asked for', async (t) => {
  const { server, feed, held, values } = start(t);
  feed.show(LAST, true);
  await server.open();
  await server.questions[0]!.answer([1]);
  server.streams[0]!.events.onSkipped(7);
  t.equal(held.shown.skipped, 7);
  feed.show(LAST, false);
  t.ok(server.streams[0]!.isClosed);
  t.same(values(), [1]);
  t.match(held.shown, { live: undefined, skipped: 0 });
  feed.show(LAST, true);
  await server.open();
  await server.questions[1]!.answer([1, 2]);
  t.same(values(), [1, 2]);
});

t.test('what is known already is not asked for', async (t) => {
  const { server, feed, values } = start(t);
  const between = (startMs: number, endMs: number): Question => ({
    ...LAST,
    range: { kind: 'between', startMs: START_MS + startMs, endMs: START_MS + endMs },
  });
  feed.show(between(0, 100), false);
  await settle();
  await server.questions[0]!.answer([10, 20, 30]);
  feed.show(between(15, 100), false);
  t.same(values(), [20, 30]);
  feed.show({ ...between(15, 100), maxValue: 25 }, false);
  t.same(values(), [20]);
  await settle();
  t.equal(server.questions.length, 1);
  feed.show(between(0, 200), false);
  await settle();
  t.equal(server.questions.length, 2, 'what is not known is');
  await server.questions[1]!.answer([10, 20], ['the archive does not answer']);
  feed.show(between(0, 100), false);
  await settle();
  t.equal(server.questions.length, 3, 'and what may have gaps');
});

t.test('when it is closed', async (t) => {
  const { server, feed } = start(t);
  feed.show(LAST, true);
  await server.open();
  feed.close();
  t.ok(server.questions[0]!.signal.aborted);
  t.ok(server.streams[0]!.isClosed);
});
