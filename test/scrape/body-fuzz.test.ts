import t from 'tap';
import type { Labels } from '../../src/model/labels.js';
import { DEFAULT_RELABEL_RULE, type RelabelRule } from '../../src/model/relabel.js';
import { type BodyRules, bodyRulesOf } from '../../src/scrape/body-rules.js';
import { DEFAULT_SCRAPE_JOB } from '../../src/scrape/options.js';
import { fuzzBounds } from '../support/fuzz.js';
import fc from '../support/properties.js';
import { NO_RULES, RecordingSink, ReusedBuffer, type Row, readSlowly } from '../support/scraped.js';

/** A line of a body, or raw bytes in its place. */
interface Line {
  readonly series: string;
  readonly sample: string;
  readonly exemplars: readonly string[];
}

const SERIES = fc.constantFrom(
  'a_total',
  'a_total{}',
  'a_total{x="1"}',
  'a_total{x="1",}',
  'a_total{x="2"}',
  'a_total{x="12"}',
  'a_tota{x="1"}',
  'b{y="é # {z=\\"q\\"} 1"}',
  'b{y=" # {"}',
  'b{y=""}',
  'b{y="}"}',
  'b{instance="mine"}',
  'b{exported_instance="theirs"}',
  '{"utf.8","l l"="v"}',
  'bad{x="1",x="2"}',
  '{x="nameless"}',
  'a_created',
  'a_created{x="1"}',
  'a_bucket{le="1"}',
  'a_bucket{x="1",le="1"}',
  'a_bucket{le="1",x="1"}',
  `long{x="${'l'.repeat(300)}"}`,
);
const SAMPLE = fc.constantFrom(' 1', ' 2.5', ' NaN', ' 1 5', ' 1 6.001', ' x', ' 1 x', '', '  1');
const LABELS = fc.constantFrom(
  '{trace_id="4bf92f3577b34da6a3ce929d0e0e4736",span_id="00f067aa0ba902b7"}',
  '{trace_id="5bf92f3577b34da6a3ce929d0e0e4736",span_id="00f067aa0ba902b7"}',
  '{trace_id="a"}',
  '{trace_id="a",}',
  '{trace_id="ab"}',
  '{}',
  '{a=" # {"}',
  '{a="\\n\\\\"}',
  '{"é"="漢"}',
  '{a=b}',
);
const EXEMPLAR = fc
  .tuple(
    LABELS,
    fc.constantFrom(' 1', ' 2', ' 0.5', ' x', ''),
    fc.constantFrom('', ' 1', ' 2', ' 1.5', ' NaN'),
  )
  .map(([labels, value, time]) => ` # ${labels}${value}${time}`);
const LINE: fc.Arbitrary<Line> = fc.record({
  series: SERIES,
  sample: fc.oneof({ weight: 5, arbitrary: fc.constant(' 1') }, SAMPLE),
  exemplars: fc.oneof(
    { weight: 4, arbitrary: fc.tuple(EXEMPLAR) },
    fc.array(EXEMPLAR, { minLength: 0, maxLength: 3 }),
  ),
});
const COMMENT = fc.constantFrom(
  '# HELP a_total x # {a="b"} 1',
  '# TYPE a_total counter',
  '# EOF',
  '',
  '#',
  '# ',
);

type Edit =
  | { readonly type: 'insert'; at: number; line: Line }
  | { readonly type: 'comment'; at: number; text: string }
  | { readonly type: 'exemplars'; at: number; line: Line }
  | { readonly type: 'remove'; at: number }
  | { readonly type: 'swap'; at: number; with: number }
  | { readonly type: 'forget'; at: number }
  | { readonly type: 'bytes'; at: number; drop: number; put: string }
  | { readonly type: 'end'; text: string };

const at = fc.nat({ max: 1000 });
const EDIT: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('insert' as const), at, line: LINE }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('exemplars' as const), at, line: LINE }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('remove' as const), at }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('swap' as const), at, with: at }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('comment' as const), at, text: COMMENT }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('forget' as const), at }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('bytes' as const),
      at: fc.nat(),
      drop: fc.nat({ max: 5 }),
      put: fc.oneof(
        fc.string({ maxLength: 3 }),
        fc.constantFrom(' # {', '\n', ' ', '"', '}', '\u0000', '\\', '#'),
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('end' as const),
      text: fc.constantFrom('# EOF', '# EOF\n\n', '', '# EO', '# EOF\na 1\n', '# EOFx\n', ' # EOF\n'),
    }),
  },
);

const rule = (options: Partial<RelabelRule>): RelabelRule => ({ ...DEFAULT_RELABEL_RULE, ...options });

const METRIC_RULES = fc.constantFrom<readonly RelabelRule[]>(
  [],
  [],
  [rule({ action: 'drop', sourceLabels: ['x'], regex: '1' })],
  [rule({ action: 'labeldrop', regex: 'x' })],
  [rule({ sourceLabels: ['y'], regex: '(.+)', targetLabel: '__name__' })],
  [rule({ sourceLabels: ['x'], regex: '2', targetLabel: '__name__', replacement: '' })],
);

