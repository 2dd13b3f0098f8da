/** Remote writes over reloads, removals and restarts, with a log that forgets and one that does not. */
import type { Test } from 'tap';
import t from 'tap';
import { ForwardManager, READER_PREFIX } from '../../src/forward/manager.js';
import { RemoteWriteMetrics } from '../../src/forward/metrics.js';
import { MemoryLog } from '../../src/journal/memory-log.js';
import type { BatchLog, BatchReader, Series } from '../../src/model/batch.js';
import { createRegistry } from '../../src/telemetry/registry.js';
import { batchOf, manySeries } from '../support/batch.js';
import { FakeClock } from '../support/fake-clock.js';
import {
  exemplarTimes,
  type LoggedLine,
  logTo,
  metricReader,
  optionsOf,
  passing,
  type Settings,
} from '../support/forwarding.js';
import { startReceiver } from '../support/remote-write-receiver.js';
import { until } from '../support/until.js';

const [x] = manySeries(1) as [Series];

async function start(t: Test, isDurable: boolean) {
  const receiver = await startReceiver();
  t.teardown(() => receiver.close());
  const clock = new FakeClock();
  const memory = new MemoryLog({ maxBytes: 1e8 });
  const starts: string[] = [];
  const kept: string[][] = [];
  // What outlives the manager here is what would outlive the process.
  const readers = new Map<string, BatchReader>();
  const batches: BatchLog = {
    isDurable,
    append: (batch) => memory.append(batch),
    reader(name, start = 'now') {
      starts.push(`${name} ${start}`);
      const reader = readers.get(name) ?? memory.reader(name);
      reader.rewind();
      readers.set(name, reader);
      return closing(reader, () => readers.delete(name));
    },
    forgetReadersExcept: (prefix, names) => void kept.push([prefix, ...names]),
    close: () => memory.close(),
  };
  const registry = createRegistry();
  const metrics = new RemoteWriteMetrics(registry);
  const lines: LoggedLine[] = [];
  const createManager = () =>
    new ForwardManager({ batches, clock, log: logTo(lines), metrics, userAgent: 'exemplard/test' });
  const options = (settings: Settings = {}) => optionsOf({ url: receiver.url, ...settings });
  const append = (...timesMs: number[]) =>
    batches.append(batchOf(timesMs.map((timestampMs) => ({ series: x, timestampMs }))));
  return {
    ...{ receiver, clock, starts, kept, readers, lines, registry, createManager, options, append },
    metric: metricReader(registry),
  };
}

function closing(reader: BatchReader, onClose: () => void): BatchReader {
  return {
    name: reader.name,
    get pendingRows() {
      return reader.pendingRows;
    },
    get lostRows() {
      return reader.lostRows;
    },
    next: (signal: AbortSignal) => reader.next(signal),
    confirm: (position: number) => reader.confirm(position),
    rewind: () => reader.rewind(),
    close() {
      onClose();
      reader.close();
    },
  };
}

for (const isDurable of [false, true]) {
  t.test(`a reload goes on where it was, durable: ${isDurable}`, async (t) => {
    const { receiver, clock, append, createManager, options, metric, starts } = await start(t, isDurable);
    const manager = createManager();
    const queue = { maxSamplesPerSend: 4, batchSendDeadlineMs: 1_000 };
    await manager.apply([options({ queue })], 0);
    // The first request passes, the second fails for ever.
    receiver.reply = (_, index) => ({ status: index === 0 ? 204 : 503 });
    append(1, 2, 3, 4, 5);
    append(6);
    await until(() => receiver.requests.length === 2, 'two requests');
    const applied = manager.apply([options({ queue, remoteTimeoutMs: 7_000 })], 10_000);
    await passing(
      clock,
      1,
      () => manager.statuses()[0]?.shards === 1 && receiver.requests.length >= 2,
      'reload',
    );
    await applied;
    t.ok(clock.monotonicMs() < 10_000, 'without waiting for the deadline, as nothing is on its way');
    t.equal(await metric('exemplars_pending'), 4);
    receiver.reply = () => ({ status: 204 });
    await passing(clock, 100, () => manager.statuses()[0]?.pending === 0, 'the rest');
    t.same(exemplarTimes(receiver), [1, 2, 3, 4, 5, 6], 'each once');
    t.same(starts, ['remote_write/test now'], 'one reader');
    t.equal(await metric('exemplars_in_total'), 6, 'counted once');
    t.equal(await metric('exemplars_total'), 6);
    t.equal(await metric('exemplars_dropped_total'), 0);
    t.equal(await metric('exemplars_pending'), 0);
    await manager.stop(0);
  });
}

t.test('a token in the URL is sent, and neither on /metrics nor in the log', async (t) => {
  const { receiver, clock, append, createManager, options, registry, lines, metric } = await start(t, false);
  const manager = createManager();
  for (const token of ['SECRET1', 'SECRET2']) {
    await manager.apply([options({ url: `${receiver.url}?a=b&token=${token}` })], 1_000);
    append(1, 2);
    receiver.reply = () => ({ status: 404, body: 'no' });
    const sent = receiver.requests.length + 1;
    await passing(clock, 1_000, () => receiver.requests.length === sent, 'request');
  }
  const text = await registry.metrics();
  t.match(text, `url="${receiver.url}?a=b&token=<secret>"`);
  t.equal(await metric('exemplars_in_total'), 4, 'a new token counts on');
  t.notMatch(text + JSON.stringify(lines), 'SECRET');
  await manager.stop(0);
});

