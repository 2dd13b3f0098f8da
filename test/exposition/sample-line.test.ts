import t from 'tap';
import { parseSampleLine, SampleText, seriesEnd } from '../../src/exposition/sample-line.js';
import { cpuMs } from '../support/cpu-time.js';
import { fuzzBounds } from '../support/fuzz.js';
import fc from '../support/properties.js';

const sample = new SampleText();

function read(text: string | Buffer) {
  const line = Buffer.from(text);
  const body = Buffer.concat([Buffer.from('x 1\n'), line, Buffer.from('\n# EOF\n')]);
  const parsed = parseSampleLine(body, 4, 4 + line.length);
  if (parsed === undefined) return undefined;
  sample.parse(body, parsed.seriesEnd, 4 + line.length);
  return {
    labels: parsed.labels.map((pair) => pair.join('=')).join(';'),
    series: body.toString('utf8', 4, parsed.seriesEnd),
    value: sample.value,
    timestampMs: sample.timestampMs,
    exemplars: body.toString('utf8', parsed.sampleEnd, 4 + line.length),
  };
}

/** @param want `name=value;…`, the value, and the rest of the line from the first exemplar on */
function f(text: string, labels: string, value: number, exemplars = '', timestampMs = Number.NaN): void {
  const found = read(text);
  t.same(
    found && [found.labels, found.value, found.timestampMs, found.exemplars],
    [labels, value, timestampMs, exemplars],
    text,
  );
}

t.test('sample lines', async () => {
  f('a 1', '__name__=a', 1);
  f('a:b_C9 -Inf', '__name__=a:b_C9', Number.NEGATIVE_INFINITY);
  f('a NaN', '__name__=a', Number.NaN);
  f('a{} 1', '__name__=a', 1);
  f('a{b="c"} 1', '__name__=a;b=c', 1);
  f('a{b="c",} 1', '__name__=a;b=c', 1);
  f('a{b="c",d="e"} 1 2', '__name__=a;b=c;d=e', 1, '', 2000);
  f('a 1 1700000000.1239', '__name__=a', 1, '', 1_700_000_000_123);
  f('a 1 # {b="c"} 2', '__name__=a', 1, ' # {b="c"} 2');
  f('a 1 5 # {b="c"} 2', '__name__=a', 1, ' # {b="c"} 2', 5000);
  f('a{b="}"} 1', '__name__=a;b=}', 1);
  f('a{b=" # {"} 1 # {} 1', '__name__=a;b= # {', 1, ' # {} 1');
  f('a{b="\\\\\\"\\n\\x"} 1', '__name__=a;b=\\"\n\\x', 1);
  f('a{b="\\\\n"} 1', '__name__=a;b=\\n', 1);
  f('a{b="é漢\u0000"} 1', '__name__=a;b=é漢\u0000', 1);
  f('a{b="1",b="2"} 1', '__name__=a;b=1;b=2', 1);
  f('{"my.metric"} 1', '__name__=my.metric', 1);
  f('{"my.metric","label.x"="v",plain="w"} 1', '__name__=my.metric;label.x=v;plain=w', 1);
  f('{b="c","my.metric"} 1', '__name__=my.metric;b=c', 1);
  f('{"my.metric",} 1', '__name__=my.metric', 1);
  f('a{"b c"="d"} 1', '__name__=a;b c=d', 1);
  f('{"a\\"b"} 1', '__name__=a"b', 1);
});

t.test('what is none', async () => {
  const bad = [
    '',
    ' ',
    'a',
    'a ',
    ' a 1',
    'a  1',
    'a 1 ',
    'a 1  2',
    'a\t1',
    'a 1\t',
    'a x',
    'a 1 x',
    'a 1 2 3',
  ];
  const numbers = ['a 1 NaN', 'a 1 Inf', 'a 0x1', 'a 1_0', 'a 1 1e300', 'a 1e999'];
  const names = ['1a 1', 'a-b 1', 'é 1', '{} 1', '{b="c"} 1', '{__name__="a"} 1', '{"__name__"="a"} 1'];
  const twice = ['a{"b"} 1', '{"a","b"} 1', '{"a"', '{""} 1'];
  const labels = [
    'a{b="c" 1',
    'a{b="c} 1',
    'a{b=c} 1',
    'a{,} 1',
    'a{b="c",,} 1',
    'a{ b="c"} 1',
    'a{b="c" } 1',
  ];
  const more = [
    'a{b ="c"} 1',
    'a{b="c"d="e"} 1',
    'a{b="c"}1',
    'a {b="c"} 1',
    'a{1b="c"} 1',
    'a{b:c="d"} 1',
    'a{=""} 1',
  ];
  const hashes = ['a 1 #', 'a 1 # ', 'a 1 #{', 'a 1  # {} 1', 'a # {} 1', 'a 1 2 # x', '# HELP a # {} 1'];
  for (const text of [...bad, ...numbers, ...names, ...twice, ...labels, ...more, ...hashes]) {
    t.equal(read(text), undefined, text);
  }
  t.equal(read(Buffer.from('a{b="\xff"} 1', 'latin1')), undefined, 'invalid UTF-8');
});

t.test('the quick look for the end of a series agrees with the parser', async (t) => {
  const text = fc.string({ unit: fc.constantFrom(...'ab{}=",\\ #1n') });
  const inside = fc.string({ unit: fc.constantFrom('a', '{', '}', ' ', '#', '\\\\', '\\"', ',', '=') });
  const rest = fc.oneof(fc.constantFrom('1', '1 # {} 1'), text);
  const shaped = fc
    .tuple(fc.array(fc.tuple(inside, inside), { maxLength: 3 }), rest)
    .map(([pairs, rest]) => `{"m"${pairs.map(([n, v]) => `,"${n}"="${v}"`).join('')}} ${rest}`);
  const parsed = { count: 0 };
  fc.assert(
    fc.property(fc.oneof(text, shaped), (text) => {
      const body = Buffer.from(`${text}\n`);
      const line = parseSampleLine(body, 0, body.length - 1);
      if (line === undefined) return true;
      parsed.count++;
      return seriesEnd(body, 0, body.length - 1) === line.seriesEnd;
    }),
    fuzzBounds(20_000),
  );
  t.ok(parsed.count > 100, `${parsed.count} of the lines are samples`);
});

t.test(
  'a line of a megabyte costs linear time; whoever reads bodies refuses longer series before',
  async (t) => {
    const long = 'x'.repeat(1e6);
    for (const text of [
      `a{b="${long}"} 1`,
      `${long} 1`,
      `a{${'b="",'.repeat(2e5)}} 1`,
      `a{b="${'\\n'.repeat(5e5)}"} 1`,
    ]) {
      const bytes = Buffer.from(text);
      const beforeMs = cpuMs();
      t.ok(parseSampleLine(bytes, 0, bytes.length), text.slice(0, 10));
      t.ok(cpuMs() - beforeMs < 3000, `${cpuMs() - beforeMs} ms`);
    }
  },
);
