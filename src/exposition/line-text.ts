/** Writes lines of OpenMetrics text. */
import { goFloat } from '../util/json.js';

const PLAIN_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const PLAIN_LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export type LabelPair = readonly [name: string, value: string];

/** What stands between quotes. */
export function escapeText(text: string): string {
  return /[\\"\n]/.test(text)
    ? text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))
    : text;
}

/** `name{a="b"}`, or `{"na.me",a="b"}` where the name is not plain. */
export function seriesText(name: string, labels: readonly LabelPair[]): string {
  const isPlain = PLAIN_NAME.test(name);
  const pairs = labels.map(labelText);
  const inside = isPlain ? pairs : [`"${escapeText(name)}"`, ...pairs];
  return `${isPlain ? name : ''}${inside.length > 0 ? `{${inside.join(',')}}` : ''}`;
}

function labelText([name, value]: LabelPair): string {
  const shown = PLAIN_LABEL_NAME.test(name) ? name : `"${escapeText(name)}"`;
  return `${shown}="${escapeText(value)}"`;
}

export interface ExemplarParts {
  readonly labels: readonly LabelPair[];
  readonly value: number;
  /** Undefined where it has none. */
  readonly timestampMs: number | undefined;
}

/** ` # {a="b"} 1 1700000000.1235` */
export function exemplarText({ labels, value, timestampMs }: ExemplarParts): string {
  const time = timestampMs === undefined ? '' : ` ${secondsText(timestampMs)}`;
  return ` # {${labels.map(labelText).join(',')}} ${goFloat(value)}${time}`;
}

/**
 * Milliseconds as seconds. Half a millisecond more than that, away from zero: who reads it multiplies by 1000 and
 * cuts off, and 1700000000.123 × 1000 may come out below …123.
 */
export function secondsText(timestampMs: number): string {
  const ms = Math.abs(timestampMs);
  const seconds = Math.floor(ms / 1000);
  const fraction = String(ms - 1000 * seconds).padStart(3, '0');
  return `${timestampMs < 0 ? '-' : ''}${seconds}.${fraction}5`;
}

/** `# TYPE`, `# HELP` and `# UNIT` of a family; what is empty is left out. */
export function familyText(name: string, type: string, help: string, unit: string): string {
  const shown = PLAIN_NAME.test(name) ? name : `"${escapeText(name)}"`;
  const lines = [`# TYPE ${shown} ${type}\n`];
  if (help !== '') lines.push(`# HELP ${shown} ${escapeText(help)}\n`);
  if (unit !== '') lines.push(`# UNIT ${shown} ${unit.replace(/\s/g, '_')}\n`);
  return lines.join('');
}
