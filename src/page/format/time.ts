/** Times as people read them, in the browser's time zone. */

const two = (value: number) => String(value).padStart(2, '0');

/** `2026-11-22` */
export function formatDate(timeMs: number): string {
  const date = new Date(timeMs);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `09:26:18.817` */
export function formatTimeOfDay(timeMs: number): string {
  const date = new Date(timeMs);
  const millis = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${millis}`;
}

/** `2026-11-22 09:26:18.817` */
export function formatDateTime(timeMs: number): string {
  return `${formatDate(timeMs)} ${formatTimeOfDay(timeMs)}`;
}

/** In UTC, to paste elsewhere: `2026-11-22T09:26:18.817Z`; empty for what is no time. */
export function formatIso(timeMs: number): string {
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

const UNITS: readonly (readonly [string, number])[] = [
  ['w', 604_800],
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
];

/** The shortest exact spelling that `parseDuration` reads: `1h30m`; below a second, `0.25s`. */
export function formatDuration(seconds: number): string {
  let rest = Math.floor(seconds);
  const fraction = seconds - rest;
  if (rest === 0) return `${Number(fraction.toFixed(3))}s`;
  let text = '';
  for (const [unit, size] of UNITS) {
    if (unit === 'w' && rest % size !== 0) continue;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}

/** For reading, not exact: the two greatest units, `3d 4h`. */
export function roughDuration(seconds: number): string {
  const parts = formatDuration(Math.max(0, seconds)).match(/[\d.]+[a-z]/g) ?? [];
  return parts.slice(0, 2).join(' ');
}

/** A century. */
export const MAX_DURATION_SECONDS = 100 * 366 * 86_400;

/** Where `parseDuration` finds none. */
export const DURATION_EXPECTED = 'a time, like 90m or 7d';

/** Seconds of `90m`, `1h30m`, `7d`; undefined for anything else, and for more than anybody means. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.replaceAll(' ', '');
  if (!/^(\d+[wdhms])+$/.test(trimmed)) return undefined;
  let seconds = 0;
  for (const [, count, unit] of trimmed.matchAll(/(\d+)([wdhms])/g)) {
    seconds += Number(count) * UNITS.find(([name]) => name === unit)![1];
  }
  return seconds > 0 && seconds <= MAX_DURATION_SECONDS ? seconds : undefined;
}
