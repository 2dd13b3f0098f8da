import { Journal, type JournalParts } from '../../src/journal/journal.js';
import { DEFAULT_JOURNAL } from '../../src/journal/options.js';
import type { Batch, BatchReader, LoggedBatch, Series } from '../../src/model/batch.js';
import { hashLabels } from '../../src/model/encoded-labels.js';
import type { Labels } from '../../src/model/labels.js';
import type { Metadata } from '../../src/model/metadata.js';
import { NO_SERIES } from '../../src/model/refs.js';
import { systemClock } from '../../src/util/clock.js';
import { silentLog } from '../../src/util/log.js';

export function detachedSeries(labels: Labels, metadata: Metadata): Series {
  return { ref: NO_SERIES, labels, hash: hashLabels(labels), metadata };
}

export async function openJournal(directory: string, more: Partial<JournalParts> = {}): Promise<Journal> {
  const journal = new Journal({
    directory,
    options: DEFAULT_JOURNAL,
    resolve: detachedSeries,
    onDelivered: () => {},
    onLost: () => {},
    clock: systemClock,
    log: silentLog,
    ...more,
  });
  await journal.open();
  return journal;
}

/** What a reader that has confirmed everything before finds, without waiting for more. */
export async function readAll(reader: BatchReader): Promise<LoggedBatch[]> {
  const all: LoggedBatch[] = [];
  for (let rows = 0; rows < reader.pendingRows; rows += all.at(-1)!.batch.length) {
    all.push((await reader.next(new AbortController().signal))!);
  }
  return all;
}

/** A batch as plain values, to compare. */
export function contentOf(batch: Batch): object {
  return {
    acceptedMs: batch.acceptedMs,
    series: batch.series.map(({ labels, metadata }) => [labels, metadata]),
    timestampsMs: [...batch.timestampsMs],
    values: [...batch.values],
    ownTimestamps: [...batch.ownTimestamps],
    labels: batch.labelBytes.toString('latin1'),
    labelEnds: [...batch.labelEnds],
    sampleValues: [...batch.sampleValues],
    sampleTimestampsMs: [...batch.sampleTimestampsMs],
    sampleStartsMs: [...batch.sampleStartsMs],
    staleSeries: batch.staleSeries.map(({ labels }) => labels),
  };
}
