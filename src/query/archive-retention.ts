import type { ArchiveRetention } from '../model/archive.js';

const DAY_MS = 24 * 60 * 60_000;

/** What ends the archive's memory, and when it begins to. */
interface End {
  readonly by: 'ttl' | 'disk';
  /** Unix seconds: from then on, old exemplars go as new ones come (`ttl`), or nothing new gets in (`disk`). */
  readonly at: number;
  /** How far back it then reaches. */
  readonly windowSeconds: number;
}

/** The block `archive` of an answer about retention. Times are Unix seconds. */
export function archiveRetentionJson(retention: ArchiveRetention, nowMs: number): string {
  const { oldestMs, newestMs, rows, bytes, rowsPerDay, ttlMs, freeBytes, pendingRows } = retention;
  return JSON.stringify({
    oldest: oldestMs === undefined ? null : oldestMs / 1000,
    newest: newestMs === undefined ? null : newestMs / 1000,
    rows,
    bytes,
    bytesPerExemplar: rows === 0 ? null : bytes / rows,
    rowsPerDay,
    pendingRows,
    ttlSeconds: ttlMs === 0 ? null : ttlMs / 1000,
    freeBytes: freeBytes ?? null,
    end: endOf(retention, nowMs) ?? null,
  });
}

/** At the rate of the last day, and with the bytes that an exemplar takes now. */
function endOf(retention: ArchiveRetention, nowMs: number): End | undefined {
  const { oldestMs, rows, bytes, rowsPerDay, ttlMs, freeBytes } = retention;
  if (oldestMs === undefined || rows === 0) return undefined;
  const bytesPerDay = (rowsPerDay * bytes) / rows;
  const msToFull =
    freeBytes === undefined || bytesPerDay === 0 ? Infinity : (freeBytes / bytesPerDay) * DAY_MS;
  const msToTtl = ttlMs === 0 ? Infinity : Math.max(0, oldestMs + ttlMs - nowMs);
  if (msToFull === Infinity && msToTtl === Infinity) return undefined;
  return msToFull < msToTtl
    ? { by: 'disk', at: (nowMs + msToFull) / 1000, windowSeconds: (nowMs - oldestMs + msToFull) / 1000 }
    : { by: 'ttl', at: (nowMs + msToTtl) / 1000, windowSeconds: ttlMs / 1000 };
}
