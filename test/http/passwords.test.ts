import { hash } from 'bcryptjs';
import t from 'tap';
import { Passwords } from '../../src/http/passwords.js';
import { cpuMs } from '../support/cpu-time.js';

const never = new AbortController().signal;

t.test('passwords and hashes, off the event loop', async (t) => {
  const passwords = new Passwords();
  const right = await hash('open sesame', 10);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const asked = ['open sesame', 'open', '', 'x'.repeat(1000)].map((text) =>
    passwords.fits(text, right, never),
  );
  t.strictSame(await Promise.all(asked), [true, false, false, false], 'each gets its own answer');
  clearInterval(timer);
  t.ok(turns > 20, `${turns} turns of the event loop meanwhile`);
  t.equal(
    await passwords.fits('open sesame', right.replace('$2b$', '$2y$'), never),
    true,
    'as htpasswd writes it',
  );
  await t.rejects(passwords.fits('x', 7 as unknown as string, never), 'what the worker cannot do');
  t.equal(await passwords.fits('open sesame', right, never), true, 'and a new one is made');
});

t.test('who leaves is not compared, and only so many wait', async (t) => {
  const passwords = new Passwords();
  const right = await hash('open sesame', 10);
  const beforeMs = cpuMs();
  await passwords.fits('open sesame', right, never);
  const oneMs = cpuMs() - beforeMs;
  const leave = new AbortController();
  const first = passwords.fits('open sesame', right, never);
  const left = Array.from({ length: 32 }, () => passwords.fits('x', right, leave.signal).catch(() => 'left'));
  t.throws(() => passwords.fits('x', right, never), /too many/);
  leave.abort();
  t.same(new Set(await Promise.all(left)), new Set(['left']));
  const leftMs = cpuMs();
  t.equal(await passwords.fits('open sesame', right, never), true);
  t.equal(await first, true);
  t.ok(cpuMs() - leftMs < 10 * oneMs, 'nobody waits for those');
});
