/** `status/tsdb` of a store without samples: what series and labels there are, and which are many. */
import { METRIC_NAME } from '../model/labels.js';
import type { ExemplarStore } from '../store/exemplar-store.js';
import type { TimeSlices } from '../util/time-slices.js';

export interface NamedCount {
  readonly name: string;
  readonly value: number;
}

/** The greatest so many of each, in Prometheus' keys. */
export async function storeStatistics(
  store: ExemplarStore,
  limit: number,
  slices: TimeSlices,
): Promise<object> {
  const { interner, size } = store.index;
  const byMetric = new Top(limit);
  const byPair = new Top(limit);
  const valuesOfName = new Top(limit);
  const bytesOfName = new Top(limit);
  let pairs = 0;
  for (const name of [...interner.names()]) {
    let bytes = 0;
    for (const [value, pair] of interner.valuesOf(name)) {
      const series = interner.postings(pair)?.length ?? 0;
      if (name === METRIC_NAME) byMetric.offer(value, series);
      byPair.offer(`${name}=${value}`, series);
      bytes += value.length;
      pairs++;
      if (slices.isOver) await slices.pause();
    }
    valuesOfName.offer(name, interner.valueCount(name));
    bytesOfName.offer(name, bytes);
  }
  return {
    headStats: { numSeries: size, numLabelPairs: pairs, chunkCount: 0, ...(await heldRange(store, slices)) },
    seriesCountByMetricName: byMetric.counts,
    labelValueCountByLabelName: valuesOfName.counts,
    memoryInBytesByLabelName: bytesOfName.counts,
    seriesCountByLabelValuePair: byPair.counts,
  };
}

async function heldRange({ index, rings }: ExemplarStore, slices: TimeSlices) {
  let minTime = Number.POSITIVE_INFINITY;
  let maxTime = Number.NEGATIVE_INFINITY;
  for (const series of index.all()) {
    if (rings.held(series) > 0) {
      minTime = Math.min(minTime, rings.oldestMs(series));
      maxTime = Math.max(maxTime, rings.newestMs(series));
    }
    if (slices.isOver) await slices.pause();
  }
  return minTime > maxTime ? { minTime: 0, maxTime: 0 } : { minTime, maxTime };
}

/** The greatest of many counts, without holding more than twice as many as asked for. */
class Top {
  readonly #limit: number;
  #counts: NamedCount[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  offer(name: string, value: number): void {
    this.#counts.push({ name, value });
    if (this.#counts.length >= 2 * this.#limit) this.#counts = this.counts;
  }

  get counts(): NamedCount[] {
    return [...this.#counts].sort((a, b) => b.value - a.value).slice(0, this.#limit);
  }
}
