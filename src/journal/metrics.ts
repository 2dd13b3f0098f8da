import { addReadCounter, addReadGauge, type MetricsRegistry } from '../telemetry/registry.js';
import type { Journal } from './journal.js';
import type { Snapshots } from './snapshots.js';

export interface JournalMetricsSource {
  readonly journal: Journal;
  readonly snapshots: Snapshots;
  /** What the last start read. */
  readonly recovery: { readonly seconds: number; readonly replayedRows: number };
}

/** Shows the journal's own figures: they are read when metrics are rendered, and cost nothing before. */
export function addJournalMetrics(registry: MetricsRegistry, source: JournalMetricsSource): void {
  const { journal, snapshots } = source;
  const { totals } = journal;
  const counters: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ['appended_batches_total', 'Batches accepted.', () => totals.appendedBatches],
    ['appended_exemplars_total', 'Exemplars in them.', () => totals.appendedRows],
    ['written_bytes_total', 'Bytes written to segments.', () => totals.writtenBytes],
    ['write_errors_total', 'Attempts to write that failed.', () => totals.writeErrors],
    [
      'unwritten_exemplars_total',
      'Exemplars lost in memory before they could be written.',
      () => totals.neverWrittenRows,
    ],
    ['fsyncs_total', 'Times the disk was told to write what it holds back.', () => totals.fsyncs],
    ['fsync_seconds_total', 'Time that took.', () => totals.fsyncSeconds],
    ['fsync_errors_total', 'Times that failed.', () => totals.fsyncErrors],
    ['damaged_segments_total', 'Segments found damaged.', () => totals.damagedSegments],
    [
      'dropped_segments_total',
      'Segments removed to stay inside the bound, or because nobody needs them.',
      () => totals.droppedSegments,
    ],
    [
      'abandoned_exemplars_total',
      'Exemplars that waited for a reader which is gone from the configuration.',
      () => totals.abandonedRows,
    ],
    ['snapshots_total', 'Snapshots saved.', () => snapshots.totals.saved],
    ['snapshot_errors_total', 'Snapshots that could not be saved.', () => snapshots.totals.errors],
  ];
  const gauges: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ['bytes', 'Size of all segments.', () => journal.bytes],
    ['max_bytes', 'What it may be.', () => journal.maxBytes],
    ['segments', 'Segments on disk.', () => journal.segments],
    [
      'memory_bytes',
      'Batches in memory, for readers that keep up or a disk that does not.',
      () => journal.memoryBytes,
    ],
    ['writable', '1, or 0 while the disk refuses batches.', () => (journal.failure === undefined ? 1 : 0)],
    ['snapshot_bytes', 'Size of the last snapshot saved.', () => snapshots.totals.lastBytes],
    ['snapshot_duration_seconds', 'How long saving it took.', () => snapshots.totals.lastSeconds],
    ['snapshot_timestamp_seconds', 'When it was saved.', () => snapshots.totals.lastSavedMs / 1000],
    [
      'recovery_duration_seconds',
      'How long the start took to restore everything.',
      () => source.recovery.seconds,
    ],
    ['recovery_exemplars', 'Exemplars read from segments then.', () => source.recovery.replayedRows],
  ];
  for (const [name, help, read] of counters)
    addReadCounter(registry, `exemplard_journal_${name}`, help, read);
  for (const [name, help, read] of gauges) addReadGauge(registry, `exemplard_journal_${name}`, help, read);
}
