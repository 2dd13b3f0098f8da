import t from 'tap';
import { WriteRequestEncoder } from '../../src/forward/encode-v1.js';
import { SeriesStates } from '../../src/forward/series-state.js';
import { gatherTimeSeries } from '../../src/forward/time-series.js';
import { labelsFromRecord, labelsToRecord } from '../../src/model/labels.js';
import { batchOf, type RowInput, seriesOf } from '../support/batch.js';
import fc from '../support/properties.js';
import { decodeWriteRequest } from '../support/remote-write-receiver.js';
import { GATHER_ALL, rowsOf } from '../support/rows.js';

function encodeRows(inputs: readonly RowInput[], external: Record<string, string> = {}) {
  const rows = rowsOf(batchOf(inputs), new SeriesStates(labelsFromRecord(external)));
  return decodeWriteRequest(new WriteRequestEncoder().encode(gatherTimeSeries(rows, GATHER_ALL)));
}

t.test('a TimeSeries is its labels, then the sample, then the exemplar', async (t) => {
  const series = seriesOf(1, { __name__: 'http_requests_total', code: '200' });
  const row = { series, timestampMs: 1763796000123, value: 0.25, labels: { trace_id: 'abc', span_id: 'd' } };
  t.same(encodeRows([{ ...row, sampleValue: 17, sampleTimestampMs: 1763796001000 }]), [
    {
      key: '__name__=http_requests_total,code=200',
      labels: { __name__: 'http_requests_total', code: '200' },
      samples: [{ value: 17, timestamp: 1763796001000 }],
      exemplars: [{ labels: { trace_id: 'abc', span_id: 'd' }, value: 0.25, timestamp: 1763796000123 }],
    },
  ]);
});

t.test('external labels are added in their place, and the own label of a series wins', async (t) => {
  const series = seriesOf(1, { __name__: 'x', cluster: 'own' });
  const [encoded] = encodeRows([{ series, timestampMs: 1 }], { cluster: 'external', a: '1', region: 'eu' });
  t.equal(encoded?.key, '__name__=x,a=1,cluster=own,region=eu');
});

t.test('labels longer than one length byte can say survive', async (t) => {
  const series = seriesOf(1, { __name__: 'x', long: 'é'.repeat(10_000) });
  const [encoded] = encodeRows([{ series, timestampMs: 1, labels: { trace_id: '漢'.repeat(120) } }]);
  t.equal(encoded?.labels.long, 'é'.repeat(10_000));
  t.equal(encoded?.exemplars[0]?.labels.trace_id, '漢'.repeat(120));
});

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const labels = fc.dictionary(text, text, { minKeys: 1, maxKeys: 5 });
const time = fc.oneof(
  fc.integer({ min: 1, max: 4e12 }),
  fc.constantFrom(-1, 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1),
);

t.test('what protobufjs decodes equals what was put in', async (t) => {
  const row = fc.record({
    labels,
    value: fc.double(),
    timestampMs: time,
    sampleValue: fc.double(),
    sampleTimestampMs: time,
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(labels, row), { minLength: 1, maxLength: 8 }), (rows) => {
      const inputs = rows.map(([seriesLabels, row], ref) => ({
        ...row,
        series: seriesOf(ref, seriesLabels),
      }));
      const expected = inputs.map(({ series, labels, ...row }) => ({
        labels: labelsToRecord(series.labels),
        samples: [{ value: row.sampleValue, timestamp: row.sampleTimestampMs }],
        exemplars: [{ labels, value: row.value, timestamp: row.timestampMs }],
      }));
      t.strictSame(
        encodeRows(inputs).map(({ key: _, ...encoded }) => normalize(encoded)),
        expected.map(normalize),
      );
    }),
    { numRuns: 100 },
  );
});

/** Prototypes and the order of keys aside. */
function normalize(value: { labels: object; samples: object[]; exemplars: object[] }): string {
  const sorted = (_: string, part: unknown) => {
    if (typeof part === 'number') return Object.is(part, -0) ? '-0' : String(part);
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1));
  };
  return JSON.stringify(value, sorted);
}
