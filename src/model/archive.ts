/** What a long memory behind the rings is asked, and what it answers. The archive keeps this contract; queries know no more of it. */
import type { Labels } from './labels.js';
import type { Matcher } from './matcher.js';

export interface ArchivedExemplar {
  readonly timestampMs: number;
  readonly value: number;
  readonly labels: Labels;
}

export interface ArchivedSeries {
  readonly labels: Labels;
  /** In no order; some may be there more than once. */
  readonly exemplars: readonly ArchivedExemplar[];
}

/** Which series and times; both ends inclusive, infinite where not said. */
export interface ArchiveFilter {
  /** Series that any of them selects; none: all. */
  readonly selectors: readonly (readonly Matcher[])[];
  readonly startMs: number;
  readonly endMs: number;
}

/** What memory does not have itself. */
export interface ArchiveNeed {
  /** Series that are not named here: up to this time, inclusive. */
  readonly othersUntilMs: number;
  /** Series that memory knows, where it needs more or less of them. */
  readonly series: readonly { readonly labels: Labels; readonly untilMs: number }[];
}

export interface ArchiveQuery extends ArchiveFilter {
  /** Both ends inclusive; with either, NaN is left out. */
  readonly minValue: number | undefined;
  readonly maxValue: number | undefined;
  /** Which are left out where there are too many: the latest (`asc`) or the earliest. */
  readonly order: 'asc' | 'desc';
  readonly limit: number | undefined;
  readonly need: ArchiveNeed;
}

/** An answer, and what is wrong with it, for people. */
export interface Archived<Found> {
  readonly found: Found;
  readonly warnings: readonly string[];
}

/** How much the archive remembers, and for how long it will. */
export interface ArchiveRetention {
  /** Milliseconds since 1970; undefined while it has nothing. */
  readonly oldestMs: number | undefined;
  readonly newestMs: number | undefined;
  readonly rows: number;
  /** On disk. */
  readonly bytes: number;
  /** Over the last day, or as long as there is anything. */
  readonly rowsPerDay: number;
  /** 0: for ever. */
  readonly ttlMs: number;
  /** Free on the disk that it is on; undefined where that is not known. */
  readonly freeBytes: number | undefined;
  /** Accepted, and not yet there. */
  readonly pendingRows: number;
}

/** Never rejects because the archive is away or slow: then nothing is found, and a warning says so. */
export interface ExemplarArchive {
  /** Whether others write to it, so that it may have series and times that this process never saw. */
  readonly isShared: boolean;
  exemplars(query: ArchiveQuery): Promise<Archived<readonly ArchivedSeries[]>>;
  /** @param id of 32 hex digits, or whatever text stands for one */
  exemplarsOfTrace(id: string): Promise<Archived<readonly ArchivedSeries[]>>;
  labelNames(filter: ArchiveFilter): Promise<Archived<readonly string[]>>;
  labelValues(name: string, filter: ArchiveFilter): Promise<Archived<readonly string[]>>;
  labelSets(filter: ArchiveFilter, limit: number): Promise<Archived<readonly Labels[]>>;
  retention(): Promise<Archived<ArchiveRetention | undefined>>;
}
