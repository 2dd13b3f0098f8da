import type { Labels } from '../api/answers.js';

/** `targets` */
export interface TargetsAnswer {
  readonly activeTargets: readonly Target[];
  readonly droppedTargetCounts: Readonly<Record<string, number>>;
}

export interface Target {
  readonly labels: Labels;
  readonly discoveredLabels: Labels;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly lastError: string;
  /** RFC 3339; the year 1 before the first scrape. */
  readonly lastScrape: string;
  readonly lastScrapeDuration: number;
  readonly health: 'up' | 'down' | 'unknown';
  readonly scrapeInterval: string;
  readonly exemplarFindings: readonly Finding[];
}

/** What the doctor says. */
export interface Finding {
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  readonly next: string;
}
