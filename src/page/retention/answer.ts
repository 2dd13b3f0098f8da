import type { Labels } from '../api/answers.js';

/** `retention`; times in seconds since 1970. */
export interface RetentionAnswer {
  readonly timestamp: number;
  readonly limits: { readonly perSeries: number; readonly maxExemplars: number; readonly maxBytes: number };
  readonly bytes: { readonly slots: number; readonly labels: number; readonly index: number };
  readonly groups: readonly RetentionGroup[];
  /** Not there without an archive. */
  readonly archive?: ArchiveRetention;
}

export interface RetentionGroup {
  readonly labels: Labels;
  readonly series: number;
  readonly fullSeries: number;
  readonly exemplars: number;
  readonly slots: number;
  readonly oldest: number | null;
  readonly newest: number | null;
  readonly windowSeconds: Readonly<Record<'min' | 'p10' | 'p50' | 'p90' | 'max', number | null>>;
  /** Exemplars a second. */
  readonly rate: Readonly<Record<'5m' | '1h', number>>;
  readonly overwritten: number;
  readonly overwrittenUnforwarded: number;
  readonly forecast: {
    readonly secondsToFull: number | null;
    readonly steadyWindowSeconds: number | null;
    readonly perSeriesForTarget: number | null;
    readonly bytesForTarget: number | null;
  };
}

export interface ArchiveRetention {
  readonly oldest: number | null;
  readonly newest: number | null;
  readonly rows: number;
  readonly bytes: number;
  readonly rowsPerDay: number;
  /** Null: for ever. */
  readonly ttlSeconds: number | null;
  readonly freeBytes: number | null;
}
