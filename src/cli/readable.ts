/** Figures as people read them. Null is what is not known, or never happens. */

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** 8000 → `2h 13m`: the largest unit and the one below it. */
export function readableSeconds(seconds: number | null): string {
  if (seconds === null) return '-';
  if (seconds > 0 && seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))}ms`;
  const largest = UNITS.findIndex(([, unitSeconds]) => seconds >= unitSeconds);
  if (largest < 0) return '0s';
  const [unit, unitSeconds] = UNITS[largest]!;
  const [nextUnit, nextSeconds] = UNITS[largest + 1] ?? [];
  const count = Math.floor(seconds / unitSeconds);
  const nextCount = nextSeconds === undefined ? 0 : Math.floor((seconds % unitSeconds) / nextSeconds);
  return nextCount === 0 ? `${count}${unit}` : `${count}${unit} ${nextCount}${nextUnit}`;
}

/** Three digits that matter: 0.00123, 12.3, 1234. */
export function readableRate(perSecond: number): string {
  return perSecond >= 100 ? String(Math.round(perSecond)) : String(Number(perSecond.toPrecision(3)));
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** 12900000 → `12.3 MiB`. */
export function readableBytes(bytes: number | null): string {
  if (bytes === null) return '-';
  const power = bytes < 1 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const scaled = bytes / 1024 ** power;
  return `${power === 0 ? scaled : scaled.toFixed(1)} ${BYTE_UNITS[power]}`;
}

/** `name{a="b"}` */
export function readableSeries(labels: Readonly<Record<string, string>>): string {
  const { __name__: name = '', ...others } = labels;
  const pairs = Object.entries(others).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length === 0 && name !== '' ? name : `${name}{${pairs.join(', ')}}`;
}
