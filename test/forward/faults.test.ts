/**
 * Receivers in trouble. Whatever they do, every exemplar arrives once and in order, or is counted with a reason, and
 * at any time: sent + dropped + pending = accepted.
 */

import type { Test } from 'tap';
import t from 'tap';
import { PROTOBUF_MESSAGES, type ProtobufMessage } from '../../src/forward/options.js';
import type { Series } from '../../src/model/batch.js';
import { sleep } from '../../src/util/clock.js';
import { batchOf, manySeries } from '../support/batch.js';
import type { FakeClock } from '../support/fake-clock.js';
import { type Forwarding, passing, type Settings, startForwarding } from '../support/forwarding.js';
import { freePort } from '../support/prometheus.js';
import { storeV2 } from '../support/prometheus-v2.js';
import fc from '../support/properties.js';
import {
  type ReceivedRequest,
  type Receiver,
  type Reply,
  startReceiver,
} from '../support/remote-write-receiver.js';
import { until } from '../support/until.js';

const series = manySeries(6);
const QUEUE = { minShards: 2, maxSamplesPerSend: 12, batchSendDeadlineMs: 200, maxBackoffMs: 1_000 };

/** One exemplar of each series. */
function append({ log, clock }: Forwarding, all: readonly Series[] = series): void {
  log.append(batchOf(all.map((series) => ({ series, timestampMs: clock.nowMs() }))));
}

/** What a healthy receiver answers. */
function healthy(): (request: ReceivedRequest) => Reply {
  const store = storeV2('3.8');
  return (request) =>
    request.headers['x-prometheus-remote-write-version'] === '2.0.0' ? store.reply(request) : { status: 204 };
}

/** Sums of what became of the exemplars, read when nothing moves. */
async function balance({ metric, forwarder }: Forwarding) {
  for (;;) {
    const before = await metric('exemplars_total');
    const dropped = await metric('exemplars_dropped_total');
    const { pending, lost } = forwarder.status();
    const sent = await metric('exemplars_total');
    const droppedSince = (await metric('exemplars_dropped_total')) - dropped;
    if (sent === before && droppedSince === 0) return { sent, dropped, pending, lost };
  }
}

async function checkBalance(t: Test, forwarding: Forwarding, accepted: number): Promise<void> {
  const { sent, dropped, pending, lost } = await balance(forwarding);
  if (sent + dropped + pending + lost !== accepted) {
    t.fail(`${sent} sent + ${dropped} dropped + ${pending} pending + ${lost} lost, of ${accepted}`);
  }
}

/** Times that arrived, by series; those of what was answered with an error did not. */
function arrived(receiver: Receiver): Map<string, number[]> {
  const bySeries = new Map<string, number[]>();
  for (const { series } of receiver.accepted) {
    for (const { labels, exemplars } of series) {
      const times = bySeries.get(labels.n!) ?? [];
      bySeries.set(labels.n!, [...times, ...exemplars.map(({ timestamp }) => timestamp)]);
    }
  }
  return bySeries;
}

interface Fault {
  readonly settings?: Settings;
  /** Of the requests that fall ill; all others are answered in health. */
  readonly reply: (request: ReceivedRequest, clock: FakeClock) => Reply | Promise<Reply>;
  readonly isIll?: (index: number) => boolean;
  /** Series whose exemplars get lost, and the reason that is counted. */
  readonly lost?: { readonly n: string; readonly reason: string };
}

const ROUNDS = 12;

async function endure(t: Test, protobufMessage: ProtobufMessage, fault: Fault): Promise<void> {
  const { queue, ...settings } = fault.settings ?? {};
  const all = { protobufMessage, remoteTimeoutMs: 3_000, ...settings, queue: { ...QUEUE, ...queue } };
  const forwarding = await startForwarding(t, all);
  const { receiver, clock, delivered, metric } = forwarding;
  const well = healthy();
  const isIll = fault.isIll ?? ((index) => index % 2 === 0);
  receiver.reply = (request, index) => (isIll(index) ? fault.reply(request, clock) : well(request));
  const times: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    times.push(clock.nowMs());
    append(forwarding);
    await clock.advance(500);
    await checkBalance(t, forwarding, round * series.length);
  }
  await passing(clock, 100, () => delivered.length === ROUNDS, 'delivery');
  await checkBalance(t, forwarding, ROUNDS * series.length);
  const bySeries = arrived(receiver);
  for (const n of series.keys()) {
    const isLost = String(n) === fault.lost?.n;
    t.same(bySeries.get(String(n)) ?? [], isLost ? [] : times, `series ${n}`);
  }
  const reason = fault.lost?.reason;
  if (reason === undefined) t.equal(await metric('exemplars_dropped_total'), 0);
  else t.equal(await metric('exemplars_dropped_total', { reason }), ROUNDS);
  t.same(
    receiver.problems.filter((problem) => !problem.includes('at least one sample')),
    [],
  );
}

