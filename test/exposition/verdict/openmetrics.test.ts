import t from 'tap';
import { openmetricsVerdict } from '../../../src/exposition/verdict/openmetrics.js';

const EOF = '\n# EOF\n';

/** @param want `line:column: message`, of each message its beginning */
function f(lines: string | readonly string[], want: readonly string[]): void {
  const body = Buffer.from([lines].flat().join('\n') + EOF);
  const got = openmetricsVerdict(body, body.length).map((e) => `${e.line}:${e.column}: ${e.message}`);
  t.same(
    got.map((text, i) => text.slice(0, want[i]?.length ?? text.length)),
    want,
    [lines].flat().join(' | ').slice(0, 100),
  );
}

t.test('each error says where and what', async () => {
  f(['# TYPE orders counter', 'orders 1'], ['2:1: orders is no sample of the counter orders: it has orders_total, orders_created']); // biome-ignore format: one case
  f('a{b=x} 1', ['1:5: the label value must stand in double quotes']);
  f('ü{b="x"} 1', ['1:1: a metric name must stand here']);
  f('a{b="ü",c=x} 1', ['1:11: the label value must stand']);
  f('a{b="x", c="y"} 1', ['1:9: a label name must stand here']);
  f('a{b="x",} 1', ['1:9: no comma may stand before']);
  f('a{b="x} 1', ['1:5: the label value has no closing quote']);
  f('a{b="x"c="y"} 1', ['1:8: a comma or a closing brace']);
  f('a', ['1:2: the value is missing']);
  f('a{}1', ['1:4: one space, and then the value']);
  f('a 1x', ['1:3: the value is not a number']);
  f('a 1 2 3', ['1:6: only an exemplar']);
  f('a 1 NaN', ['1:5: the timestamp must be a number of seconds']);
  f(['# TYPE a counter', 'a_total 1 # {b="c"} 1 2 3'], ['2:24: nothing may follow the exemplar']);
  f(['# TYPE a counter', 'a_total 1 # b 1'], ['2:13: the labels of the exemplar must stand in braces']);
  f(['# TYPE a histogram', 'a_bucket{le="1"} 1 # {} 2', 'a_bucket{le="+Inf"} 1'], ['2:25: the exemplar is not in its bucket']); // biome-ignore format: one case
  f(['# TYPE a histogram', 'a_bucket{le="1"} 2', 'a_bucket{le="+Inf"} 1'], ['3:21: buckets are cumulative']);
  f(['# TYPE a untyped', 'a 1'], ['1:10: there is no type "untyped"; what the classic format calls untyped']);
  f(['# TYPE a meh', 'a 1'], ['1:10: there is no type "meh"']);
  f('# TYPE a', ['1:1: a line that starts with # must be']);
  f(['a 1', '', 'a 2 '], ['2:1: no line may be blank', '3:5: the timestamp is missing']); // biome-ignore format: one case
});

t.test('all errors of a body, in its order', async () => {
  f(
    [
      '# TYPE a histogram',
      'a_bucket{x="1",le="1"} NaN',
      'a_bucket{x="2",le="+Inf"} 1',
      'a_bucket{x="1",le="+Inf"} 1.5',
      '# TYPE a_count gauge',
      'a_count -1 # {x="1"} 1',
    ],
    [
      '2:1: a histogram needs a bucket with le="+Inf"',
      '2:24: the value here must not be NaN',
      '4:1: samples of one label set must stand together',
      '4:27: the value here must be a whole number',
      '5:1: the families a_count and a clash: both may have samples called a_count',
      '6:14: only counters (_total) and buckets of histograms may have exemplars',
    ],
  );
});

t.test('the end of the body', async (t) => {
  const errors = (text: string) => openmetricsVerdict(Buffer.from(text), Buffer.byteLength(text));
  t.match(errors(''), [{ line: 1, column: 1, message: /must end with a line # EOF/ }]);
  t.match(errors('a 1\n'), [{ line: 2, column: 1, message: /must end with a line # EOF/ }]);
  t.match(errors('a 1'), [{ line: 1, column: 4, message: /must end with a line # EOF/ }]);
  t.match(errors('# EOF\na'), [{ line: 2, column: 1, message: /nothing may follow/ }]);
  t.match(errors('# EOF\r\n'), [{ line: 1, column: 6, message: /carriage return/ }]);
  const body = Buffer.from('a 1\n# EOF\nb');
  t.same(openmetricsVerdict(body, 10), [], 'bytes past the length are not read');
});

t.test('no more errors than asked for, and none of them long', async (t) => {
  const body = Buffer.from(`${`a{b="${'x'.repeat(1000)}"} ${'y'.repeat(1000)}\n`.repeat(1000)}# EOF\n`);
  const errors = openmetricsVerdict(body, body.length, 7);
  t.equal(errors.length, 7);
  t.ok(errors.every(({ message }) => message.length < 300));
  t.equal(openmetricsVerdict(body, body.length).length, 100);
});
