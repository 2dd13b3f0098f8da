import { NO_SERIES, type SeriesRef } from '../model/refs.js';
import { DROPPED } from './cache-contract.js';

/** Lines of a body, by what became of them. */
export interface BodyCounts {
  /** Lines that carry exemplars. */
  readonly lines: number;
  /** Lines that look like one but are no sample: they have no series to count them on. */
  readonly malformedLines: number;
  /** Lines with exemplars whose series `metric_relabel_configs` drop. */
  readonly droppedLines: number;
  /** Lines whose (last) exemplar `exemplar_relabel_configs` drop. */
  readonly relabelledLines: number;
  /** Lines with exemplars whose series the store has no room for. */
  readonly refusedLines: number;
}

/** Counts the lines of one body after the other. */
export class LineCounts implements BodyCounts {
  lines = 0;
  malformedLines = 0;
  droppedLines = 0;
  relabelledLines = 0;
  refusedLines = 0;

  reset(): void {
    this.lines = 0;
    this.malformedLines = 0;
    this.droppedLines = 0;
    this.relabelledLines = 0;
    this.refusedLines = 0;
  }

  /** A line whose series is none of the store's. */
  countLost(ref: SeriesRef): void {
    if (ref === DROPPED) this.droppedLines++;
    else if (ref === NO_SERIES) this.refusedLines++;
    else this.malformedLines++;
  }
}