const has = ({ series }: ReceivedRequest, n: string) => series.find(({ labels }) => labels.n === n);

const FAULTS: Readonly<Record<string, Fault>> = {
  'a 500': { reply: () => ({ status: 500, body: 'oops' }) },
  'a 503 that never ends its body': { reply: () => 'hang_body' },
  'a 429 that says when': { reply: () => ({ status: 429, headers: { 'retry-after': '2' } }) },
  'a 429 that does not': { reply: () => ({ status: 429 }) },
  'no answer': { reply: () => 'hang' },
  'a connection closed without an answer': { reply: () => 'close' },
  'a connection closed within the answer': { reply: () => 'close_body' },
  'an answer that takes its time': {
    isIll: () => true,
    async reply(request, clock) {
      await sleep(clock, 1_000);
      return healthy()(request);
    },
  },
  'a 400 for one series and its samples': {
    isIll: () => true,
    reply: (request) => (has(request, '3')?.samples.length ? { status: 400 } : healthyAlone(request)),
  },
  'a 400 for one series in any shape': {
    isIll: () => true,
    reply: (request) => (has(request, '3') ? { status: 400, body: 'bad series' } : healthyAlone(request)),
    lost: { n: '3', reason: 'refused' },
  },
  'a 500 until a 400 for one series': {
    isIll: () => true,
    reply: (request) => {
      if (request.headers['retry-attempt'] === undefined) return { status: 500 };
      return has(request, '3') ? { status: 400 } : healthyAlone(request);
    },
    lost: { n: '3', reason: 'refused' },
  },
};

/** A receiver that writes whatever it gets. */
function healthyAlone({ series }: ReceivedRequest): Reply {
  const count = (of: 'samples' | 'exemplars') => String(series.reduce((sum, one) => sum + one[of].length, 0));
  const headers = {
    'x-prometheus-remote-write-samples-written': count('samples'),
    'x-prometheus-remote-write-exemplars-written': count('exemplars'),
  };
  return { status: 204, headers };
}

for (const protobufMessage of PROTOBUF_MESSAGES) {
  for (const [name, fault] of Object.entries(FAULTS)) {
    t.test(`${protobufMessage}: ${name}`, (t) => endure(t, protobufMessage, fault));
  }
}

t.test('415 to one in three requests: the rest arrives, what was refused is counted', async (t) => {
  const forwarding = await startForwarding(t, { protobufMessage: 'prometheus.WriteRequest', queue: QUEUE });
  const { receiver, clock, delivered, metric } = forwarding;
  receiver.reply = (_, index) => ({ status: index % 3 === 0 ? 415 : 204 });
  for (let round = 1; round <= ROUNDS; round++) {
    append(forwarding);
    await clock.advance(500);
    await checkBalance(t, forwarding, round * series.length);
  }
  await passing(clock, 100, () => delivered.length === ROUNDS, 'settled');
  const refused = await metric('exemplars_dropped_total', { reason: 'status_415' });
  t.ok(refused > 0);
  t.equal((await metric('exemplars_total')) + refused, ROUNDS * series.length);
});

t.test('nobody listens, until somebody does', async (t) => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/api/v1/write`;
  const forwarding = await startForwarding(t, { url, queue: QUEUE });
  const { clock, delivered, lines } = forwarding;
  for (let round = 1; round <= ROUNDS; round++) {
    append(forwarding);
    await clock.advance(500);
    await checkBalance(t, forwarding, round * series.length);
  }
  await passing(clock, 100, () => lines.length > 0, 'a warning');
  t.match(lines[0]?.fields, { error: /ECONNREFUSED/ });
  const receiver = await startReceiver('127.0.0.1', port);
  t.teardown(() => receiver.close());
  await passing(clock, 100, () => delivered.length === ROUNDS, 'delivery');
  t.equal([...arrived(receiver).values()].flat().length, ROUNDS * series.length);
  t.match(lines.at(-1), { message: 'remote write recovered' });
});

t.test('a name that does not resolve, and TLS with what speaks none', async (t) => {
  const plain = await startReceiver();
  t.teardown(() => plain.close());
  const urls = {
    'http://receiver.invalid/write': /ENOTFOUND|EAI_AGAIN|getaddrinfo/,
    [`https://127.0.0.1:${plain.port}/`]: /SSL|TLS|wrong version/i,
  };
  for (const [url, error] of Object.entries(urls)) {
    const forwarding = await startForwarding(t, { url, remoteTimeoutMs: 600_000, queue: QUEUE });
    const { clock, lines, forwarder, metric } = forwarding;
    append(forwarding);
    append(forwarding);
    await passing(clock, 100, () => lines.length > 0, url);
    t.match(lines[0]?.fields, { error }, url);
    t.match(await balance(forwarding), { sent: 0, dropped: 0, pending: 12 });
    const stopped = forwarder.stop(1_000);
    await clock.advance(1_000);
    await stopped;
    t.equal(await metric('exemplars_dropped_total', { reason: 'shutdown' }), 12);
    t.equal(await metric('exemplars_in_total'), 12);
  }
  t.equal(plain.requests.length, 0);
});

