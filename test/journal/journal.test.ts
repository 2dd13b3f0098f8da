import * as fs from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DirectoryLock } from '../../src/journal/directory-lock.js';
import type { Files } from '../../src/journal/segment.js';
import { StorageDirectory } from '../../src/journal/storage-directory.js';
import type { Batch } from '../../src/model/batch.js';
import { batchOf, manySeries, seriesOf } from '../support/batch.js';
import { temporaryDirectory } from '../support/build.js';
import { FakeClock } from '../support/fake-clock.js';
import { contentOf, openJournal, readAll } from '../support/journal.js';
import { until } from '../support/until.js';

const never = new AbortController().signal;
const all = manySeries(20);

function batchOfRows(rows: number, fromMs = 1): Batch {
  return batchOf(Array.from({ length: rows }, (_, i) => ({ series: all[i % 20]!, timestampMs: fromMs + i })));
}

t.test('what was appended is there after the process was killed, in order and to the bit', async (t) => {
  const directory = await temporaryDirectory(t);
  const killed = await openJournal(directory);
  const gone = {
    ...seriesOf(9, { __name__: 'gone', odd: 'ÿ"\n' }),
    metadata: { type: 'counter', help: 'Ä', unit: 's' },
  };
  const batches = [
    batchOfRows(3),
    batchOf(
      [{ series: gone, timestampMs: 5, value: Number.NaN, sampleStartMs: 7, labels: { a: 'Grüße', b: '☃' } }],
      [gone],
    ),
    batchOf([], [all[0]!]),
    batchOfRows(50, 100),
  ];
  for (const batch of batches) killed.append(batch);
  // No close: another process finds what the kernel has.
  const journal = await openJournal(directory);
  const reader = journal.reader('a', 'oldest');
  t.equal(reader.pendingRows, 54);
  const found = await readAll(reader);
  t.same(
    found.map(({ position }) => position),
    [0, 1, 2, 3],
  );
  t.same(
    found.map(({ batch }) => contentOf(batch)),
    batches.map(contentOf),
  );
  await journal.close();
  await killed.close();
});

t.test('readers go on where they were, and forgotten ones start anew', async (t) => {
  const directory = await temporaryDirectory(t);
  const first = await openJournal(directory);
  const [a, b] = [first.reader('x/a'), first.reader('x/b')];
  t.throws(() => first.reader('x/a'), /already has a reader/);
  for (let i = 0; i < 4; i++) first.append(batchOfRows(2));
  for (let i = 0; i < 3; i++) await a.next(never);
  a.confirm(1);
  await b.next(never);
  await first.close();

  const second = await openJournal(directory);
  second.append(batchOfRows(1));
  t.equal(second.reader('x/a').pendingRows, 5);
  t.equal((await readAll(second.reader('x/b')))[0]!.position, 0);
  second.reader('new');
  await second.close();

  const third = await openJournal(directory);
  third.forgetReadersExcept('x/', new Set(['x/a']));
  t.equal(third.totals.abandonedRows, 9);
  t.equal(third.reader('x/b').pendingRows, 0);
  t.equal(third.reader('x/a').pendingRows, 5);
  await third.close();
});

t.test('a new reader has its place even if the process is killed at once', async (t) => {
  const directory = await temporaryDirectory(t);
  const killed = await openJournal(directory);
  killed.append(batchOfRows(1));
  killed.reader('a');
  killed.append(batchOfRows(2));
  const journal = await openJournal(directory);
  t.equal(journal.reader('a').pendingRows, 2);
  await journal.close();
  await killed.close();
});

t.test('a reader far behind reads from the disk, one that keeps up from memory', async (t) => {
  const directory = await temporaryDirectory(t);
  const delivered: Batch[] = [];
  const journal = await openJournal(directory, {
    maxTailBytes: 10_000,
    maxSegmentBytes: 10_000,
    onDelivered: (batch) => delivered.push(batch),
  });
  const [quick, slow] = [journal.reader('quick'), journal.reader('slow')];
  for (let i = 0; i < 100; i++) {
    journal.append(batchOfRows(10, i));
    const logged = await quick.next(never);
    quick.confirm(logged!.position);
  }
  t.ok(journal.segments > 5);
  t.ok(journal.memoryBytes <= 10_000);
  t.same(delivered, []);
  const found = await readAll(slow);
  t.same(
    found.map(({ position }) => position),
    Array.from({ length: 100 }, (_, i) => i),
  );
  t.same(
    found.map(({ batch }) => batch.timestampsMs[0]),
    found.map(({ position }) => position),
  );
  slow.confirm(49);
  t.equal(delivered.length, 50);
  slow.rewind();
  t.equal((await slow.next(never))!.position, 50);
  slow.confirm(50);
  await journal.close();
});

