import type { Socket } from 'node:net';
import t from 'tap';
import { canonicalFloat } from '../../src/model/canonical-float.js';
import { startApp } from '../support/app.js';
import { prometheusMissing, type QueriedSeries, startPrometheus } from '../support/prometheus.js';
import fc from '../support/properties.js';
import { OPENMETRICS, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

/**
 * Where exemplard differs from Prometheus 2.42 on purpose. `normalised`: the answers are made alike before they are
 * compared. `more`: what exemplard has beyond Prometheus is part of a case below, which fails should they agree.
 */
const DIFFERENCES = {
  le: 'normalised: le and quantile are rewritten as Prometheus 3 does, 2.42 keeps their text',
  escapes: 'normalised: escapes in exemplar labels are undone, Prometheus keeps the backslashes',
  blank: 'normalised: an exemplar without labels is dropped, Prometheus keeps it',
  future: 'normalised: more than max_future ahead of the clock is dropped, Prometheus keeps it',
  scrape_time: 'normalised: the time of the scrape stands in for a missing one, and we scrape at another',
  ties: 'more: one of equal timestamp is kept too, 2.42 calls it out of order',
  nan: 'more: nothing; a repeated NaN is kept once, by Prometheus every time',
  out_of_order: 'more: inside out_of_order_time_window what is late finds its place',
  bad_exemplar: 'more: a bad exemplar costs itself, in Prometheus the whole scrape',
  bad_line: 'more: a bad line without exemplar costs nothing, in Prometheus the whole scrape',
  any_type: 'more: any series may have exemplars, in 2.42 only …_total and …_bucket',
  trailing_comma: 'more: allowed in exemplars, as since 3.0',
  quoted_names: 'more: UTF-8 names in quotes, as since 3.0',
  several: 'more: several exemplars on a line, as in OpenMetrics 2.0',
} as const;
type Difference = keyof typeof DIFFERENCES;

interface Case {
  readonly name: string;
  /** What the target shows in each round; the last stays. Without `# EOF` where one is to be added. */
  readonly bodies: readonly string[];
  /** Exemplars that Prometheus has, after normalising. */
  readonly prometheus: number;
  /** And that exemplard has beyond them. */
  readonly more: number;
  readonly because: readonly Difference[];
}

const nowS = Math.floor(Date.now() / 1000);
/** Seconds since 1970, `ago` seconds before the test began. */
const at = (ago: number) => (nowS - ago).toFixed(3);
const timed = (id: string, value: number | string, ago: number) => `# {trace_id="${id}"} ${value} ${at(ago)}`;
const COUNTER = '# TYPE c counter\n';
const HISTOGRAM = '# TYPE h histogram\n';
const many = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('');

const CASES: Case[] = [];
function same(name: string, prometheus: number, bodies: string[], ...because: Difference[]): void {
  CASES.push({ name, bodies, prometheus, more: 0, because });
}
function more(
  name: string,
  prometheus: number,
  extra: number,
  bodies: string[],
  ...because: Difference[]
): void {
  CASES.push({ name, bodies, prometheus, more: extra, because });
}

same('a counter', 1, [`${COUNTER}c_total 1 ${timed('a', 1, 60)}\n`]);
same('a counter without a type', 1, [`c_total 1 ${timed('a', 1, 60)}\n`]);
same(
  'new every round',
  3,
  [1, 2, 3].map((i) => `${COUNTER}c_total ${i} ${timed(`t${i}`, i, 60 - i)}\n`),
);
same('the same every round', 1, Array(3).fill(`${COUNTER}c_total 1 ${timed('a', 1, 60)}\n`));
same('gone after a round', 1, [`${COUNTER}c_total 1 ${timed('a', 1, 60)}\n`, `${COUNTER}c_total 1\n`]);
same('buckets', 3, [
  `${HISTOGRAM}h_bucket{le="0.1"} 1 ${timed('a', 0.05, 60)}\nh_bucket{le="1.0"} 2 ${timed('b', 0.5, 59)}\nh_bucket{le="+Inf"} 3 ${timed('c', 5, 58)}\nh_count 3\nh_sum 5.55\n`,
]);
same(
  'buckets with odd bounds',
  5,
  [
    `${HISTOGRAM}${['1', '100000', '1000000', '0.00001', 'inf'].map((le) => `h_bucket{le="${le}"} 1 ${timed('a', 0, 60)}\n`).join('')}`,
  ],
  'le',
);
same('labels and values', 4, [
  `${COUNTER}c_total{x="1"} 1 # {a="b",c="d e",z="é漢😀"} -1.5e-7 ${at(60)}\nc_total{x="2"} 1 # {a="b"} +Inf ${at(60)}\nc_total{x="3"} 1 # {a="x",a="y"} 1e21 ${at(60)}\nc_total{x="4"} 1 # {a="b",c=""} 123456789.5 ${at(60)}\n`,
]);
same('series labels', 3, [
  `${COUNTER}c_total{x="a\\"b\\\\c\\nd",y=" # {"} 1 ${timed('a', 1, 60)}\nc_total{job="mine",instance="other"} 1 ${timed('b', 1, 60)}\nc_total{exported_job="x",job="y"} 1 ${timed('c', 1, 60)}\n`,
]);
same('old and odd times', 4, [
  `${COUNTER}c_total{x="1"} 1 # {a="b"} 1 12.5\nc_total{x="2"} 1 # {a="b"} 1 -1.5\nc_total{x="3"} 1 # {a="b"} 1 1700000000.1239\nc_total{x="4"} 1 # {a="b"} 1 1.7e9\n`,
]);
same('a timestamp of the sample', 1, [`${COUNTER}c_total 1 ${at(30)} # {a="b"} 1\n`]);
same(
  'without times',
  2,
  ['a', 'b', 'b'].map((id) => `${COUNTER}c_total 1 # {a="${id}"} 1\n`),
  'scrape_time',
);
same(
  'escapes',
  2,
  [
    `${COUNTER}c_total{x="1"} 1 # {a="x\\"y\\\\z\\n"} 1 ${at(60)}\nc_total{x="2"} 1 # {a="\\t # {"} 1 ${at(60)}\n`,
  ],
  'escapes',
);
same('no labels', 0, [`${COUNTER}c_total 1 # {} 1 ${at(60)}\n`], 'blank');
same(
  'far ahead',
  1,
  [`${COUNTER}c_total{x="1"} 1 ${timed('a', 1, -86_400)}\nc_total{x="2"} 1 ${timed('a', 1, -300)}\n`],
  'future',
);
same('128 code points and 129', 2, [
  `${COUNTER}c_total{x="1"} 1 # {a="${'x'.repeat(127)}"} 1 ${at(60)}\nc_total{x="2"} 1 # {a="${'漢'.repeat(127)}"} 1 ${at(60)}\nc_total{x="3"} 1 # {a="${'x'.repeat(128)}"} 1 ${at(60)}\n`,
]);
same('NaN', 1, Array(3).fill(`${COUNTER}c_total 1 # {a="b"} NaN ${at(60)}\n`), 'nan');
same('no EOF', 0, [`${COUNTER}c_total 1 ${timed('a', 1, 60)}\n# no`]);
same('EOF without LF', 1, [`${COUNTER}c_total 1 ${timed('a', 1, 60)}\n# EOF`]);
same('more after EOF', 0, [`${COUNTER}c_total 1 ${timed('a', 1, 60)}\n# EOF\nd_total 1\n# EOF\n`]);
same('nothing at all', 0, ['# EOF\n']);
same('` # {` in HELP', 1, [`# HELP c x ${timed('a', 1, 60)}\n${COUNTER}c_total 1 ${timed('b', 1, 60)}\n`]);
same('many series', 300, [
  `${COUNTER}${many(300, (i) => `c_total{i="${i}"} ${i} ${timed(`t${i}`, i, 60)}\n`)}`,
]);
same('older than the window', 2, [
  `${COUNTER}c_total 1 ${timed('a', 1, 60)}\n`,
  `${COUNTER}c_total 1 ${timed('b', 1, 4000)}\n`,
  `${COUNTER}c_total 1 ${timed('c', 1, 50)}\n`,
]);

more(
  'late',
  2,
  1,
  [60, 70, 50].map((ago) => `${COUNTER}c_total 1 ${timed(`t${ago}`, 1, ago)}\n`),
  'out_of_order',
);
more(
  'two at one time',
  1,
  1,
  ['a', 'b'].map((id) => `${COUNTER}c_total 1 ${timed(id, 1, 60)}\n`),
  'ties',
);
more(
  'a bad exemplar beside a good one',
  0,
  1,
  [`${COUNTER}c_total{x="1"} 1 # {a=b} 1\nc_total{x="2"} 1 ${timed('a', 1, 60)}\n`],
  'bad_exemplar',
);
more(
  'NaN as a time',
  0,
  1,
  [`${COUNTER}c_total{x="1"} 1 # {a="b"} 1 NaN\nc_total{x="2"} 1 ${timed('a', 1, 60)}\n`],
  'bad_exemplar',
);
more(
  'a bad line',
  0,
  1,
  [`${COUNTER}c_total{x="1"} one\nc_total{x="2"} 1 ${timed('a', 1, 60)}\n`],
  'bad_line',
);
more(
  'a gauge',
  0,
  2,
  [`# TYPE g gauge\ng 1 ${timed('a', 1, 60)}\nc_total 1 ${timed('b', 1, 60)}\n`],
  'any_type',
);
more('a trailing comma', 0, 1, [`${COUNTER}c_total 1 # {a="b",} 1 ${at(60)}\n`], 'trailing_comma');
more('a name in quotes', 0, 1, [`{"c.total_total","l l"="x"} 1 ${timed('a', 1, 60)}\n`], 'quoted_names');
more(
  'several on a line',
  0,
  2,
  [`${COUNTER}c_total 1 ${timed('a', 1, 60)} ${timed('b', 2, 59)}\n`],
  'several',
);

/** Bodies that change from round to round; most of what they show is in order, as from a real client. */
const GENERATED = fc.array(
  fc.record({
    series: fc.constantFrom(
      'c_total',
      'c_total{x="1"}',
      'c_total{x="é",y="\\\\"}',
      'h_bucket{le="1"}',
      'h_bucket{le="+Inf"}',
    ),
    rounds: fc.array(
      fc.record({
        labels: fc.dictionary(
          fc.constantFrom('trace_id', 'span_id', 'a', 'b'),
          fc.oneof(
            fc.string({ unit: 'grapheme', maxLength: 20 }),
            fc.constantFrom('', '0af7651916cd43dd8448eb211c80319c'),
          ),
          { minKeys: 1, maxKeys: 3 },
        ),
        value: fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(0, 1)),
        ago: fc.oneof(fc.nat({ max: 100 }), fc.constant(3)),
      }),
      { minLength: 3, maxLength: 3 },
    ),
    isInOrder: fc.constantFrom(true, true, false),
  }),
  { minLength: 1, maxLength: 5 },
);

