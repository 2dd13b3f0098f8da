import t from 'tap';
import { desiredShards, type Traffic, TrafficMeter } from '../../src/forward/resharding.js';

const calm: Traffic = { inRate: 1000, outRate: 1000, droppedRate: 0, sendSecondsRate: 0.9, backlog: 0 };

function f(name: string, traffic: Partial<Traffic>, current: number, want: number) {
  t.equal(desiredShards({ ...calm, ...traffic }, current, 1, 50), want, name);
}

f('as many as it takes', {}, 1, 1);
f('nothing sent: no guide', { outRate: 0, sendSecondsRate: 0 }, 7, 7);
f('twice as much comes in as one shard sends', { inRate: 2000 }, 1, 2);
f('a backlog of a minute is worked off at 5 % a second', { backlog: 60_000 }, 1, 4);
f('within 30 % nothing changes', { inRate: 14_000 }, 10, 10);
f('past 30 % it does', { inRate: 15_000 }, 10, 14);
f('fewer when caught up', { inRate: 1000 }, 10, 1);
f('not fewer while more than 10 s behind', { inRate: 1000, backlog: 11_000 }, 10, 10);
f('what is dropped needs no shard', { inRate: 4000, outRate: 1000, droppedRate: 1000 }, 1, 2);
f('never more than allowed', { backlog: 1e9 }, 1, 50);
t.equal(desiredShards({ ...calm, sendSecondsRate: 0.01 }, 10, 4, 50), 4, 'never fewer than allowed');

t.test('rates are averages of 10 s steps with weight 0.2', async (t) => {
  const meter = new TrafficMeter();
  t.equal(meter.tick(0).inRate, 0);
  meter.received(100);
  meter.sent(50, 2000);
  meter.dropped(10);
  t.same(meter.tick(5), { inRate: 10, outRate: 5, droppedRate: 1, sendSecondsRate: 0.2, backlog: 5 });
  t.equal(meter.tick(0).inRate, 8);
});