t.test('rewinding, confirming and closing while the disk is read loses and repeats nothing', async (t) => {
  const journal = await openJournal(await temporaryDirectory(t), { maxTailBytes: 0, maxSegmentBytes: 2_000 });
  const reader = journal.reader('a');
  for (let i = 0; i < 50; i++) journal.append(batchOfRows(5, i));
  const seen: number[] = [];
  for (let step = 0; seen.length < 50; step++) {
    const logged = await reader.next(never);
    if (step % 3 === 2) {
      reader.rewind();
      continue;
    }
    seen.push(logged!.position);
    reader.confirm(logged!.position);
  }
  t.same(
    seen,
    Array.from({ length: 50 }, (_, i) => i),
  );
  const waiting = reader.next(never);
  reader.close();
  t.equal(await waiting, undefined);
  await journal.close();
});

t.test('past max_bytes the oldest go, and are counted on the readers that had not got to them', async (t) => {
  const lost: Batch[] = [];
  const journal = await openJournal(await temporaryDirectory(t), {
    options: { fsyncIntervalMs: 1_000, maxBytes: 40_000 },
    maxTailBytes: 0,
    onLost: (batch) => lost.push(batch),
  });
  const [quick, slow] = [journal.reader('quick'), journal.reader('slow')];
  for (let i = 0; i < 100; i++) {
    journal.append(batchOfRows(10, i));
    quick.confirm((await quick.next(never))!.position);
  }
  t.ok(journal.bytes <= 40_000);
  t.equal(quick.lostRows, 0);
  t.ok(slow.lostRows > 100);
  t.equal(slow.lostRows + slow.pendingRows, 1000);
  const found = await readAll(slow);
  t.equal(found.length * 10, 1000 - slow.lostRows);
  t.equal(found.at(-1)!.position, 99);
  await journal.close();
  t.equal(lost.length * 10, slow.lostRows);
});

/** The real file system, until told to refuse. */
class FailingFiles implements Files {
  refusal: NodeJS.ErrnoException | undefined;
  /** Bytes that still fit. */
  room = Number.POSITIVE_INFINITY;
  fsyncError: Error | null = null;
  openSync = fs.openSync;
  ftruncateSync = fs.ftruncateSync;
  closeSync = fs.closeSync;
  unlinkSync = fs.unlinkSync;
  fsync = ((fd: number, done: (error: Error | null) => void) =>
    this.fsyncError === null ? fs.fsync(fd, done) : done(this.fsyncError)) as Files['fsync'];
  writeSync = ((fd: number, bytes: Buffer, offset: number, length: number) => {
    if (this.refusal !== undefined) throw this.refusal;
    if (this.room <= 0)
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const written = fs.writeSync(fd, bytes, offset, Math.min(length, this.room));
    this.room -= written;
    return written;
  }) as Files['writeSync'];
}

t.test('a disk that fills and recovers costs nothing but time', async (t) => {
  const directory = await temporaryDirectory(t);
  const files = new FailingFiles();
  const clock = new FakeClock();
  const journal = await openJournal(directory, { files, clock });
  const reader = journal.reader('a');
  journal.append(batchOfRows(5));
  // The next batch is cut in its middle.
  files.room = 300;
  for (let i = 0; i < 10; i++) journal.append(batchOfRows(5, 10 * i));
  t.match(journal.failure, { error: /ENOSPC/, sinceMs: clock.nowMs() });
  t.equal((await readAll(reader)).length, 11);
  reader.rewind();
  await clock.advance(10_000);
  t.ok(journal.failure);
  files.room = Number.POSITIVE_INFINITY;
  await clock.advance(1_000);
  t.equal(journal.failure, undefined);
  journal.append(batchOfRows(1));

  const next = await openJournal(directory);
  const found = await readAll(next.reader('b', 'oldest'));
  t.same(
    found.map(({ position }) => position),
    Array.from({ length: 12 }, (_, i) => i),
  );
  t.equal(next.totals.damagedSegments, 0);
  await next.close();
  await journal.close();
});

