import t from 'tap';
import { applyCompletion, completionAt } from '../../src/page/explore/completion.js';
import { withMatcher } from '../../src/page/explore/promql.js';

/** `|` is the cursor. @returns kind, word, and what is asked of the server */
function at(marked: string): string | undefined {
  const context = completionAt(marked.replace('|', ''), marked.indexOf('|'));
  if (context === undefined) return undefined;
  const { kind, word, label, selector } = context;
  return [
    kind,
    word,
    ...(label === undefined ? [] : [label]),
    ...(selector === undefined ? [] : [selector]),
  ].join(' ');
}

t.test('what can stand at the cursor', async (t) => {
  const is = (marked: string, want: string | undefined) => t.equal(at(marked), want, marked);
  is('|', 'metric ');
  is('fo|', 'metric fo');
  is('sum(rate(fo|', 'metric fo');
  is('foo and |', 'metric ');
  is('rate(foo{le="1"}[5m]) / b|', 'metric b');
  is('{"a.|', 'metric a.');
  is('foo{|', 'label-name  foo');
  is('foo{jo|}', 'label-name jo foo');
  is('foo{a="b", jo|', 'label-name jo foo{a="b"}');
  is('sum by (|', 'label-name ');
  is('sum by (a, jo|) (foo{x="1"})', 'label-name jo foo{x="1"}');
  is('a / on (|) b', 'label-name  a');
  is('foo{job=|', 'label-value  job foo');
  is('foo{job="|', 'label-value  job foo');
  is('foo{job="d|"}', 'label-value d job foo');
  is('foo{a="b", job=~"x|"}', 'label-value x job foo{a="b"}');
  is('sum(rate(foo{x!~"|"}[5m]))', 'label-value  x foo');
  is('{"a.b"="|"}', 'label-value  a.b');
  for (const nothing of ['foo[5|', 'foo[5m] |', 'foo |', '1|', 'a offset 5|', '# x|']) is(nothing, undefined);
});

t.test('a completion taken', async (t) => {
  const is = (marked: string, value: string, want: string) => {
    const text = marked.replace('|', '');
    const cursor = marked.indexOf('|');
    const { text: taken, cursor: at } = applyCompletion(text, completionAt(text, cursor)!, value);
    t.equal(`${taken.slice(0, at)}|${taken.slice(at)}`, want);
  };
  is('sum(fo|x)', 'foo_total', 'sum(foo_total|)');
  is('fo|', 'a.b', '{"a.b"}|');
  is('foo{jo|', 'job', 'foo{job|');
  is('foo{jo|', 'odd name', 'foo{"odd name"|');
  is('foo{job=|}', 'a"b', 'foo{job="a\\"b"|}');
  is('foo{job="d|"}', 'demo', 'foo{job="demo"|}');
  is('foo{job="d|', 'demo', 'foo{job="demo"|');
  is(`foo{job='d|'}`, `it's`, `foo{job='it\\'s'|}`);
  is('foo{job="d|", a="b"}', 'demo', 'foo{job="demo"|, a="b"}');
});

t.test('a filter becomes a matcher of every selector', async (t) => {
  const is = (expression: string, want: string) =>
    t.equal(withMatcher(expression, { name: 'job', operator: '!=', value: 'x"y' }), want);
  is('foo', 'foo{job!="x\\"y"}');
  is('foo{}', 'foo{job!="x\\"y"}');
  is('foo{a="b",}', 'foo{a="b", job!="x\\"y"}');
  is('rate(a[5m])/b{x="1"}', 'rate(a{job!="x\\"y"}[5m])/b{x="1", job!="x\\"y"}');
  t.equal(withMatcher('a', { name: 'a.b', operator: '=', value: '' }), 'a{"a.b"=""}');
});
