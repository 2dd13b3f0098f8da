/** A remote write that speaks 2.0, and how it comes to that. */
import t from 'tap';
import { MAX_EXTRA_REQUESTS } from '../../src/forward/isolating-sender.js';
import { REFUSED_MS } from '../../src/forward/negotiation.js';
import type { Series } from '../../src/model/batch.js';
import { batchOf, manySeries } from '../support/batch.js';
import { exemplarTimes, passing, startForwarding } from '../support/forwarding.js';
import { storeV2 } from '../support/prometheus-v2.js';
import type { Receiver } from '../support/remote-write-receiver.js';

const V2 = { protobufMessage: 'io.prometheus.write.v2.Request' } as const;
const AT_ONCE = { batchSendDeadlineMs: 0 };

const [x] = manySeries(1) as [Series];

/** What the tests' receiver says of the protocol, besides that a TimeSeries is without samples where it has to be. */
const problems = (receiver: Receiver) =>
  receiver.problems.filter((problem) => !problem.includes('must contain at least one sample'));

/** Which protocols were tried, in order. */
const versions = (receiver: Receiver) =>
  receiver.requests.map(({ headers }) => headers['x-prometheus-remote-write-version']);

t.test('every rule is kept, over many shards and failures, and all arrives once', async (t) => {
  const { receiver, clock, log, delivered, metric } = await startForwarding(t, {
    ...V2,
    queue: { minShards: 4, maxSamplesPerSend: 30 },
  });
  const store = storeV2('3.8');
  receiver.reply = (request, index) => (index % 3 === 0 ? { status: 503 } : store.reply(request));
  const metadata = { type: 'counter', help: 'Requests.', unit: '' };
  const series = manySeries(12).map((one) => ({ ...one, metadata }));
  const startMs = clock.nowMs();
  const times = Array.from({ length: 40 }, (_, n) => startMs + n);
  for (const timestampMs of times) {
    log.append(batchOf(series.map((series) => ({ series, timestampMs, sampleStartMs: startMs - 1000 }))));
  }
  await passing(clock, 100, () => delivered.length === times.length, 'delivery');
  t.same(receiver.problems, []);
  t.same([...store.exemplars.values()], new Array(12).fill(times));
  t.same([...store.samples.values()], new Array(12).fill(times));
  t.match(receiver.accepted[0]?.series[0]?.v2, {
    type: 'METRIC_TYPE_COUNTER',
    help: 'Requests.',
    starts: [startMs - 1000],
  });
  t.equal(await metric('exemplars_total'), 480);
  t.equal(await metric('exemplars_unwritten_total'), 0);
  t.equal(await metric('exemplars_in_total'), 480);
});

t.test('auto: a receiver that answers 415 gets the other message, and nothing is lost', async (t) => {
  const { receiver, clock, log, delivered, lines, metric } = await startForwarding(t, {
    queue: { minShards: 3, maxSamplesPerSend: 10 },
  });
  const store = storeV2('3.8');
  receiver.reply = (request) =>
    request.headers['x-prometheus-remote-write-version'] === '2.0.0' ? store.reply(request) : { status: 415 };
  const series = manySeries(30);
  for (let batch = 0; batch < 3; batch++) {
    log.append(batchOf(series.map((series) => ({ series, timestampMs: clock.nowMs() + batch }))));
  }
  await passing(clock, 100, () => delivered.length === 3, 'delivery');
  t.equal([...store.exemplars.values()].flat().length, 90);
  t.same(receiver.problems, []);
  const refused = versions(receiver).filter((version) => version === '0.1.0').length;
  t.ok(refused <= 3, 'at most what was on its way when the first was refused');
  t.match(lines, [{ level: 'warn', fields: { refused: 'prometheus.WriteRequest' } }]);
  t.equal(lines.length, 1);
  t.equal(await metric('protocol_switches_total'), 1);
  t.equal(await metric('exemplars_dropped_total'), 0);
});

