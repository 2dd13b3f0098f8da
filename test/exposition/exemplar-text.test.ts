import t from 'tap';
import { ExemplarText } from '../../src/exposition/exemplar-text.js';
import { decodeLabels, encodeLabels } from '../../src/model/encoded-labels.js';
import { MAX_EXEMPLAR_CODE_POINTS } from '../../src/model/exemplar.js';
import { countCodePoints, labelsFromPairs, labelsToRecord } from '../../src/model/labels.js';
import { cpuMs } from '../support/cpu-time.js';
import { fuzzBounds } from '../support/fuzz.js';
import fc from '../support/properties.js';

const reader = new ExemplarText();

interface Read {
  readonly labels: Record<string, string>;
  readonly value: number;
  readonly timestampMs?: number;
  readonly rest: string;
}

/** Read from the middle of a body, which goes on behind the line. */
function read(text: string | Buffer): Read | undefined {
  const line = Buffer.from(text);
  const body = Buffer.concat([Buffer.from('m 1 # '), line, Buffer.from('\n# EOF\n')]);
  const end = reader.parse(body, 6, 6 + line.length);
  if (end < 0) return undefined;
  return {
    labels: labelsToRecord(decodeLabels(reader.labels, 0, reader.labelsLength)),
    value: reader.value,
    ...(reader.hasOwnTimestamp ? { timestampMs: reader.timestampMs } : {}),
    rest: body.toString('utf8', end, 6 + line.length),
  };
}

function f(text: string, labels: Record<string, string>, value: number, timestampMs?: number): void {
  const want = { labels, value, ...(timestampMs === undefined ? {} : { timestampMs }), rest: '' };
  const found = read(text);
  t.same(found && { ...found, labels: { ...found.labels } }, want, text);
}

t.test('exemplars', async () => {
  f('{trace_id="abc"} 1', { trace_id: 'abc' }, 1);
  f('{trace_id="abc"} 0.5 1700000000.123', { trace_id: 'abc' }, 0.5, 1_700_000_000_123);
  f('{trace_id="abc",span_id="d"} -1e3 0', { span_id: 'd', trace_id: 'abc' }, -1000, 0);
  f('{a="b",} 1', { a: 'b' }, 1);
  f('{} 1', {}, 1);
  f('{} 1 2', {}, 1, 2000);
  f('{a=""} 1', {}, 1);
  f('{a="",b="c"} 1', { b: 'c' }, 1);
  f('{a="x",a="y"} 1', { a: 'y' }, 1);
  f('{b="1",a="x",b="2",a="y"} 1', { a: 'y', b: '2' }, 1);
  f('{a="x",a=""} 1', {}, 1);
  f('{"my.key"="v"} 1', { 'my.key': 'v' }, 1);
  f('{"a"="1",a="2"} 1', { a: '2' }, 1);
  f('{"a b\\"\\\\\\n"="v"} 1', { 'a b"\\\n': 'v' }, 1);
  f('{a="x\\"y\\\\z\\n\\t\\q"} 1', { a: 'x"y\\z\n\\t\\q' }, 1);
  f('{a="\\\\"} 1', { a: '\\' }, 1);
  f('{a="é漢😀"} 1', { a: 'é漢😀' }, 1);
  f('{"é"="1","b"="2"} 1', { b: '2', é: '1' }, 1);
  f('{a=" # {b=\\"c\\"} 1"} 2', { a: ' # {b="c"} 1' }, 2);
  f('{a="}"} 1', { a: '}' }, 1);
  f('{a="\u0000"} 1', { a: '\u0000' }, 1);
  f('{a="b"} NaN', { a: 'b' }, Number.NaN);
  f('{a="b"} +Inf 1', { a: 'b' }, Number.POSITIVE_INFINITY, 1000);
});

