/**
 * One life of a store with its journal: fills it, or finds again what the last life left. Prints its figures as
 * JSON. `journal-process.ts DIRECTORY fill EXEMPLARS kill|stop|memory` or `… DIRECTORY recover`
 */
import { Durability } from '../../src/durability.js';
import { DEFAULT_JOURNAL } from '../../src/journal/options.js';
import { encodeLabels } from '../../src/model/encoded-labels.js';
import type { EncodedExemplar } from '../../src/model/exemplar.js';
import { labelsFromRecord } from '../../src/model/labels.js';
import { ExemplarStore } from '../../src/store/exemplar-store.js';
import { Intake } from '../../src/store/intake.js';
import { DEFAULT_STORE_OPTIONS } from '../../src/store/options.js';
import { systemClock } from '../../src/util/clock.js';
import { silentLog } from '../../src/util/log.js';

const SERIES = 10_000;
/** Rows of one body. */
const BATCH = 1_000;

const [path, mode, exemplars, end] = process.argv.slice(2);
const store = new ExemplarStore({
  ...DEFAULT_STORE_OPTIONS,
  perSeries: 1_000,
  maxExemplars: 10_000_000,
  maxBytes: 2 ** 30,
});
const options = { ...DEFAULT_JOURNAL, maxBytes: 4 * 2 ** 30 };
const durability = new Durability({ path: path!, options, store, clock: systemClock, log: silentLog });
const startMs = performance.now();
await durability.open();
if (mode === 'fill') await fill(Number(exemplars));
else {
  report({ seconds: (performance.now() - startMs) / 1000, exemplars: store.exemplars });
  process.exit();
}

async function fill(count: number): Promise<void> {
  const intake = new Intake(
    store,
    end === 'memory' ? undefined : (batch) => durability.journal.append(batch),
  );
  const nowMs = Date.now() - count;
  const refs = Array.from({ length: SERIES }, (_, n) => store.seriesOf(seriesLabels(n), nowMs));
  const rows = Array.from({ length: BATCH }, (_, n) => exemplarOf(n));
  const cpu = process.cpuUsage();
  for (let i = 0; i < count; i++) {
    const sample = { value: i, timestampMs: nowMs + i, startMs: 0 };
    intake.append(refs[i % SERIES]!, { ...rows[i % BATCH]!, timestampMs: nowMs + i }, sample, nowMs + i);
    if (i % BATCH === BATCH - 1) {
      intake.commit();
      await new Promise(setImmediate);
    }
  }
  const { user, system } = process.cpuUsage(cpu);
  const bytes = durability.journal.bytes;
  if (end === 'kill') {
    report({ microseconds: (user + system) / count, bytes: bytes / count });
    process.kill(process.pid, 'SIGKILL');
  }
  const stopMs = performance.now();
  await durability.close();
  const stopSeconds = (performance.now() - stopMs) / 1000;
  report({ microseconds: (user + system) / count, bytes: bytes / count, stopSeconds });
}

function seriesLabels(n: number) {
  return labelsFromRecord({
    __name__: 'http_request_duration_seconds_bucket',
    instance: 'shop-1:8080',
    job: 'shop',
    le: String((n % 15) / 10),
    method: 'GET',
    route: `/products/${Math.floor(n / 15)}`,
    status: '200',
  });
}

function exemplarOf(n: number): EncodedExemplar {
  const id = (n + 1) * 0x9e3779b1;
  const labels = encodeLabels(
    labelsFromRecord({
      span_id: id.toString(16).padStart(16, '0'),
      trace_id: id.toString(16).padStart(32, 'a'),
    }),
  );
  return {
    value: n,
    timestampMs: 0,
    hasOwnTimestamp: true,
    labels,
    labelsLength: labels.length,
    codePoints: 63,
  };
}

function report(figures: Readonly<Record<string, number>>): void {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
