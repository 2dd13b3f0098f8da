import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { createForwarder } from '../../src/forward/forwarder.js';
import { RemoteWriteMetrics } from '../../src/forward/metrics.js';
import { DEFAULT_REMOTE_WRITE } from '../../src/forward/options.js';
import type { HttpClientOptions } from '../../src/http-client/options.js';
import { MemoryLog } from '../../src/journal/memory-log.js';
import { labelsFromRecord } from '../../src/model/labels.js';
import { createRegistry } from '../../src/telemetry/registry.js';
import { sleep, systemClock } from '../../src/util/clock.js';
import { silentLog } from '../../src/util/log.js';
import { batchOf, manySeries, type seriesOf } from '../support/batch.js';
import { exemplarTimes, type Forwarding, passing, startForwarding } from '../support/forwarding.js';
import { startReceiver } from '../support/remote-write-receiver.js';
import { until } from '../support/until.js';

const [x] = manySeries(1) as [ReturnType<typeof seriesOf>];

const withToken = (headers: HttpClientOptions['headers']): HttpClientOptions => ({
  ...DEFAULT_REMOTE_WRITE.httpClient,
  auth: { type: 'authorization', scheme: 'Bearer', credentials: { text: 'token' } },
  headers,
});

t.test('sends headers, credentials and body as the protocol wants', async (t) => {
  const { receiver, clock, log, delivered, forwarder } = await startForwarding(t, {
    httpClient: {
      ...DEFAULT_REMOTE_WRITE.httpClient,
      headers: { 'X-Scope-OrgID': [{ text: 'tenant' }] },
      auth: { type: 'basic', username: { text: 'user' }, password: { text: 'päss' } },
    },
    externalLabels: labelsFromRecord({ cluster: 'c1' }),
  });
  log.append(batchOf([{ series: x, timestampMs: clock.nowMs() }]));
  await passing(clock, 1000, () => delivered.length === 1, 'delivery');
  const [request] = receiver.requests;
  t.match(request?.headers, {
    'content-type': 'application/x-protobuf',
    'content-encoding': 'snappy',
    'x-prometheus-remote-write-version': '0.1.0',
    'user-agent': 'exemplard/0.0.0-test',
    'x-scope-orgid': 'tenant',
    authorization: `Basic ${Buffer.from('user:päss').toString('base64')}`,
  });
  t.notHas(request?.headers, { 'retry-attempt': String });
  t.equal(request?.path, '/api/v1/write');
  t.equal(request?.series[0]?.key, '__name__=requests_total,cluster=c1,n=0');
  t.equal(forwarder.stop(1000), forwarder.stop(5), 'stop keeps its promise');
  forwarder.start();
});

t.test('a bearer token is sent; a password in the URL is used and shown nowhere', async (t) => {
  const bearer = await startForwarding(t, { httpClient: withToken({}) });
  bearer.log.append(batchOf([{ series: x, timestampMs: 1 }]));
  await passing(bearer.clock, 1000, () => bearer.receiver.requests.length === 1, 'request');
  t.equal(bearer.receiver.requests[0]?.headers.authorization, 'Bearer token');

  const receiver = await startReceiver();
  t.teardown(() => receiver.close());
  const inUrl = await startForwarding(t, { url: receiver.url.replace('//', '//user:s%3Acret@') });
  inUrl.log.append(batchOf([{ series: x, timestampMs: 1 }]));
  await passing(inUrl.clock, 1000, () => receiver.requests.length === 1, 'request');
  t.equal(
    receiver.requests[0]?.headers.authorization,
    `Basic ${Buffer.from('user:s:cret').toString('base64')}`,
  );
  t.equal(inUrl.forwarder.status().url, receiver.url);
  t.notMatch(await inUrl.registry.metrics(), /cret/);
});