const EXEMPLAR_RULES = fc.constantFrom<readonly RelabelRule[]>(
  [],
  [],
  [rule({ action: 'labeldrop', regex: 'a|z' })],
  [rule({ action: 'keep', sourceLabels: ['trace_id'], regex: '.+' })],
);

const RULES: fc.Arbitrary<BodyRules> = fc
  .record({
    honorLabels: fc.boolean(),
    honorTimestamps: fc.boolean(),
    labelLimit: fc.constantFrom(0, 0, 0, 3),
    labelNameLengthLimitBytes: fc.constantFrom(0, 0, 0, 8),
    labelValueLengthLimitBytes: fc.constantFrom(0, 0, 0, 100),
    metricRelabelRules: METRIC_RULES,
    exemplarRelabelRules: EXEMPLAR_RULES,
  })
  .map((options) => bodyRulesOf({ ...DEFAULT_SCRAPE_JOB, jobName: 'j', ...options }));
const TARGET: Labels = ['instance', 'h:1', 'job', 'j'];

const textOf = (line: Line | string) =>
  typeof line === 'string' ? line : `${line.series}${line.sample}${line.exemplars.join('')}`;

/** What makes an exemplar the same as before: one without a time of its own takes that of the scrape. */
/** A warm reader looks no more for a start time where there was none. */
const withoutStart = (row: Row): Row => ({ ...row, sample: { ...row.sample, startMs: 0 } });

const keyOf = (row: Row) =>
  JSON.stringify([row.series, row.labels, String(row.value), row.isTimed && row.timestampMs]);

/** Shows bodies to one reader, and each to a reader that knows nothing; compares what they append. */
class Comparison {
  readonly sink = new RecordingSink();
  readonly rules: BodyRules;
  readonly buffer: ReusedBuffer;
  lines: (Line | string)[] = [];
  ending = '# EOF\n';
  /** Keys of all that was ever appended to series that are not forgotten. */
  readonly seen = new Map<string, Set<string>>();
  scrapeMs = 1000;
  rows = 0;
  unchanged = 0;
  starts = 0;

  constructor(rules: BodyRules) {
    this.rules = rules;
    this.buffer = new ReusedBuffer(this.sink, TARGET, rules);
  }

  /** @returns the body to show: with `bytes` edits, which do not last */
  edit(edits: readonly Edit[]): Buffer {
    this.ending = '# EOF\n';
    const place = (at: number) => at % (this.lines.length + 1);
    for (const edit of edits) {
      const at = 'at' in edit ? place(edit.at) : 0;
      if (edit.type === 'insert') this.lines.splice(at, 0, edit.line);
      else if (edit.type === 'comment') this.lines.splice(at, 0, edit.text);
      else if (edit.type === 'remove') this.lines.splice(at, 1);
      else if (edit.type === 'end') this.ending = edit.text;
      else if (edit.type === 'exemplars') {
        const line = this.lines[at];
        if (typeof line === 'object') this.lines[at] = { ...line, exemplars: edit.line.exemplars };
      } else if (edit.type === 'swap') {
        const other = place(edit.with);
        const [a, b] = [this.lines[at], this.lines[other]];
        if (a !== undefined && b !== undefined) [this.lines[at], this.lines[other]] = [b, a];
      } else if (edit.type === 'forget') {
        const series = [...this.seen.keys()][at];
        if (series === undefined) continue;
        this.seen.delete(series);
        this.sink.forget(series);
      }
    }
    let body = Buffer.from(`${this.lines.map((line) => `${textOf(line)}\n`).join('')}${this.ending}`);
    for (const edit of edits) {
      if (edit.type !== 'bytes') continue;
      const at = edit.at % (body.length + 1);
      body = Buffer.concat([
        body.subarray(0, at),
        Buffer.from(edit.put, 'latin1'),
        body.subarray(at + edit.drop),
      ]);
    }
    return body;
  }

  show(body: Buffer): void {
    this.scrapeMs += 1000;
    const outcome = this.buffer.read(body, this.scrapeMs);
    const wanted = readSlowly(body, TARGET, this.rules, this.scrapeMs);
    const found = this.sink.take();
    if ('error' in outcome !== 'error' in wanted)
      throw new Error(`found ${json(outcome)}, wanted ${json(wanted)}`);
    if ('error' in wanted) {
      if (found.length > 0) throw new Error('a refused body left something behind');
      return;
    }
    this.#checkStarts(body, found, wanted);
    this.#checkRows(found.map(withoutStart), wanted.map(withoutStart));
  }

