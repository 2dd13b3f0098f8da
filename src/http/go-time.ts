/** A time as Go writes it in JSON: RFC 3339 in UTC without trailing zeros; NaN is the zero time of Go. */
export function goTime(timestampMs: number): string {
  if (Number.isNaN(timestampMs)) return '0001-01-01T00:00:00Z';
  return new Date(timestampMs).toISOString().replace(/\.?0*Z$/, 'Z');
}
