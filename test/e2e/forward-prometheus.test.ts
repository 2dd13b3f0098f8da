import t from 'tap';
import { createForwarder } from '../../src/forward/forwarder.js';
import { RemoteWriteMetrics } from '../../src/forward/metrics.js';
import {
  DEFAULT_QUEUE,
  DEFAULT_REMOTE_WRITE,
  type ExemplarMode,
  type RemoteWriteOptions,
} from '../../src/forward/options.js';
import { MemoryLog } from '../../src/journal/memory-log.js';
import type { Batch, Series } from '../../src/model/batch.js';
import { decodeLabels } from '../../src/model/encoded-labels.js';
import { labelsFromRecord, labelsToRecord } from '../../src/model/labels.js';
import { createRegistry } from '../../src/telemetry/registry.js';
import { systemClock } from '../../src/util/clock.js';
import { silentLog } from '../../src/util/log.js';
import { batchOf, manySeries } from '../support/batch.js';
import {
  type Prometheus,
  prometheusMissing,
  type QueriedSeries,
  startPrometheus,
} from '../support/prometheus.js';

/** Forwards batches and waits for the end; the metrics' text tells how it went. */
async function forward(
  url: string,
  mode: ExemplarMode,
  batches: readonly Batch[],
  protobufMessage: RemoteWriteOptions['protobufMessage'] = 'auto',
): Promise<string> {
  const log = new MemoryLog({ maxBytes: 1e8 });
  const registry = createRegistry();
  const forwarder = createForwarder({
    options: {
      ...DEFAULT_REMOTE_WRITE,
      name: mode,
      url: `${url}/api/v1/write`,
      externalLabels: labelsFromRecord({ cluster: 'test' }),
      exemplarMode: mode,
      protobufMessage,
      queue: { ...DEFAULT_QUEUE, minShards: 3 },
    },
    reader: log.reader(mode),
    clock: systemClock,
    log: silentLog,
    metrics: new RemoteWriteMetrics(registry),
    userAgent: 'exemplard/test',
  });
  forwarder.start();
  for (const batch of batches) log.append(batch);
  await forwarder.stop(20_000);
  return registry.metrics();
}

/** The answer of `query_exemplars` that holds exactly these rows. */
function answerFor(batches: readonly Batch[]): QueriedSeries[] {
  const bySeries = new Map<string, QueriedSeries>();
  for (const batch of batches) {
    for (let i = 0; i < batch.length; i++) {
      const seriesLabels = { ...labelsToRecord(batch.series[i]!.labels), cluster: 'test' };
      const key = JSON.stringify(Object.entries(seriesLabels).sort());
      if (!bySeries.has(key)) bySeries.set(key, { seriesLabels, exemplars: [] });
      const labels = decodeLabels(batch.labelBytes, batch.labelEnds[i - 1] ?? 0, batch.labelEnds[i]);
      bySeries.get(key)?.exemplars.push({
        labels: { ...labelsToRecord(labels) },
        value: String(batch.values[i]),
        timestamp: batch.timestampsMs[i]! / 1000,
      });
    }
  }
  return sorted([...bySeries.values()]);
}

