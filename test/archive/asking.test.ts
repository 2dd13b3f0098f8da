import t from 'tap';
import { Asking } from '../../src/archive/asking.js';
import { ArchiveMeter } from '../../src/archive/meter.js';
import { silentLog } from '../../src/util/log.js';
import { FakeClock } from '../support/fake-clock.js';

const never = () => new Promise<string[]>(() => {});

t.test('an archive that did not answer is given less time, until it does', async (t) => {
  const clock = new FakeClock();
  const meter = new ArchiveMeter();
  const asking = new Asking({ timeoutMs: 10_000, meter, clock, log: silentLog });
  const first = asking.answer<string[]>([], never);
  await clock.advance(9_999);
  t.equal(meter.queries, 0, 'it is waited for');
  await clock.advance(1);
  t.same(await first, {
    found: [],
    warnings: ['archive: no answer within 10 s; what only it has is missing'],
  });
  const second = asking.answer<string[]>([], never);
  await clock.advance(1_000);
  t.match(await second, { warnings: [/within 1 s/] });
  await clock.advance(30_000);
  t.equal(asking.timeoutMs, 10_000, 'it may only be slow');
  const third = asking.answer<string[]>([], never);
  await clock.advance(10_000);
  await third;
  t.equal(asking.timeoutMs, 1_000);
  t.same(await asking.answer<string[]>([], async () => ['x']), { found: ['x'], warnings: [] });
  t.equal(asking.timeoutMs, 10_000);
  t.equal(meter.queryFailures, 3);
});

t.test('an error is an answer: it does not make the next one wait less', async (t) => {
  const asking = new Asking({
    timeoutMs: 10_000,
    meter: new ArchiveMeter(),
    clock: new FakeClock(),
    log: silentLog,
  });
  const answer = await asking.answer<string[]>([], async () => {
    throw new Error('connection refused');
  });
  t.same(answer, {
    found: [],
    warnings: ['archive: connection refused; what only it has is missing'],
  });
  t.equal(asking.timeoutMs, 10_000);
});
