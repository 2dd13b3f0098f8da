const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** `12,345` */
export function formatCount(count: number): string {
  return COUNT.format(count);
}

/** Six digits that matter; very large and very small ones with an exponent. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(2).replace('e+', 'e');
  return String(Number(value.toPrecision(6)));
}

/** As the API writes values: Go's words for what is no finite number. */
export function parseNumber(text: string): number {
  switch (text) {
    case '+Inf':
    case 'Inf':
      return Number.POSITIVE_INFINITY;
    case '-Inf':
      return Number.NEGATIVE_INFINITY;
    default:
      return text.trim() === '' ? Number.NaN : Number(text);
  }
}

/** `1 exemplar`, `2,000 exemplars` */
export function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
