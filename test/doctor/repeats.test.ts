import t from 'tap';
import { repeatsBetween } from '../../src/doctor/repeats.js';

function f(before: readonly string[], after: readonly string[], repeated: number, exemplars: number): void {
  const body = (lines: readonly string[]) => Buffer.from([...lines, '# EOF', ''].join('\n'));
  t.same(repeatsBetween(body(before), body(after)), { exemplars, repeated }, after.join(' | '));
}

t.test('exemplars that stand on the same series as before', async () => {
  f([], [], 0, 0);
  f(['a 1 # {b="c"} 1 2'], ['a 1 # {b="c"} 1 2'], 1, 1);
  f(['a 1 # {b="c"} 1 2'], ['a 2 # {b="c"} 1 2'], 1, 1);
  f(['a 1 # {b="c"} 1 2'], ['a 1 # {b="d"} 1 2'], 0, 1);
  f(['a 1 # {b="c"} 1 2'], ['a 1 # {b="c"} 1 3'], 0, 1);
  f(['a 1 # {b="c"} 1 2'], ['x 1 # {b="c"} 1 2'], 0, 1);
  f(['a{x=" # {"} 1'], ['a{x=" # {"} 1', '# HELP a # {'], 0, 0);
  f(['a 1', 'b 1 # {} 1'], ['b 1 # {} 1', 'a 1 # {} 1'], 1, 2);
});
