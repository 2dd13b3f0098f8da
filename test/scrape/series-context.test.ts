/** What a body says around the lines with exemplars: metadata, start times, and series that are no longer there. */

import t from 'tap';
import { Verdict } from '../../src/model/exemplar.js';
import { fuzzBounds } from '../support/fuzz.js';
import fc from '../support/properties.js';
import { RecordingSink, ReusedBuffer } from '../support/scraped.js';

const MINUTE_MS = 60_000;

function setup() {
  const sink = new RecordingSink();
  const buffer = new ReusedBuffer(sink);
  let scrapeMs = 1_000_000_000;
  /** Shows a body a minute after the one before. @returns what ended by it */
  const show = (lines: readonly string[], afterMs = MINUTE_MS, ending = '# EOF\n') => {
    scrapeMs += afterMs;
    sink.stale.length = 0;
    buffer.read(`${lines.map((line) => `${line}\n`).join('')}${ending}`, scrapeMs);
    return [...sink.stale];
  };
  return { sink, buffer, show, nowMs: () => scrapeMs };
}

const series = (name: string) => `{__name__="${name}"}`;
const M = series('m');
const N = series('n');
const shown = (name: string, id = '1') => `${name} 1 # {trace_id="${id}"} 1 ${id}`;

t.test('metadata is told when a series is first met', async (t) => {
  const { sink, show } = setup();
  const described: string[] = [];
  const describe = sink.describe.bind(sink);
  sink.describe = (ref, metadata) => {
    described.push(metadata.help);
    describe(ref, metadata);
  };
  const body = (help: string) => [`# HELP c ${help}`, '# TYPE c counter', shown('c_total'), shown('d_total')];
  show(body('one'));
  show(body('two'));
  t.same([...sink.described], [[series('c_total'), { type: 'counter', help: 'one', unit: '' }]]);
  t.same(described, ['one']);
  show([...body('three'), shown('c_total{x="1"}')]);
  t.same(described, ['one', 'three'], 'by a new series');
});

t.test('start times', async (t) => {
  const { sink, show } = setup();
  const startsOf = (lines: readonly string[]) => {
    show(lines);
    return sink.take().map((row) => `${row.series.slice(11, -2)} ${row.sample.startMs}`);
  };
  t.same(startsOf([shown('a_total'), 'a_created 5', shown('b_total')]), ['a_total 5000', 'b_total 0']);
  t.same(startsOf([shown('a_total', '2'), 'a_created 6', shown('b_total', '2'), 'b_created 7']), ['a_total 6000', 'b_total 0'], 'where there was none it is not looked for again'); // biome-ignore format: one line
  t.same(startsOf([shown('a_total', '3')]), ['a_total 0'], 'gone for once');
  t.same(startsOf([shown('a_total', '4'), 'a_created 5']), ['a_total 5000'], 'and back');
  show([], 0, 'no end');
  t.same(startsOf([shown('b_total', '5'), 'b_created 7']), ['b_total 7000'], 'after a failure the target may be another'); // biome-ignore format: one line
  sink.hasReaders = false;
  t.same(startsOf([shown('b_total', '6'), 'b_created 7']), ['b_total 0'], 'nobody wants to know');
});

t.test('a series whose line is gone ends, once, until it shows something new', async (t) => {
  const { show } = setup();
  t.same(show([shown('m'), shown('n')]), []);
  t.same(show(['m 1', shown('n')]), [], 'it merely lost its exemplar');
  t.same(show([shown('n')]), [M]);
  t.same(show([shown('n')]), []);
  t.same(show([shown('m'), shown('n')]), []);
  t.same(show([shown('n')]), [], 'what came back was nothing new');
  t.same(show([shown('m', '2'), shown('n')]), []);
  t.same(show([]), [M, N]);
});

t.test('it is noticed within a minute, by a look once a minute', async (t) => {
  const { show } = setup();
  show([shown('m'), shown('n')]);
  const ended: string[][] = [];
  for (let i = 0; i < 8; i++) ended.push(show([shown('n')], 15_000));
  t.same(ended, [[], [], [], [M], [], [], [], []]);
});

t.test('a clock that jumps back does not put it off', async (t) => {
  const { show } = setup();
  show([shown('m')]);
  t.same(show([], -3_600_000), [M]);
});

t.test('what was never taken in does not end', async (t) => {
  const { sink, show } = setup();
  sink.judge = () => Verdict.duplicate;
  show([shown('m')]);
  t.same(show([]), []);
  sink.judge = (row) => (row.value === 1 ? Verdict.accepted : Verdict.outOfOrder);
  show(['m 1 # {a="b"} 1 1 # {a="c"} 2 2']);
  t.same(show([]), [M], 'one of several was');
});

t.test('a series with times of its own does not end', async (t) => {
  const { show } = setup();
  show(['m 1 5 # {a="b"} 1 1', shown('n')]);
  t.same(show([]), [N]);
});

t.test('a body that is refused ends all there was', async (t) => {
  const { show } = setup();
  show([shown('m'), shown('n')]);
  t.same(show([shown('m', '2'), shown('n')], 1_000, ''), [M, N], 'at once');
  t.same(show([], 1_000, 'x'), []);
  t.same(show([shown('m'), shown('n', '2')], 1_000), []);
  t.same(show([]), [N]);
});