  #checkStarts(body: Buffer, found: readonly Row[], wanted: readonly Row[]): void {
    const all = new Set(wanted.map(json));
    const cold = new RecordingSink();
    new ReusedBuffer(cold, TARGET, this.rules).read(body, this.scrapeMs);
    // Of a series that stands twice in a body, the first line decides whether there is one to look for.
    const starts = body.toString('latin1').match(/^[^\n# ]+/gm) ?? [];
    const isRepeating = new Set(starts).size < starts.length;
    const mayMiss = (row: Row) => row.sample.startMs === 0 && isRepeating;
    for (const row of cold.rows) {
      if (!all.has(json(row)) && !mayMiss(row)) throw new Error(`accepted ${json(row)}, which is not there`);
      this.starts += Number(row.sample.startMs > 0);
    }
    const isRight = (row: Row) => row.sample.startMs === 0 || all.has(json(row));
    const wrong = found.find((row) => !isRight(row));
    if (wrong !== undefined) throw new Error(`${json(wrong)} began at another time`);
  }

  #checkRows(found: readonly Row[], wanted: readonly Row[]): void {
    const rest = new Map<string, number>();
    const count = (text: string, by: number) => rest.set(text, (rest.get(text) ?? 0) + by);
    for (const row of wanted) count(json(row), 1);
    // Shown twice in one body, the second is no news.
    const keys = new Set(found.map(keyOf));
    for (const row of found) {
      if ((rest.get(json(row)) ?? 0) < 1) throw new Error(`accepted ${json(row)}, which is not there`);
      count(json(row), -1);
    }
    for (const row of wanted) {
      const known = keys.has(keyOf(row)) || this.seen.get(row.series)?.has(keyOf(row)) === true;
      if (rest.get(json(row))! > 0 && !known) throw new Error(`missed ${json(row)}`);
    }
    for (const row of wanted) {
      if (!this.seen.has(row.series)) this.seen.set(row.series, new Set());
      this.seen.get(row.series)?.add(keyOf(row));
    }
    this.rows += found.length;
    this.unchanged += wanted.length - found.length;
  }
}

const json = (value: unknown) =>
  JSON.stringify(value, (_, v) => (typeof v === 'number' ? (Object.is(v, -0) ? '-0' : String(v)) : v));

t.test('whatever a target shows, a warm reader takes what one that knows nothing would', async (t) => {
  const totals = { rows: 0, unchanged: 0, starts: 0 };
  fc.assert(
    fc.property(
      RULES,
      fc.array(LINE, { maxLength: 12 }),
      fc.array(fc.array(EDIT, { maxLength: 4 }), { maxLength: 12 }),
      (rules, lines, rounds) => {
        const comparison = new Comparison(rules);
        comparison.lines = [...lines];
        comparison.show(comparison.edit([]));
        for (const edits of rounds) comparison.show(comparison.edit(edits));
        totals.rows += comparison.rows;
        totals.unchanged += comparison.unchanged;
        totals.starts += comparison.starts;
      },
    ),
    fuzzBounds(3000),
  );
  t.ok(totals.rows > 2000 && totals.unchanged > 2000 && totals.starts > 200, JSON.stringify(totals));
});

t.test('random bytes neither throw nor hang, nor get anything in', async (t) => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc
      .string({
        unit: fc.constantFrom('a', ' ', '\n', '#', ' # {', '"', '{', '}', '=', '1', '\\', '# EOF\n', ','),
      })
      .map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(bytes, fc.boolean()), { maxLength: 8 }), (bodies) => {
      const comparison = new Comparison(NO_RULES);
      for (const [body, isEnded] of bodies) {
        comparison.show(isEnded ? Buffer.concat([body, Buffer.from('\n# EOF\n')]) : body);
      }
    }),
    fuzzBounds(5000),
  );
  t.pass();
});

t.test('thousands of series that come and go leave no more than a body behind', async (t) => {
  const comparison = new Comparison(NO_RULES);
  let bytes = 0;
  for (let round = 0; round < 40; round++) {
    const lines = Array.from({ length: 1500 }, (_, i) => {
      const series = round % 3 === 0 ? i : i + 1500 * round;
      return `m{i="${series}"} 1 # {trace_id="${'x'.repeat((i + round) % 60)}"} 1 ${round}\n`;
    });
    comparison.show(Buffer.from(`${lines.join('')}# EOF\n`));
    if (round === 10) bytes = comparison.buffer.reader.cacheBytes;
  }
  t.ok(
    comparison.buffer.reader.cacheBytes <= bytes * 1.5,
    `${comparison.buffer.reader.cacheBytes} and ${bytes}`,
  );
});

t.test('a target that only shows bodies that are refused is not remembered for ever', async (t) => {
  const sink = new RecordingSink();
  const buffer = new ReusedBuffer(sink);
  let bytes = 0;
  for (let round = 0; round < 30; round++) {
    const lines = Array.from({ length: 2000 }, (_, i) => `m{i="${round}-${i}"} 1 # {a="b"} 1 1\n`);
    t.ok('error' in buffer.read(`${lines.join('')}# EOF\nm 1\n# EOF\n`), 'refused');
    if (round === 5) bytes = buffer.reader.cacheBytes;
  }
  t.ok(buffer.reader.cacheBytes <= bytes * 1.5, `${buffer.reader.cacheBytes} and ${bytes}`);
  t.same(sink.rows, []);
});
