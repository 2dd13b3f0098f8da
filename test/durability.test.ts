import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { Durability } from '../src/durability.js';
import { DEFAULT_JOURNAL } from '../src/journal/options.js';
import { encodeLabels } from '../src/model/encoded-labels.js';
import { labelsFromRecord } from '../src/model/labels.js';
import type { SeriesRef } from '../src/model/refs.js';
import { ExemplarStore } from '../src/store/exemplar-store.js';
import { Intake } from '../src/store/intake.js';
import { DEFAULT_STORE_OPTIONS, type StoreOptions } from '../src/store/options.js';
import { silentLog } from '../src/util/log.js';
import { temporaryDirectory } from './support/build.js';
import { FakeClock } from './support/fake-clock.js';
import { readAll } from './support/journal.js';

const NOW_MS = 1_763_796_000_000;
const OPTIONS: StoreOptions = { ...DEFAULT_STORE_OPTIONS, perSeries: 10 };

interface Life {
  readonly clock: FakeClock;
  readonly store: ExemplarStore;
  readonly durability: Durability;
  /** A scrape that shows one new exemplar of each of three series. */
  scrape(number: number): void;
}

async function live(path: string, options = OPTIONS, journal = DEFAULT_JOURNAL): Promise<Life> {
  const store = new ExemplarStore(options);
  store.isForwarding = true;
  const clock = new FakeClock(NOW_MS);
  const durability = new Durability({
    path,
    options: journal,
    store,
    clock,
    log: silentLog,
  });
  await durability.open();
  const intake = new Intake(store, (batch) => durability.journal.append(batch));
  return {
    clock,
    store,
    durability,
    scrape(number) {
      const atMs = NOW_MS + 1_000 * number;
      for (const n of ['0', '1', '2']) {
        const series = intake.seriesOf(labelsFromRecord({ __name__: 'x', n }), atMs);
        const labels = encodeLabels(labelsFromRecord({ trace_id: number.toString(16).padStart(32, '0') }));
        const exemplar = {
          value: number,
          timestampMs: atMs,
          hasOwnTimestamp: true,
          labels,
          labelsLength: labels.length,
          codePoints: 40,
        };
        intake.append(series, exemplar, { value: number, timestampMs: atMs, startMs: 0 }, atMs);
      }
      intake.commit();
    },
  };
}

/** What is on disk at this moment, as after `kill -9`. */
function killed(path: string): string {
  const copy = join(path, '..', `killed-${readdirSync(join(path, '..')).length}`);
  cpSync(path, copy, { recursive: true, filter: (source) => basename(source) !== 'lock' });
  return copy;
}

function contentOf({ store }: Life): unknown[] {
  const all = [...store.index.all()].map((series) => ({
    labels: store.index.labels(series),
    held: store.rings.held(series),
    oldest: store.rings.oldestMs(series),
    newest: store.rings.newestMs(series),
    accepted: store.stats.accepted[series],
    overwritten: store.stats.overwritten[series],
    unforwarded: store.stats.overwrittenUnforwarded[series],
    rate: store.stats.longRate(series, NOW_MS + 60_000),
    lastExposedMs: store.stats.lastExposedMs[series],
  }));
  return [store.totals.accepted, store.totals.overwritten, ...all];
}

t.test('killed without a snapshot, everything comes back from the journal', async (t) => {
  const path = join(await temporaryDirectory(t), 'data');
  const first = await live(path);
  first.durability.journal.reader('sink');
  for (let i = 0; i < 25; i++) first.scrape(i);
  const second = await live(killed(path));
  t.same(contentOf(second), contentOf(first));
  t.equal(second.durability.recovery.replayedRows, 75);
  await first.durability.close();
  await second.durability.close();
});

t.test('killed some time after a snapshot, the rest comes from the journal', async (t) => {
  const path = join(await temporaryDirectory(t), 'data');
  const small = { ...DEFAULT_JOURNAL, maxBytes: 16_000 };
  const first = await live(path, OPTIONS, small);
  first.durability.journal.reader('sink');
  let scrapes = 0;
  for (; scrapes < 15; scrapes++) first.scrape(scrapes);
  await first.durability.saveIfDue();
  t.equal(first.durability.snapshots.totals.saved, 1);
  for (; scrapes < 18; scrapes++) first.scrape(scrapes);
  await first.durability.saveIfDue();
  t.equal(first.durability.snapshots.totals.saved, 1, 'not due again so soon');
  const second = await live(killed(path), OPTIONS, small);
  t.same(contentOf(second), contentOf(first));
  t.equal(second.durability.recovery.replayedRows, 9);
  await first.durability.close();
  await second.durability.close();
});

