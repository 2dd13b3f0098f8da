import { readFileSync } from 'node:fs';
import { Counter } from 'prom-client';
import { addReadCounter, addReadGauge, type MetricsRegistry } from '../telemetry/registry.js';
import type { ArchiveStatus } from './archive.js';
import type { ArchiveMeter } from './meter.js';
import type { EngineStatus } from './open-database.js';

export interface ArchiveMetricsSource {
  /** Undefined while there is no archive. */
  status(): ArchiveStatus | undefined;
  /** Undefined while none is embedded. */
  engine(): EngineStatus | undefined;
}

/** Shows the archive's figures: they are read when metrics are rendered. */
export function addArchiveMetrics(
  registry: MetricsRegistry,
  meter: ArchiveMeter,
  source: ArchiveMetricsSource,
): void {
  const counters: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ['rows_total', 'Exemplars written to the archive.', () => meter.rows],
    ['batches_total', 'Blocks that they were written in.', () => meter.blocks],
    ['bytes_total', 'Bytes of those blocks.', () => meter.bytes],
    ['insert_seconds_total', 'Time that writing them took.', () => meter.insertSeconds],
    ['refused_rows_total', 'Exemplars that the table did not take, put aside.', () => meter.refusedRows],
    ['queries_total', 'Times the archive was asked.', () => meter.queries],
    ['query_seconds_total', 'Time until it had answered.', () => meter.querySeconds],
    ['query_failures_total', 'Times there was no answer, or not in time.', () => meter.queryFailures],
    [
      'engine_restarts_total',
      'Times the process of the embedded engine was started again.',
      () => source.engine()?.restarts ?? 0,
    ],
    [
      'lost_rows_total',
      'Exemplars that the log had to drop before the archive had them.',
      () => source.status()?.lostRows ?? 0,
    ],
  ];
  const gauges: readonly (readonly [name: string, help: string, read: () => number])[] = [
    [
      'up',
      '1 while exemplars can be written, 0 while they cannot, or there is no archive.',
      () => Number(source.status()?.isTaking ?? false),
    ],
    [
      'pending_rows',
      'Accepted exemplars that are not in the archive yet.',
      () => source.status()?.pendingRows ?? 0,
    ],
    ['lag_seconds', 'How long ago the oldest of them was scraped.', () => source.status()?.lagSeconds ?? 0],
    [
      'table_rows',
      'Exemplars in the archive, before merges find repeats.',
      () => source.status()?.figures?.rows ?? 0,
    ],
    ['table_bytes', 'Its size on disk.', () => source.status()?.figures?.bytes ?? 0],
    [
      'detached_broken_parts',
      'Parts of its tables found broken, and put aside with their rows.',
      () => source.status()?.figures?.brokenParts ?? 0,
    ],
    [
      'engine_resident_memory_bytes',
      'Memory of the process of the embedded engine.',
      () => residentBytes(source.engine()?.pid),
    ],
  ];
  for (const [name, help, read] of counters)
    addReadCounter(registry, `exemplard_archive_${name}`, help, read);
  for (const [name, help, read] of gauges) addReadGauge(registry, `exemplard_archive_${name}`, help, read);
  addByReason(
    registry,
    'skipped_rows_total',
    'Exemplars not written, by reason.',
    'reason',
    meter.skippedRows,
  );
  addByReason(
    registry,
    'insert_failures_total',
    'Blocks that did not get in at once, by the number of ClickHouse’s error.',
    'code',
    meter.failures,
  );
}

function addByReason(
  registry: MetricsRegistry,
  name: string,
  help: string,
  label: string,
  counts: ReadonlyMap<string, number>,
): void {
  new Counter({
    name: `exemplard_archive_${name}`,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [reason, count] of counts) this.inc({ [label]: reason }, count);
    },
  });
}

/** As Linux tells; 0 elsewhere, and of a process that is gone. */
function residentBytes(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0;
  }
}