t.test('a full request goes at once, a partial one after the deadline', async (t) => {
  const { receiver, clock, log } = await startForwarding(t, { queue: { maxSamplesPerSend: 10 } });
  const rows = manySeries(12).map((series) => ({ series, timestampMs: 1 }));
  log.append(batchOf(rows));
  await until(() => receiver.accepted.length === 2, 'two full requests');
  t.same(
    receiver.accepted.map(({ series }) => series.length),
    [5, 5],
    'a sample and its exemplar are two items',
  );
  await clock.advance(4_999);
  t.equal(receiver.requests.length, 2);
  await clock.advance(1);
  await until(() => receiver.accepted.length === 3, 'the rest');
  t.equal(receiver.accepted[2]?.series.length, 2);
});

t.test('every series keeps its order over many shards and failures, and all arrive once', async (t) => {
  const { receiver, clock, log, delivered, metric } = await startForwarding(t, {
    queue: { minShards: 4, maxSamplesPerSend: 20 },
  });
  receiver.reply = (_, index) => (index % 3 === 0 ? { status: 503 } : { status: 204 });
  const series = manySeries(10);
  for (let time = 1; time <= 50; time++) {
    log.append(batchOf(series.map((series) => ({ series, timestampMs: time }))));
  }
  await passing(clock, 100, () => delivered.length === 50, 'delivery');
  const timesBySeries = new Map<string, number[]>();
  for (const { series } of receiver.accepted) {
    for (const { key, exemplars } of series) {
      timesBySeries.set(key, [...(timesBySeries.get(key) ?? []), ...exemplars.map((e) => e.timestamp)]);
    }
  }
  const inOrder = Array.from({ length: 50 }, (_, i) => i + 1);
  t.equal(timesBySeries.size, 10);
  for (const times of timesBySeries.values()) t.same(times, inOrder);
  t.equal(await metric('exemplars_total'), 500);
  t.equal(await metric('samples_total'), 500);
  t.equal(await metric('exemplars_pending'), 0);
  t.equal(await metric('highest_sent_timestamp_seconds'), 0.05);
  t.ok((await metric('exemplars_retried_total')) > 0);
  t.ok((await metric('bytes_total')) > 0);
});

/** Lets the clock run to each retry, and says how long each wait was. */
async function waitsBetween(requests: number, { receiver, clock }: Forwarding): Promise<number[]> {
  const waits: number[] = [];
  for (let tries = 1; tries < requests; tries++) {
    // Only resharding and the backoff wait then: the timeout of the request is over.
    await until(() => receiver.requests.length === tries && clock.waitingMs.length === 2, `try ${tries}`);
    await until(() => !clock.waitingMs.includes(DEFAULT_REMOTE_WRITE.remoteTimeoutMs), `answer ${tries}`);
    const reshardMs = 10_000 - (clock.monotonicMs() % 10_000);
    waits.push(clock.waitingMs.find((wait) => wait !== reshardMs)!);
    await clock.advance(waits.at(-1)!);
  }
  await until(() => receiver.requests.length === requests, 'the last try');
  return waits;
}

t.test('waits double from min to max backoff; Retry-Attempt counts the tries', async (t) => {
  const queue = { batchSendDeadlineMs: 0, minBackoffMs: 30, maxBackoffMs: 100 };
  const all = await startForwarding(t, { queue });
  const { receiver, clock, log, delivered } = all;
  receiver.reply = (_, index) => (index < 4 ? { status: 500 } : { status: 200 });
  log.append(batchOf([{ series: x, timestampMs: 1 }]));
  await clock.advance(0);
  t.same(await waitsBetween(5, all), [30, 60, 100, 100]);
  await until(() => delivered.length === 1, 'delivery');
  t.same(
    receiver.requests.map(({ headers }) => headers['retry-attempt']),
    [undefined, '1', '2', '3', '4'],
  );
});