t.test(
  'ten minutes without a receiver: nothing is lost, and fresh exemplars do not wait for the last old one',
  async (t) => {
    const forwarding = await startForwarding(t, { queue: { ...QUEUE, maxSamplesPerSend: 200 } });
    const { receiver, clock, delivered, forwarder } = forwarding;
    receiver.reply = (_, index) => (index % 2 === 0 ? 'close' : { status: 502 });
    const startMs = clock.nowMs();
    let rounds = 0;
    for (; clock.nowMs() - startMs < 600_000; rounds++) {
      append(forwarding);
      await clock.advance(2_000);
    }
    await checkBalance(t, forwarding, rounds * series.length);
    t.equal(forwarder.status().pending, rounds * series.length);
    const retries = receiver.requests.length;
    t.ok(retries < 2 * 700, `${retries} requests in ten minutes`);
    receiver.reply = healthy();
    const backMs = clock.nowMs();
    append(forwarding);
    await passing(clock, 100, () => delivered.length === rounds + 1, 'the backlog');
    t.ok(clock.nowMs() - backMs < 15_000, `drained in ${clock.nowMs() - backMs} ms`);
    for (const times of arrived(receiver).values()) {
      t.equal(times.length, rounds + 1);
      t.ok(
        times.every((time, i) => i === 0 || times[i - 1]! < time),
        'in order',
      );
    }
  },
);

t.test('a clock that jumps by hours both ways while sending', async (t) => {
  for (const protobufMessage of PROTOBUF_MESSAGES) {
    const forwarding = await startForwarding(t, { protobufMessage, queue: QUEUE });
    const { receiver, clock, delivered, metric } = forwarding;
    const well = healthy();
    receiver.reply = (request, index) => (index % 3 === 0 ? { status: 503 } : well(request));
    let accepted = 0;
    for (const jumpHours of [0, 5, -3, 7, -12, 1]) {
      append(forwarding);
      accepted += series.length;
      // While requests wait, are on their way, and are tried again.
      clock.jump(jumpHours * 3_600_000);
      await clock.advance(150);
      await checkBalance(t, forwarding, accepted);
      append(forwarding);
      accepted += series.length;
      await clock.advance(400);
    }
    await passing(clock, 100, () => delivered.length === 12, 'settled');
    await checkBalance(t, forwarding, accepted);
    const outOfOrder = await metric('exemplars_dropped_total', { reason: 'out_of_order' });
    t.equal(
      (await metric('exemplars_total')) + outOfOrder,
      accepted,
      'those of a time that has been come out of order',
    );
    t.equal([...arrived(receiver).values()].flat().length, await metric('exemplars_total'));
  }
});

const anyReply = fc.constantFrom<Reply>(
  { status: 204 },
  { status: 204 },
  { status: 500 },
  { status: 429, headers: { 'retry-after': '1' } },
  { status: 400 },
  { status: 415 },
  'close',
  'close_body',
  'hang',
);

t.test('any sequence of faults: the sums hold all the time', async (t) => {
  const scripts = fc.array(anyReply, { maxLength: 12 });
  const mode = fc.constantFrom('auto', 'self_contained', 'attach');
  const message = fc.constantFrom('auto', ...PROTOBUF_MESSAGES);
  await fc.assert(
    fc.asyncProperty(scripts, mode, message, async (script, exemplarMode, protobufMessage) => {
      const settings = { exemplarMode, protobufMessage, remoteTimeoutMs: 1_000 } as const;
      const forwarding = await startForwarding(t, { ...settings, queue: QUEUE });
      const { receiver, clock, delivered } = forwarding;
      receiver.reply = (request, index) => script[index] ?? healthyAlone(request);
      for (let round = 1; round <= 5; round++) {
        append(forwarding);
        await clock.advance(300);
        await checkBalance(t, forwarding, round * series.length);
      }
      await passing(clock, 100, () => delivered.length === 5, 'settled');
      await checkBalance(t, forwarding, 5 * series.length);
      const inOrder = [...arrived(receiver).values()].every((times) =>
        times.every((time, i) => i === 0 || times[i - 1]! < time),
      );
      await until(() => forwarding.forwarder.status().pending === 0, 'nothing pending');
      const { sent } = await balance(forwarding);
      await receiver.close();
      return inOrder && sent <= [...arrived(receiver).values()].flat().length;
    }),
    { numRuns: 25 },
  );
});