/** Prometheus sorts by labels, we do not care. */
function sorted(answer: readonly QueriedSeries[]): QueriedSeries[] {
  const key = ({ seriesLabels }: QueriedSeries) => JSON.stringify(Object.entries(seriesLabels).sort());
  return [...answer].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Three batches, a second apart. */
function batchesFrom(startMs: number, series: readonly Series[]): Batch[] {
  return [0, 1, 2].map((second) =>
    batchOf(
      series.map((series, n) => ({
        series,
        timestampMs: startMs + 1000 * second + n,
        value: n / 8,
        labels: { trace_id: `${second}-${n}`, 'user.name': 'Zoë 漢' },
        sampleTimestampMs: startMs + 1000 * second + 500,
      })),
    ),
  );
}

/** Another sender's samples of these series at `sampleMs`, and old exemplars of its own. */
async function writeSamples(prometheus: Prometheus, series: readonly Series[], sampleMs: number) {
  const rows = series.map((series) => ({ series, timestampMs: longAgoMs, sampleTimestampMs: sampleMs }));
  const text = await forward(prometheus.url, 'self_contained', [batchOf(rows)]);
  t.match(text, new RegExp(`samples_total{.*} ${series.length}\n`));
}

const nowMs = Date.now();
const longAgoMs = nowMs - 120_000;
/** Without the other sender's exemplars. */
const lately = { start: (nowMs - 90_000) / 1000, end: nowMs / 1000 };

t.test(
  'what is forwarded to a real Prometheus is read back equal',
  { skip: prometheusMissing() },
  async (t) => {
    const prometheus = await startPrometheus();
    t.teardown(() => prometheus.stop());
    const stored = async (name: string) => sorted(await prometheus.queryExemplars(name, lately));

    t.test('self_contained, into series nobody else writes', async (t) => {
      const batches = batchesFrom(nowMs - 60_000, manySeries(40, 'alone_total'));
      await forward(prometheus.url, 'self_contained', batches);
      t.strictSame(await stored('alone_total'), answerFor(batches));
      const response = await fetch(`${prometheus.url}/api/v1/query?query=count(alone_total)`);
      t.match(await response.json(), { data: { result: [{ value: [Number, '40'] }] } });
    });

    t.test('attach, into series that exist', async (t) => {
      const series = manySeries(40, 'attached_total');
      const batches = batchesFrom(nowMs - 30_000, series);
      await writeSamples(prometheus, series, nowMs);
      const text = await forward(prometheus.url, 'attach', batches);
      t.strictSame(await stored('attached_total'), answerFor(batches));
      t.match(text, /samples_total{.*} 0\n/);
    });

    t.test('auto, where another sender has written newer samples, beside new series', async (t) => {
      const contested = manySeries(40, 'contested_total');
      const fresh = manySeries(40, 'fresh_total', 40);
      await writeSamples(prometheus, contested, nowMs);
      const batches = batchesFrom(nowMs - 30_000, [...contested, ...fresh]);
      const text = await forward(prometheus.url, 'auto', batches);
      t.strictSame(
        [...(await stored('contested_total')), ...(await stored('fresh_total'))],
        answerFor(batches),
      );
      t.match(text, /exemplars_total{.*} 240\n/);
      t.match(text, /samples_refused_total{.*} [1-9]/);
      t.notMatch(text, /exemplars_dropped_total{.*} [1-9]/);
    });

    t.test(
      'self_contained, where they have: what is refused is dropped and counted, the rest arrives',
      async (t) => {
        const contested = manySeries(2, 'taken_total');
        const fresh = manySeries(38, 'free_total', 2);
        await writeSamples(prometheus, contested, nowMs);
        const batches = batchesFrom(nowMs - 30_000, [...contested, ...fresh]);
        const text = await forward(prometheus.url, 'self_contained', batches);
        t.same(await stored('taken_total'), []);
        const expected = answerFor(batches).filter(
          ({ seriesLabels }) => seriesLabels.__name__ === 'free_total',
        );
        t.strictSame(await stored('free_total'), expected);
        t.match(text, /exemplars_dropped_total{.*reason="refused"} 6\n/);
      },
    );

    t.test('exemplars hours older than the samples of their series', async (t) => {
      const rows = manySeries(5, 'rare_total').map((series, n) => ({
        series,
        timestampMs: nowMs - 3 * 3_600_000 + n,
        sampleTimestampMs: nowMs,
      }));
      const batches = [batchOf(rows)];
      const text = await forward(prometheus.url, 'self_contained', batches);
      t.strictSame(sorted(await prometheus.queryExemplars('rare_total')), answerFor(batches));
      t.match(text, /exemplars_total{.*} 5\n/);
    });

    t.test('the end of a series ends it there', async (t) => {
      const series = manySeries(2, 'ended_total');
      const isThere = async () => {
        const response = await fetch(`${prometheus.url}/api/v1/query?query=count(ended_total)`);
        const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
        return data.result[0]?.value[1];
      };
      const rows = series.map((series) => ({ series, timestampMs: nowMs - 2_000 }));
      await forward(prometheus.url, 'self_contained', [batchOf(rows)]);
      t.equal(await isThere(), '2');
      const ends = { ...batchOf([], series.slice(0, 1)), acceptedMs: nowMs - 1_000 };
      // What follows is read, so that the batch without rows before it is, too.
      const other = batchOf([{ series: series[1]!, timestampMs: nowMs - 500 }]);
      await forward(prometheus.url, 'self_contained', [ends, other]);
      t.equal(await isThere(), '1');
    });

    t.test('2.0, which this version reads as an empty 1.0: nothing is taken for delivered', async (t) => {
      const batches = batchesFrom(nowMs - 60_000, manySeries(5, 'mute_total'));
      const text = await forward(prometheus.url, 'auto', batches, 'io.prometheus.write.v2.Request');
      t.same(await stored('mute_total'), []);
      t.match(text, /exemplars_total{.*} 0\n/);
      t.match(text, /exemplars_dropped_total{.*reason="unwritten"} 15\n/);
      t.match(text, /exemplars_unwritten_total{.*} 15\n/);
    });
  },
);
