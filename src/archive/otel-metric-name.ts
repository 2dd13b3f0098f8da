/**
 * What an OpenTelemetry metric is called in Prometheus: units and `_total` as its OTLP endpoint appends them
 * (prometheus/otlptranslator, `MetricNamer` with suffixes and without UTF-8), by the rules of OpenTelemetry's
 * "Prometheus and OpenMetrics Compatibility".
 */

export type OtelKind = 'gauge' | 'sum' | 'histogram' | 'exponential_histogram';

export interface OtelMetric {
  readonly kind: OtelKind;
  readonly name: string;
  /** As UCUM has it; empty: none. */
  readonly unit: string;
  /** Of a sum. */
  readonly isMonotonic: boolean;
}

/** Those of Prometheus, the spelling of `tibibytes` included. */
const UNITS: ReadonlyMap<string, string> = new Map([
  ['d', 'days'],
  ['h', 'hours'],
  ['min', 'minutes'],
  ['s', 'seconds'],
  ['ms', 'milliseconds'],
  ['us', 'microseconds'],
  ['ns', 'nanoseconds'],
  ['By', 'bytes'],
  ['KiBy', 'kibibytes'],
  ['MiBy', 'mebibytes'],
  ['GiBy', 'gibibytes'],
  ['TiBy', 'tibibytes'],
  ['KBy', 'kilobytes'],
  ['MBy', 'megabytes'],
  ['GBy', 'gigabytes'],
  ['TBy', 'terabytes'],
  ['m', 'meters'],
  ['V', 'volts'],
  ['A', 'amperes'],
  ['J', 'joules'],
  ['W', 'watts'],
  ['g', 'grams'],
  ['Cel', 'celsius'],
  ['Hz', 'hertz'],
  ['1', ''],
  ['%', 'percent'],
]);

/** Behind a slash. */
const PER_UNITS: ReadonlyMap<string, string> = new Map([
  ['s', 'second'],
  ['m', 'minute'],
  ['h', 'hour'],
  ['d', 'day'],
  ['w', 'week'],
  ['mo', 'month'],
  ['y', 'year'],
]);

/** `http.server.duration` in `s` → `http_server_duration_seconds_bucket`. Empty where the name has no letter or digit. */
export function prometheusName({ kind, name, unit, isMonotonic }: OtelMetric): string {
  const [main, per] = unitWords(unit);
  let words = name.split(/[^a-zA-Z0-9:]+/).filter((word) => word !== '');
  if (words.length === 0) return '';
  const hasMain = words.includes(main);
  const hasPer = words.includes(per);
  if (main !== '' && !hasMain) words.push(main);
  if (per !== '' && !hasPer) words.push(per);
  if (kind === 'sum' && isMonotonic) words = [...words.filter((word) => word !== 'total'), 'total'];
  if (kind === 'gauge' && unit === '1') words = [...words.filter((word) => word !== 'ratio'), 'ratio'];
  const joined = words.join('_');
  const base = /^[0-9]/.test(joined) ? `_${joined}` : joined;
  // A native histogram has one series, and no buckets to be called so.
  return kind === 'histogram' ? `${base}_bucket` : base;
}

/** `By/s` → `bytes`, `per_second`. What stands in braces is a remark. */
function unitWords(unit: string): [main: string, per: string] {
  const slash = unit.indexOf('/');
  const main = known(slash < 0 ? unit : unit.slice(0, slash), UNITS);
  const per = slash < 0 ? '' : known(unit.slice(slash + 1), PER_UNITS);
  return [main, per === '' ? '' : `per_${per}`];
}

function known(unit: string, words: ReadonlyMap<string, string>): string {
  const text = unit.trim();
  if (/[{}]/.test(text)) return '';
  return (words.get(text) ?? text).replaceAll(/[^a-zA-Z0-9:]+/g, '_').replaceAll(/^_|_$/g, '');
}
