/** What the command line shows of the archive. */
import t from 'tap';
import { queryExemplars, queryRetention } from '../../src/cli/query.js';
import type { ArchiveRetention, ExemplarArchive } from '../../src/model/archive.js';
import { labelsFromRecord } from '../../src/model/labels.js';
import { createApi, createStore } from '../support/api.js';
import { traced } from '../support/exemplar.js';

const NOW_MS = 1_763_796_000_000;
const DAY_MS = 86_400_000;
const TRACE = 'a'.repeat(32);

const RETENTION: ArchiveRetention = {
  oldestMs: NOW_MS - 2 * DAY_MS,
  newestMs: NOW_MS,
  rows: 1_000_000,
  bytes: 43_500_000,
  rowsPerDay: 500_000,
  ttlMs: 30 * DAY_MS,
  freeBytes: 10 * 1024 ** 3,
  pendingRows: 12,
};

/** One exemplar in the rings, another in the archive. */
async function start(t: { teardown(work: () => unknown): void }, retention: ArchiveRetention) {
  const store = createStore();
  const labels = labelsFromRecord({ __name__: 'a_total', job: 'shop' });
  store.append(store.seriesOf(labels, NOW_MS), traced(NOW_MS, TRACE, 1), NOW_MS);
  const nothing = async () => ({ found: [], warnings: [] });
  const older = { timestampMs: NOW_MS - DAY_MS, value: 2, labels: labelsFromRecord({ trace_id: TRACE }) };
  const archive: ExemplarArchive = {
    isShared: true,
    exemplars: async () => ({ found: [{ labels, exemplars: [older] }], warnings: ['archive: it is slow'] }),
    exemplarsOfTrace: nothing,
    labelNames: nothing,
    labelValues: nothing,
    labelSets: nothing,
    retention: async () => ({ found: retention, warnings: [] }),
  };
  const clock = { nowMs: () => NOW_MS, monotonicMs: () => performance.now(), after: () => () => {} };
  const server = await createApi(store, { archive: () => archive, clock });
  t.teardown(() => server.close());
  return server.listen({ host: '127.0.0.1', port: 0 });
}

async function run(query: (out: (text: string) => void, err: (text: string) => void) => Promise<number>) {
  let out = '';
  let err = '';
  const code = await query(
    (text) => {
      out += text;
    },
    (text) => {
      err += text;
    },
  );
  return { code, out, err };
}

t.test('exemplars of the rings, of the archive, or of both, and what is wrong with them', async (t) => {
  const server = await start(t, RETENTION);
  const ask = (source?: string) =>
    run((out, err) =>
      queryExemplars(
        { server, output: 'table', expression: 'a_total', ...(source === undefined ? {} : { source }) },
        out,
        err,
      ),
    );
  const days = ({ out }: { out: string }) =>
    [...out.matchAll(/^\d{4}-\d\d-\d\d/gm)].map(([day]) => day.slice(-2));
  t.same(days(await ask()), ['21', '22']);
  t.same(days(await ask('all')), ['21', '22']);
  t.same(days(await ask('archive')), ['21']);
  const memory = await ask('memory');
  t.same([days(memory), memory.err], [['22'], '']);
  t.match(await ask('archive'), { code: 0, err: 'warning: archive: it is slow\n' });
  t.match(await ask('disk'), { code: 1, err: /invalid parameter "source"/ });
});

t.test('retention of the archive', async (t) => {
  const shown = async (changes: Partial<ArchiveRetention>) => {
    const server = await start(t, { ...RETENTION, ...changes });
    const { out } = await run((stdout, stderr) =>
      queryRetention({ server, output: 'table' }, stdout, stderr),
    );
    return out.slice(out.indexOf('archive:')).split('\n');
  };
  t.same(await shown({}), [
    'archive: 1000000 exemplars in 41.5 MiB (43.5 B each), the oldest of 2025-11-20T07:20:00.000Z',
    '         500000 a day, 12 waiting to be archived, kept for 30d, 10.0 GiB free on its disk',
    '         from 2025-12-20T07:20:00.000Z on it remembers 30d, and the oldest go',
    '',
  ]);
  const full = await shown({ freeBytes: 43_500_000, ttlMs: 0 });
  t.match(full[1], /kept for ever, 41\.5 MiB free on its disk$/);
  t.match(full[2], /^ {9}its disk is full at 2025-11-24T07:\d\d.*, with 4d remembered$/);
  t.same(await shown({ rows: 0, bytes: 0, oldestMs: undefined, freeBytes: undefined, ttlMs: 0 }), [
    'archive: 0 exemplars in 0 B',
    '         500000 a day, 12 waiting to be archived, kept for ever',
    '',
  ]);
});
