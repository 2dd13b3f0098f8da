import t from 'tap';
import { type ListFormat, parseGroupList } from '../../src/discovery/group-list.js';
import { systemClock } from '../../src/util/clock.js';
import { TimeSlices } from '../../src/util/time-slices.js';
import { fuzzBounds } from '../support/fuzz.js';
import fc from '../support/properties.js';

const ORIGIN = { source: 'f', labels: { __meta_filepath: '/f' } };

function parse(text: string | Uint8Array, format: ListFormat = 'json') {
  return parseGroupList(Buffer.from(text), format, ORIGIN, new TimeSlices(systemClock));
}

/** Addresses and labels of each group, without those of the origin. */
async function plain(text: string, format: ListFormat = 'json') {
  return (await parse(text, format)).map(({ targets, labels: { __meta_filepath: _, ...labels } }) => [
    targets.map((target) => target.__address__),
    labels,
  ]);
}

t.test('lists in JSON and YAML', async (t) => {
  t.strictSame(await parse('[{"targets":["a:1","b:2"],"labels":{"x":"y"}}]'), [
    {
      source: 'f:0',
      targets: [{ __address__: 'a:1' }, { __address__: 'b:2' }],
      labels: { x: 'y', __meta_filepath: '/f' },
    },
  ]);
  const f = async (text: string, format: ListFormat, want: unknown) =>
    t.strictSame(await plain(text, format), want, text.slice(0, 80));
  await f('[]', 'json', []);
  await f('null', 'json', []);
  await f('', 'yaml', []);
  await f('# nothing yet\n', 'yaml', []);
  await f('[{"Targets":["a:1"],"LABELS":{"X":"y"}},{}]', 'json', [
    [['a:1'], { X: 'y' }],
    [[], {}],
  ]);
  await f('[{"targets":null,"labels":null}]', 'json', [[[], {}]]);
  await f('- targets: [a:1, "b:2"]\n  labels: {version: 1.10, on: yes, none: , "~": x}\n', 'yaml', [
    [['a:1', 'b:2'], { version: '1.10', on: 'yes', none: '', '~': 'x' }],
  ]);
  await f('- targets:\n    - 10.0.0.1:9090\n  labels:\n', 'yaml', [[['10.0.0.1:9090'], {}]]);
  await f(
    '- &base\n  targets: [a:1]\n  labels: &l {x: 1, y: 2}\n- targets: [b:1]\n  labels: {<<: *l, y: 3}\n',
    'yaml',
    [
      [['a:1'], { x: '1', y: '2' }],
      [['b:1'], { x: '1', y: '3' }],
    ],
  );
  await f('[{"targets": ["a:1"], "labels": {"__proto__": "x", "constructor": "y"}}]', 'json', [
    [['a:1'], Object.fromEntries([['__proto__', 'x'], ['constructor', 'y']])],
  ]); // biome-ignore format: pairs
});

t.test('what is no such list says where, and not what it holds', async (t) => {
  const f = async (text: string | Uint8Array, message: RegExp, format: ListFormat = 'json') =>
    t.rejects(parse(text, format), { message }, String(text).slice(0, 80));
  await f('{"targets": ["a:1"]}', /^it must be a list of target groups, got a map$/);
  await f('"text"', /got text$/);
  await f('[null]', /^group 1 must have targets and labels, got nothing$/);
  await f('[{}, ["a:1"]]', /^group 2 must have targets and labels, got a list$/);
  await f('[{"targets": [9090]}]', /^group 1: targets\[0\] must be text, got a number$/);
  await f('[{"targets": "a:1"}]', /^group 1: targets must be a list, got text$/);
  await f('[{"targets": ["a:1", null]}]', /targets\[1\] must be text, got nothing/);
  await f('[{"labels": {"a": 1}}]', /^group 1: label "a" must be text, got a number$/);
  await f('[{"labels": {"": "x"}}]', /^group 1 has a label without a name$/);
  await f('[{"labels": ["a"]}]', /labels must be a map, got a list/);
  await f('[{"target": ["a:1"]}]', /^group 1 has an unknown key "target"; targets and labels are known$/);
  await f('- targets: [a:1]\n  Labels: {}\n', /unknown key "Labels"/, 'yaml');
  await f('[{"targets": ["a:1"]', /JSON/);
  await f('', /JSON/);
  await f('- targets: [a:1\n', /^line \d+, column \d+: /, 'yaml');
  await f('- targets: [a:1]\n  targets: [b:1]\n', /^line 2, column 3: a key is given twice$/, 'yaml');
  await f('- targets: *x\n', /^line 1, column 12: an alias has no complete anchor before it$/, 'yaml');
  await f('--- []\n--- []\n', /line 2/, 'yaml');
  await f('targets: [a:1]\n', /must be a list of target groups, got a map/, 'yaml');
  await f(Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), /^it is not UTF-8$/);
  await f('\0\0\0\0', /JSON/);
  await f(`- &a [x,x,x,x,x,x,x,x,x,x]\n${[...'bcdefgh'].map((n, i) => `- &${n} [${Array(10).fill(`*${'abcdefgh'[i]}`)}]\n`).join('')}`, /aliases stand for too many values/, 'yaml'); // biome-ignore format: one bomb
});

