import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { CronSchedule } from '../../src/sampler/cron-schedule.js';
import { silentLog } from '../../src/util/log.js';
import { until } from '../support/until.js';

t.test('starts work again and again, never twice at once, until it is stopped', async (t) => {
  let [running, most, runs] = [0, 0, 0];
  const work = async () => {
    runs++;
    most = Math.max(most, ++running);
    await setTimeout(runs === 1 ? 1_500 : 10);
    running--;
  };
  const schedule = new CronSchedule('* * * * * *', 0, work, silentLog);
  await setTimeout(1_100);
  t.equal(runs, 0, 'not before it is started');
  schedule.start();
  await until(() => runs === 1, 'the first');
  await Promise.all([schedule.startNow(), schedule.startNow()]);
  t.equal(runs, 1, 'who asks meanwhile waits for the one that runs');
  await until(() => runs >= 2, 'the next by itself');
  const last = schedule.startNow();
  await schedule.stop();
  t.equal(running, 0, 'stopping waits for work under way');
  await last;
  const before = runs;
  await setTimeout(1_200);
  t.equal(runs, before);
  t.equal(most, 1);
});
