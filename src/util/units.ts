/** Durations and sizes as Prometheus writes them. */

const MS_PER_UNIT = {
  y: 31_536_000_000,
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};
const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/**
 * `1h30m` → 5400000. Units y w d h m s ms, each once, in this order; a lone `0` needs none.
 * @returns undefined when the text is no duration
 */
export function parseDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  const match = DURATION.exec(text);
  if (match === null || text === '') return undefined;
  return Object.values(MS_PER_UNIT).reduce((sum, unitMs, i) => sum + Number(match[i + 1] ?? 0) * unitMs, 0);
}

/** 5400000 → `1h30m`, the shortest spelling that parses back. */
export function formatDurationMs(durationMs: number): string {
  if (durationMs === 0) return '0s';
  let rest = durationMs;
  let text = '';
  for (const [unit, unitMs] of Object.entries(MS_PER_UNIT)) {
    // Prometheus writes years and weeks only where nothing remains: `8d`, not `1w1d`.
    if ((unit === 'y' || unit === 'w') && rest % unitMs !== 0) continue;
    const count = Math.floor(rest / unitMs);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs;
  }
  return text;
}

const SIZE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
const SIZE = /^(\d+(?:\.\d+)?)\s*(?:(B)|([KMGTPE])(?:iB|B)?)?$/;

/**
 * `512MiB`, `10MB`, `1.5G`, `4096` → bytes. As in Prometheus all units are powers of 1024.
 * @returns undefined when the text is no size
 */
export function parseBytes(text: string): number | undefined {
  const match = SIZE.exec(text);
  if (match === null) return undefined;
  const power = match[3] === undefined ? 0 : SIZE_UNITS.findIndex((unit) => unit[0] === match[3]);
  return Math.floor(Number(match[1]) * 1024 ** power);
}

export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(SIZE_UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const scaled = bytes / 1024 ** power;
  return `${Number.isInteger(scaled) ? scaled : scaled.toFixed(1)}${SIZE_UNITS[power]}`;
}
