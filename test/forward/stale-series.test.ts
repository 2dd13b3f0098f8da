/** What a receiver is told of series that their target stopped exposing. */
import t from 'tap';
import { PROTOBUF_MESSAGES, type ProtobufMessage } from '../../src/forward/options.js';
import type { Series } from '../../src/model/batch.js';
import { batchOf, manySeries } from '../support/batch.js';
import { passing, startForwarding } from '../support/forwarding.js';
import { storeV2 } from '../support/prometheus-v2.js';
import type { ReceivedRequest } from '../support/remote-write-receiver.js';
import { readFields } from '../support/wire.js';

const STALE_NAN = 0x7ff0000000000002n;
const [a, b, c] = manySeries(3) as [Series, Series, Series];

/** Bits of all samples, in order, by the last digit of the series' name. */
function bitsOf({ message }: ReceivedRequest, protocol: ProtobufMessage): string[] {
  const timeSeriesField = protocol === 'prometheus.WriteRequest' ? 1 : 5;
  return readFields(message)
    .filter(({ number }) => number === timeSeriesField)
    .flatMap(({ bytes }) => readFields(bytes).filter(({ number }) => number === 2))
    .map(({ bytes }) => readFields(bytes).find(({ number }) => number === 1)!.bits)
    .map((bits) => (bits === STALE_NAN ? 'end' : 'sample'));
}

for (const protobufMessage of PROTOBUF_MESSAGES) {
  t.test(`${protobufMessage}: ends are marked in order, and confirmed like rows`, async (t) => {
    const { receiver, clock, log, delivered, metric } = await startForwarding(t, {
      protobufMessage,
      exemplarMode: 'self_contained',
      queue: { minShards: 2, maxSamplesPerSend: 3 },
    });
    const store = storeV2('3.8');
    const byVersion = (request: ReceivedRequest) =>
      protobufMessage === 'prometheus.WriteRequest' ? { status: 204 } : store.reply(request);
    receiver.reply = (request, index) => (index % 2 === 0 ? { status: 500 } : byVersion(request));
    const startMs = clock.nowMs();
    const later = (ms: number) => startMs + ms;
    log.append(batchOf([a, b].map((series) => ({ series, timestampMs: later(1) }))));
    log.append({ ...batchOf([{ series: b, timestampMs: later(2) }], [a]), acceptedMs: later(2) });
    log.append({ ...batchOf([], [b]), acceptedMs: later(3) });
    log.append(batchOf([{ series: a, timestampMs: later(4) }]));
    await passing(clock, 50, () => delivered.length === 4, 'delivery');
    const samples = new Map<string, string[]>();
    for (const request of receiver.accepted) {
      const bits = bitsOf(request, protobufMessage);
      for (const { key, samples: sent } of request.series) {
        const shown = sent.map(({ timestamp }) => `${timestamp - startMs} ${bits.shift()}`);
        samples.set(key.slice(-1), [...(samples.get(key.slice(-1)) ?? []), ...shown]);
      }
    }
    t.same(samples.get('0'), ['1 sample', '2 end', '4 sample']);
    t.same(samples.get('1'), ['1 sample', '2 sample', '3 end']);
    t.same(receiver.problems, []);
    t.equal(await metric('samples_total'), 6);
    t.equal(await metric('exemplars_total'), 4);
    t.equal(await metric('exemplars_in_total'), 4);
  });
}

t.test('auto marks the end of series whose samples are ours, attach of none', async (t) => {
  for (const exemplarMode of ['auto', 'attach'] as const) {
    const { receiver, clock, log, delivered, metric } = await startForwarding(t, {
      exemplarMode,
      queue: { batchSendDeadlineMs: 0 },
    });
    receiver.reply = ({ series }) => ({
      status: series.some(({ labels, samples }) => labels.n === '1' && samples.length > 0) ? 400 : 204,
    });
    const nowMs = clock.nowMs();
    log.append(batchOf([a, b].map((series) => ({ series, timestampMs: nowMs }))));
    await passing(clock, 1, () => delivered.length === 1, 'rows');
    const requestsBefore = receiver.requests.length;
    log.append({ ...batchOf([], [a, b, c]), acceptedMs: nowMs + 1_000 });
    await passing(clock, 1, () => delivered.length === 2, 'ends');
    const ends = receiver.requests.slice(requestsBefore).flatMap(({ series }) => series);
    t.same(
      ends.map(({ labels }) => labels.n),
      exemplarMode === 'auto' ? ['0'] : [],
    );
    t.equal(await metric('exemplars_total'), 2);
    t.equal(await metric('exemplars_pending'), 0);
  }
});

t.test('auto: an end that is refused is given up, and nothing else', async (t) => {
  const { receiver, clock, log, delivered, metric } = await startForwarding(t, {
    queue: { batchSendDeadlineMs: 0 },
  });
  const nowMs = clock.nowMs();
  log.append(batchOf([a, b].map((series) => ({ series, timestampMs: nowMs }))));
  await passing(clock, 1, () => delivered.length === 1, 'rows');
  receiver.reply = ({ series }) => ({
    status: series.some(({ labels, samples }) => labels.n === '0' && samples.length > 0) ? 400 : 204,
  });
  log.append({ ...batchOf([{ series: b, timestampMs: nowMs + 1_000 }], [a]), acceptedMs: nowMs + 1_000 });
  await passing(clock, 1, () => delivered.length === 2, 'end');
  t.equal(await metric('exemplars_total'), 3);
  t.equal(await metric('samples_refused_total'), 1);
  t.equal(await metric('exemplars_dropped_total'), 0);
});

t.test('stop sends ends that wait for their request to fill', async (t) => {
  const { receiver, clock, log, forwarder, delivered } = await startForwarding(t, {
    exemplarMode: 'self_contained',
  });
  log.append({ ...batchOf([], [a]), acceptedMs: clock.nowMs() });
  await clock.advance(1);
  t.equal(receiver.requests.length, 0);
  await forwarder.stop(1_000);
  t.equal(receiver.accepted.length, 1);
  t.equal(delivered.length, 1);
});
