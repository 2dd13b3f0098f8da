// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax of rules

import t from 'tap';
import { formatLabels, type Labels, labelsFromRecord, labelsToRecord } from '../../src/model/labels.js';
import { lowerCase, upperCase } from '../../src/model/letter-case.js';
import {
  compileRules,
  DEFAULT_RELABEL_RULE,
  RELABEL_ACTIONS,
  type RelabelRule,
  relabel,
} from '../../src/model/relabel.js';
import { cpuMs } from '../support/cpu-time.js';
import { fuzzBounds } from '../support/fuzz.js';
import fc from '../support/properties.js';

function rule(given: Partial<RelabelRule>): RelabelRule {
  return { ...DEFAULT_RELABEL_RULE, ...given };
}

type Given = Record<string, string>;

function run(labels: Given, rules: readonly Partial<RelabelRule>[]): Labels | undefined {
  return relabel(labelsFromRecord(labels), compileRules(rules.map(rule)));
}

const f = (labels: Given, rules: Partial<RelabelRule> | Partial<RelabelRule>[], want: Given | undefined) => {
  const found = run(labels, [rules].flat());
  const shown = `${formatLabels(labelsFromRecord(labels))} ${JSON.stringify(rules)}`;
  t.strictSame(found && { ...labelsToRecord(found) }, want, shown.slice(0, 150));
};

// replace
const abc = { a: 'foo', b: 'bar', c: 'baz' };
f(abc, { sourceLabels: ['a'], regex: 'f(.*)', targetLabel: 'd', replacement: 'ch${1}-ch${1}' }, { ...abc, d: 'choo-choo' }); // biome-ignore format: one line
f(abc, { sourceLabels: ['a', 'b'], targetLabel: 'd' }, { ...abc, d: 'foo;bar' });
f(abc, { sourceLabels: ['a', 'x', 'b'], targetLabel: 'd', separator: '' }, { ...abc, d: 'foobar' });
f(abc, { sourceLabels: ['a'], regex: 'o', targetLabel: 'd', replacement: 'x' }, abc);
f(abc, { sourceLabels: ['a'], regex: 'FOO', targetLabel: 'd' }, abc);
f(abc, { sourceLabels: ['a'], regex: '(?i)F(O+)', targetLabel: 'd' }, { ...abc, d: 'oo' });
f(abc, { targetLabel: 'd', replacement: 'always' }, { ...abc, d: 'always' });
f(abc, { sourceLabels: ['x'], targetLabel: 'a', replacement: '$1' }, { b: 'bar', c: 'baz' });
f(abc, { sourceLabels: ['a'], regex: 'foo', targetLabel: 'a', replacement: '' }, { b: 'bar', c: 'baz' });
f(abc, { sourceLabels: ['a'], regex: '(f)(x)?oo', targetLabel: 'b', replacement: '$2' }, { a: 'foo', c: 'baz' }); // biome-ignore format: one line
f(abc, { sourceLabels: ['a'], regex: '(.*)', targetLabel: '$1_$0' }, { ...abc, foo: 'foo' });
f(abc, { sourceLabels: ['x'], targetLabel: '$1', replacement: 'v' }, abc);
f({ a: 'x\ny' }, { sourceLabels: ['a'], regex: 'x.y', targetLabel: 'b', replacement: 'z' }, { a: 'x\ny', b: 'z' }); // biome-ignore format: one line
f({ a: 'x' }, { sourceLabels: ['a'], regex: 'x|yz', targetLabel: 'b', replacement: 'z' }, { a: 'x', b: 'z' });
f({ a: 'xz' }, { sourceLabels: ['a'], regex: 'x|yz', targetLabel: 'b', replacement: 'z' }, { a: 'xz' });
f({ a: 'x' }, { sourceLabels: ['a'], targetLabel: 'ü b', replacement: '$1' }, { a: 'x', 'ü b': 'x' });
f({ a: 'x' }, [{ sourceLabels: ['a'], targetLabel: 'b' }, { sourceLabels: ['b'], targetLabel: 'c' }], { a: 'x', b: 'x', c: 'x' }); // biome-ignore format: one line
f({ a: 'x' }, { regex: 'a', action: 'labeldrop' }, {});
f({ __address__: 'h:1', a: 'x' }, { sourceLabels: ['__address__'], regex: '(.*):.*', targetLabel: '__tmp' }, { __address__: 'h:1', __tmp: 'h', a: 'x' }); // biome-ignore format: one line