t.test('auto: old exemplars keep their samples when the receiver turns out to want 2.0', async (t) => {
  const { receiver, clock, log, delivered } = await startForwarding(t, { queue: AT_ONCE });
  const store = storeV2('3.8');
  receiver.reply = (request) =>
    request.headers['x-prometheus-remote-write-version'] === '2.0.0' ? store.reply(request) : { status: 415 };
  const [old, fresh] = manySeries(2) as [Series, Series];
  const nowMs = clock.nowMs();
  log.append(
    batchOf([
      { series: old, timestampMs: nowMs - 3_600_000, sampleTimestampMs: nowMs },
      { series: fresh, timestampMs: nowMs },
    ]),
  );
  await passing(clock, 1, () => delivered.length === 1, 'delivery');
  t.same([...store.exemplars.values()].flat().sort(), [nowMs - 3_600_000, nowMs]);
  t.same(receiver.problems, []);
});

t.test('a receiver that knows neither is asked now and then; what it refuses is counted', async (t) => {
  const { receiver, clock, log, delivered, metric } = await startForwarding(t, { queue: AT_ONCE });
  receiver.reply = () => ({ status: 415 });
  const send = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const before = delivered.length;
      log.append(batchOf([{ series: x, timestampMs: clock.nowMs() + before }]));
      await passing(clock, 1, () => delivered.length === before + 1, 'settled');
    }
  };
  await send(3);
  t.same(versions(receiver), ['0.1.0', '2.0.0', '2.0.0', '2.0.0']);
  for (let minutes = 0; minutes <= REFUSED_MS / 60_000; minutes++) await clock.advance(60_000);
  receiver.reply = ({ headers }) => ({
    status: headers['x-prometheus-remote-write-version'] === '0.1.0' ? 204 : 415,
  });
  await send(2);
  t.same(versions(receiver).slice(4), ['2.0.0', '0.1.0', '0.1.0']);
  t.equal(await metric('exemplars_dropped_total', { reason: 'status_415' }), 3);
  t.equal(await metric('exemplars_total'), 2);
  t.equal(await metric('protocol_switches_total'), 2);
});

t.test('a message that the user chose is kept to', async (t) => {
  for (const protobufMessage of ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request'] as const) {
    const { receiver, clock, log, delivered, metric } = await startForwarding(t, {
      protobufMessage,
      queue: AT_ONCE,
    });
    receiver.reply = () => ({ status: 415 });
    log.append(batchOf([{ series: x, timestampMs: clock.nowMs() }]));
    await passing(clock, 1, () => delivered.length === 1, 'settled');
    t.equal(receiver.requests.length, 1);
    t.equal(await metric('exemplars_dropped_total', { reason: 'status_415' }), 1);
    t.equal(await metric('exemplars_failed_total'), 1);
  }
});

t.test('a receiver that decodes 2.0 into nothing is found out by what it does not say', async (t) => {
  const chosen = await startForwarding(t, { ...V2, queue: AT_ONCE });
  chosen.log.append(batchOf(manySeries(3).map((series) => ({ series, timestampMs: chosen.clock.nowMs() }))));
  await passing(chosen.clock, 1, () => chosen.delivered.length === 1, 'settled');
  t.equal(chosen.receiver.requests.length, 1, 'no loop');
  t.equal(await chosen.metric('exemplars_total'), 0);
  t.equal(await chosen.metric('exemplars_unwritten_total'), 3);
  t.equal(await chosen.metric('samples_unwritten_total'), 3);
  t.equal(await chosen.metric('exemplars_dropped_total', { reason: 'unwritten' }), 3);
  t.match(chosen.lines, [{ level: 'warn', fields: { exemplars: 3, error: /does not say that it wrote/ } }]);

  // In auto this follows a 415 to 1.0, from a proxy that came and went, say.
  const auto = await startForwarding(t, { queue: AT_ONCE });
  auto.receiver.reply = (_, index) => ({ status: index === 0 ? 415 : 204 });
  const append = () => auto.log.append(batchOf([{ series: x, timestampMs: auto.clock.nowMs() }]));
  append();
  await passing(auto.clock, 1, () => auto.delivered.length === 1, 'settled');
  t.equal(await auto.metric('exemplars_unwritten_total'), 1);
  for (let minutes = 0; minutes <= REFUSED_MS / 60_000; minutes++) await auto.clock.advance(60_000);
  append();
  await passing(auto.clock, 1, () => auto.delivered.length === 2, 'settled');
  t.same(versions(auto.receiver), ['0.1.0', '2.0.0', '2.0.0', '0.1.0'], 'resent in 1.0');
  t.equal(await auto.metric('exemplars_total'), 1);
});

