import t from 'tap';
import { evaluateConstant } from '../../src/query/constant.js';
import { PromqlError } from '../../src/query/expression.js';
import { parseSelector, parseSelectors } from '../../src/query/selectors.js';
import { cpuMs } from '../support/cpu-time.js';

/** `a="b",c=~"d" | …` */
function selectors(expression: string): string {
  return parseSelectors(expression)
    .map((matchers) =>
      matchers.map(({ name, type, value }) => `${name}${type}${JSON.stringify(value)}`).join(),
    )
    .join(' | ');
}

function errorOf(parse: (expression: string) => unknown, expression: string): string {
  try {
    parse(expression);
    return '';
  } catch (error) {
    if (error instanceof PromqlError) return error.message;
    throw error;
  }
}

t.test('every selector of an expression', async (t) => {
  const cases: [string, string][] = [
    ['up', '__name__="up"'],
    ['a:b{c="d",}', '__name__="a:b",c="d"'],
    ['{__name__="up"}', '__name__="up"'],
    ['{"my.metric", "my.label"!~"x", b!=\'y\'}', '__name__="my.metric",my.label!~"x",b!="y"'],
    ['rate(a[5m] offset 1h) + on (x) b @ end()', '__name__="a" | __name__="b"'],
    [
      'sum by (x) (topk(scalar(c), d)) or quantile_over_time(0.5, e[5m:1m])',
      '__name__="c" | __name__="d" | __name__="e"',
    ],
    ['label_replace(f, "a", "b{c}", "d", "e")', '__name__="f"'],
    ['1 + time()', ''],
    ['sum # of {all}\n(a)', '__name__="a"'],
    ['a{b="\\u00e9\\n"}', '__name__="a",b="é\\n"'],
    ['a{b=`\\d`}', '__name__="a",b="\\\\d"'],
    ['{a="x"} and {b=~".+"}', 'a="x" | b=~".+"'],
    ['a{by="x",on!="y",sum="z"}', '__name__="a",by="x",on!="y",sum="z"'],
  ];
  for (const [expression, expected] of cases) t.equal(selectors(expression), expected, expression);
});

t.test('errors', async (t) => {
  const cases: [string, string][] = [
    ['', 'unknown position: parse error: no expression found in input'],
    ['{}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
    ['a +\n  {b=~".*"}', '2:3: parse error: vector selector must contain at least one non-empty matcher'],
    ['é{', '1:1: parse error: '],
    ['a{b=~"("}', '1:3: parse error: error parsing regexp: missing closing ): `(`'],
    ['a{b="\\q"}', '1:5: parse error: invalid string literal "\\q"'],
    ['a{__name__="b"}', '1:1: parse error: metric name must not be set twice: "a" or "b"'],
    ['a{', '1:3: parse error: unexpected end of input'],
    ['sum(', '1:5: parse error: unexpected end of input'],
    ['a b', '1:3: parse error: unexpected "b"'],
    ['a{b=c}', '1:5: parse error: '],
    ['1 +', '1:4: parse error: unexpected end of input'],
  ];
  for (const [expression, message] of cases) {
    t.equal(errorOf(parseSelectors, expression).slice(0, message.length), message, expression);
  }
  // The parser gives up on so deep a tree before there are too many selectors.
  t.match(errorOf(parseSelectors, `a${'+a'.repeat(2000)}`), 'parse error: ');
  t.match(errorOf(parseSelectors, 'a'.repeat(70_000)), 'expression longer than');
});

t.test('a lone selector', async (t) => {
  t.equal(parseSelector('# all\nup{a="b"}').length, 2);
  for (const expression of ['1', 'a + b', '(a)', 'a[5m]', 'a offset 5m', 'sum(a)']) {
    t.match(errorOf(parseSelector, expression), /^1:1: parse error: not a series selector/, expression);
  }
});

t.test('a long expression that is wrong is refused at once', async (t) => {
  const startMs = cpuMs();
  for (const wrong of ['] ', '{', 'a ', 'a="b" ', '{a="b"}['])
    t.match(
      errorOf(parseSelectors, wrong.repeat(60_000 / wrong.length)),
      /^1:\d+: parse error: unexpected "/,
    );
  t.ok(cpuMs() - startMs < 2000, 'nobody else is kept waiting');
});

t.test('constants', async (t) => {
  const cases: [string, number | undefined][] = [
    ['1+1', 2],
    ['2 + 3 * 4 - 10 / 4 % 2', 13.5],
    ['-2^2', -4],
    ['(-2)^2', 4],
    ['2^3^2', 512],
    ['- (1 + 2)', -3],
    ['+3', 3],
    ['--3', 3],
    ['0x1F', 31],
    ['1e3', 1000],
    ['-Inf', Number.NEGATIVE_INFINITY],
    ['nan', Number.NaN],
    ['5m', 300],
    ['# test\n1', 1],
    ['1 == bool 1', undefined],
    ['1 > 0', undefined],
    ['up', undefined],
    ['time()', undefined],
    ['"text"', undefined],
    ['1 + up', undefined],
  ];
  for (const [expression, value] of cases) t.same(evaluateConstant(expression), value, expression);
});
