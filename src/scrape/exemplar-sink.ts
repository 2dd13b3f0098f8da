import type { EncodedExemplar, Sample, Verdict } from '../model/exemplar.js';
import type { Labels } from '../model/labels.js';
import type { Metadata } from '../model/metadata.js';
import type { SeriesRef } from '../model/refs.js';

/** Where scraped exemplars go. Between the first `append` of a body and its `commit` nobody else calls. */
export interface ExemplarSink {
  /** Whether anyone reads what is taken in. If not, nobody needs start times, nor to know when a series ends. */
  readonly hasReaders: boolean;
  /** The series of a label set, created if need be; NO_SERIES where there is no room for it. */
  seriesOf(labels: Labels, nowMs: number): SeriesRef;
  /** Changes when the number is given to another series; that of NO_SERIES when it is worth asking again. */
  generation(series: SeriesRef): number;
  append(series: SeriesRef, exemplar: EncodedExemplar, sample: Sample, nowMs: number): Verdict;
  /** A series shows exactly what it showed last time, which was judged `verdict`. */
  seenAgain(series: SeriesRef, verdict: Verdict, nowMs: number): void;
  /** An exemplar was refused before it could be appended. */
  countRejected(series: SeriesRef, verdict: Verdict): void;
  /** What the exposition says of the metric of this series. Said when the target first shows the series. */
  describe(series: SeriesRef, metadata: Metadata): void;
  /** The target has stopped exposing this series. Part of the body under way, like `append`. */
  markStale(series: SeriesRef, nowMs: number): void;
  commit(): void;
}