t.test('all end when the target does; and classic text is looked through for what it shows', async (t) => {
  const { sink, buffer, show, nowMs } = setup();
  show([shown('m'), shown('n')]);
  const text = Buffer.from('n 1\n');
  const view = new DataView(text.buffer, text.byteOffset, text.byteLength);
  buffer.reader.readWithoutExemplars(text, view, text.length, nowMs() + MINUTE_MS);
  t.same(sink.stale, [M]);
  buffer.reader.endAll(nowMs());
  buffer.reader.endAll(nowMs());
  t.same(sink.stale, [M, N]);
});

t.test('two ways to write one series', async (t) => {
  const { show } = setup();
  show([shown('m'), shown('m{}', '2')]);
  t.same(show([shown('m')]), [], 'one of them is still there');
  t.same(show([]), [M], 'it ends once');
});

t.test('nobody reads: nothing is told, nor remembered', async (t) => {
  const { sink, show } = setup();
  sink.hasReaders = false;
  show([shown('m'), shown('n')]);
  sink.hasReaders = true;
  t.same(show([]), []);
  show([shown('m', '2'), shown('n', '2')]);
  sink.hasReaders = false;
  t.same(show([]), []);
  sink.hasReaders = true;
  t.same(show([]), []);
});

t.test('a series that the store has forgotten has nothing to end', async (t) => {
  const { sink, show } = setup();
  show([shown('m'), shown('n')]);
  sink.forget(M);
  t.same(show([]), [N]);
});

t.test('the end of a series is told however many come and go', async (t) => {
  const { show, buffer } = setup();
  const ended = new Set<string>();
  const names = (round: number) => Array.from({ length: 1500 }, (_, i) => `r${round}_${i}`);
  let bytes = 0;
  for (let round = 0; round < 20; round++) {
    const lines = names(round).map((name) => shown(name, String(round + 1)));
    for (const name of show([shown('m'), ...lines], 1_000)) {
      if (ended.has(name)) t.fail(`${name} ended twice`);
      ended.add(name);
    }
    if (round === 8) bytes = buffer.reader.cacheBytes;
  }
  t.ok(buffer.reader.cacheBytes <= 2 * bytes, `${buffer.reader.cacheBytes} and ${bytes}`);
  for (const name of show([shown('m')])) ended.add(name);
  t.equal(ended.size, 20 * 1500);
  t.notOk(ended.has(M));
});

interface Shown {
  readonly name: string;
  readonly form: 'exemplar' | 'plain' | 'malformed';
  readonly id: number;
}
const NAMES = ['a', 'b', 'ab', 'c{x="1"}', 'c{x="12"}', '{"d.e"}', 'f{y="# {"}'];
const LINE: fc.Arbitrary<Shown> = fc.record({
  name: fc.constantFrom(...NAMES),
  form: fc.constantFrom('exemplar', 'exemplar', 'plain', 'malformed'),
  id: fc.integer({ min: 1, max: 3 }),
});
const BODY = fc.record({
  lines: fc.array(LINE, { maxLength: 8 }),
  comment: fc.constantFrom('', '# HELP a 1', '# a 1'),
  isSound: fc.oneof({ weight: 6, arbitrary: fc.constant(true) }, fc.constant(false)),
  forgets: fc.option(fc.constantFrom('a', 'b'), { freq: 6, nil: undefined }),
});

t.test('whatever comes and goes, what ends is what was taken in and is not there', async (t) => {
  let ends = 0;
  fc.assert(
    fc.property(fc.array(BODY, { maxLength: 12 }), (bodies) => {
      const { sink, show } = setup();
      /** Names with exemplars taken in, by the series they are. */
      const live = new Map<string, string>();
      for (const { lines, comment, isSound, forgets } of bodies) {
        if (forgets !== undefined) {
          sink.forget(series(forgets));
          live.delete(series(forgets));
        }
        const texts = lines.map(({ name, form, id }) => {
          if (form === 'exemplar') return shown(name, String(id));
          return `${name} ${form === 'plain' ? '1' : 'x'}`;
        });
        const ended = show([comment, ...texts].filter(Boolean), MINUTE_MS, isSound ? '# EOF\n' : '# EO');
        for (const row of sink.take()) live.set(row.series, NAMES.find((name) => seriesOf(name) === row.series)!); // biome-ignore format: one line
        const isThere = (name: string) => isSound && lines.some((line) => line.name === name);
        const gone = [...live].filter(([, name]) => !isThere(name)).map(([each]) => each);
        for (const each of gone) live.delete(each);
        ends += gone.length;
        if (JSON.stringify(ended.sort()) !== JSON.stringify(gone.sort()))
          throw new Error(`ended ${ended}, not ${gone}`);
      }
    }),
    fuzzBounds(3000),
  );
  t.ok(ends > 1000, `${ends}`);
});

function seriesOf(name: string): string {
  const [, metric, labels] = /^([a-z]+)(?:\{(.*)\})?$/.exec(name) ?? [undefined, 'd.e', undefined];
  const [label, value] = labels?.split('=') ?? [];
  return label === undefined ? series(metric!) : `{__name__="${metric}", ${label}=${value}}`;
}
