import { copyFileSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { listSegments } from '../../src/journal/segments.js';
import type { Batch, BatchReader, LoggedBatch } from '../../src/model/batch.js';
import { batchOf, manySeries } from '../support/batch.js';
import { temporaryDirectory } from '../support/build.js';
import { contentOf, detachedSeries, openJournal } from '../support/journal.js';
import fc from '../support/properties.js';

const all = manySeries(12);

const row = fc.record({
  series: fc.constantFrom(...all),
  timestampMs: fc.integer({ min: 1, max: 2e12 }),
  value: fc.double(),
  labels: fc.dictionary(
    fc.string({ minLength: 1, maxLength: 8 }),
    fc.string({ minLength: 1, maxLength: 30 }),
    { maxKeys: 3 },
  ),
  sampleValue: fc.double(),
  sampleStartMs: fc.constantFrom(0, 0, 5),
});
const batch: fc.Arbitrary<Batch> = fc
  .tuple(fc.array(row, { maxLength: 8 }), fc.uniqueArray(fc.constantFrom(...all), { maxLength: 2 }))
  .map(([rows, stale]) => batchOf(rows, stale));

const damage = fc.record({
  kind: fc.constantFrom('cut', 'flip', 'zero'),
  file: fc.nat(),
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  bit: fc.integer({ min: 0, max: 7 }),
});

const RUNS = Number(process.env.FUZZ_RUNS ?? 150);

t.test(
  'whatever byte is cut off or flipped: nothing before it is lost, nothing is invented, nothing throws',
  async (t) => {
    const root = await temporaryDirectory(t);
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(batch, { minLength: 1, maxLength: 25 }),
        damage,
        async (batches, { kind, file, at, bit }) => {
          const written = join(root, `${run}-written`);
          const crashed = join(root, `${run++}-crashed`);
          const journal = await openJournal(written, { maxSegmentBytes: 600 });
          for (const batch of batches) journal.append(batch);
          mkdirSync(join(crashed, 'journal'), { recursive: true });
          const names = readdirSync(join(written, 'journal')).sort();
          for (const name of names)
            copyFileSync(join(written, 'journal', name), join(crashed, 'journal', name));
          const firsts = (await segmentStarts(crashed)).concat(batches.length);
          await journal.close();

          const victim = file % names.length;
          const path = join(crashed, 'journal', names[victim]!);
          const bytes = readFileSync(path);
          const offset = Math.floor(at * bytes.length);
          if (kind === 'cut') truncateSync(path, offset);
          else {
            if (kind === 'flip') bytes[offset]! ^= 1 << bit;
            else bytes.fill(0, offset);
            writeFileSync(path, bytes);
          }
          const wholeBefore = await wholeBatchesBefore(join(written, 'journal', names[victim]!), offset);

          const reopened = await openJournal(crashed);
          const reader = reopened.reader('a', 'oldest');
          const replayed: number[] = [];
          for await (const entry of reopened.replay(0, detachedSeries)) replayed.push(entry.position);
          // It goes on behind what was there.
          const last = reopened.next.position;
          reopened.append(batchOf([{ series: all[0]!, timestampMs: 77 }]));
          const found = await readUpTo(reader, last);
          const after = found.pop();
          const expected = batches.flatMap((_, position) => {
            const isInVictim = position >= firsts[victim]! && position < firsts[victim + 1]!;
            return isInVictim && position - firsts[victim]! >= wholeBefore ? [] : [position];
          });
          // A byte of zeros filled with zeros is no damage: then more is found, all of it true.
          const positions = found.map(({ position }) => position);
          const isAllThere = expected.every((position) => positions.includes(position));
          const isTrue = found.every(
            ({ position, batch }) =>
              JSON.stringify(contentOf(batch)) === JSON.stringify(contentOf(batches[position]!)),
          );
          const isAscending = positions.every((position, i) => i === 0 || position > positions[i - 1]!);
          const isReplayed = JSON.stringify(replayed) === JSON.stringify(positions);
          await reopened.close();
          return isAllThere && isTrue && isAscending && isReplayed && after?.batch.timestampsMs[0] === 77;
        },
      ),
      { numRuns: RUNS },
    );
  },
);

/** Also batches without rows, which nobody waits for. */
async function readUpTo(reader: BatchReader, position: number): Promise<LoggedBatch[]> {
  const found: LoggedBatch[] = [];
  while (found.at(-1)?.position !== position) found.push((await reader.next(new AbortController().signal))!);
  return found;
}

async function segmentStarts(directory: string): Promise<number[]> {
  const segments = await listSegments(join(directory, 'journal'), () => {});
  return segments.from(0).map(({ first }) => first.position);
}

/** Counted by the lengths in front of the frames: batches that end at or before `offset`. */
async function wholeBatchesBefore(path: string, offset: number): Promise<number> {
  const bytes = readFileSync(path);
  let frames = 0;
  for (let at = 0; at < bytes.length; frames++) {
    at += 8 + bytes.readUInt32LE(at);
    if (at > offset) break;
  }
  // The first frame is the header.
  return Math.max(0, frames - 1);
}
