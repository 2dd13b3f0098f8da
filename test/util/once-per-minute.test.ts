import t from 'tap';
import { OncePerMinute } from '../../src/util/once-per-minute.js';
import { FakeClock } from '../support/fake-clock.js';

t.test('at once, then once a minute, each kind by itself', async (t) => {
  const clock = new FakeClock();
  const due = new OncePerMinute(clock);
  t.ok(due.isDue('a'));
  t.notOk(due.isDue('a'));
  t.ok(due.isDue('b'));
  await clock.advance(59_999);
  t.notOk(due.isDue('a'));
  await clock.advance(1);
  t.ok(due.isDue('a'));
  t.notOk(due.isDue('a'));
  due.reset();
  t.ok(due.isDue('a'), 'what is over and comes again is new');
});

t.test('kinds without number are not remembered for ever', async (t) => {
  const due = new OncePerMinute(new FakeClock());
  t.ok(due.isDue('first'));
  for (let nth = 0; nth < 49; nth++) t.ok(due.isDue(`${nth}`));
  t.notOk(due.isDue('first'));
  t.ok(due.isDue('one more'));
  t.ok(due.isDue('first'));
});
