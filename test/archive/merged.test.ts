/**
 * Whatever was accepted, a query over rings and archive gives what a filter over everything ever accepted gives: at any
 * moment of overwriting, forgetting, restarting, and of the archive being away.
 */
import { cpSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { Archive } from '../../src/archive/archive.js';
import { ArchiveMeter } from '../../src/archive/meter.js';
import { DEFAULT_ARCHIVE_OPTIONS } from '../../src/archive/options.js';
import type { Database } from '../../src/clickhouse/database.js';
import { rowsOf } from '../../src/clickhouse/database.js';
import { Durability } from '../../src/durability.js';
import { DEFAULT_JOURNAL } from '../../src/journal/options.js';
import { Verdict } from '../../src/model/exemplar.js';
import { type Labels, labelsFromRecord, labelsToJson, labelValue } from '../../src/model/labels.js';
import { createMatcher, type Matcher } from '../../src/model/matcher.js';
import { NO_SERIES } from '../../src/model/refs.js';
import type { ExemplarQuery } from '../../src/query/exemplars.js';
import { type ExemplarSource, queryExemplars } from '../../src/query/merged-exemplars.js';
import { ExemplarStore } from '../../src/store/exemplar-store.js';
import { Intake } from '../../src/store/intake.js';
import { DEFAULT_STORE_OPTIONS, type StoreOptions } from '../../src/store/options.js';
import { goFloat } from '../../src/util/json.js';
import { silentLog } from '../../src/util/log.js';
import { TimeSlices } from '../../src/util/time-slices.js';
import { temporaryDirectory } from '../support/build.js';
import { FailingDatabase, openChdb, skipWithoutChdb } from '../support/chdb.js';
import { encodedExemplar } from '../support/exemplar.js';
import { FakeClock } from '../support/fake-clock.js';
import { until } from '../support/until.js';

// A listener that every wait leaves behind, for one.
process.on('warning', ({ name, message }) => t.not(name, 'MaxListenersExceededWarning', message));

/** Small enough that all is overwritten, and forgotten, soon. */
const STORE: StoreOptions = {
  ...DEFAULT_STORE_OPTIONS,
  perSeries: 3,
  maxExemplars: 20,
  maxSeries: 8,
  // So long after a start the archive is asked for everything.
  maxFutureMs: 1_000,
};

const SERIES: readonly Labels[] = Array.from({ length: 12 }, (_, n) =>
  labelsFromRecord({
    __name__: n % 3 === 0 ? 'errors_total' : 'latency_bucket',
    ...(n % 2 === 0 ? { path: `/${n}` } : {}),
    n: String(n),
    odd: ["it's", 'a\n\nb', '"q"', '{x:String}', '\u0000', '😀'][n % 6]!,
  }),
);

const VALUES = [1, 0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.1, 5e-324, 1e300];

const SELECTORS: readonly (readonly (readonly Matcher[])[])[] = [
  [[createMatcher('=~', '__name__', '.+')]],
  [[createMatcher('=', '__name__', 'errors_total')]],
  [[createMatcher('=', 'path', '')]],
  [[createMatcher('!=', 'path', ''), createMatcher('!~', 'n', '[2-5]')]],
  [[createMatcher('=~', 'odd', 'a.*b')]],
  [[createMatcher('=', 'n', '3')], [createMatcher('=~', 'n', '1.?|4')]],
];

interface Accepted {
  readonly series: Labels;
  readonly timestampMs: number;
  readonly value: number;
  readonly labels: Labels;
}

/** mulberry32: small, and the same everywhere, so that a failure can be run again. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

class World {
  readonly clock = new FakeClock(Date.now() - 3 * 60 * 60_000);
  readonly accepted: Accepted[] = [];
  readonly database: FailingDatabase;
  readonly random: () => number;
  readonly #root: string;
  #lives = 0;
  #path = '';
  store!: ExemplarStore;
  archive!: Archive;
  #durability!: Durability;
  #intake!: Intake;

  constructor(root: string, database: Database, seed: number) {
    this.#root = root;
    this.database = new FailingDatabase(database);
    this.random = randomOf(seed);
  }

  /** @param isKilled what was on disk at the end of the life before is all there is */
  async live(isKilled: boolean): Promise<void> {
    const path = isKilled ? join(this.#root, `life-${++this.#lives}`) : this.#path;
    if (isKilled && this.#path !== '')
      cpSync(this.#path, path, { recursive: true, filter: (source) => basename(source) !== 'lock' });
    this.#path = path;
    this.store = new ExemplarStore(STORE);
    this.store.isForwarding = true;
    const parts = { clock: this.clock, log: silentLog };
    this.#durability = new Durability({ path, options: DEFAULT_JOURNAL, store: this.store, ...parts });
    await this.#durability.open();
    if (!this.#durability.isComplete) this.store.noteForgotten(this.clock.nowMs() + STORE.maxFutureMs);
    const { journal } = this.#durability;
    this.#intake = new Intake(this.store, (batch) => journal.append(batch));
    this.archive = new Archive({
      options: { ...DEFAULT_ARCHIVE_OPTIONS, ttlMs: 0 },
      database: this.database,
      reader: journal.reader('archive', 'oldest'),
      traceIdLabels: ['trace_id', 'traceID'],
      storagePath: undefined,
      meter: new ArchiveMeter(),
      ...parts,
    });
    this.archive.start();
  }

  async end(): Promise<void> {
    const stopping = this.archive.stop(1_000);
    // Attempts that fail have a deadline.
    await Promise.all([stopping, this.clock.advance(2_000)]);
    const closing = this.#durability.close();
    await Promise.all([closing, this.clock.advance(2_000)]);
  }

  scrape(): void {
    // Timers of the fake clock may be due between two milliseconds.
    const nowMs = Math.floor(this.clock.nowMs());
    for (let i = Math.floor(this.random() * 12); i >= 0; i--) {
      const labels = this.pick(SERIES);
      const series = this.#intake.seriesOf(labels, nowMs);
      if (series === NO_SERIES) continue;
      const exemplar = {
        labels: this.exemplarLabels(),
        value: this.pick(VALUES),
        timestampMs: nowMs - Math.floor(this.random() ** 3 * 120_000),
        hasOwnTimestamp: this.random() < 0.8,
      };
      const sample = { value: 1, timestampMs: nowMs, startMs: 0 };
      const verdict = this.#intake.append(series, encodedExemplar(exemplar), sample, nowMs);
      if (verdict === Verdict.accepted) this.accepted.push({ ...exemplar, series: labels });
    }
    this.#intake.commit();
  }

  exemplarLabels(): Labels {
    const id = Math.floor(this.random() * 40).toString(16);
    return labelsFromRecord(
      this.pick([
        { trace_id: id.padStart(32, '0'), span_id: id.padStart(16, 'a') },
        { traceID: id.toUpperCase(), tier: 'gold' },
        { trace_id: `0000-${id}` },
        { user: `"${id}"\n\n; DROP TABLE exemplars` },
        { trace_id: 'not hex', span_id: 'x', __proto__x: 'y' },
      ]) as Record<string, string>,
    );
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.random() * items.length)]!;
  }

  query(): ExemplarQuery {
    const nowMs = this.clock.nowMs();
    const startMs = nowMs - this.random() * 400_000;
    return {
      selectors: this.pick(SELECTORS),
      startMs: this.pick([Number.NEGATIVE_INFINITY, startMs]),
      endMs: this.pick([Number.POSITIVE_INFINITY, startMs + this.random() * 400_000]),
      minValue: this.pick([undefined, undefined, 0, Number.NEGATIVE_INFINITY]),
      maxValue: this.pick([undefined, undefined, 1, 1e299]),
      order: this.pick(['asc', 'desc']),
      limit: this.pick([undefined, undefined, undefined, 5]),
    };
  }

  async ask(query: ExemplarQuery, source: ExemplarSource = 'all') {
    const memory = { store: this.store, archive: () => this.archive };
    const { data, warnings } = await queryExemplars(memory, query, source, new TimeSlices(this.clock));
    let json = '';
    for await (const text of data) json += text;
    return { answer: JSON.parse(json) as Answer, json, warnings };
  }
}

type Answer = {
  seriesLabels: Record<string, string>;
  exemplars: { labels: Record<string, string>; value: string; timestamp: number }[];
}[];

/** One line an exemplar, in the order of the answer. */
function linesOf(answer: Answer): string[] {
  return answer.flatMap(({ seriesLabels, exemplars }) =>
    exemplars.map(({ labels, value, timestamp }) =>
      [
        Math.round(timestamp * 1000),
        value === '-0' ? '0' : value,
        labelsToJson(labelsFromRecord(seriesLabels)),
        labelsToJson(labelsFromRecord(labels)),
      ].join(' '),
    ),
  );
}

/** The same of the model: a filter over everything. */
function naive(accepted: readonly Accepted[], query: ExemplarQuery): string[] {
  const lines = accepted
    .filter(
      ({ series, timestampMs, value }) =>
        query.selectors.some((matchers) =>
          matchers.every((matcher) => matcher.matches(labelValue(series, matcher.name))),
        ) &&
        timestampMs >= query.startMs &&
        timestampMs <= query.endMs &&
        (query.minValue === undefined || value >= query.minValue) &&
        (query.maxValue === undefined || value <= query.maxValue),
    )
    .map(({ series, timestampMs, value, labels }) =>
      [timestampMs, value === 0 ? '0' : goFloat(value), labelsToJson(series), labelsToJson(labels)].join(' '),
    );
  return [...new Set(lines)].sort();
}

const timesOf = (lines: readonly string[]) =>
  lines.map((line) => Number(line.split(' ')[0])).sort((a, b) => a - b);

const SEEDS = (process.env.SEEDS ?? '1,2,3').split(',').map(Number);

for (const seed of SEEDS) {
  t.test(
    `rings and archive together, seed ${seed}`,
    { ...skipWithoutChdb(), timeout: 120_000 },
    async (t) => {
      const root = await temporaryDirectory(t);
      const database = openChdb(join(root, 'chdb'));
      t.teardown(() => database.close());
      const world = new World(root, database, seed);
      await world.live(true);
      let compared = 0;
      let fromArchive = 0;
      const compare = async () => {
        const query = world.query();
        const { answer, json, warnings } = await world.ask(query);
        const lines = linesOf(answer);
        const expected = naive(world.accepted, query);
        const what = `query ${compared++} ${JSON.stringify(query)}`;
        if (warnings.length > 0) {
          t.ok(
            world.database.isDown || world.database.losesAnswers,
            `a warning only while the archive is away: ${warnings}`,
          );
          t.ok(
            query.limit !== undefined || lines.every((line) => expected.includes(line)),
            `${what}: nothing else`,
          );
          return;
        }
        if (query.limit === undefined) {
          if (!t.same([...lines].sort(), expected, what)) throw new Error('stop at the first difference');
        } else {
          const times = timesOf(expected);
          const wanted = query.order === 'asc' ? times.slice(0, query.limit) : times.slice(-query.limit);
          if (!t.same(timesOf(lines), wanted, `${what}: limited`)) throw new Error('stop');
        }
        const inMemory = await world.ask(query, 'memory');
        if (inMemory.json !== json) fromArchive++;
        for (const { exemplars } of answer) {
          const times = exemplars.map(({ timestamp }) => timestamp);
          const sorted = [...times].sort((a, b) => (query.order === 'asc' ? a - b : b - a));
          if (sorted.join() !== times.join()) t.same(times, sorted, 'in order');
        }
      };
      for (let step = 0; step < 150; step++) {
        const dice = world.random();
        if (dice < 0.45) world.scrape();
        else if (dice < 0.6) await world.clock.advance(world.pick([100, 2_000, 6_000, 130_000]));
        else if (dice < 0.64) world.database.isDown = !world.database.isDown;
        else if (dice < 0.67) world.database.losesAnswers = !world.database.losesAnswers;
        else if (dice < 0.7) {
          const isKilled = world.random() < 0.5;
          if (!isKilled) await world.end();
          await world.live(isKilled);
        } else await compare();
      }
      world.database.isDown = world.database.losesAnswers = false;
      await until(async () => {
        await world.clock.advance(10_000);
        return world.archive.status.pendingRows === 0;
      }, 'the archive has everything');
      t.ok(compared > 20 && fromArchive > 5, `${compared} queries, ${fromArchive} answered by both`);
      const all = naive(world.accepted, { ...world.query(), ...EVERYTHING });
      const [{ rows } = { rows: '' }] = await rowsOf<{ rows: string }>(
        database,
        'SELECT count() AS rows FROM exemplars FINAL',
      );
      t.equal(Number(rows), all.length, 'exactly once after FINAL');
      const everything = { ...world.query(), ...EVERYTHING };
      t.same(linesOf((await world.ask(everything, 'archive')).answer).sort(), all, 'and nothing else');
    },
  );
}

const EVERYTHING = {
  selectors: SELECTORS[0]!,
  startMs: Number.NEGATIVE_INFINITY,
  endMs: Number.POSITIVE_INFINITY,
  minValue: undefined,
  maxValue: undefined,
  limit: undefined,
};
