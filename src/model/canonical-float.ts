import { parseGoFloat } from '../util/go-float.js';

/**
 * `le` and `quantile` values as Prometheus 3 rewrites them, so that `1`, `1.0` and `1e0` are one series: Go's
 * shortest `%g`, with `.0` where that shows neither a point nor an exponent. `100000` → `100000.0`,
 * `1000000` → `1e+06`, `0.00001` → `1e-05`, `inf` → `+Inf`.
 * @returns the text as it is when it is no number
 */
export function canonicalFloat(text: string): string {
  const value = parseGoFloat(text);
  if (value === undefined) return text;
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  // Minus zero too.
  if (value === 0) return '0.0';
  const [digits, exponent] = value.toExponential().split('e') as [string, string];
  const power = Number(exponent);
  if (power < -4 || power >= 6) {
    const sign = power < 0 ? '-' : '+';
    return `${digits}e${sign}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  const plain = String(value);
  return plain.includes('.') ? plain : `${plain}.0`;
}