t.test('Retry-After replaces the wait, in seconds or as a date', async (t) => {
  const all = await startForwarding(t, { queue: { batchSendDeadlineMs: 0, maxBackoffMs: 300 } });
  const { receiver, clock, log, delivered } = all;
  const date = new Date(clock.nowMs() + 60_000).toUTCString();
  const headers = ['7', date, '-3', 'nonsense'];
  receiver.reply = (_, index) =>
    index < 4 ? { status: 429, headers: { 'retry-after': headers[index]! } } : { status: 200 };
  log.append(batchOf([{ series: x, timestampMs: 1 }]));
  await clock.advance(0);
  t.same(await waitsBetween(5, all), [7_000, 53_000, 300, 300]);
  await until(() => delivered.length === 1, 'delivery');
});

t.test('429 without retry_on_http_429 and other 4xx are dropped, counted by status', async (t) => {
  const { receiver, clock, log, delivered, metric, lines } = await startForwarding(t, {
    queue: { batchSendDeadlineMs: 0, retryOnHttp429: false },
  });
  const statuses = [401, 404, 429, 303];
  const again = statuses.concat(statuses);
  receiver.reply = (_, index) => ({ status: again[index]!, body: 'x'.repeat(5000) });
  for (let i = 0; i < again.length; i++) {
    log.append(batchOf([{ series: x, timestampMs: i + 1 }]));
    await passing(clock, 1, () => delivered.length === i + 1, `drop ${i}`);
  }
  for (const status of statuses) {
    t.equal(await metric('exemplars_dropped_total', { reason: `status_${status}` }), 2, String(status));
  }
  t.equal(receiver.requests.length, again.length, 'none is retried');
  const warnings = lines.filter(({ level }) => level === 'warn');
  t.equal(warnings.length, statuses.length, 'each said once, then at most once a minute');
  t.equal(String(warnings[0]?.fields.error).length, 'HTTP 401: '.length + 1024);
});

t.test('a receiver that hangs, closes, breaks off or refuses the connection is tried again', async (t) => {
  const { receiver, clock, log, delivered, lines } = await startForwarding(t, {
    remoteTimeoutMs: 2_000,
    queue: { batchSendDeadlineMs: 0 },
  });
  const replies = ['hang', 'hang_body', 'close', 'close_body'] as const;
  receiver.reply = (_, index) => replies[index] ?? { status: 204 };
  log.append(batchOf([{ series: x, timestampMs: 1 }]));
  await passing(clock, 500, () => delivered.length === 1, 'delivery');
  t.equal(receiver.requests.length, 5);
  t.match(lines, [
    {
      level: 'warn',
      fields: { error: 'no complete answer within 2000 ms', pending: 1, remote_name: 'test' },
    },
    { level: 'info', message: 'remote write recovered' },
  ]);
  t.equal(lines.length, 2);

  const down = await startForwarding(t, { url: 'http://127.0.0.1:1/', queue: { batchSendDeadlineMs: 0 } });
  down.log.append(batchOf([{ series: x, timestampMs: 1 }]));
  await passing(down.clock, 100, () => down.lines.length === 1, 'warning');
  t.match(down.lines[0]?.fields, { error: /ECONNREFUSED/, url: 'http://127.0.0.1:1/' });
  const startMs = down.clock.monotonicMs();
  await passing(down.clock, 1000, () => down.clock.monotonicMs() - startMs > 180_000, 'three minutes');
  t.ok(down.lines.length <= 4, 'once a minute');
  t.match(down.forwarder.status(), { pending: 1, lastFailure: { error: /ECONNREFUSED/ } });
});

t.test('a success is one, whatever its body', async (t) => {
  const { receiver, clock, log, delivered } = await startForwarding(t, { queue: { batchSendDeadlineMs: 0 } });
  receiver.reply = () => ({
    status: 200,
    headers: { 'content-length': '300000' },
    body: 'x'.repeat(200_000),
  });
  log.append(batchOf([{ series: x, timestampMs: 1 }]));
  await passing(clock, 1, () => delivered.length === 1, 'delivery');
  t.equal(receiver.requests.length, 1);
});

