/**
 * What no receiver takes, found before it costs a request. The rules are the strictest of the receivers we know:
 * Mimir and Cortex refuse an exemplar without a filled label, without timestamp or over 128 code points (Cortex
 * the whole series with it), Prometheus one too far in the future. NaN is a legal value.
 */
import type { Batch } from '../model/batch.js';
import { LABEL_SEPARATOR } from '../model/encoded-labels.js';
import { MAX_EXEMPLAR_CODE_POINTS } from '../model/exemplar.js';

/** Prometheus' allowance for clocks that differ. */
export const MAX_FUTURE_MS = 10 * 60_000;

export const INVALID_REASONS = ['blank', 'zero_timestamp', 'too_long', 'future'] as const;
export type InvalidReason = (typeof INVALID_REASONS)[number];

/** Why row `index` must not be sent; undefined when it may. */
export function invalidReason(batch: Batch, index: number, nowMs: number): InvalidReason | undefined {
  const timestampMs = batch.timestampsMs[index]!;
  if (timestampMs === 0) return 'zero_timestamp';
  if (timestampMs > nowMs + MAX_FUTURE_MS) return 'future';
  const start = index === 0 ? 0 : batch.labelEnds[index - 1]!;
  const end = batch.labelEnds[index]!;
  if (!hasFilledLabel(batch.labelBytes, start, end)) return 'blank';
  if (isTooLong(batch.labelBytes, start, end)) return 'too_long';
  return undefined;
}

function hasFilledLabel(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; ) {
    const nameEnd = separatorFrom(bytes, at);
    const valueEnd = separatorFrom(bytes, nameEnd + 1);
    if (nameEnd > at && valueEnd > nameEnd + 1) return true;
    at = valueEnd + 1;
  }
  return false;
}

function separatorFrom(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== LABEL_SEPARATOR) at++;
  return at;
}

function isTooLong(bytes: Buffer, start: number, end: number): boolean {
  // There are never more code points than bytes, which settles the usual trace and span id.
  if (end - start <= MAX_EXEMPLAR_CODE_POINTS) return false;
  let codePoints = 0;
  for (let at = start; at < end; at++) if (startsCodePoint(bytes[at]!)) codePoints++;
  return codePoints > MAX_EXEMPLAR_CODE_POINTS;
}

/** Neither a UTF-8 continuation byte (10xxxxxx) nor the separator. */
function startsCodePoint(byte: number): boolean {
  return (byte & 0xc0) !== 0x80 && byte !== LABEL_SEPARATOR;
}
