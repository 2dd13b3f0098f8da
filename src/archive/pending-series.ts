import type { ArchivedExemplar, ArchivedSeries, ArchiveFilter } from '../model/archive.js';
import { type Batch, labelsStartOf, type Series } from '../model/batch.js';
import { decodeLabels } from '../model/encoded-labels.js';
import { labelValue } from '../model/labels.js';
import type { TimeSlices } from '../util/time-slices.js';

/**
 * Exemplars on their way to the archive that a query asks for: rings may have given them up before they are in. What was
 * accepted twice, as after a restart, is in it twice.
 */
export async function pendingSeries(
  batches: readonly Batch[],
  filter: ArchiveFilter,
  matches: (exemplar: ArchivedExemplar) => boolean,
  slices: TimeSlices,
): Promise<ArchivedSeries[]> {
  const isWanted = seriesFilter(filter);
  const found = new Map<Series, ArchivedExemplar[]>();
  for (const batch of batches) {
    for (let row = 0; row < batch.length; row++) {
      const timestampMs = batch.timestampsMs[row]!;
      if (timestampMs < filter.startMs || timestampMs > filter.endMs) continue;
      const series = batch.series[row]!;
      if (!isWanted(series)) continue;
      const labels = decodeLabels(batch.labelBytes, labelsStartOf(batch, row), batch.labelEnds[row]);
      const exemplar = { timestampMs, value: batch.values[row]!, labels };
      if (!matches(exemplar)) continue;
      const exemplars = found.get(series);
      if (exemplars === undefined) found.set(series, [exemplar]);
      else exemplars.push(exemplar);
    }
    if (slices.isOver) await slices.pause();
  }
  return [...found].map(([{ labels }, exemplars]) => ({ labels, exemplars }));
}

/** Judges a series once, however many rows it has. */
function seriesFilter({ selectors }: ArchiveFilter): (series: Series) => boolean {
  const verdicts = new Map<Series, boolean>();
  return (series) => {
    let verdict = verdicts.get(series);
    if (verdict === undefined) {
      verdict =
        selectors.length === 0 ||
        selectors.some((matchers) =>
          matchers.every((matcher) => matcher.matches(labelValue(series.labels, matcher.name))),
        );
      verdicts.set(series, verdict);
    }
    return verdict;
  };
}
