export type Health = 'unknown' | 'up' | 'down';

/** How the last scrape of a target went. */
export interface TargetStatus {
  readonly health: Health;
  /** Empty when it went well. */
  readonly lastError: string;
  /** NaN before the first scrape. */
  readonly lastScrapeMs: number;
  readonly lastDurationMs: number;
  /** Of the last body, inflated. */
  readonly lastBodyBytes: number;
  /** Lines of the last body that carried exemplars. */
  readonly lastExemplarLines: number;
}

export const NEVER_SCRAPED: TargetStatus = {
  health: 'unknown',
  lastError: '',
  lastScrapeMs: Number.NaN,
  lastDurationMs: 0,
  lastBodyBytes: 0,
  lastExemplarLines: 0,
};