// keep, drop
f(abc, { sourceLabels: ['a'], regex: '.*o.*', action: 'drop' }, undefined);
f(abc, { sourceLabels: ['a'], regex: 'f|o', action: 'drop' }, abc);
f(abc, { sourceLabels: ['x'], regex: '', action: 'drop' }, undefined);
f(abc, { sourceLabels: ['a'], regex: 'foo', action: 'keep' }, abc);
f(abc, { sourceLabels: ['a'], regex: 'fo', action: 'keep' }, undefined);
f(abc, { sourceLabels: ['a', 'b'], regex: 'foo;bar', action: 'keep' }, abc);
f(abc, [{ sourceLabels: ['a'], regex: 'no', action: 'keep' }, { targetLabel: 'd' }], undefined);
f({ a: 'x' }, { action: 'keep' }, { a: 'x' });

// keepequal, dropequal
f({ a: '1', b: '1' }, { sourceLabels: ['a'], targetLabel: 'b', action: 'keepequal' }, { a: '1', b: '1' });
f({ a: '1', b: '2' }, { sourceLabels: ['a'], targetLabel: 'b', action: 'keepequal' }, undefined);
f({ a: '1', b: '1' }, { sourceLabels: ['a'], targetLabel: 'b', action: 'dropequal' }, undefined);
f({ a: '1', b: '2' }, { sourceLabels: ['a'], targetLabel: 'b', action: 'dropequal' }, { a: '1', b: '2' });
f({ a: '1' }, { sourceLabels: ['x'], targetLabel: 'y', action: 'dropequal' }, undefined);

// hashmod: the first two are of Prometheus' own tests
f({ a: 'foo', b: 'bar', c: 'baz' }, { sourceLabels: ['c'], targetLabel: 'd', modulus: 1000, action: 'hashmod' }, { ...abc, d: '976' }); // biome-ignore format: one line
f({ a: 'foo\nbar' }, { sourceLabels: ['a'], targetLabel: 'b', modulus: 1000, action: 'hashmod' }, { a: 'foo\nbar', b: '734' }); // biome-ignore format: one line
f({}, { sourceLabels: ['x'], targetLabel: 'b', modulus: 1, action: 'hashmod' }, { b: '0' });

// labelmap
f({ a: 'foo', b1: 'bar', b2: 'baz' }, { regex: '(b.*)', replacement: 'bar_${1}', action: 'labelmap' }, { a: 'foo', b1: 'bar', b2: 'baz', bar_b1: 'bar', bar_b2: 'baz' }); // biome-ignore format: one line
f({ a: 'foo', __meta_my_bar: 'aaa', __meta_my_baz: 'bbb', __meta_other: 'ccc' }, { regex: '__meta_(my.*)', action: 'labelmap' }, { a: 'foo', __meta_my_bar: 'aaa', __meta_my_baz: 'bbb', __meta_other: 'ccc', my_bar: 'aaa', my_baz: 'bbb' }); // biome-ignore format: one line
f({ a1: '1', a2: '2' }, { regex: 'a.', replacement: 'b', action: 'labelmap' }, { a1: '1', a2: '2', b: '2' });
f({ a: '1' }, { regex: 'a', replacement: '', action: 'labelmap' }, { a: '1' });
f({ a1: '1', a2: '2' }, [{ targetLabel: 'a1', replacement: '3' }, { regex: 'a.', replacement: 'b', action: 'labelmap' }], { a1: '3', a2: '2', b: '3' }); // biome-ignore format: one line

// labeldrop, labelkeep
f({ a: '1', b1: '2', b2: '3' }, { regex: 'b.*', action: 'labeldrop' }, { a: '1' });
f({ a: '1', b1: '2', b2: '3' }, { regex: 'b', action: 'labeldrop' }, { a: '1', b1: '2', b2: '3' });
f({ a: '1', b1: '2', b2: '3' }, { regex: 'b.*', action: 'labelkeep' }, { b1: '2', b2: '3' });

// lowercase, uppercase
f({ foo: 'bAr123Foo' }, [{ sourceLabels: ['foo'], targetLabel: 'u', action: 'uppercase' }, { sourceLabels: ['foo'], targetLabel: 'l', action: 'lowercase' }], { foo: 'bAr123Foo', l: 'bar123foo', u: 'BAR123FOO' }); // biome-ignore format: one line
f({ a: 'X' }, { sourceLabels: ['x'], targetLabel: 'a', action: 'lowercase' }, {});

t.test('letters are mapped one by one, as Go does', async (t) => {
  t.equal(upperCase('straße ŉ ﬁ ᾳ ᾀ ǆ é ı 𐐨'), 'STRAßE ŉ ﬁ ᾼ ᾈ Ǆ É I 𐐀');
  t.equal(lowerCase('ΑΣ İ Ǆ É 𐐀 K'), 'ασ i ǆ é 𐐨 k');
});

