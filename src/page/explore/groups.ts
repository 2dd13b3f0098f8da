import { type LabelSummary, labelOf, type Point } from './points.js';

/** Points of one colour. */
export interface Group {
  /** For the URL: `=value`, `absent` or `other`. */
  readonly key: string;
  /** For the legend. */
  readonly name: string;
  count: number;
}

export interface Grouping {
  readonly groups: readonly Group[];
  /** The index of the group of each point. */
  readonly groupOf: Uint8Array;
  /** Groups have an order of their own, as buckets do: so shall their colours. */
  readonly isOrdered: boolean;
}

/** More colours than these cannot be told apart; the rarest share the last. */
export const MAX_GROUPS = 12;

/** @param label empty: one group of all */
export function groupPoints(points: readonly Point[], label: string): Grouping {
  const groupOf = new Uint8Array(points.length);
  if (label === '') {
    return {
      groups: [{ key: 'all', name: 'all exemplars', count: points.length }],
      groupOf,
      isOrdered: false,
    };
  }
  const counts = new Map<string, number>();
  for (const point of points) {
    const value = labelOf(point, label);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const frequent = [...counts].sort((a, b) => b[1] - a[1]);
  const isCut = frequent.length > MAX_GROUPS;
  const shown = (isCut ? frequent.slice(0, MAX_GROUPS - 1) : frequent).map(([value]) => value);
  const isOrdered = shown.length > 1 && shown.every((value) => !Number.isNaN(sizeOf(value)));
  shown.sort(isOrdered ? (a, b) => sizeOf(a) - sizeOf(b) : (a, b) => (a < b ? -1 : 1));
  const groups: Group[] = shown.map((value) => ({
    key: value === '' ? 'absent' : `=${value}`,
    name: value === '' ? `no ${label}` : value,
    count: counts.get(value)!,
  }));
  const places = new Map(shown.map((value, index) => [value, index]));
  const other = groups.length;
  if (isCut) groups.push({ key: 'other', name: `${frequent.length - shown.length} others`, count: 0 });
  points.forEach((point, index) => {
    const place = places.get(labelOf(point, label)) ?? other;
    groupOf[index] = place;
    if (place === other) groups[other]!.count++;
  });
  return { groups, groupOf, isOrdered };
}

function sizeOf(value: string): number {
  if (value === '+Inf') return Number.POSITIVE_INFINITY;
  return value === '' ? Number.NaN : Number(value);
}

const USUAL_LABELS = ['le', 'job', 'instance', '__name__'];

/** By what to colour where nobody said: the first usual label that tells points apart. */
export function suitableColor(labels: readonly LabelSummary[]): string {
  return USUAL_LABELS.find((name) => labels.some((label) => label.name === name && label.isVarying)) ?? '';
}
