import t from 'tap';
import { batchBytes, MemoryLog } from '../../src/journal/memory-log.js';
import type { Batch, BatchReader } from '../../src/model/batch.js';
import { batchOf, seriesOf } from '../support/batch.js';
import fc from '../support/properties.js';

const never = new AbortController().signal;
const series = seriesOf(0, { __name__: 'x' });

function batchOfRows(rows: number): Batch {
  return batchOf(Array.from({ length: rows }, (_, i) => ({ series, timestampMs: i + 1 })));
}

async function position(reader: BatchReader): Promise<number | undefined> {
  return (await reader.next(never))?.position;
}

t.test('keeps nothing without a reader, and starts a reader at what is appended next', async (t) => {
  const log = new MemoryLog({ maxBytes: 1e6 });
  log.append(batchOfRows(1));
  t.equal(log.bytes, 0);
  const reader = log.reader('a');
  log.append(batchOfRows(2));
  t.equal(reader.pendingRows, 2);
  t.equal(await position(reader), 1);
});

t.test('next waits for a batch, and ends with the signal or the log', async (t) => {
  const log = new MemoryLog({ maxBytes: 1e6 });
  const reader = log.reader('a');
  const waited = position(reader);
  log.append(batchOfRows(1));
  t.equal(await waited, 0);

  const abort = new AbortController();
  const aborted = reader.next(abort.signal);
  abort.abort();
  t.equal(await aborted, undefined);

  const ended = reader.next(never);
  log.close();
  t.equal(await ended, undefined);
});

t.test('a batch counts as delivered once every reader has confirmed it', async (t) => {
  const delivered: number[] = [];
  const log = new MemoryLog({ maxBytes: 1e6, onDelivered: (batch) => delivered.push(batch.length) });
  const [a, b] = [log.reader('a'), log.reader('b')];
  log.append(batchOfRows(1));
  log.append(batchOfRows(2));
  for (const reader of [a, b]) await position(reader).then(() => position(reader));
  a.confirm(1);
  t.same(delivered, []);
  b.confirm(0);
  t.same(delivered, [1]);
  b.confirm(1);
  t.same(delivered, [1, 2]);
  t.equal(log.bytes, 0);
});

t.test('past the bound only the slow reader loses, oldest batch first', async (t) => {
  const delivered: Batch[] = [];
  const one = batchOfRows(1);
  const log = new MemoryLog({ maxBytes: 2 * batchBytes(one), onDelivered: (batch) => delivered.push(batch) });
  const [quick, slow] = [log.reader('quick'), log.reader('slow')];
  for (let i = 0; i < 5; i++) {
    log.append(one);
    quick.confirm((await position(quick))!);
  }
  t.equal(quick.lostRows, 0);
  t.equal(slow.lostRows, 3);
  t.equal(slow.pendingRows, 2);
  t.equal(await position(slow), 3);
  slow.confirm(3);
  t.equal(delivered.length, 1);
});

t.test('a closed reader holds nothing back, and its name is free again', async (t) => {
  const log = new MemoryLog({ maxBytes: 1e6 });
  const reader = log.reader('a');
  log.append(batchOfRows(1));
  log.append(batchOfRows(1));
  await position(reader);
  t.throws(() => log.reader('a'), /already has a reader "a"/);
  reader.close();
  t.equal(log.bytes, 0);
  const successor = log.reader('a');
  reader.close();
  log.append(batchOfRows(1));
  t.equal(await position(reader), undefined);
  t.equal(await position(successor), 2);
});

/** The same, by keeping for each reader the list of what it has yet to read and of what it holds. */
class NaiveLog {
  readers = new Map<string, { unread: number[]; held: number[]; again: number[]; lost: number }>();
  sizes: number[] = [];
  lostBySomeone = new Set<number>();
  confirmedBySomeone = new Set<number>();
  delivered: number[] = [];

  constructor(readonly maxBytes: number) {}

  kept(): number[] {
    const kept = new Set<number>();
    for (const { unread, held, again } of this.readers.values())
      for (const at of [...unread, ...held, ...again]) kept.add(at);
    return [...kept];
  }

