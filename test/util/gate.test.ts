import t from 'tap';
import { Gate } from '../../src/util/gate.js';

t.test('so many at once, the first to come the first to enter', async (t) => {
  const gate = new Gate(2);
  const inside: string[] = [];
  const visit = (name: string) => {
    const leave = new AbortController();
    const entered = gate.enter(leave.signal).then(
      () => void inside.push(name),
      (error) => void inside.push(`${name}: ${error}`),
    );
    return { entered, leave: (reason?: string) => leave.abort(reason) };
  };
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map(visit);
  await settle();
  t.same(inside, ['a', 'b']);
  d!.leave('in vain');
  await settle();
  t.same(inside, ['a', 'b', 'd: in vain'], 'who gives up waiting is gone');
  a!.leave();
  await settle();
  t.same(inside.slice(3), ['c']);
  a!.leave();
  b!.leave();
  c!.leave();
  await settle();
  t.same(inside.slice(4), ['e']);
  e!.leave();
  const left = new AbortController();
  left.abort('gone before');
  await t.rejects(gate.enter(left.signal), 'gone before');
  const [f, g, h] = ['f', 'g', 'h'].map(visit);
  await settle();
  t.same(inside.slice(5), ['f', 'g'], 'as much room as at the beginning');
  // The one that leaves makes room for one that gives up in the same turn.
  f!.leave();
  h!.leave('late');
  const i = visit('i');
  await settle();
  t.ok(inside.includes('i'), 'no room is lost');
  g!.leave();
  i.leave();
});