t.test('long lists in YAML are read piece by piece, to the same end', async (t) => {
  const item = (i: number) => `- targets: ['host-${i}:9090']\n  labels: {n: "${i}", text: "- x"}\n`;
  const items = Array.from({ length: 2_000 }, (_, i) => item(i)).join('');
  for (const text of [
    items,
    `# head\n---\n${items}`,
    items.replace(/^/gm, '  '),
    items.replaceAll('\n', '\r\n'),
  ]) {
    let pauses = 0;
    const slices = new TimeSlices(systemClock, 5);
    const pause = slices.pause.bind(slices);
    slices.pause = () => {
      pauses++;
      return pause();
    };
    const groups = await parseGroupList(Buffer.from(text), 'yaml', ORIGIN, slices);
    t.equal(groups.length, 2_000);
    t.match(groups[1_999], { source: 'f:1999', targets: [{ __address__: 'host-1999:9090' }], labels: { n: '1999' } }); // biome-ignore format: one line
    t.ok(pauses > 0);
  }
  const anchored = `- &x {targets: [a:1]}\n${items}- *x\n`;
  t.equal((await parse(anchored, 'yaml')).length, 2_002, 'anchors need the whole text');
  await t.rejects(parse(`${items}- targets: 5\n`, 'yaml'), { message: 'group 2001: targets must be a list, got text' }); // biome-ignore format: one line
  await t.rejects(parse(`${items}- targets: [\n`, 'yaml'), { message: /^line 400\d, / });
  const long = 'x'.repeat(10 * 1024 * 1024);
  t.equal((await parse(`[{"labels":{"a":"${long}"}}]`))[0]?.labels.a, long);
  t.equal((await parse(`- labels: {a: ${long}}`, 'yaml'))[0]?.labels.a, long);
});

t.test('nesting without end costs an error, not the process', async (t) => {
  const deep = [
    '['.repeat(100_000),
    `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    '{a: '.repeat(50_000),
    '- '.repeat(50_000),
    '? '.repeat(50_000),
    Array.from({ length: 5_000 }, (_, i) => `${' '.repeat(i)}a:\n`).join(''),
  ];
  for (const text of deep) {
    await t.rejects(parse(text, 'yaml'), { message: 'it is nested too deeply' });
    await t.rejects(parse(text, 'json'));
  }
});

t.test('any text is a list or an error', async (t) => {
  const parts = ['- ', 'targets', ': ', '[', ']', '{', '}', 'a:1', '"', "'", '\n', '  ', '&x ', '*x', '#', '|\n', ',', '!!t ', '\\', 'null', '<<', '\0', 'labels', '---\n', '...\n', '%'] as const; // biome-ignore format: one line
  const texts = fc.array(fc.oneof(fc.constantFrom(...parts), fc.string({ maxLength: 3 })), { maxLength: 30 });
  const formats = fc.constantFrom<ListFormat>('json', 'yaml');
  await fc.assert(
    fc.asyncProperty(texts, formats, async (parts, format) => {
      const text = parts.join('');
      try {
        for (const { targets, labels } of await parse(text, format)) {
          const values = [...targets.map(({ __address__ }) => __address__), ...Object.values(labels)];
          if (!values.every((value) => typeof value === 'string')) throw new TypeError(`not text: ${text}`);
        }
      } catch (error) {
        if (!(error instanceof Error) || error instanceof TypeError) throw error;
      }
    }),
    fuzzBounds(2_000),
  );
  t.pass();
});
