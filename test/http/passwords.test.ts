import { hash } from 'bcryptjs';
import t from 'tap';
import { Passwords } from '../../src/http/passwords.js';

t.test('passwords and hashes, off the event loop', async (t) => {
  const passwords = new Passwords();
  const right = await hash('open sesame', 10);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const asked = ['open sesame', 'open', '', 'x'.repeat(1000)].map((text) => passwords.fits(text, right));
  t.strictSame(await Promise.all(asked), [true, false, false, false], 'each gets its own answer');
  clearInterval(timer);
  t.ok(turns > 20, `${turns} turns of the event loop meanwhile`);
  t.equal(await passwords.fits('open sesame', right.replace('$2b$', '$2y$')), true, 'as htpasswd writes it');
  await t.rejects(passwords.fits('x', 7 as unknown as string), 'what the worker cannot do');
  t.equal(await passwords.fits('open sesame', right), true, 'and a new one is made');
});