function generatedCases(count: number, seed: number): { name: string; bodies: string[] }[] {
  return fc.sample(GENERATED, { numRuns: count, seed }).map((lines, i) => {
    const unique = [...new Map(lines.map((line) => [line.series, line])).values()];
    const bodies = [0, 1, 2].map((round) => {
      const text = unique.map(({ series, rounds, isInOrder }) => {
        const { labels, value, ago } = rounds[round]!;
        const pairs = Object.entries(labels).map(
          ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, '_')}"`,
        );
        const seconds = isInOrder ? 300 - 100 * round + ago / 2 : ago;
        return `${series} ${round} # {${pairs.join()}} ${value} ${at(seconds)}\n`;
      });
      return `${text.join('')}# EOF\n`;
    });
    return { name: `generated ${i}`, bodies };
  });
}

const ended = (body: string) => (/# (EOF|no)\n?$/.test(body) ? body : `${body}# EOF\n`);

/** One exemplar a line, made alike. */
function normalised(
  answer: readonly QueriedSeries[],
  untimed: ReadonlySet<string>,
): Map<string, Set<string>> {
  const byJob = new Map<string, Set<string>>();
  for (const { seriesLabels, exemplars } of answer) {
    const labels = { ...seriesLabels };
    const job = labels.job!;
    if (labels.le !== undefined) labels.le = canonicalFloat(labels.le);
    const found = byJob.get(job) ?? new Set();
    byJob.set(job, found);
    for (const exemplar of exemplars) {
      if (Object.keys(exemplar.labels).length === 0 || exemplar.timestamp > nowS + 3600) continue;
      const pairs = Object.entries(exemplar.labels).map(([name, value]) => [name, unescaped(value)]);
      const time = untimed.has(job) ? 'scrape' : exemplar.timestamp;
      found.add(JSON.stringify([Object.entries(labels).sort(), pairs.sort(), exemplar.value, time]));
    }
  }
  return byJob;
}

/** Harmless on what is unescaped already: no case has text that looks escaped. */
function unescaped(text: string): string {
  return text.replace(/\\([\\n"])/g, (_, byte) => (byte === 'n' ? '\n' : byte));
}

t.test('exemplard and Prometheus see the same targets', { skip: prometheusMissing() }, async (t) => {
  const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);
  t.comment(`FUZZ_SEED=${seed}`);
  const generated = generatedCases(60, seed);
  const all = [...CASES.map(({ bodies }) => bodies.map(ended)), ...generated.map(({ bodies }) => bodies)];
  let round = 0;
  /** By path and who asked: where this round's body was last shown in full, and whether it was taken in. */
  const shown = new Map<string, { readonly socket: Socket; isTaken: boolean }>();
  const target = await serveTarget((response, request) => {
    const { socket } = request;
    const bodies = all[Number(request.url?.split('/').at(-1))]!;
    const who = request.headers['user-agent']?.startsWith('Prometheus') ? 'prometheus' : 'exemplard';
    const key = `${request.url} ${who}`;
    const before = shown.get(key);
    // Who gives up waiting closes the connection; who asks again over the same one has taken in what was shown.
    if (before?.socket === socket) before.isTaken = true;
    const nth = round;
    response.on('finish', () => {
      if (nth === round && !shown.get(key)?.isTaken) shown.set(key, { socket, isTaken: false });
    });
    response.writeHead(200, { 'content-type': OPENMETRICS }).end(bodies[Math.min(round, bodies.length - 1)]);
  });
  t.teardown(() => target.close());
  const jobs = all.map(
    (_, i) =>
      `- job_name: case-${i}\n  metrics_path: /case/${i}\n  static_configs: [{targets: ['${target.address}']}]\n`,
  );
  const config = `global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n${jobs.join('')}`;
  const prometheus = await startPrometheus({ config });
  t.teardown(() => prometheus.stop());
  const app = await startApp(config);
  t.teardown(() => app.stop());

  for (; round < 3; round++) {
    shown.clear();
    const isSeen = () => shown.size === 2 * all.length && [...shown.values()].every(({ isTaken }) => isTaken);
    await until(isSeen, `everyone to see round ${round}`);
  }
  const untimed = new Set<string>();
  CASES.forEach(({ because }, i) => {
    if (because.includes('scrape_time')) untimed.add(`case-${i}`);
  });
  const theirs = normalised(
    await prometheus.queryExemplars('{job=~"case-.*"}', { start: -1e9, end: 1e11 }),
    untimed,
  );
  const ours = normalised(await app.queryExemplars('{job=~"case-.*"}'), untimed);
  const of = (answer: Map<string, Set<string>>, i: number) => [...(answer.get(`case-${i}`) ?? [])];

  CASES.forEach(({ name, prometheus, more }, i) => {
    const [their, our] = [of(theirs, i), of(ours, i)];
    t.equal(their.length, prometheus, `${name}: Prometheus has ${their.join('\n')}`);
    t.same(
      their.filter((exemplar) => !our.includes(exemplar)),
      [],
      `${name}: exemplard has all of it`,
    );
    t.equal(our.length, prometheus + more, `${name}: exemplard has ${our.join('\n')}`);
  });
  let count = 0;
  generated.forEach(({ name, bodies }, i) => {
    const [their, our] = [of(theirs, CASES.length + i), of(ours, CASES.length + i)];
    const missing = their.filter((exemplar) => !our.includes(exemplar));
    t.same(missing, [], missing.length === 0 ? name : `${name}: ${bodies.join('---\n')}`);
    count += their.length;
  });
  t.ok(count > 100, `Prometheus has ${count} of the generated exemplars`);
  const explained = new Set(CASES.flatMap(({ because }) => because));
  t.same(
    Object.keys(DIFFERENCES).filter((difference) => !explained.has(difference as Difference)),
    [],
  );
});
