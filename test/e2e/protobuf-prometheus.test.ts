/** The protobuf exposition: scraped from Prometheus itself, and compared with what Prometheus makes of it. */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import t from 'tap';
import { startApp } from '../support/app.js';
import { prometheusMissing, startPrometheus } from '../support/prometheus.js';
import { serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

/** With the fields that only a store of samples reads. */
const PROTO = readFileSync(new URL('../../proto/metrics.proto', import.meta.url), 'utf8').replace(
  'message Histogram {',
  'message Histogram { optional sint32 schema = 5; repeated sint64 positive_delta = 13;',
);
const Family = protobuf.parse(PROTO).root.lookupType('io.prometheus.client.MetricFamily');
const DELIMITED =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';

const nowS = Math.floor(Date.now() / 1000) - 60;
const exemplar = (id: string, value: number, ms = 0) => ({
  label: [
    { name: 'trace_id', value: id },
    { name: 'quoted', value: `"\\\n${id}` },
  ],
  value,
  timestamp: { seconds: nowS, nanos: ms * 1_000_000 },
});
const label = [{ name: 'path', value: '/é"\\' }];
const bucket = [
  { cumulativeCount: 1, upperBound: 0.25, exemplar: exemplar('b1', 0.1, 1) },
  { cumulativeCount: 3, upperBound: 10, exemplar: exemplar('b2', 5, 2) },
  { cumulativeCount: 4, upperBound: Number.POSITIVE_INFINITY, exemplar: exemplar('b3', 50, 3) },
];
const native = {
  schema: 3,
  zeroThreshold: 1e-128,
  positiveSpan: [{ offset: 0, length: 1 }],
  positiveDelta: [4],
};

const CLASSIC = [
  { name: 'c_total', type: 0, metric: [{ label, counter: { value: 1, exemplar: exemplar('c', 1, 999) } }] },
  { name: 'g', type: 1, metric: [{ gauge: { value: 1 } }] },
  { name: 'h', type: 4, metric: [{ label, histogram: { sampleCount: 4, sampleSum: 9, bucket } }] },
];
const NATIVE = [
  {
    name: 'n',
    type: 4,
    metric: [{ label, histogram: { sampleCount: 4, sampleSum: 9, bucket, ...native } }],
  },
];
/** As written by client libraries since 2.51 could read them. */
const TEN = [
  {
    name: 'n',
    type: 4,
    metric: [
      {
        label,
        histogram: {
          sampleCount: 4,
          sampleSum: 9,
          ...native,
          exemplars: Array.from({ length: 10 }, (_, i) => exemplar(`n${i}`, i, i)),
        },
      },
    ],
  },
];

const bodyOf = (families: readonly object[]) =>
  Buffer.concat(families.map((family) => Family.encodeDelimited(Family.fromObject(family)).finish()));

async function serve(families: readonly object[]) {
  const target = await serveTarget((response) =>
    response.writeHead(200, { 'content-type': DELIMITED }).end(bodyOf(families)),
  );
  t.teardown(() => target.close());
  return target;
}

const configFor = (address: string, more = '') =>
  `global: {scrape_interval: 1s}\nscrape_configs: [{job_name: p, ${more} static_configs: [{targets: ['${address}']}]}]`;

const NATIVE_JOB = 'scrape_native_histograms: true,';

t.test('what Prometheus has', { skip: prometheusMissing(), timeout: 60_000 }, async (t) => {
  for (const [name, families, selector, wanted] of [
    ['classic', CLASSIC, '{__name__=~"[ch]_.*"}', 4],
    // Before 2.46 Prometheus took the first one of a sample alone.
    ['native, with the exemplars of its buckets', NATIVE, 'n', 3],
  ] as const) {
    const target = await serve(families);
    const [prometheus, app] = await Promise.all([
      startPrometheus({
        config: configFor(target.address),
        flags: ['--enable-feature=native-histograms'],
      }),
      startApp(configFor(target.address, NATIVE_JOB)),
    ]);
    t.teardown(() => Promise.all([prometheus.stop(), app.stop()]));
    const count = async (peer: { queryExemplars: typeof app.queryExemplars }) =>
      (await peer.queryExemplars(selector)).flatMap(({ exemplars }) => exemplars).length;
    await until(async () => (await count(prometheus)) > 0, 'Prometheus to have some');
    await until(async () => (await count(app)) > 0, 'exemplard to have some');
    const shown = async (peer: { queryExemplars: typeof app.queryExemplars }) =>
      (await peer.queryExemplars(selector)).map(({ seriesLabels: { le, ...others }, exemplars }) => ({
        // 2.42 keeps the text of a bound.
        series: { ...others, ...(le === undefined ? {} : { le: Number(le.replace('+Inf', 'Infinity')) }) },
        exemplars: wanted === 3 ? exemplars.slice(0, 1) : exemplars,
      }));
    t.strictSame(await shown(app), await shown(prometheus), name);
    t.equal(await count(app), wanted);
    t.match(
      target.requests.map(({ headers }) => String(headers.accept)).join(),
      /^application\/vnd.google.protobuf/,
    );
  }
});

t.test('ten exemplars of a native histogram', async (t) => {
  const target = await serve(TEN);
  const app = await startApp(configFor(target.address, NATIVE_JOB));
  t.teardown(() => app.stop());
  await until(async () => (await app.queryExemplars('n')).length > 0, 'its exemplars');
  const [series, ...others] = await app.queryExemplars('n');
  t.strictSame(others, []);
  t.strictSame(
    series!.exemplars.map(({ labels, value, timestamp }) => [labels.trace_id, value, timestamp]),
    Array.from({ length: 10 }, (_, i) => [`n${i}`, String(i), nowS + i / 1000]),
  );
});

t.test('Prometheus as a target', { skip: prometheusMissing(), timeout: 60_000 }, async (t) => {
  const prometheus = await startPrometheus();
  const { host } = new URL(prometheus.url);
  const app = await startApp(configFor(host, 'scrape_protocols: [PrometheusProto],'));
  t.teardown(() => Promise.all([prometheus.stop(), app.stop()]));
  await until(async () => /exemplard_target_up\{[^}]*\} 1/.test(await app.metrics()), 'a scrape');
  const [bytes] = /(?<=exemplard_target_scrape_body_bytes\{[^}]*\} )\d+/.exec(await app.metrics()) ?? [];
  t.ok(Number(bytes) > 10_000, `${bytes} bytes`);
});
