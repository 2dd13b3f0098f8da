/** JSON text as Go writes it, where that differs from `JSON.stringify`. */

/** A quoted string. Go has no short escapes for backspace and form feed. */
export function jsonString(text: string): string {
  const json = JSON.stringify(text);
  return json.includes('\\b') || json.includes('\\f') ? json.replace(/\\(\\|b|f)/g, spellOut) : json;
}

function spellOut(sequence: string): string {
  if (sequence === '\\b') return '\\u0008';
  return sequence === '\\f' ? '\\u000c' : sequence;
}

/**
 * A float in Go's shortest form (`strconv.FormatFloat(v, 'f' or 'e', -1, 64)`), as Prometheus' API writes
 * values: plain for 1e-6 ≤ |v| < 1e21 or 0, else with an exponent of at least two digits.
 */
export function goFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  if (Object.is(value, -0)) return '-0';
  const text = String(value);
  return text.includes('e') ? text.replace(/e([+-])(\d)$/, 'e$10$2') : text;
}

/** Milliseconds as seconds with no fraction or exactly three digits of it, as Prometheus writes times. */
export function secondsJson(timestampMs: number): string {
  const sign = timestampMs < 0 ? '-' : '';
  const ms = Math.abs(timestampMs);
  const fraction = ms % 1000;
  const seconds = (ms - fraction) / 1000;
  return fraction === 0 ? `${sign}${seconds}` : `${sign}${seconds}.${String(fraction).padStart(3, '0')}`;
}