t.test('while the disk fails memory is bounded, and what it costs is counted', async (t) => {
  const directory = await temporaryDirectory(t);
  const files = new FailingFiles();
  const clock = new FakeClock();
  const lost: Batch[] = [];
  const journal = await openJournal(directory, {
    files,
    clock,
    maxUnwrittenBytes: 50_000,
    onLost: (batch) => lost.push(batch),
  });
  const reader = journal.reader('a');
  journal.append(batchOfRows(5));
  files.refusal = Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' });
  for (let i = 0; i < 100; i++) journal.append(batchOfRows(5, 10 * i));
  t.ok(journal.memoryBytes <= 50_000);
  files.refusal = undefined;
  await clock.advance(1_000);
  t.equal(journal.failure, undefined);
  const found = await readAll(reader);
  t.equal(found[0]!.position, 0, 'what is on disk is not lost');
  t.equal(found.at(-1)!.position, 100);
  t.equal(found.length * 5 + reader.lostRows, 505);
  t.equal(lost.length * 5, reader.lostRows);
  t.equal(journal.totals.neverWrittenRows, reader.lostRows);
  await journal.close();
});

t.test('after an fsync that failed, batches go to another segment', async (t) => {
  const files = new FailingFiles();
  const clock = new FakeClock();
  const journal = await openJournal(await temporaryDirectory(t), { files, clock });
  journal.append(batchOfRows(1));
  files.fsyncError = new Error('EIO: i/o error, fsync');
  await clock.advance(1_000);
  await until(() => journal.totals.fsyncErrors > 0, 'the failed fsync');
  files.fsyncError = null;
  journal.append(batchOfRows(1));
  t.equal(journal.segments, 2);
  await journal.close();
});

t.test('a full disk gives up what everybody has, before anything else', async (t) => {
  const files = new FailingFiles();
  const clock = new FakeClock();
  const journal = await openJournal(await temporaryDirectory(t), { files, clock, maxSegmentBytes: 2_000 });
  const reader = journal.reader('a');
  for (let i = 0; i < 50; i++) {
    journal.append(batchOfRows(5, i));
    reader.confirm((await reader.next(never))!.position);
  }
  const before = journal.segments;
  journal.setSnapshotPosition(30);
  files.room = 0;
  journal.append(batchOfRows(5));
  t.ok(journal.segments < before);
  t.equal(reader.lostRows, 0);
  let replayed = 0;
  for await (const { position } of journal.replay(30, () => all[0]!)) t.equal(position, 30 + replayed++);
  t.equal(replayed, 20);
  await journal.close();
});

t.test('a second process gets a clear error, and a crash leaves no lock behind', async (t) => {
  const directory = await temporaryDirectory(t);
  const first = await StorageDirectory.open(directory);
  await t.rejects(StorageDirectory.open(directory), {
    message: `the storage path ${directory} is in use by process ${process.pid} (the file "lock" in it is no leftover)`,
  });
  await first.close();
  // What a killed process leaves: a socket on which nobody listens.
  const lock = await DirectoryLock.take(directory);
  fs.renameSync(join(directory, 'lock'), join(directory, 'kept'));
  await lock.release();
  fs.renameSync(join(directory, 'kept'), join(directory, 'lock'));
  const second = await StorageDirectory.open(directory);
  await second.close();
});

t.test('a path longer than that of a socket can be has a lock all the same', async (t) => {
  const directory = join(await temporaryDirectory(t), 'x'.repeat(100), 'y'.repeat(100));
  const first = await StorageDirectory.open(directory);
  await t.rejects(StorageDirectory.open(directory), /is in use by process/);
  await first.close();
  await (await StorageDirectory.open(directory)).close();
});

t.test('of processes that start at the same moment one gets the directory', async (t) => {
  const directory = await temporaryDirectory(t);
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => StorageDirectory.open(directory)));
  const winners = results.filter((result) => result.status === 'fulfilled');
  t.equal(winners.length, 1);
  for (const result of results)
    if (result.status === 'rejected') t.match(result.reason.message, /is in use by/);
  await winners[0]!.value.close();
});

t.test('what cannot be a storage path is said to be none', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'file');
  fs.writeFileSync(file, '');
  await t.rejects(StorageDirectory.open(file), {
    message: `the storage path ${file} cannot be used: it is not a directory`,
  });
});

t.test('a directory of a newer version is refused, and left as it is', async (t) => {
  const directory = await temporaryDirectory(t);
  fs.writeFileSync(join(directory, 'format'), '2\n');
  await t.rejects(StorageDirectory.open(directory), /format version 2, written by a newer exemplard/);
  t.same(fs.readdirSync(directory), ['format']);
  fs.writeFileSync(join(directory, 'format'), 'something else');
  await t.rejects(StorageDirectory.open(directory), /does not hold a format version/);
});
