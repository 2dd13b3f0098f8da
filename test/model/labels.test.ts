import t from 'tap';
import { decodeLabels, encodeLabels } from '../../src/model/encoded-labels.js';
import {
  compareBytewise,
  compareLabels,
  countCodePoints,
  formatLabels,
  labelsFromPairs,
  labelsFromRecord,
  labelsToJson,
  labelsToRecord,
  labelValue,
  mergeLabels,
} from '../../src/model/labels.js';
import { anchoredRegex, createMatcher } from '../../src/model/matcher.js';
import { cpuMs } from '../support/cpu-time.js';
import { fuzzBounds } from '../support/fuzz.js';
import fc from '../support/properties.js';

const TEXT = fc.string({
  unit: fc.oneof(
    fc.constantFrom('a', '\u{d7ff}', '\u{e000}', '\u{ffff}', '😀', '\u{10ffff}', '\u0000'),
    fc.string(),
  ),
});
const PAIRS = fc.array(fc.tuple(TEXT, TEXT), { maxLength: 5 });

t.test('strings compare as their UTF-8 bytes', async (t) => {
  fc.assert(
    fc.property(TEXT, TEXT, (a, b) => {
      const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
      return Math.sign(compareBytewise(a, b)) === bytes;
    }),
    fuzzBounds(5000),
  );
  t.pass();
});

t.test('label sets are sorted, without empty values, the last of a name', async (t) => {
  t.same(
    labelsFromPairs([
      ['b', '1'],
      ['a', '2'],
      ['b', '3'],
      ['c', ''],
    ]),
    ['a', '2', 'b', '3'],
  );
  t.same(
    labelsFromPairs([
      ['a', '1'],
      ['a', ''],
    ]),
    [],
  );
  t.same(labelsFromRecord({ b: '1', a: '2' }), ['a', '2', 'b', '1']);
  const proto = labelsFromPairs([['__proto__', 'x']]);
  t.equal(labelsToJson(proto), '{"__proto__":"x"}');
  t.same(Object.entries(labelsToRecord(proto)), [['__proto__', 'x']]);
  t.equal(labelValue(['a', '1'], 'a'), '1');
  t.equal(labelValue(['a', '1'], '1'), '', 'a value is no name');
  t.same(mergeLabels(['a', '1'], ['a', '2', 'b', '3']), ['a', '1', 'b', '3']);
  t.equal(formatLabels(['a', 'x"\n', 'b', '']), '{a="x\\"\\n", b=""}');
  t.equal(countCodePoints(['a', '😀漢']), 3);
});

t.test('encoding keeps everything, and its bytes are equal only where sets are', async (t) => {
  fc.assert(
    fc.property(PAIRS, PAIRS, (a, b) => {
      const [left, right] = [labelsFromPairs(a), labelsFromPairs(b)];
      const decoded = decodeLabels(
        Buffer.concat([Buffer.from('xx'), encodeLabels(left), Buffer.from('x')]),
        2,
        2 + encodeLabels(left).length,
      );
      const isEqual = compareLabels(left, right) === 0;
      return compareLabels(decoded, left) === 0 && encodeLabels(left).equals(encodeLabels(right)) === isEqual;
    }),
    fuzzBounds(3000),
  );
  t.ok(compareLabels(['a', '1'], ['a', '1', 'b', '2']) < 0, 'a prefix first');
  t.ok(compareLabels(['a', '2'], ['a', '1', 'b', '2']) > 0);
});

t.test('matchers', async (t) => {
  const f = (type: '=' | '!=' | '=~' | '!~', value: string, matching: string[], others: string[]) => {
    const matcher = createMatcher(type, 'x', value);
    for (const text of matching) t.ok(matcher.matches(text), `${JSON.stringify(text)} ${type} ${value}`);
    for (const text of others) t.notOk(matcher.matches(text), `not ${JSON.stringify(text)} ${type} ${value}`);
  };
  f('=', 'a', ['a'], ['', 'b', 'aa']);
  f('!=', 'a', ['', 'b'], ['a']);
  f('=~', 'a', ['a'], ['ab', 'ba', '']);
  f('=~', 'a|bc', ['a', 'bc'], ['b', 'abc', 'a|bc']);
  f('=~', 'a|', ['a', ''], ['b']);
  f('=~', '', [''], ['a']);
  f('=~', '.*', ['', 'a', 'a\nb'], []);
  f('=~', '.+', ['a', '\n'], ['']);
  f('=~', 'a.b', ['axb', 'a\nb'], ['ab']);
  f('=~', '(?i)A', ['a', 'A'], ['b']);
  f('=~', 'a\\.b', ['a.b'], ['axb']);
  f('=~', '^a$', ['a'], ['aa']);
  f('!~', 'a|b', ['', 'c'], ['a', 'b']);
  for (const bad of ['(', 'a)(b', '[', '*', '(?=a)', '\\1']) t.throws(() => anchoredRegex(bad), bad);
});

t.test('an expression that makes others backtrack costs linear time', async (t) => {
  const matches = anchoredRegex('(a+)+$');
  const beforeMs = cpuMs();
  t.notOk(matches(`${'a'.repeat(5000)}b`));
  t.ok(cpuMs() - beforeMs < 1000);
});