t.test('a reload to another URL: what is not delivered goes there', async (t) => {
  const { receiver, clock, append, createManager, options, registry } = await start(t, false);
  const other = await startReceiver();
  t.teardown(() => other.close());
  const manager = createManager();
  const queue = { batchSendDeadlineMs: 0 };
  await manager.apply([options({ queue })], 0);
  receiver.reply = () => 'hang';
  append(1, 2);
  await passing(clock, 1, () => receiver.requests.length === 1, 'request');
  const applied = manager.apply([options({ url: other.url, queue })], 10_000);
  await passing(clock, 1_000, () => other.requests.length === 1, 'request elsewhere');
  await applied;
  t.equal(clock.monotonicMs() >= 10_000, true, 'a request on its way has until the deadline');
  t.same(exemplarTimes(other), [1, 2]);
  const text = await registry.metrics();
  t.notMatch(text, `url="${receiver.url}"`);
  t.match(text, `url="${other.url}"`);
  await manager.stop(0);
});

t.test(
  'a durable log: stop sends what is on its way, and leaves the rest for the restart, uncounted',
  async (t) => {
    const { receiver, clock, append, createManager, options, metric, lines } = await start(t, true);
    const first = createManager();
    const queue = { capacity: 2, maxSamplesPerSend: 2 };
    await first.apply([options({ queue })], 0);
    const answers: (() => void)[] = [];
    receiver.reply = () => new Promise((resolve) => answers.push(() => resolve({ status: 204 })));
    append(1, 2);
    append(3, 4, 5);
    append(6);
    await until(() => answers.length === 1, 'request');
    const stopped = first.stop(60_000);
    for (let sent = 0; sent < 2; sent++) {
      await until(() => answers.length > sent, 'what waits in the shard');
      answers[sent]!();
    }
    await stopped;
    const sentBefore = exemplarTimes(receiver).length;
    t.ok(sentBefore >= 1 && sentBefore < 6, `${sentBefore} sent`);
    t.equal(await metric('exemplars_dropped_total'), 0);
    t.equal(await metric('exemplars_pending'), 6 - sentBefore);
    t.same(lines, []);

    receiver.reply = () => ({ status: 204 });
    const second = createManager();
    await second.apply([options({ queue: { batchSendDeadlineMs: 0 } })], 0);
    await passing(clock, 1, () => new Set(exemplarTimes(receiver)).size === 6, 'the rest');
    const times = exemplarTimes(receiver);
    t.same(times, [...times].sort(), 'in order');
    await second.stop(0);
  },
);

t.test(
  'a durable log: a receiver that fails does not hold up stop, nor does a hanging one for long',
  async (t) => {
    for (const reply of [{ status: 503 }, 'hang'] as const) {
      const { receiver, clock, append, createManager, options, metric } = await start(t, true);
      const manager = createManager();
      const queue = { batchSendDeadlineMs: 0, minBackoffMs: 5_000, maxSamplesPerSend: 2 };
      await manager.apply([options({ queue })], 0);
      receiver.reply = (_, index) => (index === 0 ? reply : { status: 204 });
      append(1, 2);
      await passing(clock, 1, () => receiver.requests.length === 1, 'request');
      const startMs = clock.monotonicMs();
      let isStopped = false;
      void manager.stop(30_000).then(() => {
        isStopped = true;
      });
      await passing(clock, 100, () => isStopped, 'stop');
      const tookMs = clock.monotonicMs() - startMs;
      if (reply === 'hang') t.ok(tookMs >= 30_000 && tookMs < 31_000, `${tookMs} ms`);
      else t.ok(tookMs < 5_000, `${tookMs} ms`);
      t.equal(receiver.requests.length, 1, 'what comes after it must not overtake it');
      t.equal(await metric('exemplars_pending'), 2);
      t.equal(await metric('exemplars_dropped_total'), 0);
    }
  },
);

t.test('readers have a prefix; the log is told which are wanted; replay starts at the oldest', async (t) => {
  const { createManager, options, starts, kept } = await start(t, true);
  const manager = createManager();
  await manager.apply(
    [
      options({ name: 'a', queue: { replay: true } }),
      options({ name: 'b' }),
      options({ name: 'c', sendExemplars: false }),
    ],
    0,
  );
  t.same(starts, ['remote_write/a oldest', 'remote_write/b now']);
  t.same(kept, [[READER_PREFIX, 'remote_write/a', 'remote_write/b']]);
  await manager.apply([options({ name: 'a', queue: { replay: true } })], 0);
  t.same(kept.at(-1), [READER_PREFIX, 'remote_write/a']);
  await manager.stop(0);
});

t.test(
  'one that is gone from the configuration sends until the deadline, and what is left is counted',
  async (t) => {
    const { receiver, clock, append, createManager, options, readers, lines } = await start(t, true);
    const manager = createManager();
    await manager.apply([options({ queue: { batchSendDeadlineMs: 0 } })], 0);
    receiver.reply = () => ({ status: 503 });
    append(1, 2);
    await passing(clock, 1, () => receiver.requests.length === 1, 'request');
    const applied = manager.apply([], 1_000);
    let isApplied = false;
    void applied.then(() => {
      isApplied = true;
    });
    await passing(clock, 100, () => isApplied, 'reload');
    t.equal(readers.size, 0, 'its reader is closed');
    t.match(lines.at(-1), { message: 'stopped before everything was sent', fields: { exemplars: 2 } });
  },
);