t.test('a stop while a snapshot is saved leaves nothing behind that goes on', async (t) => {
  const path = join(await temporaryDirectory(t), 'data');
  const { clock, durability, scrape } = await live(path, OPTIONS, { ...DEFAULT_JOURNAL, maxBytes: 16_000 });
  for (let i = 0; i < 15; i++) scrape(i);
  await clock.advance(1_000);
  await durability.close();
  await setImmediate();
  t.ok(durability.snapshots.totals.saved > 0);
  t.same(clock.waitingMs, []);
});

t.test('a snapshot that cannot be saved is not tried again at once', async (t) => {
  const path = join(await temporaryDirectory(t), 'data');
  const { durability, scrape } = await live(path, OPTIONS, { ...DEFAULT_JOURNAL, maxBytes: 16_000 });
  for (let i = 0; i < 15; i++) scrape(i);
  // In the way of the file that would be written beside.
  const position = String(durability.journal.next.position).padStart(16, '0');
  mkdirSync(join(path, `snapshot-${position}.new`));
  await durability.saveIfDue();
  await durability.saveIfDue();
  t.equal(durability.snapshots.totals.errors, 1);
  await durability.close();
});

t.test('killed again and again within seconds, it comes to a snapshot all the same', async (t) => {
  const path = join(await temporaryDirectory(t), 'data');
  const small = { ...DEFAULT_JOURNAL, maxBytes: 16_000 };
  const options = { ...OPTIONS, perSeries: 1_000 };
  let directory = path;
  for (let life = 0; life < 20; life++) {
    const { durability, scrape } = await live(directory, options, small);
    for (let i = 0; i < 10; i++) scrape(10 * life + i);
    directory = killed(directory);
    await durability.close();
  }
  const { store, durability } = await live(directory, options, small);
  t.equal(store.exemplars, 600);
  await durability.close();
});

t.test('stopped and started, nothing is replayed, and what is overwritten later was forwarded', async (t) => {
  const path = join(await temporaryDirectory(t), 'data');
  const first = await live(path);
  const reader = first.durability.journal.reader('sink');
  for (let i = 0; i < 10; i++) first.scrape(i);
  for (const { position } of await readAll(reader)) reader.confirm(position);
  const before = contentOf(first);
  await first.durability.close();
  const second = await live(path);
  t.same(contentOf(second), before);
  t.equal(second.durability.recovery.replayedRows, 0);
  second.durability.journal.reader('sink');
  for (let i = 10; i < 15; i++) second.scrape(i);
  t.equal(second.store.totals.overwritten, 15);
  t.equal(second.store.totals.overwrittenUnforwarded, 0);
  await second.durability.close();
});

t.test('killed, what had been forwarded by then still counts as forwarded', async (t) => {
  const path = join(await temporaryDirectory(t), 'data');
  const first = await live(path);
  const reader = first.durability.journal.reader('sink');
  for (let i = 0; i < 10; i++) first.scrape(i);
  for (const { position } of (await readAll(reader)).slice(0, 6)) reader.confirm(position);
  await first.durability.journal.close();
  const second = await live(killed(path));
  t.equal(second.durability.journal.reader('sink').pendingRows, 12);
  // Of each series ten are overwritten, of which four were never confirmed.
  for (let i = 10; i < 20; i++) second.scrape(i);
  t.equal(second.store.totals.overwritten, 30);
  t.equal(second.store.totals.overwrittenUnforwarded, 12);
  await first.durability.close();
  await second.durability.close();
});

