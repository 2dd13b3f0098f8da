import t from 'tap';
import { openMetrics2ToText } from '../../src/exposition/openmetrics2-text.js';
import { fuzzBounds } from '../support/fuzz.js';
import fc from '../support/properties.js';

const CLASSIC = { scrapeNativeHistograms: false, alwaysScrapeClassicHistograms: false };
const NATIVE = { ...CLASSIC, scrapeNativeHistograms: true };
const BOTH = { scrapeNativeHistograms: true, alwaysScrapeClassicHistograms: true };

function convert(lines: readonly string[], options = CLASSIC) {
  const body = Buffer.from([...lines, '# EOF', ''].join('\n'));
  const { text, refusedExemplars } = openMetrics2ToText(body, body.length, options);
  return { lines: text.toString().split('\n').slice(0, -2), refusedExemplars };
}

const f = (before: string[], after: string[], options = CLASSIC, refused = 0) =>
  t.same(convert(before, options), { lines: after, refusedExemplars: refused }, before[0]!);

f([], []);
f(
  ['# TYPE c_total counter', '# HELP c_total st@1 {count:1}', 'c_total{a="st@2 {"} 3', 'g 1 2'],
  ['# TYPE c_total counter', '# HELP c_total st@1 {count:1}', 'c_total{a="st@2 {"} 3', 'g 1 2'],
);
f(
  ['# TYPE c counter', 'c{x="y"} 17.0 5 st@4.5 # {trace_id="a"} 0.67 6.1 # {trace_id="b"} 0.7 6.2', 'c 1'],
  [
    '# TYPE c counter',
    'c{x="y"} 17.0 5 # {trace_id="a"} 0.67 6.1 # {trace_id="b"} 0.7 6.2',
    'c_created{x="y"} 4.5',
    'c 1',
  ],
);
f(
  ['# TYPE c_total counter', 'c_total 17.0 st@4 # {trace_id="a"} 0.67 # {trace_id="b"} 0.7 6.2'],
  ['# TYPE c_total counter', 'c_total 17.0 # {trace_id="b"} 0.7 6.2', 'c_created 4'],
  CLASSIC,
  1,
);
f(['c_total 17.0 # {trace_id="a"} 1 2 # {bad'], ['c_total 17.0 # {trace_id="a"} 1 2'], CLASSIC, 1);

const HISTOGRAM = 'h{p="/"} {count:3,sum:4.5,bucket:[0.5:1,1e+06:2,+Inf:3]} 8 st@7';
const EXEMPLARS = ' # {t="a"} 0.5 1 # {t="b"} 1e+07 2 # {t="c"} 0.1 3';
const CLASSIC_LINES = [
  'h_bucket{p="/",le="0.5"} 1 8 # {t="a"} 0.5 1 # {t="c"} 0.1 3',
  'h_bucket{p="/",le="1e+06"} 2 8',
  'h_bucket{p="/",le="+Inf"} 3 8 # {t="b"} 1e+07 2',
  'h_sum{p="/"} 4.5 8',
  'h_count{p="/"} 3 8',
];
const CREATED = 'h_created{p="/"} 7';
const TYPE = '# TYPE h histogram';
f([TYPE, HISTOGRAM + EXEMPLARS], [TYPE, ...CLASSIC_LINES, CREATED]);
f([TYPE, HISTOGRAM + EXEMPLARS], [TYPE, ...CLASSIC_LINES, CREATED], NATIVE);
const MIXED = HISTOGRAM.replace(
  ']}',
  '],schema:0,zero_threshold:1e-4,zero_count:0,positive_spans:[0:2],positive_buckets:[5,12]}',
);
f([TYPE, MIXED + EXEMPLARS], [TYPE, ...CLASSIC_LINES, CREATED]);
f([TYPE, MIXED + EXEMPLARS], [TYPE, `h{p="/"} 3 8${EXEMPLARS}`, CREATED], NATIVE);
f([TYPE, MIXED + EXEMPLARS], [TYPE, `h{p="/"} 3 8${EXEMPLARS}`, ...CLASSIC_LINES, CREATED], BOTH);
const ONLY_NATIVE = 'h {count:3,sum:4.5,schema:0,zero_threshold:1e-4,zero_count:0}';
f([TYPE, ONLY_NATIVE + EXEMPLARS], [TYPE, `h 3${EXEMPLARS}`]);

f(
  ['# TYPE g gaugehistogram', '{"g.x"} {count:3,sum:4.5,bucket:[+Inf:3]}'],
  ['# TYPE g gaugehistogram', '{"g.x_bucket",le="+Inf"} 3', '{"g.x_gsum"} 4.5', '{"g.x_gcount"} 3'],
);
f(
  [
    '# TYPE s summary',
    's {count:0,sum:0.0,quantile:[0.95:123.7,0.99:150]} st@1.5',
    's{a="b"} {count:0,sum:0.0,quantile:[]}',
  ],
  [
    '# TYPE s summary',
    's{quantile="0.95"} 123.7',
    's{quantile="0.99"} 150',
    's_sum 0.0',
    's_count 0',
    's_created 1.5',
    's_sum{a="b"} 0.0',
    's_count{a="b"} 0',
  ],
);
// What is none of this stays, for the reader to refuse.
for (const line of [
  'h {count:1',
  'h {sum:1}',
  'h {count:1,sum:}',
  'h {}',
  'x{',
  'h {count:1,sum:2,bucket:[}',
  'h 1 2 3',
])
  f([TYPE, line], [TYPE, line]);

t.test('any bytes are converted, and what has nothing of 2.0 stays as it is', async (t) => {
  const token = fc.constantFrom(
    'h',
    ' ',
    '{count:1,sum:2,bucket:[1:2]}',
    ' st@1',
    ' # {a="b"} 1 2',
    '\n',
    '# TYPE h histogram\n',
    '"',
    '{',
    '}',
    '1',
    '\\',
    'ü',
    ',',
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 30 }), (tokens) => {
      const body = Buffer.from(tokens.join(''));
      const { text } = openMetrics2ToText(body, body.length, BOTH);
      const again = openMetrics2ToText(text, text.length, BOTH).text;
      return again.equals(openMetrics2ToText(again, again.length, BOTH).text);
    }),
    fuzzBounds(3_000),
  );
  t.pass();
});
