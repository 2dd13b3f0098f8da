import snappy from 'snappyjs';
import t from 'tap';
import { RequestV2Encoder } from '../../src/forward/encode-v2.js';
import { SeriesStates } from '../../src/forward/series-state.js';
import { gatherTimeSeries } from '../../src/forward/time-series.js';
import type { Metadata } from '../../src/model/metadata.js';
import { batchOf, manySeries, type RowInput, seriesOf } from '../support/batch.js';
import fc from '../support/properties.js';
import type { ReceivedSeries } from '../support/remote-write-receiver.js';
import { decodeRequestV2 } from '../support/remote-write-v2.js';
import { GATHER_ALL, rowsOf } from '../support/rows.js';
import { readFields } from '../support/wire.js';

const nowMs = 1_763_796_000_000;

/** One encoder for several requests, as in life. */
class Encoding {
  readonly #encoder = new RequestV2Encoder();
  readonly #states = new SeriesStates([]);
  symbols: string[] = [];

  encode(rows: readonly RowInput[], stale: readonly RowInput['series'][] = []): ReceivedSeries[] {
    const batch = { ...batchOf(rows, stale), acceptedMs: nowMs + 10_000 };
    const all = gatherTimeSeries(rowsOf(batch, this.#states), GATHER_ALL);
    const message = snappy.uncompress(this.#encoder.encode(all));
    this.symbols = readFields(message)
      .filter(({ number }) => number === 4)
      .map(({ bytes }) => bytes.toString('utf8'));
    const problems: string[] = [];
    const series = decodeRequestV2(message, problems);
    t.same(problems, []);
    return series;
  }
}

t.test('a TimeSeries is its labels, sample with start, exemplar and metadata', async (t) => {
  const metadata: Metadata = { type: 'histogram', help: 'How long.', unit: 'seconds' };
  const series = { ...seriesOf(1, { __name__: 'x_seconds_bucket', le: '0.5' }), metadata };
  const encoding = new Encoding();
  const row = { series, timestampMs: nowMs, value: 0.25, labels: { span_id: 'd', trace_id: 'abc' } };
  const sample = { sampleValue: 17, sampleTimestampMs: nowMs + 1_000, sampleStartMs: nowMs - 60_000 };
  t.strictSame(encoding.encode([{ ...row, ...sample }]), [
    {
      key: '__name__=x_seconds_bucket,le=0.5',
      labels: { __name__: 'x_seconds_bucket', le: '0.5' },
      samples: [{ value: 17, timestamp: nowMs + 1_000 }],
      exemplars: [{ labels: { span_id: 'd', trace_id: 'abc' }, value: 0.25, timestamp: nowMs }],
      v2: {
        sampleBits: [0x4031000000000000n],
        starts: [nowMs - 60_000],
        type: 'METRIC_TYPE_HISTOGRAM',
        help: 'How long.',
        unit: 'seconds',
      },
    },
  ]);
});

t.test('what is not known is left out; a start after its sample is not one', async (t) => {
  const [x, y] = manySeries(2) as [RowInput['series'], RowInput['series']];
  const [first, second] = new Encoding().encode([
    { series: x, timestampMs: nowMs },
    {
      series: { ...y, metadata: { type: 'unknown', help: '', unit: 'x' } },
      timestampMs: nowMs,
      sampleStartMs: nowMs + 1,
    },
  ]);
  t.match(first?.v2, { starts: [0], type: 'METRIC_TYPE_UNSPECIFIED', help: '', unit: '' });
  t.match(second?.v2, { starts: [0], type: 'METRIC_TYPE_UNSPECIFIED', help: '', unit: 'x' });
});

t.test('each text is one symbol, wherever it stands, in every request anew', async (t) => {
  const encoding = new Encoding();
  const series = seriesOf(1, { __name__: 'same', trace_id: 'same' });
  const other = seriesOf(2, { __name__: 'same', job: 'trace_id' });
  const row = { series, labels: { trace_id: 'same' } };
  const symbols = ['', '__name__', 'same', 'trace_id'];
  encoding.encode([{ ...row, timestampMs: nowMs }]);
  t.same(encoding.symbols, symbols);
  encoding.encode([
    { ...row, timestampMs: nowMs + 1 },
    { ...row, series: other, timestampMs: nowMs + 1 },
  ]);
  t.same(encoding.symbols, [...symbols, 'job']);
  encoding.encode([{ ...row, series: other, timestampMs: nowMs + 2 }]);
  t.same(encoding.symbols, ['', '__name__', 'same', 'job', 'trace_id']);
});

t.test('more symbols than the table begins with', async (t) => {
  const rows = manySeries(10_000).map((series, n) => ({
    series,
    timestampMs: nowMs,
    labels: { trace_id: `t${n}` },
  }));
  const encoding = new Encoding();
  for (const shift of [0, 1]) {
    const series = encoding.encode(rows.map((row) => ({ ...row, timestampMs: nowMs + shift })));
    t.equal(series.length, rows.length);
    t.ok(
      series.every(
        ({ labels, exemplars }, n) => labels.n === String(n) && exemplars[0]?.labels.trace_id === `t${n}`,
      ),
    );
    t.equal(encoding.symbols.length, 20_005);
  }
});

t.test('the end of a series is the one NaN that means it', async (t) => {
  const [x] = manySeries(1) as [RowInput['series']];
  const [encoded] = new Encoding().encode([{ series: x, timestampMs: nowMs, sampleValue: Number.NaN }], [x]);
  t.same(
    encoded?.v2?.sampleBits.map((bits) => bits.toString(16)),
    ['7ff8000000000000', '7ff0000000000002'],
  );
  t.equal(encoded?.exemplars.length, 1);
  t.same(
    new Encoding().encode([], [x]).map(({ v2 }) => v2?.sampleBits),
    [[0x7ff0000000000002n]],
  );
});

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const labels = fc.dictionary(text, text, { minKeys: 1, maxKeys: 4 });

t.test('what reflection decodes equals what was put in', async () => {
  const row = fc.record({
    labels: fc.dictionary(fc.constantFrom('trace_id', 'span_id', 'é', '漢'), text, { minKeys: 1 }),
    value: fc.double(),
    sampleValue: fc.double({ noNaN: true }),
    timestampMs: fc.integer({ min: 1e12 + 1, max: 2e12 }),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(labels, row), { minLength: 1, maxLength: 8 }), (rows) => {
      const inputs = rows.map(([labels, row], n): RowInput => {
        return { ...row, series: seriesOf(n, { ...labels, __name__: `m${n}` }) };
      });
      const series = new Encoding().encode(inputs);
      return series.every(({ labels, samples, exemplars }, n) => {
        const input = inputs[n]!;
        const same = (a: object, b: object) =>
          JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
        return (
          same(labels, { ...rows[n]![0], __name__: `m${n}` }) &&
          same(exemplars[0]!.labels, input.labels!) &&
          Object.is(exemplars[0]!.value, input.value) &&
          exemplars[0]!.timestamp === input.timestampMs &&
          Object.is(samples[0]!.value, input.sampleValue)
        );
      });
    }),
    { numRuns: 200 },
  );
});
