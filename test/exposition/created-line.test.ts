import t from 'tap';
import { CreatedLine, mayHaveCreatedLines } from '../../src/exposition/created-line.js';
import { seriesEnd } from '../../src/exposition/sample-line.js';

const created = new CreatedLine();

/** When the series of the line that is marked `>` began. */
function startOf(lines: readonly string[]): number | undefined {
  const marked = lines.findIndex((line) => line.startsWith('>'));
  const texts = lines.map((line) => line.replace(/^>/, ''));
  const body = Buffer.from(`${texts.join('\n')}\nleft_created 1\n`);
  const length = body.length - 'left_created 1\n'.length;
  const at = Buffer.byteLength(texts.slice(0, marked).map((line) => `${line}\n`).join('')); // biome-ignore format: one line
  const lineEnd = body.indexOf('\n', at);
  return created.find(body, length, at, seriesEnd(body, at, lineEnd), lineEnd);
}

const f = (lines: readonly string[], want: number | undefined) =>
  t.equal(startOf(lines), want, lines.join(' | ').slice(0, 120));

f(['>a_total 1', 'a_created 5'], 5000);
f(['>a_total 1', 'a_created 1700000000.1239'], 1_700_000_000_123);
f(['>a_total 1', 'a_created 1.7e9'], 1_700_000_000_000);
f(['>a_total 1', 'a_created 5 6'], 5000);
f(['>a_total 1', 'a_created 5 # {a="b"} 1'], 5000);
f(['>a_total 1', 'b 1', '# TYPE x gauge', 'a_created 5'], 5000);
f(['a_created 5', '>a_total 1'], 5000);
f(['# x', 'a_created 5', 'b 1', '>a_total 1'], 5000);
f(['a_created 4', '>a_total 1', 'a_created 5'], 5000);
f(['>a_total{x="1"} 1', 'a_created{x="2"} 4', 'a_created{x="1"} 5'], 5000);
f(['>a_total{x="1"} 1', 'a_created 5', 'a_created{x="1",y="2"} 5'], undefined);
f(['>a_total 1', 'xa_created 5', 'a_created{} 5', 'a_createdx 5', ' a_created 5'], undefined);
f(['>a_total 1', 'a_created x'], undefined);
f(['>a_total 1', 'a_created 0'], undefined);
f(['>a_total 1', 'a_created -1'], undefined);
f(['>a_total 1', 'a_created NaN'], undefined);
f(['>a_total 1', 'a_created +Inf'], undefined);
f(['>left_total 1'], undefined);
f(['>a_created 1', 'a_created_created 5'], undefined);
f(['>a_bucket{le="1"} 1', 'a_count 1', 'a_sum 1', 'a_created 5'], 5000);
f(['>a_bucket{x="1",le="1"} 1', 'a_created{x="1"} 5'], 5000);
f(['>a_bucket{le="1",x="1"} 1', 'a_created{x="1"} 5'], 5000);
f(['>a_bucket{x="1",le="1",y="2"} 1', 'a_created{x="1",y="2"} 5'], 5000);
f(['>a_bucket{x="le=\\"1\\",",le="1"} 1', 'a_created{x="le=\\"1\\","} 5'], 5000);
f(['>a_bucket{handle="1",le="1"} 1', 'a_created{handle="1"} 5'], 5000);
f(['>a_count{x="1"} 1', 'a_created{x="1"} 5'], 5000);
f(['>a_sum 1', 'a_created 5'], 5000);
f(['>a_total{le="1"} 1', 'a_created 5'], 5000);
f(['>a{quantile="0.5"} 1', 'a_created 5'], 5000);
f(['>a{x="1",quantile="0.5"} 1', 'a_created{x="1"} 5'], 5000);
f(['>{"my.a_total"} 1', '{"my.a_created"} 5'], 5000);
f(['>{"my.a_total",x="1"} 1', '{"my.a_created",x="1"} 5'], 5000);
f(['>{"my.a_bucket",le="1"} 1', '{"my.a_created"} 5'], 5000);
f(['>{"my.a_bucket",le="1",x="1"} 1', '{"my.a_created",x="1"} 5'], 5000);
f(['>{"my.a_bucket","x y"="1",le="1"} 1', '{"my.a_created","x y"="1"} 5'], 5000);
f(['>{"a\\"_total"} 1', '{"a\\"_created"} 5'], 5000);
f(['>_total 1', '_created 5'], undefined);
f(['>a_total 1', ...Array(10_000).fill('other{x="y"} 1'), 'a_created 5'], undefined);
f([`>a_total{x="${'y'.repeat(20_000)}"} 1`, `a_created{x="${'y'.repeat(20_000)}"} 5`], undefined);

t.test('whether there may be any', async (t) => {
  const body = Buffer.from('a_total 1\na_created 5\n');
  t.equal(mayHaveCreatedLines(body, body.length), true);
  t.equal(mayHaveCreatedLines(body, 12), false, 'what is behind the body does not count');
});