t.test('redirects are followed, with credentials to the same host only', async (t) => {
  const other = await startReceiver('127.0.0.2');
  t.teardown(() => other.close());
  const { receiver, clock, log, delivered } = await startForwarding(t, {
    httpClient: withToken({ 'X-Api-Key': [{ text: 'secret' }] }),
    queue: { batchSendDeadlineMs: 0 },
  });
  const locations = ['/moved', other.url];
  receiver.reply = (_, index) => ({ status: [308, 302][index]!, headers: { location: locations[index]! } });
  log.append(batchOf([{ series: x, timestampMs: 1 }]));
  await passing(clock, 1, () => delivered.length === 1, 'delivery');
  t.match(receiver.requests, [
    { path: '/api/v1/write', headers: { authorization: 'Bearer token' } },
    { path: '/moved', headers: { authorization: 'Bearer token', 'x-api-key': 'secret' } },
  ]);
  t.equal(other.requests[0]?.series.length, 1);
  t.equal(other.requests[0]?.headers.authorization, undefined);
  t.equal(other.requests[0]?.headers['x-api-key'], undefined);
});

t.test('what no receiver would take is not sent, and counted by reason', async (t) => {
  const { receiver, clock, log, delivered, metric } = await startForwarding(t, {
    queue: { batchSendDeadlineMs: 0 },
  });
  const nowMs = clock.nowMs();
  log.append(
    batchOf([
      { series: x, timestampMs: nowMs, labels: {} },
      { series: x, timestampMs: 0 },
      { series: x, timestampMs: nowMs, labels: { trace_id: 'x'.repeat(200) } },
      { series: x, timestampMs: nowMs, value: Number.NaN },
    ]),
  );
  log.append({ ...batchOf([{ series: x, timestampMs: nowMs + 3_600_000 }]), acceptedMs: nowMs });
  await passing(clock, 1, () => delivered.length === 2, 'first batches');
  log.append(batchOf([{ series: x, timestampMs: nowMs - 1 }]));
  log.append(batchOf([]));
  await passing(clock, 1, () => delivered.length === 4, 'second batch');
  t.same(exemplarTimes(receiver), [nowMs]);
  for (const reason of ['blank', 'zero_timestamp', 'too_long', 'future', 'out_of_order']) {
    t.equal(await metric('exemplars_dropped_total', { reason }), 1, reason);
  }
});

t.test('sample_age_limit drops what got too old, before and during retries', async (t) => {
  const { receiver, clock, log, delivered, metric } = await startForwarding(t, {
    queue: { batchSendDeadlineMs: 0, sampleAgeLimitMs: 60_000 },
  });
  receiver.reply = () => ({ status: 503 });
  const nowMs = clock.nowMs();
  log.append(
    batchOf([nowMs - 60_001, nowMs - 30_000, nowMs].map((timestampMs) => ({ series: x, timestampMs }))),
  );
  await passing(clock, 1_000, () => clock.nowMs() > nowMs + 45_000, '45 s of failures');
  receiver.reply = () => ({ status: 204 });
  await passing(clock, 1_000, () => delivered.length === 1, 'delivery');
  t.same(exemplarTimes(receiver), [nowMs]);
  t.equal(await metric('exemplars_dropped_total', { reason: 'too_old' }), 2);
});

t.test('a receiver like Mimir stores exemplars long before the samples, too', async (t) => {
  const { receiver, clock, log, delivered } = await startForwarding(t, { queue: { batchSendDeadlineMs: 0 } });
  const known = new Set<string>();
  const stored: number[] = [];
  receiver.reply = ({ series }) => {
    for (const { key, samples } of series) if (samples.length > 0) known.add(key);
    const oldestMs = Math.min(...series.flatMap(({ samples }) => samples.map(({ timestamp }) => timestamp)));
    const floorMs = Number.isFinite(oldestMs) ? oldestMs - 5 * 60_000 : 0;
    const good = series.filter(({ key }) => known.has(key)).flatMap(({ exemplars }) => exemplars);
    stored.push(...good.map(({ timestamp }) => timestamp).filter((timeMs) => timeMs >= floorMs));
    return { status: series.every(({ key }) => known.has(key)) ? 204 : 400 };
  };
  const nowMs = clock.nowMs();
  const times = [nowMs - 86_400_000, nowMs - 60_000, nowMs];
  log.append(
    batchOf(
      manySeries(3).flatMap((series) =>
        times.map((timestampMs) => ({ series, timestampMs, sampleTimestampMs: nowMs })),
      ),
    ),
  );
  await passing(clock, 1, () => delivered.length === 1, 'delivery');
  t.same(stored, [...times, ...times, ...times]);
  t.equal(receiver.requests.length, 2);
});

