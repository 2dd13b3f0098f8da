import type { QueryLimits } from '../../src/http/query-limits.js';

/** As without flags. */
export const DEFAULT_QUERY_LIMITS: QueryLimits = {
  maxConcurrency: 20,
  timeoutMs: 120_000,
  maxExemplars: 5_000_000,
};
