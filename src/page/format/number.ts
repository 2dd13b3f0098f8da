const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** `12,345` */
export function formatCount(count: number): string {
  return COUNT.format(count);
}

/** Six digits that matter; very large and very small ones with an exponent. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  return isExtreme(value) ? value.toExponential(2).replace('e+', 'e') : String(Number(value.toPrecision(6)));
}

/** All digits that it has: for round numbers that may be near to each other. */
export function formatExact(value: number): string {
  return isExtreme(value) ? value.toExponential().replace('e+', 'e') : String(value);
}

function isExtreme(value: number): boolean {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e9);
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