t.test('auto: where samples are refused exemplars go alone, for an hour', async (t) => {
  const { receiver, clock, log, delivered, metric } = await startForwarding(t, {
    queue: { batchSendDeadlineMs: 0 },
  });
  const [bad] = manySeries(1, 'contested_total') as [typeof x];
  const contested = { ...bad, ref: 1 as typeof bad.ref };
  receiver.reply = ({ series }) =>
    series.some(({ labels, samples }) => labels.__name__ === 'contested_total' && samples.length > 0)
      ? { status: 400, body: 'out of order sample' }
      : { status: 204 };
  const batch = () => {
    return batchOf([x, contested].map((series) => ({ series, timestampMs: clock.nowMs() })));
  };
  log.append(batch());
  await passing(clock, 1, () => delivered.length === 1, 'first batch');
  t.equal(receiver.requests.length, 4, 'together, each alone, the refused one without its sample');
  await clock.advance(60_000);
  log.append(batch());
  await passing(clock, 1, () => delivered.length === 2, 'second batch');
  t.equal(receiver.requests.length, 5, 'remembered');
  t.equal(exemplarTimes(receiver).length, 4);
  t.equal(await metric('samples_refused_total'), 1);
  t.equal(await metric('exemplars_dropped_total'), 0);
  for (let minutes = 0; minutes < 60; minutes++) await clock.advance(60_000);
  log.append(batch());
  await passing(clock, 1, () => delivered.length === 3, 'third batch');
  t.equal(receiver.requests.length, 9, 'tried with samples again');
});

t.test('stop sends what waits, without waiting for deadlines', async (t) => {
  const { receiver, log, forwarder, delivered, metric } = await startForwarding(t);
  log.append(batchOf(manySeries(3).map((series) => ({ series, timestampMs: 1 }))));
  await forwarder.stop(60_000);
  t.equal(delivered.length, 1);
  t.equal(exemplarTimes(receiver).length, 3);
  t.equal(await metric('exemplars_dropped_total'), 0);
});

t.test('what cannot be sent before the deadline of stop is counted, and not confirmed', async (t) => {
  const { receiver, clock, log, reader, forwarder, delivered, metric, lines } = await startForwarding(t, {
    queue: { maxSamplesPerSend: 2, capacity: 2 },
  });
  receiver.reply = (_, index) => (index === 0 ? { status: 204 } : 'hang');
  log.append(batchOf([1, 2, 3, 4, 5].map((timestampMs) => ({ series: x, timestampMs }))));
  log.append(batchOf([6, 7].map((timestampMs) => ({ series: x, timestampMs }))));
  await until(() => receiver.requests.length === 2, 'second request');
  const stopped = forwarder.stop(1_000);
  await clock.advance(999);
  t.equal(await metric('exemplars_dropped_total'), 0);
  await clock.advance(1);
  await stopped;
  t.equal(await metric('exemplars_dropped_total', { reason: 'shutdown' }), 6);
  t.equal(reader.pendingRows, 7);
  t.equal(delivered.length, 0);
  t.match(lines.at(-1), { level: 'warn', fields: { exemplars: 6 } });
});