t.test(
  'what the journal lost undelivered is counted in retention, though the ring still has it',
  async (t) => {
    const path = join(await temporaryDirectory(t), 'data');
    const options = { ...OPTIONS, perSeries: 1_000 };
    const { store, durability, scrape } = await live(path, options, { ...DEFAULT_JOURNAL, maxBytes: 16_000 });
    const reader = durability.journal.reader('sink');
    for (let i = 0; i < 200; i++) scrape(i);
    // Readers that keep up are served from memory, whatever happened to the segments: this one has not read at all.
    t.ok(reader.lostRows > 0);
    await durability.journal.close();
    t.equal(store.totals.overwritten, 0);
    t.equal(store.totals.overwrittenUnforwarded, reader.lostRows);
    await durability.close();
  },
);

t.test('a damaged snapshot is made up for by the journal, and another is written', async (t) => {
  const path = join(await temporaryDirectory(t), 'data');
  const first = await live(path);
  for (let i = 0; i < 5; i++) first.scrape(i);
  const before = contentOf(first);
  await first.durability.close();
  const name = readdirSync(path).find((name) => name.startsWith('snapshot-'))!;
  const size = readFileSync(join(path, name)).length;
  for (const length of [0, 10, size - 20, size - 1]) {
    const copy = killed(path);
    truncateSync(join(copy, name), length);
    const second = await live(copy);
    t.same(contentOf(second), before, `cut to ${length} of ${size} bytes`);
    second.scrape(5);
    await second.durability.close();
    const third = await live(copy);
    t.equal(third.durability.recovery.replayedRows, 0);
    t.equal(third.store.exemplars, 18);
    await third.durability.close();
  }
});

t.test('a start that fails writes nothing over what it could not read', async (t) => {
  const path = join(await temporaryDirectory(t), 'data');
  const first = await live(path);
  for (let i = 0; i < 5; i++) first.scrape(i);
  await first.durability.close();
  const name = readdirSync(path).find((name) => name.startsWith('snapshot-'))!;
  rmSync(join(path, name));
  mkdirSync(join(path, name));
  const files = () => readdirSync(path, { recursive: true }).sort();
  const before = files();
  const store = new ExemplarStore(OPTIONS);
  const clock = new FakeClock();
  const failing = new Durability({ path, options: DEFAULT_JOURNAL, store, clock, log: silentLog });
  await t.rejects(failing.open(), /EISDIR/);
  await failing.close();
  t.same(files(), before);
});

t.test('readers whose places are damaged get everything again', async (t) => {
  const path = join(await temporaryDirectory(t), 'data');
  const first = await live(path);
  const reader = first.durability.journal.reader('sink');
  for (let i = 0; i < 5; i++) first.scrape(i);
  for (const { position } of await readAll(reader)) reader.confirm(position);
  await first.durability.close();
  writeFileSync(join(path, 'readers.json'), '{"sink": {"posi');
  const spared = await live(path);
  t.equal(spared.durability.journal.reader('sink').pendingRows, 0, 'there is a second file');
  await spared.durability.close();
  for (const name of ['readers.json', 'readers.json.recent'])
    writeFileSync(join(path, name), '{"sink": {"posi');
  const second = await live(path);
  t.equal(second.store.exemplars, 15);
  t.equal(second.durability.journal.reader('sink').pendingRows, 15);
  await second.durability.close();
  const third = await live(path);
  t.equal(third.durability.journal.reader('sink').pendingRows, 15);
  await third.durability.close();
});

t.test('what smaller caps cost is counted', async (t) => {
  const path = join(await temporaryDirectory(t), 'data');
  const first = await live(path);
  for (let i = 0; i < 10; i++) first.scrape(i);
  await first.durability.close();
  const second = await live(path, { ...OPTIONS, perSeries: 4 });
  t.equal(second.store.exemplars, 12);
  t.equal(second.store.totals.accepted - second.store.totals.overwritten, 12);
  const [series] = second.store.index.all();
  t.equal(second.store.stats.overwritten[series!], 6);
  await second.durability.close();
});

t.test('series that come back after a restart have the numbers of the store', async (t) => {
  const path = join(await temporaryDirectory(t), 'data');
  const first = await live(path);
  first.durability.journal.reader('sink');
  first.scrape(1);
  const second = await live(killed(path));
  const [entry] = await readAll(second.durability.journal.reader('sink'));
  const refs = entry!.batch.series.map(({ ref }) => ref);
  t.same(
    refs.map((ref: SeriesRef) => second.store.index.labels(ref)),
    entry!.batch.series.map(({ labels }) => labels),
  );
  await first.durability.close();
  await second.durability.close();
});
