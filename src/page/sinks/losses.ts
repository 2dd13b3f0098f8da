import type { Sink } from './answer.js';

export type SinkKind = 'journal' | 'remote_write' | 'archive' | 'sampler';

export interface Loss {
  readonly reason: string;
  readonly count: number;
}

/** Figures that count what is gone, or did not work; what each of them means. */
const LOSSES: Readonly<Record<SinkKind, Readonly<Record<string, string>>>> = {
  journal: {
    unwritten_exemplars_total: 'exemplars could not be written before memory ran out',
    abandoned_exemplars_total: 'exemplars waited for a sink that is gone from the configuration',
    write_errors_total: 'attempts to write failed',
    fsync_errors_total: 'times the disk did not confirm',
    damaged_segments_total: 'segments found damaged',
  },
  remote_write: {
    exemplars_lost_total: 'exemplars left the journal before they were read',
    exemplars_dropped_total: 'exemplars dropped',
    exemplars_trimmed_total: 'exemplars sent without some of their labels',
  },
  archive: {
    lost_rows_total: 'exemplars left the journal before the archive had them',
    refused_rows_total: 'exemplars that the table did not take, put aside',
    skipped_rows_total: 'exemplars not written',
    insert_failures_total: 'blocks that did not get in at once',
    query_failures_total: 'queries without an answer in time',
    detached_broken_parts: 'parts found broken, put aside with their rows',
  },
  sampler: {
    traces_missing_total: 'chosen traces without spans',
    failures_total: 'things that did not work; windows are tried again',
    budget_exhausted_total: 'windows in which a budget kept more from being kept',
  },
};

/** What a sink lost, by reason, the most first; nothing where all is well. */
export function lossesOf(kind: SinkKind, { figures, parts }: Sink): Loss[] {
  const losses = Object.entries(LOSSES[kind]).flatMap(([figure, meaning]) => {
    const byReason = parts[figure];
    if (byReason === undefined) return [{ reason: meaning, count: figures[figure] ?? 0 }];
    return Object.entries(byReason).map(([reason, count]) => ({
      reason: `${meaning}: ${reason.replaceAll('_', ' ')}`,
      count,
    }));
  });
  return losses.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
}