  bytes(): number {
    return this.kept().reduce((sum, at) => sum + batchBytes(batchOfRows(this.sizes[at]!)), 0);
  }

  append(rows: number): void {
    const at = this.sizes.push(rows) - 1;
    for (const reader of this.readers.values()) reader.unread.push(at);
    while (this.bytes() > this.maxBytes) {
      const oldest = Math.min(...[...this.readers.values()].map((reader) => reader.unread[0] ?? Infinity));
      if (oldest === Infinity) break;
      for (const reader of this.readers.values()) {
        if (reader.unread[0] !== oldest) continue;
        reader.unread.shift();
        reader.lost += this.sizes[oldest]!;
        this.lostBySomeone.add(oldest);
      }
    }
  }

  confirm(name: string, position: number): void {
    const reader = this.readers.get(name)!;
    const done = reader.held.filter((at) => at <= position);
    reader.held = reader.held.filter((at) => at > position);
    for (const at of done) this.confirmedBySomeone.add(at);
    this.settle(done);
  }

  close(name: string): void {
    const { unread, held, again } = this.readers.get(name)!;
    this.readers.delete(name);
    this.settle([...held, ...again, ...unread]);
  }

  settle(positions: number[]): void {
    const kept = this.kept();
    for (const at of positions) {
      if (kept.includes(at) || this.lostBySomeone.has(at) || !this.confirmedBySomeone.has(at)) continue;
      this.delivered.push(at);
    }
  }
}

type Step =
  | { do: 'append'; rows: number }
  | { do: 'open' | 'close' | 'read' | 'rewind'; name: string }
  | { do: 'confirm'; name: string; ahead: number };

const name = fc.constantFrom('a', 'b', 'c');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('append'), rows: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read'), name }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('confirm'), name, ahead: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('open'), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close'), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rewind'), name }) },
) as fc.Arbitrary<Step>;

t.test(
  'any order of appending, reading, confirming, rewinding, opening and closing equals the naive log',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const maxBytes = 5 * batchBytes(batchOfRows(2));
        const naive = new NaiveLog(maxBytes);
        const delivered: number[] = [];
        const batches = new Map<Batch, number>();
        const log = new MemoryLog({ maxBytes, onDelivered: (batch) => delivered.push(batches.get(batch)!) });
        const readers = new Map<string, BatchReader>();
        for (const step of steps) {
          if (step.do === 'append') {
            const batch = batchOfRows(step.rows);
            batches.set(batch, naive.sizes.length);
            naive.append(step.rows);
            log.append(batch);
          } else if (step.do === 'open') {
            if (readers.has(step.name)) continue;
            naive.readers.set(step.name, { unread: [], held: [], again: [], lost: 0 });
            readers.set(step.name, log.reader(step.name));
          } else {
            const reader = readers.get(step.name);
            const model = naive.readers.get(step.name);
            if (reader === undefined || model === undefined) continue;
            if (step.do === 'close') {
              naive.close(step.name);
              reader.close();
              readers.delete(step.name);
            } else if (step.do === 'confirm') {
              const upTo = (model.held[0] ?? -1) + step.ahead;
              naive.confirm(step.name, upTo);
              reader.confirm(upTo);
            } else if (step.do === 'rewind') {
              model.again.unshift(...model.held.splice(0));
              reader.rewind();
            } else if (model.again.length + model.unread.length > 0) {
              const expected = (model.again.shift() ?? model.unread.shift())!;
              model.held.push(expected);
              if ((await position(reader)) !== expected) return false;
            }
          }
          if (log.bytes !== naive.bytes()) return false;
          for (const [name, reader] of readers) {
            const model = naive.readers.get(name)!;
            const pending = [...model.unread, ...model.held, ...model.again].reduce(
              (sum, at) => sum + naive.sizes[at]!,
              0,
            );
            if (reader.pendingRows !== pending || reader.lostRows !== model.lost) return false;
          }
        }
        return JSON.stringify(delivered) === JSON.stringify(naive.delivered);
      }),
      { numRuns: 300 },
    );
  },
);