t.test('what the receiver did not write, although content, is counted and said once a minute', async (t) => {
  const { receiver, clock, log, delivered, lines, metric } = await startForwarding(t, {
    ...V2,
    queue: AT_ONCE,
  });
  receiver.reply = () => ({
    status: 200,
    headers: {
      'X-Prometheus-Remote-Write-Samples-Written': '9',
      'X-Prometheus-Remote-Write-Exemplars-Written': '7',
    },
  });
  for (let batch = 0; batch < 5; batch++) {
    log.append(batchOf(manySeries(10).map((series) => ({ series, timestampMs: clock.nowMs() }))));
    await passing(clock, 1, () => delivered.length === batch + 1, 'settled');
  }
  t.equal(receiver.requests.length, 5);
  t.equal(await metric('exemplars_total'), 35);
  t.equal(await metric('samples_total'), 45);
  t.equal(await metric('exemplars_unwritten_total'), 15);
  t.equal(await metric('samples_unwritten_total'), 5);
  t.equal(lines.length, 1);
});

/** Samples of another sender, newer than what is sent. */
function contest(store: ReturnType<typeof storeV2>, series: readonly Series[], atMs: number) {
  for (const { labels } of series) {
    const pairs = labels.flatMap((text, i) => (i % 2 === 0 ? [`${text}=${labels[i + 1]}`] : []));
    store.samples.set(pairs.join(), [atMs]);
  }
}

t.test('a 400 that is about samples alone costs no exemplar and no request', async (t) => {
  const { receiver, clock, log, delivered, lines, metric } = await startForwarding(t, {
    ...V2,
    queue: AT_ONCE,
  });
  const store = storeV2('3.8');
  receiver.reply = store.reply;
  const series = manySeries(20);
  contest(store, series.slice(0, 5), clock.nowMs() + 60_000);
  for (let batch = 0; batch < 2; batch++) {
    log.append(batchOf(series.map((series) => ({ series, timestampMs: clock.nowMs() }))));
    await passing(clock, 1, () => delivered.length === batch + 1, 'settled');
  }
  t.equal(receiver.requests.length, 2);
  t.equal([...store.exemplars.values()].flat().length, 40);
  t.equal(await metric('exemplars_total'), 40);
  t.equal(await metric('samples_refused_total'), 10);
  t.equal(await metric('samples_total'), 30);
  t.match(lines, [
    { message: 'receiver refused samples, and wrote their exemplars', fields: { samples: 5 } },
  ]);
  t.same(receiver.problems, []);
});

t.test('a 400 that costs exemplars costs no request: what is good was written', async (t) => {
  const { receiver, clock, log, delivered, metric } = await startForwarding(t, { ...V2, queue: AT_ONCE });
  const store = storeV2('3.8');
  receiver.reply = store.reply;
  const series = manySeries(64);
  const nowMs = clock.nowMs();
  // Somebody else's exemplar, newer than the second of three.
  store.exemplars.set('__name__=requests_total,n=7', [nowMs - 1500]);
  const rows = [nowMs - 3000, nowMs - 2000, nowMs - 1000];
  log.append(
    batchOf(
      rows.flatMap((timestampMs) =>
        series.map((series) => ({ series, timestampMs, sampleTimestampMs: nowMs })),
      ),
    ),
  );
  await passing(clock, 1, () => delivered.length === 1, 'settled');
  t.equal(receiver.requests.length, 1);
  t.equal(await metric('exemplars_total'), 64 * 3 - 2);
  t.equal(await metric('exemplars_dropped_total', { reason: 'refused' }), 2);
  t.same(receiver.problems, []);
});

