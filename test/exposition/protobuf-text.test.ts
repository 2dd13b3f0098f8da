import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import t from 'tap';
import { type HistogramOptions, protobufToText } from '../../src/exposition/protobuf-text.js';
import { fuzzBounds } from '../support/fuzz.js';
import fc from '../support/properties.js';

const NATIVE = { scrapeNativeHistograms: true, alwaysScrapeClassicHistograms: false };
const CLASSIC = { scrapeNativeHistograms: false, alwaysScrapeClassicHistograms: false };

const PROTO = readFileSync(new URL('../../proto/metrics.proto', import.meta.url), 'utf8');
const Family = protobuf.parse(PROTO).root.lookupType('io.prometheus.client.MetricFamily');

const bodyOf = (...families: object[]) =>
  Buffer.concat(families.map((family) => Family.encodeDelimited(Family.fromObject(family)).finish()));

const textOf = (body: Buffer, options: HistogramOptions = CLASSIC) =>
  protobufToText(body, body.length, options).toString();

const label = [{ name: 'path', value: '/a"b\\c\nd' }];
const exemplar = (id: string, value: number, nanos?: number) => ({
  label: [{ name: 'trace_id', value: id }],
  value,
  ...(nanos === undefined ? {} : { timestamp: { seconds: 1_700_000_000, nanos } }),
});

t.test('counters', async (t) => {
  const counter = {
    value: 3,
    exemplar: exemplar('a', 1, 123_900_000),
    startTimestamp: { seconds: 1_600_000_000 },
  };
  const family = {
    name: 'c_total',
    help: 'A "help"\nof two lines',
    type: 0,
    unit: 's',
    metric: [{ label, counter }],
  };
  t.equal(
    textOf(bodyOf(family)),
    [
      '# TYPE c_total counter',
      '# HELP c_total A \\"help\\"\\nof two lines',
      '# UNIT c_total s',
      'c_total{path="/a\\"b\\\\c\\nd"} 3 # {trace_id="a"} 1 1700000000.1235',
      'c_created{path="/a\\"b\\\\c\\nd"} 1600000000.0005',
      '# EOF\n',
    ].join('\n'),
  );
});

t.test('gauges, untyped, summaries, names in UTF-8, timestamps', async (t) => {
  const quantile = [
    { quantile: 0.5, value: 1.5 },
    { quantile: 1, value: Number.NaN },
  ];
  t.equal(
    textOf(
      bodyOf(
        { name: 'g', type: 1, metric: [{ gauge: { value: -0.5 }, timestampMs: 1_700_000_000_001 }] },
        {
          name: 'ü.x',
          type: 3,
          metric: [{ label: [{ name: 'l l', value: 'v' }], untyped: { value: 1e300 } }],
        },
        { name: 's', type: 2, metric: [{ summary: { sampleCount: 2, sampleSum: 4, quantile } }] },
      ),
    ),
    [
      '# TYPE g gauge',
      'g -0.5 1700000000.0015',
      '# TYPE "ü.x" unknown',
      '{"ü.x","l l"="v"} 1e+300',
      '# TYPE s summary',
      's{quantile="0.5"} 1.5',
      's{quantile="1.0"} NaN',
      's_sum 4',
      's_count 2',
      '# EOF\n',
    ].join('\n'),
  );
});

const histogram = {
  sampleCount: 7,
  sampleSum: 2.5,
  bucket: [
    { cumulativeCount: 2, upperBound: 0.1, exemplar: exemplar('b', 0.05, 0) },
    { cumulativeCount: 6, upperBound: 1e6, exemplar: exemplar('untimed', 0.5) },
  ],
};
const native = {
  ...histogram,
  positiveSpan: [{ offset: 0, length: 2 }],
  exemplars: [
    ...Array.from({ length: 10 }, (_, i) => exemplar(`n${i}`, i, i * 1_000_000)),
    exemplar('untimed', 1),
  ],
};
const CLASSIC_LINES = [
  'h_bucket{le="0.1"} 2 # {trace_id="b"} 0.05 1700000000.0005',
  'h_bucket{le="1e+06"} 6 # {trace_id="untimed"} 0.5',
  'h_bucket{le="+Inf"} 7',
  'h_sum 2.5',
  'h_count 7',
];
const NATIVE_LINE = `h 7${Array.from({ length: 10 }, (_, i) => ` # {trace_id="n${i}"} ${i} 1700000000.00${i}5`).join('')}`;

t.test('histograms', async (t) => {
  const f = (message: object, options: HistogramOptions, lines: readonly string[]) =>
    t.equal(
      textOf(bodyOf({ name: 'h', type: 4, metric: [{ histogram: message }] }), options),
      ['# TYPE h histogram', ...lines, '# EOF\n'].join('\n'),
    );
  f(histogram, CLASSIC, CLASSIC_LINES);
  f(histogram, NATIVE, CLASSIC_LINES);
  f(native, CLASSIC, CLASSIC_LINES);
  f(native, NATIVE, [NATIVE_LINE]);
  f(native, { ...NATIVE, alwaysScrapeClassicHistograms: true }, [NATIVE_LINE, ...CLASSIC_LINES]);
  f({ ...native, exemplars: [] }, NATIVE, ['h 7 # {trace_id="b"} 0.05 1700000000.0005']);
});

t.test('what is no such body is refused', async (t) => {
  const body = bodyOf({ name: 'c_total', type: 0, metric: [{ counter: { value: 1 } }] });
  for (let length = 1; length < body.length; length++)
    t.throws(() => protobufToText(body, length, CLASSIC), `${length} bytes of ${body.length}`);
  t.throws(() => textOf(Buffer.from('# TYPE a counter\na_total 1\n# EOF\n')));
  t.throws(() => textOf(bodyOf({ type: 0 })), /no name/);
  t.equal(textOf(Buffer.alloc(0)), '# EOF\n');
  const huge = {
    label: [{ name: 'a', value: 'x'.repeat(100_000) }],
    histogram: { bucket: Array(2000).fill({ upperBound: 1 }) },
  };
  t.throws(() => textOf(bodyOf({ name: 'h', type: 4, metric: [huge] })), /far more text/);
});

t.test('any bytes are text or an error', async (t) => {
  const valid = bodyOf({ name: 'h', type: 4, metric: [{ label, histogram: native }] });
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
    fc.tuple(fc.nat({ max: valid.length - 1 }), fc.nat({ max: 255 })).map(([at, byte]) => {
      const changed = Buffer.from(valid);
      changed[at] = byte;
      return changed;
    }),
  );
  fc.assert(
    fc.property(bytes, (body) => {
      try {
        return textOf(body, NATIVE).endsWith('# EOF\n');
      } catch (error) {
        return error instanceof Error;
      }
    }),
    fuzzBounds(2_000),
  );
  t.pass();
});