t.test('a receiver that hangs costs bounded memory, and what is lost is counted', async (t) => {
  const maxBytes = 100_000;
  const { receiver, clock, log, reader, forwarder, metric } = await startForwarding(
    t,
    { queue: { capacity: 100, maxSamplesPerSend: 20 } },
    maxBytes,
  );
  receiver.reply = () => 'hang';
  let heldMost = 0;
  for (let time = 1; time <= 1_000; time++) {
    log.append(batchOf(Array.from({ length: 20 }, () => ({ series: x, timestampMs: time }))));
    await clock.advance(1);
    heldMost = Math.max(heldMost, log.bytes);
  }
  t.ok(heldMost <= maxBytes, `${heldMost} bytes`);
  t.equal(reader.lostRows + reader.pendingRows, 20_000);
  t.equal(await metric('exemplars_lost_total'), reader.lostRows);
  t.equal(await metric('exemplars_pending'), reader.pendingRows);
  t.match(forwarder.status(), { lost: reader.lostRows, pending: reader.pendingRows });
});

t.test('a slow receiver gets more shards, and order is kept while they change', async (t) => {
  const { receiver, log, clock, delivered, forwarder } = await startForwarding(t, {
    queue: { maxSamplesPerSend: 20, capacity: 20, maxShards: 8 },
  });
  receiver.reply = async () => {
    await sleep(clock, 500);
    return { status: 204 };
  };
  const series = manySeries(16);
  for (let time = 1; time <= 100; time++) {
    log.append(batchOf(series.map((series) => ({ series, timestampMs: time }))));
  }
  let shardsMost = 0;
  await passing(
    clock,
    100,
    () => {
      shardsMost = Math.max(shardsMost, forwarder.status().shards);
      return delivered.length === 100;
    },
    'delivery',
  );
  const lastTime = new Map<string, number>();
  for (const { series } of receiver.accepted) {
    for (const { key, exemplars } of series) {
      for (const { timestamp } of exemplars) {
        if (timestamp !== (lastTime.get(key) ?? 0) + 1) t.fail(`${key}: ${timestamp}`);
        lastTime.set(key, timestamp);
      }
    }
  }
  t.same([...lastTime.values()], new Array(16).fill(100));
  t.ok(shardsMost >= 3, `${shardsMost} shards`);
});

t.test('forget takes its values off /metrics and leaves those of others', async (t) => {
  const registry = createRegistry();
  const metrics = new RemoteWriteMetrics(registry);
  const log = new MemoryLog({ maxBytes: 1e6 });
  const forwarders = ['one', 'two'].map((name) =>
    createForwarder({
      options: { ...DEFAULT_REMOTE_WRITE, name, url: 'http://127.0.0.1:1/', externalLabels: [] },
      reader: log.reader(name),
      clock: systemClock,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      metrics,
      userAgent: 'test',
    }),
  );
  t.match(await registry.metrics(), /exemplard_remote_write_shards\{remote_name="one",/);
  for (const forwarder of forwarders) await forwarder.stop(0);
  forwarders[0]?.forget();
  const text = await registry.metrics();
  t.notMatch(text, /remote_name="one"/);
  t.match(text, /exemplard_remote_write_shards\{remote_name="two",/);
});

t.test('a backlog of which nothing is worth sending leaves timers and sockets their turn', async (t) => {
  const log = new MemoryLog({ maxBytes: 1e9 });
  const forwarder = createForwarder({
    options: { ...DEFAULT_REMOTE_WRITE, name: 'x', url: 'http://127.0.0.1:1/', externalLabels: [] },
    reader: log.reader('x'),
    clock: systemClock,
    log: silentLog,
    metrics: new RemoteWriteMetrics(createRegistry()),
    userAgent: 'test',
  });
  const blank = batchOf(Array.from({ length: 1_000 }, () => ({ series: x, timestampMs: 1, labels: {} })));
  for (let i = 0; i < 300; i++) log.append(blank);
  forwarder.start();
  let longestMs = 0;
  for (let lastMs = performance.now(); forwarder.status().pending > 0; ) {
    await setTimeout(1);
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
  }
  await forwarder.stop(0);
  t.ok(longestMs < 250, `${longestMs} ms`);
});