t.test('milliseconds are cut toward zero in double arithmetic', async () => {
  f('{a="b"} 1 1700000000.1239', { a: 'b' }, 1, 1_700_000_000_123);
  f('{a="b"} 1 -1.5', { a: 'b' }, 1, -1500);
  f('{a="b"} 1 -0.0019', { a: 'b' }, 1, -1);
  f('{a="b"} 1 1.7e9', { a: 'b' }, 1, 1_700_000_000_000);
  f('{a="b"} 1 0.29', { a: 'b' }, 1, 290);
  f('{a="b"} 1 1.001', { a: 'b' }, 1, Math.trunc(1.001 * 1000));
});

t.test('what is none', async () => {
  const bad = [
    '{',
    '{}',
    '{} ',
    '{}1',
    '{}  1',
    '{} x',
    '{} 1 ',
    '{} 1  2',
    '{} 1 x',
    '{} 1 NaN',
    '{} 1 Inf',
    '{} 1 1e300',
    '{} 1 2 3',
    '{} 1 2 ',
    '{} 1\t2',
    '{} 1 #',
    '{} 1 # ',
    '{} 1 # x',
    '{,} 1',
    '{,a="b"} 1',
    '{a="b",,} 1',
    '{a="b" } 1',
    '{ a="b"} 1',
    '{a ="b"} 1',
    '{a= "b"} 1',
    '{a="b", c="d"} 1',
    '{a=b} 1',
    "{a='b'} 1",
    '{a="b} 1',
    '{a="b\\"} 1',
    '{a} 1',
    '{"a"} 1',
    '{"a"="b","c"} 1',
    '{""="b"} 1',
    '{="b"} 1',
    '{1a="b"} 1',
    '{a-b="c"} 1',
    '{a:b="c"} 1',
    '{a="b"c="d"} 1',
    '{é="b"} 1',
  ];
  for (const text of bad) t.equal(read(text), undefined, text);
  t.equal(read(Buffer.from('{a="\xff"} 1', 'latin1')), undefined, 'invalid UTF-8 in a value');
  t.equal(read(Buffer.from('{"\xc3"="b"} 1', 'latin1')), undefined, 'invalid UTF-8 in a name');
  t.equal(read(Buffer.from('{a="\xed\xa0\x80"} 1', 'latin1')), undefined, 'a surrogate');
});

t.test('several on a line, as OpenMetrics 2.0 writes them', async (t) => {
  t.match(read('{a="1"} 1 5 # {a="2"} 2'), { value: 1, timestampMs: 5000, rest: ' # {a="2"} 2' });
  t.match(read('{a="1"} 1 # {a="2"} 2'), { value: 1, rest: ' # {a="2"} 2' });
});

t.test('code points are counted as the limit wants them', async (t) => {
  const count = (text: string) => {
    t.ok(read(text), text.slice(0, 40));
    return reader.codePoints;
  };
  t.equal(count('{} 1'), 0);
  t.equal(count(`{a="${'x'.repeat(127)}"} 1`), 128);
  t.equal(count(`{a="${'漢'.repeat(127)}"} 1`), 128);
  t.equal(count(`{a="${'😀'.repeat(128)}"} 1`), 129);
  t.equal(count(`{a="${'\\n'.repeat(100)}"} 1`), 101);
  t.equal(count(`{a="${'\\t'.repeat(50)}"} 1`), 101);
  t.equal(count(`{abc="",d="e"} 1`), 2, 'of an empty value the name does not count');
  t.equal(count('{a="12345",a="1"} 1'), 2, 'of a repeated name only the last');
  t.ok(count(`{a="${'x'.repeat(5000)}"} 1`) > MAX_EXEMPLAR_CODE_POINTS);
  t.ok(count(`{"\\n"="b",a="${'x'.repeat(1e6)}",b="c"} 1`) > MAX_EXEMPLAR_CODE_POINTS);
  t.equal(reader.labels.length, 4096, 'and a long one is not kept');
  t.equal(count('{a="b"} 1'), 2, 'the next is read as ever');
});

