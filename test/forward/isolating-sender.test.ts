import t from 'tap';
import { Deliveries } from '../../src/forward/delivery.js';
import { FailureLog } from '../../src/forward/failure-log.js';
import { IsolatingSender, MAX_EXTRA_REQUESTS } from '../../src/forward/isolating-sender.js';
import { RemoteWriteMetrics } from '../../src/forward/metrics.js';
import type { ExemplarMode } from '../../src/forward/options.js';
import { TrafficMeter } from '../../src/forward/resharding.js';
import type { Fate } from '../../src/forward/sender.js';
import { ATTACH_MS, SeriesStates } from '../../src/forward/series-state.js';
import { countSamples, gatherTimeSeries, type TimeSeries } from '../../src/forward/time-series.js';
import { createRegistry } from '../../src/telemetry/registry.js';
import { silentLog } from '../../src/util/log.js';
import { batchOf, manySeries } from '../support/batch.js';
import { FakeClock } from '../support/fake-clock.js';
import { metricReader } from '../support/forwarding.js';
import fc from '../support/properties.js';
import { GATHER_ALL, rowsOf } from '../support/rows.js';

const NO_GAUGES = {
  ...{ pending: 0, lost: 0, shardCapacity: 1, maxSamplesPerSend: 1 },
  ...{ shards: 1, minShards: 1, maxShards: 1, desiredShards: 1 },
};

/** A receiver like Prometheus 1.0: one bad sample refuses the request whole, exemplars alone always pass. */
async function sendAll(count: number, bad: ReadonlySet<number>, mode: ExemplarMode, refuseAlone = false) {
  const clock = new FakeClock();
  const states = new SeriesStates([]);
  const batch = batchOf(manySeries(count).map((series) => ({ series, timestampMs: 1 })));
  const confirmed: number[] = [];
  const deliveries = new Deliveries((at) => confirmed.push(at));
  const delivery = deliveries.begin({ position: 0, batch });
  const all = gatherTimeSeries(rowsOf(batch, states, delivery), { ...GATHER_ALL, mode });
  const withSample: number[] = [];
  const alone: number[] = [];
  const registry = createRegistry();
  let requests = 0;
  const send = async (part: readonly TimeSeries[]): Promise<Fate> => {
    requests++;
    const refused = part.some(({ state, samples }) => samples.length > 0 && bad.has(state.series.ref));
    if (refused || (refuseAlone && countSamples(part) === 0)) {
      return { refused: 'out of order', status: 400 };
    }
    for (const { state, samples } of part) (samples.length > 0 ? withSample : alone).push(state.series.ref);
    return 'delivered';
  };
  const sender = new IsolatingSender({
    mode,
    clock,
    meter: new RemoteWriteMetrics(registry).meter('test', 'http://r', () => NO_GAUGES),
    traffic: new TrafficMeter(),
    failures: new FailureLog(silentLog, clock, () => ({})),
    allowsExemplarsAlone: () => true,
    send,
    settle: (row) => deliveries.settle(row),
  });
  const never = new AbortController().signal;
  await sender.send(all, { retrying: never, sending: never });
  const attached = all.filter(({ state }) => state.attachUntilMs === clock.monotonicMs() + ATTACH_MS).length;
  const dropped = await metricReader(registry)('exemplars_dropped_total');
  return { withSample, alone, dropped, requests, attached, open: delivery.openRows };
}

t.test('one refused series of a thousand costs itself, and some twenty requests', async (t) => {
  const bad = new Set([617]);
  const auto = await sendAll(1000, bad, 'auto');
  t.equal(auto.withSample.length, 999);
  t.same(auto.alone, [617]);
  t.match(auto, { dropped: 0, attached: 1, open: 0, requests: 22 });

  const selfContained = await sendAll(1000, bad, 'self_contained');
  t.equal(selfContained.withSample.length, 999);
  t.match(selfContained, { alone: [], dropped: 1, attached: 0, open: 0, requests: 21 });
});

t.test('where all are refused, a bounded number of requests finds out, and none is lost', async (t) => {
  const all = new Set(Array.from({ length: 1000 }, (_, n) => n));
  const { alone, requests, attached, open } = await sendAll(1000, all, 'auto');
  t.equal(alone.length, 1000);
  t.equal(requests, 1 + MAX_EXTRA_REQUESTS + 1);
  t.match({ attached, open }, { attached: 1000, open: 0 });
});

t.test('exemplars refused even alone are dropped, without a search', async (t) => {
  const attach = await sendAll(10, new Set(), 'attach', true);
  t.match(attach, { dropped: 10, requests: 1, open: 0 });
  const auto = await sendAll(2, new Set([0, 1]), 'auto', true);
  t.match(auto, { dropped: 2, requests: 4, open: 0, attached: 0 });
});

t.test(
  'whichever series are bad: every row is settled, every exemplar sent, good ones with samples',
  async () => {
    const refs = fc.uniqueArray(fc.nat(99), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(refs, fc.integer({ min: 1, max: 100 }), async (bad, count) => {
        const badSet = new Set(bad.filter((ref) => ref < count));
        const sent = await sendAll(count, badSet, 'auto');
        return (
          sent.open === 0 &&
          sent.dropped === 0 &&
          sent.withSample.length === count - badSet.size &&
          sent.alone.every((ref) => badSet.has(ref)) &&
          sent.requests <= 2 + MAX_EXTRA_REQUESTS
        );
      }),
      { numRuns: 100 },
    );
  },
);
