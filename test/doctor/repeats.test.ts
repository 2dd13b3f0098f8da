import t from 'tap';
import { repeatsBetween } from '../../src/doctor/repeats.js';

const NOW_MS = 1_763_796_000_000;

function f(before: readonly string[], after: readonly string[], repeated: number, exemplars: number): void {
  const body = (lines: readonly string[]) => Buffer.from([...lines, '# EOF', ''].join('\n'));
  t.same(repeatsBetween(body(before), body(after), NOW_MS), { exemplars, repeated }, after.join(' | '));
}

t.test('exemplars that stand on the same series as before', async () => {
  f([], [], 0, 0);
  f(['a 1 # {b="c"} 1 2'], ['a 1 # {b="c"} 1 2'], 1, 1);
  f(['a 1 # {b="c"} 1 2'], ['a 2 # {b="c"} 1 2'], 1, 1);
  f(['a 1 # {b="c"} 1 2'], ['a 1 # {b="d"} 1 2'], 0, 1);
  f(['a 1 # {b="c"} 1 2'], ['a 1 # {b="c"} 1 3'], 0, 1);
  f(['a 1 # {b="c"} 1 2'], ['x 1 # {b="c"} 1 2'], 0, 1);
  f(['a{x=" # {"} 1'], ['a{x=" # {"} 1', '# HELP a # {'], 0, 0);
  f(['a 1', 'b 1 # {x="y"} 1'], ['b 1 # {x="y"} 1', 'a 1 # {x="y"} 1'], 1, 2);
  const two = 'a 1 # {b="c"} 1 2 # {b="d"} 1 2';
  f([two], [two, 'b 1 # {b="c"} 1'], 2, 3);
});

t.test('those that are refused do not count', async () => {
  const future = NOW_MS / 1000 + 601;
  const refused = ['{} 1', '{b="c"} x', '{b=c} 1', `{b="${'c'.repeat(128)}"} 1`, `{b="c"} 1 ${future}`];
  const lines = refused.map((exemplar, i) => `a{i="${i}"} 1 # ${exemplar}`);
  f(lines, lines, 0, 0);
  f(['a x # {b="c"} 1'], ['a x # {b="c"} 1'], 0, 0);
});
