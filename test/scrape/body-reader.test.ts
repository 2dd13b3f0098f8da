import { existsSync, readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { Verdict } from '../../src/model/exemplar.js';
import { formatLabels, labelsFromRecord } from '../../src/model/labels.js';
import { NO_SERIES } from '../../src/model/refs.js';
import { BodyReader } from '../../src/scrape/body-reader.js';
import type { BodyRules } from '../../src/scrape/body-rules.js';
import { seriesLabels } from '../../src/scrape/series-labels.js';
import { viewOf } from '../../src/util/bytes.js';
import { cpuMs } from '../support/cpu-time.js';
import { NO_RULES, RecordingSink, ReusedBuffer, readSlowly } from '../support/scraped.js';

const NOW_MS = 5_000_000;

/** Bodies to one reader; what each gave, as `series labels value time`, or the error. */
function read(bodies: readonly (string | Buffer)[], rules: Partial<BodyRules> = {}, target = {}) {
  const sink = new RecordingSink();
  const buffer = new ReusedBuffer(sink, labelsFromRecord(target), { ...NO_RULES, ...rules });
  const results = bodies.map((body) => {
    const outcome = buffer.read(body, NOW_MS);
    const rows = sink.take();
    if ('error' in outcome) return outcome.error;
    const texts = rows.map((row) => `${row.series} ${row.labels} ${row.value} ${row.timestampMs}`);
    return [...texts, ...(outcome.malformedLines > 0 ? [`${outcome.malformedLines} malformed`] : [])];
  });
  return { results, sink };
}

const f = (body: string | Buffer, want: string[] | string, rules: Partial<BodyRules> = {}) =>
  t.same(read([body], rules).results[0], want, JSON.stringify(body.toString('utf8')).slice(0, 100));

const M = '{__name__="m"}';

t.test('where a body ends', async () => {
  f('', []);
  f('# EOF\n', []);
  f('# EOF', []);
  f('m 1 # {a="b"} 1\n# EOF', [`${M} {"a":"b"} 1 5000000`]);
  f('m 1 # {a="b"} 1\n# EOF\n', [`${M} {"a":"b"} 1 5000000`]);
  f('m 1 # {a="b"} 1\n', 'data does not end with # EOF');
  f('m 1 # {a="b"} 1', 'data does not end with # EOF');
  f('\n', 'data does not end with # EOF');
  f('m 1 # {a="b"} 1\n# EOF\n\n', 'unexpected data after # EOF');
  f('m 1 # {a="b"} 1\n# EOF\nm 2\n', 'unexpected data after # EOF');
  f('# EOF\nm 2', 'unexpected data after # EOF');
  f('m 1\n# EOFs\n', 'data does not end with # EOF');
  f('m 1\r\n# EOF\r\n', 'data does not end with # EOF and a newline: its lines end with CRLF, not with LF alone'); // biome-ignore format: one line
  f('m 1 # {a="b"} 1\n # EOF\n', 'data does not end with # EOF');
  f('m 1 # {a="b"} 1 # EOF\n', 'data does not end with # EOF');
  f('m 1 # {a="b"} 1\n# EOF\nm 2\n# EOF\n', 'unexpected data after # EOF');
  f('# EOF\n# EOF\n', 'unexpected data after # EOF');
});

t.test('times come from the exemplar, or the sample if honoured, or the scrape', async () => {
  f('m 1 # {a="b"} 1 2\n# EOF\n', [`${M} {"a":"b"} 1 2000`]);
  f('m 1 3 # {a="b"} 1 2\n# EOF\n', [`${M} {"a":"b"} 1 2000`]);
  f('m 1 3 # {a="b"} 1\n# EOF\n', [`${M} {"a":"b"} 1 3000`]);
  f('m 1 3 # {a="b"} 1\n# EOF\n', [`${M} {"a":"b"} 1 5000000`], { honorTimestamps: false });
  f('m 1 3 # {a="b"} 1 2\n# EOF\n', [`${M} {"a":"b"} 1 2000`], { honorTimestamps: false });
});

t.test('` # {` where it starts no exemplar, and where it does', async () => {
  f('# HELP m x # {a="b"} 1\nm 1\n# EOF\n', []);
  f('# HELP m x # {a="b"} 1\nm 1 # {a="b"} 1 1\n# EOF\n', [`${M} {"a":"b"} 1 1000`]);
  f('m{x=" # {a=\\"b\\"} 1"} 1\n# EOF\n', []);
  f('m{x=" # {"} 1 # {a="b"} 1 1\n# EOF\n', ['{__name__="m", x=" # {"} {"a":"b"} 1 1000']);
  f('m 1 # {a=" # {"} 1 1\n# EOF\n', [`${M} {"a":" # {"} 1 1000`]);
  f('m 1 # {a="1"} 1 1 # {a="2"} 2 2\n# EOF\n', [`${M} {"a":"1"} 1 1000`, `${M} {"a":"2"} 2 2000`]);
  f(' # {\n# EOF\n', ['1 malformed']);
  f('x # {\nm 1 # {a="b"} 1 1\n# EOF\n', [`${M} {"a":"b"} 1 1000`, '1 malformed']);
});

t.test('a bad exemplar costs itself, and is counted on its series', async (t) => {
  const bodies = ['m 1 # {a="1"} 1 1 # {a=} 2 2\nn 1 # {a="b"} 1 1\n# EOF\n'];
  const { results, sink } = read(bodies);
  t.same(results, [[`${M} {"a":"1"} 1 1000`, '{__name__="n"} {"a":"b"} 1 1000']]);
  t.same(sink.rejected, [`${M} ${Verdict.malformed}`]);
  t.same(read([Buffer.from('m 1 # {a="\xff"} 1\n# EOF\n', 'latin1')]).sink.rejected, [
    `${M} ${Verdict.malformed}`,
  ]);
  f('m{x="1",x="2"} 1 # {a="b"} 1\nm 1 # {a="b"} 1 1\n# EOF\n', [`${M} {"a":"b"} 1 1000`, '1 malformed']);
});

t.test('what does not change is not appended again', async (t) => {
  const body = (exemplar: string) => `m 1 # ${exemplar}\n# EOF\n`;
  const { results, sink } = read([
    body('{a="b"} 1 1'),
    body('{a="b"} 1 1'),
    body('{a="b"} 1 12'),
    body('{a="b"} 1 1'),
    body('{a="b"} 1'),
    '# EOF\n',
    body('{a="b"} 1'),
  ]);
  const row = (ms: number) => [`${M} {"a":"b"} 1 ${ms}`];
  t.same(results, [row(1000), [], row(12_000), row(1000), row(NOW_MS), [], []]);
  t.equal(sink.seenAgainCount, 2);
});

t.test('one that lies in the future is shown to the store until it is let in', async (t) => {
  const sink = new RecordingSink();
  const buffer = new ReusedBuffer(sink);
  const verdicts = [Verdict.future, Verdict.accepted];
  for (const [line, future] of [
    ['m 1 # {a="b"} 1 9', 9000],
    ['n 1 # {a="b"} 1 9 # {a="c"} 1 1', 9000],
  ] as const) {
    sink.judge = (row) => (row.timestampMs === future ? verdicts[0]! : Verdict.accepted);
    const count = () => {
      buffer.read(`${line}\n# EOF\n`);
      return sink.take().filter((row) => row.timestampMs === future).length;
    };
    t.equal(count(), 1);
    t.equal(count(), 1, 'again');
    sink.judge = () => Verdict.accepted;
    t.equal(count(), 1, 'let in');
    t.equal(count(), 0, 'and known');
  }
});

t.test(
  'a series forgotten by the store comes back with all it exposes, malformed lines with nothing',
  async (t) => {
    const sink = new RecordingSink();
    const buffer = new ReusedBuffer(sink);
    buffer.read('m 1 # {a="b"} 1 1\n# EOF\n');
    sink.forget(M);
    buffer.read('m 1 # {a="b"} 1 1\n# EOF\n');
    t.equal(sink.take().length, 2);
    sink.forget(M);
    t.match(buffer.read('m x # {a="b"} 1 1\n# EOF\n'), { malformedLines: 1 });
    buffer.read('m 1 # {a="b"} 1 1\n# EOF\n');
    t.equal(sink.take().length, 1);
  },
);

t.test(
  'a series that makes way for a later one of the same body loses nothing of what it shows',
  async (t) => {
    const sink = new RecordingSink();
    const buffer = new ReusedBuffer(sink);
    const seriesOf = sink.seriesOf.bind(sink);
    sink.seriesOf = (labels) => {
      if (labels.includes('n')) sink.forget(M);
      return seriesOf(labels);
    };
    buffer.read('m 1 # {a="b"} 1 1\nn 1 # {a="b"} 1 1\n# EOF\n');
    t.same(
      sink.take().map((row) => row.series),
      [M, '{__name__="n"}'],
    );
  },
);

t.test('le and quantile are rewritten by the last TYPE line', async () => {
  const exemplar = '# {a="b"} 1 1';
  const series = (name: string, label: string, value: string) => `{__name__="${name}", ${label}="${value}"}`;
  const g = (type: string, line: string, want: string) =>
    f(`${type}${line} 1 ${exemplar}\n# EOF\n`, [`${want} {"a":"b"} 1 1000`]);
  g('# TYPE h histogram\n', 'h_bucket{le="1"}', series('h_bucket', 'le', '1.0'));
  g('# TYPE h histogram\n', 'h_bucket{le="1000000"}', series('h_bucket', 'le', '1e+06'));
  g('# TYPE h histogram\n', 'other{le="1"}', series('other', 'le', '1.0'));
  g('# TYPE h histogram\n# HELP h x\n# UNIT h \n', 'h_bucket{le="1"}', series('h_bucket', 'le', '1.0'));
  g('# TYPE h histogram\n# TYPE c counter\n', 'h_bucket{le="1"}', series('h_bucket', 'le', '1'));
  g('# TYPE h gaugehistogram\n', 'h_bucket{le="1"}', series('h_bucket', 'le', '1'));
  g('# TYPE h summary\n', 'h{quantile="1"}', series('h', 'quantile', '1.0'));
  g('# TYPE h summary\n', 'h{le="1"}', series('h', 'le', '1'));
  g('# TYPE "h h" histogram\n', '{"h h_bucket",le="1"}', series('h h_bucket', 'le', '1.0'));
  g('', 'h_bucket{le="1"}', series('h_bucket', 'le', '1'));
  g('# TYPEh histogram\n', 'h_bucket{le="1"}', series('h_bucket', 'le', '1'));
});

t.test('limits cost the whole body', async () => {
  const body = 'a{x="1"} 1 # {a="b"} 1 1\na{x="1",y="22"} 1 # {a="b"} 1 1\n# EOF\n';
  const both = ['{__name__="a", x="1"} {"a":"b"} 1 1000', '{__name__="a", x="1", y="22"} {"a":"b"} 1 1000'];
  f(body, both, {
    labelLimit: 3,
    labelNameLengthLimitBytes: 8,
    labelValueLengthLimitBytes: 2,
    sampleLimit: 2,
  });
  f(body, 'label_limit exceeded (metric: a, number of labels: 3, limit: 2)', { labelLimit: 2 });
  f(body, 'label_value_length_limit exceeded (metric: a, label name: y, value: 22, length: 2, limit: 1)', {
    labelValueLengthLimitBytes: 1,
  });
  f(body, 'label_name_length_limit exceeded (metric: a, label name: __name__, length: 8, limit: 7)', {
    labelNameLengthLimitBytes: 7,
  });
  f(body, 'sample limit exceeded', { sampleLimit: 1 });
  f('# HELP x y\n# TYPE x counter\na 1\nb 2\n# EOF', [], { sampleLimit: 2 });
  f('# HELP x y\n# TYPE x counter\na 1\nb 2\n# EOF', 'sample limit exceeded', { sampleLimit: 1 });
});

t.test('labels of the target and of the exposition', async (t) => {
  const g = (
    exposed: Record<string, string>,
    target: Record<string, string>,
    honorLabels: boolean,
    want: string,
  ) => {
    const labels = [['__name__', 'm'], ...Object.entries(exposed)] as [string, string][];
    const rules = { ...NO_RULES, honorLabels };
    const result = seriesLabels(
      { labels, seriesEnd: 0, sampleEnd: 0 },
      undefined,
      labelsFromRecord(target),
      rules,
    );
    t.equal(
      'labels' in result ? formatLabels(result.labels.slice(2)) : result,
      want,
      JSON.stringify(exposed),
    );
  };
  const target = { job: 'j', instance: 'i' };
  g({}, target, false, '{instance="i", job="j"}');
  g({ x: 'y' }, target, false, '{instance="i", job="j", x="y"}');
  g({ job: 'mine' }, target, false, '{exported_job="mine", instance="i", job="j"}');
  g({ job: 'mine' }, target, true, '{instance="i", job="mine"}');
  g({ job: '' }, target, true, '{instance="i"}');
  g({ job: '' }, target, false, '{instance="i", job="j"}');
  g(
    { job: 'a', exported_job: 'b' },
    target,
    false,
    '{exported_exported_job="a", exported_job="b", instance="i", job="j"}',
  );
  g({ job: 'a', exported_job: '' }, target, false, '{exported_job="a", instance="i", job="j"}');
  g(
    { foo: '1', exported_foo: '2' },
    { foo: 't', exported_foo: 'u' },
    false,
    '{exported_exported_exported_foo="2", exported_exported_foo="1", exported_foo="u", foo="t"}',
  );
  const twice = {
    labels: [['__name__', 'm'] as const, ['__name__', 'n'] as const],
    seriesEnd: 0,
    sampleEnd: 0,
  };
  t.match(seriesLabels(twice, undefined, [], NO_RULES), { malformed: /twice/ });
});

t.test('a hostile body costs linear time and little memory', async (t) => {
  const bodies = [
    `m{x="${'x'.repeat(1e7)}"} 1 # {a="b"} 1\n`,
    `m 1 # {a="${'x'.repeat(1e7)}"} 1\n`,
    `m 1${' # {a="b"} 1 1'.repeat(3e5)}\n`,
    `m ${'1'.repeat(1e7)} # {a="b"} 1\n`,
    `# HELP m ${' # {'.repeat(2e6)}\n`,
    `m{x="${' # {'.repeat(2e6)}"} 1\n`,
    `${'m{x=" # {"} 1\n'.repeat(3e5)}`,
    `${' # {\n'.repeat(1e6)}`,
    `${'#\n'.repeat(3e6)}`,
  ];
  for (const body of bodies) {
    const sink = new RecordingSink();
    const buffer = new ReusedBuffer(sink);
    buffer.read('m{x=" # {"} 1 # {a="b"} 1\nm 1 # {a="b"} 1\n# EOF\n');
    const beforeMs = cpuMs();
    for (let scrape = 0; scrape < 2; scrape++) t.notOk('error' in buffer.read(`${body}# EOF\n`));
    const tookMs = cpuMs() - beforeMs;
    t.ok(tookMs < 5000, `${body.slice(0, 20)}: ${tookMs} ms`);
    t.ok(buffer.reader.cacheBytes < 300_000, `${buffer.reader.cacheBytes} bytes remembered`);
  }
});

const CASES = new URL('../../../shared/data/openmetrics/cases/', import.meta.url);

t.test(
  'the parser cases of prometheus/OpenMetrics that have exemplars',
  { skip: existsSync(CASES) ? false : 'no ../shared/data/openmetrics beside the project' },
  async (t) => {
    const verdicts = new Map(
      readFileSync(new URL('../verdicts.tsv', CASES), 'utf8')
        .split('\n')
        .map((line) => line.split('\t'))
        .map(([name, , prometheus]) => [`${name}.txt`, prometheus]),
    );
    let cases = 0;
    for (const name of readdirSync(CASES)) {
      const body = readFileSync(new URL(name, CASES));
      if (!body.includes(' # {')) continue;
      cases++;
      const sink = new RecordingSink();
      const outcome = new ReusedBuffer(sink).read(body, NOW_MS);
      const slowly = readSlowly(body, [], NO_RULES, NOW_MS);
      if ('error' in slowly) t.equal('error' in outcome && outcome.error !== '', true, name);
      else t.same(sink.rows, slowly, name);
      // What costs Prometheus the scrape is here an exemplar that does not come in.
      t.equal(sink.rows.length > 0, verdicts.get(name) === 'accept', `${name}: ${JSON.stringify(outcome)}`);
    }
    t.ok(cases > 10, `${cases} cases`);
  },
);

t.test('a series that finds no room is asked for again when there may be some', async (t) => {
  const sink = new RecordingSink();
  const hasRoom = new Set(['{__name__="a"}']);
  let generation = 1;
  const seriesOf = sink.seriesOf.bind(sink);
  const generationOf = sink.generation.bind(sink);
  let asked = 0;
  sink.seriesOf = (labels) => {
    asked++;
    return hasRoom.has(formatLabels(labels)) ? seriesOf(labels) : NO_SERIES;
  };
  sink.generation = (series) => (series === NO_SERIES ? generation : generationOf(series));
  const buffer = new ReusedBuffer(sink);
  const body = 'a 1 # {x="y"} 1 1\nb 1 # {x="y"} 2 2\n# EOF\n';
  const shown = () => sink.take().map(({ value }) => value);
  t.match(buffer.read(body), { lines: 2, refusedLines: 1, malformedLines: 0 });
  t.same(shown(), [1]);
  t.match(buffer.read(body), { lines: 2, refusedLines: 1 });
  t.equal(asked, 2, 'not in every body');
  generation++;
  t.match(buffer.read(body), { lines: 2, refusedLines: 1 });
  t.equal(asked, 3);
  hasRoom.add('{__name__="b"}');
  generation++;
  t.match(buffer.read(body), { lines: 2, refusedLines: 0 });
  t.same(shown(), [2]);
  t.match(buffer.read(body), { lines: 2, refusedLines: 0 });
  t.same(shown(), []);
});

t.test('a large body is read in steps, and others may append in between', async (t) => {
  const sink = new RecordingSink();
  const lines = Array.from({ length: 5_000 }, (_, i) => `m{nr="${i}"} 1 # {trace_id="${i}"} 1 ${i}\n`);
  const body = Buffer.from(`${lines.join('')}# EOF\n`);
  const reader = new BodyReader(sink, [], NO_RULES);
  const other = new ReusedBuffer(sink, ['job', 'other']);
  let steps = 0;
  const work = reader.read(body, viewOf(body), body.length, 1000);
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) {
      t.match(step.value, { lines: 5_000 });
      break;
    }
    steps++;
    other.read(`n 1 # {trace_id="o${steps}"} 1 ${steps}\n# EOF\n`);
  }
  t.ok(steps > 10, `${steps} steps`);
  const rows = sink.take();
  t.equal(rows.filter(({ series }) => series.includes('"other"')).length, steps);
  t.same(
    rows.filter(({ series }) => !series.includes('"other"')).map(({ timestampMs }) => timestampMs / 1000),
    lines.map((_, i) => i),
  );
});