t.test('where nothing was written, the bad ones are looked for', async (t) => {
  const { receiver, clock, log, delivered, metric } = await startForwarding(t, { ...V2, queue: AT_ONCE });
  const store = storeV2('3.8');
  receiver.reply = (request) =>
    request.series.some(({ labels }) => labels.n === '7') ? { status: 400 } : store.reply(request);
  log.append(batchOf(manySeries(64).map((series) => ({ series, timestampMs: clock.nowMs() }))));
  await passing(clock, 1, () => delivered.length === 1, 'settled');
  t.equal(store.exemplars.size, 63);
  t.equal(await metric('exemplars_total'), 63);
  t.equal(await metric('exemplars_dropped_total', { reason: 'refused' }), 1);
  t.ok(receiver.requests.length <= 2 + MAX_EXTRA_REQUESTS, `${receiver.requests.length} requests`);
  t.same(problems(receiver), []);
});

t.test(
  'exemplars alone, where the receiver refuses such, are dropped and counted, and never looped',
  async (t) => {
    const { receiver, clock, log, delivered, metric } = await startForwarding(t, {
      ...V2,
      exemplarMode: 'attach',
      queue: AT_ONCE,
    });
    receiver.reply = storeV2('3.8').reply;
    log.append(batchOf(manySeries(10).map((series) => ({ series, timestampMs: clock.nowMs() }))));
    await passing(clock, 1, () => delivered.length === 1, 'settled');
    t.equal(receiver.requests.length, 1);
    t.equal(await metric('exemplars_dropped_total', { reason: 'refused' }), 10);

    const known = await startForwarding(t, { ...V2, exemplarMode: 'attach', queue: AT_ONCE });
    const store = storeV2('3.7');
    known.receiver.reply = store.reply;
    const [there, unknown] = manySeries(2) as [Series, Series];
    contest(store, [there], known.clock.nowMs());
    known.log.append(
      batchOf([there, unknown].map((series) => ({ series, timestampMs: known.clock.nowMs() }))),
    );
    await passing(known.clock, 1, () => known.delivered.length === 1, 'settled');
    t.equal(await known.metric('exemplars_total'), 1);
    t.equal(await known.metric('exemplars_unwritten_total'), 1, 'the receiver knows no such series');
    t.equal(exemplarTimes(known.receiver).length, 2);
  },
);

t.test('auto: after exemplars alone were refused, the next of their series go with samples', async (t) => {
  const { receiver, clock, log, delivered, metric } = await startForwarding(t, { ...V2, queue: AT_ONCE });
  const store = storeV2('3.8');
  // A receiver that does not get past a bad sample, once.
  receiver.reply = (request, index) => (index === 0 ? { status: 400, body: 'bad' } : store.reply(request));
  for (let batch = 0; batch < 2; batch++) {
    log.append(batchOf([{ series: x, timestampMs: clock.nowMs() + batch }]));
    await passing(clock, 1, () => delivered.length === batch + 1, 'settled');
  }
  t.same(
    receiver.requests.map(({ series }) => series[0]?.samples.length),
    [1, 0, 1],
  );
  t.equal(await metric('exemplars_dropped_total', { reason: 'refused' }), 1);
  t.equal(await metric('exemplars_total'), 1);
});

t.test('auto: a receiver that no longer takes exemplars alone gets samples again', async (t) => {
  const { receiver, clock, log, delivered, metric } = await startForwarding(t, { ...V2, queue: AT_ONCE });
  let store = storeV2('3.7');
  contest(store, [x], clock.nowMs());
  receiver.reply = (request, index) => (index === 0 ? { status: 400, body: 'bad' } : store.reply(request));
  for (let batch = 0; batch < 4; batch++) {
    // Between the second and the third it is upgraded.
    if (batch === 2) store = storeV2('3.8');
    log.append(batchOf([{ series: x, timestampMs: clock.nowMs() + batch }]));
    await passing(clock, 1, () => delivered.length === batch + 1, 'settled');
  }
  t.same(
    receiver.requests.map(({ series }) => series[0]?.samples.length),
    [1, 0, 0, 0, 1],
  );
  t.equal(await metric('exemplars_dropped_total', { reason: 'refused' }), 1);
  t.equal(await metric('exemplars_total'), 3);
});