t.test('whatever labels are written, they come back in order', async (t) => {
  const name = fc.oneof(fc.constantFrom('a', 'b', 'trace_id'), fc.string({ unit: 'grapheme', minLength: 1 }));
  const value = fc.string({
    unit: fc.oneof(fc.constantFrom('"', '\\', '\n', 'n', ' # {', '}'), fc.string()),
  });
  const escaped = (text: string) => text.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), fc.double(), (pairs, number) => {
      const wanted = labelsFromPairs(pairs);
      const text = `{${pairs.map(([name, value]) => `"${escaped(name)}"="${escaped(value)}"`).join()}} ${Object.is(number, -0) ? '-0' : number}`;
      const found = read(text);
      const bytes = reader.labels.subarray(0, reader.labelsLength);
      return (
        found !== undefined &&
        encodeLabels(wanted).equals(bytes) &&
        reader.codePoints === countCodePoints(wanted) &&
        Object.is(reader.value, number)
      );
    }),
    fuzzBounds(3000),
  );
  t.pass();
});

t.test('what was read before has no part in what is read now', async (t) => {
  const ids = fc.constantFrom(
    'a',
    'b',
    'ab',
    '0af7651916cd43dd8448eb211c80319c',
    '1af7651916cd43dd8448eb211c80319c',
  );
  const value = fc.oneof(
    { weight: 4, arbitrary: ids },
    fc.constantFrom('', 'é', '\\\\n', '\\\\"', '"', '}', ' # {'),
  );
  const label = fc.tuple(fc.constantFrom('a', 'b', 'trace_id', '"x"', '"é"'), value);
  const line = fc
    .tuple(
      fc.array(label, { maxLength: 3 }),
      fc.constantFrom(' 1', ' 2 3', ' x', '', ' 1 # {'),
      fc.nat({ max: 3 }),
    )
    .map(([labels, rest, pad]) => {
      const text = `{${labels.map(([name, value]) => `${name}="${value}"`).join()}}${rest}`;
      return {
        bytes: Buffer.from(`${' '.repeat(pad)}${text}\n{a="b"} 1`),
        at: pad,
        end: pad + Buffer.byteLength(text),
      };
    });
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 10 }), (lines) => {
      const warm = new ExemplarText();
      return lines.every(({ bytes, at, end }) => {
        const cold = new ExemplarText();
        const [found, wanted] = [warm, cold].map((reader) => {
          const after = reader.parse(bytes, at, end);
          if (after < 0) return 'malformed';
          const { value, timestampMs, hasOwnTimestamp, codePoints, labelsLength } = reader;
          const labels = reader.labels.toString('latin1', 0, labelsLength);
          return JSON.stringify([after, value, timestampMs, hasOwnTimestamp, codePoints, labels]);
        });
        return found === wanted;
      });
    }),
    fuzzBounds(10_000),
  );
  t.pass();
});

t.test('a line of ten megabytes costs linear time', async (t) => {
  const cases: [string, boolean][] = [
    [`{a="${'x'.repeat(1e7)}"} 1`, true],
    [`{${'a="",'.repeat(2e6)}} 1`, false],
    [`{a="${'\\'.repeat(1e7)}"} 1`, true],
    [`{a="b"} ${'1'.repeat(1e7)}`, false],
    [`{${'a'.repeat(1e7)}="b"} 1`, true],
    [`{a="b"} 1${' # {a="b"} 1'.repeat(1e6)}`, true],
  ];
  for (const [text, isOne] of cases) {
    const bytes = Buffer.from(text);
    const beforeMs = cpuMs();
    t.equal(reader.parse(bytes, 0, bytes.length) >= 0, isOne, text.slice(0, 20));
    t.ok(cpuMs() - beforeMs < 2000, `${cpuMs() - beforeMs} ms`);
  }
});