t.test('variables: Go’s Expand', async (t) => {
  const g = (template: string, want: string) => {
    const found = run({ a: 'one-two' }, [{ sourceLabels: ['a'], regex: '(?P<first>\\w+)-(\\w+)(x)?', targetLabel: 'b', replacement: `[${template}]` }]); // biome-ignore format: one line
    t.equal(labelsToRecord(found ?? []).b, `[${want}]`, template);
  };
  g('$1', 'one');
  g('${1}', 'one');
  g('$0', 'one-two');
  g('$1x', '');
  g('${1}x', 'onex');
  g('$1_$2', 'two');
  g('$1-$2', 'one-two');
  g('$first', 'one');
  g('${first}s', 'ones');
  g('$firsts', '');
  g('$constructor$__proto__', '');
  g('$3', '');
  g('$4', '');
  g('$99999999999999999999', '');
  g('$01', '');
  g('$$', '$');
  g('$$1', '$1');
  g('$$$1', '$one');
  g('$', '$');
  g('$ 1', '$ 1');
  g('$-', '$-');
  g('${1', '${1');
  g('${}', '${}');
  g('${1 }', '${1 }');
  g('$é', '');
  g('\\1', '\\1');
});

t.test('regular expressions are RE2', async (t) => {
  for (const regex of ['(', 'a)(b', '(?=a)', '\\1', '[', '*'])
    t.throws(() => compileRules([rule({ regex })]), regex);
  const beforeMs = cpuMs();
  f({ a: `${'a'.repeat(50_000)}b` }, { sourceLabels: ['a'], regex: '(a*)*c', action: 'drop' }, { a: `${'a'.repeat(50_000)}b` }); // biome-ignore format: one line
  t.ok(cpuMs() - beforeMs < 3000);
});

t.test('a name that legacy validation refuses is not set', async (t) => {
  const rules = [{ ...DEFAULT_RELABEL_RULE, sourceLabels: ['a'], targetLabel: 'x.$1', replacement: 'y' }];
  const before = labelsFromRecord({ a: 'b' });
  t.same(relabel(before, compileRules(rules)), ['a', 'b', 'x.b', 'y']);
  t.same(relabel(before, compileRules(rules, 'legacy')), ['a', 'b']);
});

t.test('what does not change is the very same', async (t) => {
  const labels = labelsFromRecord(abc);
  t.equal(relabel(labels, []), labels);
  t.equal(relabel(labels, compileRules([rule({ regex: 'x', action: 'labeldrop' })])), labels);
});

t.test('rules cannot make values and labels without bound', async (t) => {
  const doubling = Array.from({ length: 60 }, () => ({ sourceLabels: ['a'], targetLabel: 'a', replacement: '$1$1' })); // biome-ignore format: one line
  const grown = labelsToRecord(run({ a: 'xx' }, doubling)!);
  t.equal(grown.a?.length, 65_536, 'a rule that would go beyond has no effect');
  const mapping = Array.from({ length: 60 }, (_, i) => ({ regex: '(.*)', replacement: `x${i}_$1`, action: 'labelmap' as const })); // biome-ignore format: one line
  t.equal(run({ a: 'x' }, mapping)!.length, 2 * 1024);
  const joining = Array.from({ length: 60 }, () => ({ sourceLabels: ['a', 'a'], targetLabel: 'a', action: 'lowercase' as const })); // biome-ignore format: one line
  t.ok(labelsToRecord(run({ a: 'xx' }, joining)!).a!.length <= 65_536);
});

t.test('any rules give a label set or none, and never an error', async (t) => {
  const name = fc.constantFrom('a', 'b', '__name__', '__proto__', 'ü', '');
  const value = fc.oneof(fc.constantFrom('', 'x', 'x\ny', '1;2'), fc.string({ unit: 'grapheme' }));
  const rules = fc.array(
    fc.record({
      action: fc.constantFrom(...RELABEL_ACTIONS),
      sourceLabels: fc.array(name, { maxLength: 3 }),
      separator: fc.constantFrom(';', '', '$1'),
      regex: fc.constantFrom('(.*)', '', '.', 'x(.)?y', '(a)|(b)', '(?P<n>.*)', '__.*', '\\w+'),
      modulus: fc.integer({ min: 1, max: 2 ** 40 }),
      targetLabel: fc.oneof(name, fc.constantFrom('$1', '${n}', '$$')),
      replacement: fc.oneof(fc.string(), fc.constantFrom('$1', '$0$0', '${n}', '$2')),
    }),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(fc.dictionary(name, value), rules, (given, list) => {
      delete given[''];
      const before = labelsFromRecord(given);
      const after = relabel(before, compileRules(list));
      if (after === undefined) return;
      for (let i = 0; i < after.length; i += 2) {
        if (after[i] === '' || after[i + 1] === '') throw new Error('an empty name or value');
        if (i > 0 && !(Buffer.compare(Buffer.from(after[i - 2]!), Buffer.from(after[i]!)) < 0))
          throw new Error('out of order');
      }
    }),
    fuzzBounds(3000),
  );
  t.pass();
});
