import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { EventLoopLag } from '../../src/telemetry/event-loop-lag.js';
import { addProcessMetrics, createRegistry } from '../../src/telemetry/registry.js';

async function block(): Promise<void> {
  const untilMs = performance.now() + 300;
  while (performance.now() < untilMs);
  await wait(50);
}

t.test('real lateness, which stays for a minute or two, whoever reads', async (t) => {
  const registry = createRegistry();
  const lag = new EventLoopLag(registry);
  const read = async (figure: string) => {
    const text = await registry.metrics();
    return Number(
      new RegExp(`^exemplard_nodejs_eventloop_lag_${figure}_seconds (\\S+)$`, 'm').exec(text)![1],
    );
  };
  t.equal(await read('mean'), 0, 'before the first waking');
  await wait(500);
  t.ok((await read('p50')) < 0.009, 'an idle process is not late');
  const isLate = async () => {
    const longest = await read('max');
    t.ok(longest > 0.2 && longest < 5, `${longest} s`);
  };
  lag.endMinute();
  await block();
  await isLate();
  await isLate();
  await block();
  lag.endMinute();
  await wait(50);
  await isLate();
  lag.endMinute();
  await wait(50);
  t.ok((await read('max')) < 0.2, 'forgotten after two minutes');
});

t.test("prom-client's figures do not stand beside", async (t) => {
  const registry = createRegistry();
  addProcessMetrics(registry);
  new EventLoopLag(registry);
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  t.equal(names.filter((name) => name.includes('eventloop_lag')).length, 5);
  t.ok(names.includes('exemplard_process_resident_memory_bytes'));
});
