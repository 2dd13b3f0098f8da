import { useMemo } from 'preact/hooks';
import type { Source } from '../api/answers.js';
import { useIsDark } from '../theme.js';
import type { Exemplars } from './exemplar-feed.js';
import type { ExploreState } from './explore-state.js';
import { type Grouping, groupPoints, suitableColor } from './groups.js';
import { groupColors, type Rgb } from './palette.js';
import { isMatching, type LabelSummary, type Point, summariseLabels } from './points.js';
import type { ScatterData } from './scatter-chart.js';
import { isPlaceable, valueExtent } from './scatter-layout.js';

/** What chart, legend and table show of the exemplars that came. */
export interface Picture {
  /** Of all points, filtered or not. */
  readonly labels: readonly LabelSummary[];
  /** The label that colours mean; empty: none. */
  readonly colorBy: string;
  readonly grouping: Grouping;
  readonly colors: readonly Rgb[];
  readonly scatter: ScatterData;
  /** Neither filtered out nor hidden in the legend. */
  readonly shown: readonly Point[];
  /** Of those shown, those that the value axis has no place for. */
  readonly unplaceable: number;
  /** How many of those shown were found where. */
  readonly bySource: Readonly<Record<Source, number>>;
}

/** Each step again only when what it comes from changed: with 100,000 points that is felt. */
export function usePicture(state: ExploreState, { points, interval }: Exemplars): Picture {
  const { filters, hidden, axis, minValue, maxValue } = state;
  const isDark = useIsDark();
  const labels = useMemo(() => summariseLabels(points), [points]);
  const colorBy = state.colorBy ?? suitableColor(labels);
  const filtered = useMemo(
    () => (filters.length === 0 ? points : points.filter((point) => isMatching(point, filters))),
    [points, filters],
  );
  const grouping = useMemo(() => groupPoints(filtered, colorBy), [filtered, colorBy]);
  const colors = useMemo(() => groupColors(grouping.groups, grouping.isOrdered, isDark), [grouping, isDark]);
  const isHidden = useMemo(() => grouping.groups.map(({ key }) => hidden.includes(key)), [grouping, hidden]);
  const shown = useMemo(
    () => (isHidden.includes(true) ? filtered.filter((_, at) => !isHidden[grouping.groupOf[at]!]) : filtered),
    [filtered, grouping, isHidden],
  );
  const scatter = useMemo((): ScatterData => {
    const [low, high] = valueExtent(shown, axis);
    const isUsable = (bound: number | undefined): bound is number =>
      bound !== undefined && isPlaceable(bound, axis);
    const lowest = isUsable(minValue) ? minValue : low;
    const highest = isUsable(maxValue) ? maxValue : high;
    const extent =
      lowest < highest
        ? { ...interval, minValue: lowest, maxValue: highest }
        : { ...interval, minValue: low, maxValue: high };
    return { points: filtered, groupOf: grouping.groupOf, colors, isHidden, extent };
  }, [filtered, shown, grouping, colors, isHidden, axis, interval, minValue, maxValue]);
  const unplaceable = useMemo(
    () => shown.reduce((count, { value }) => count + Number(!isPlaceable(value, axis)), 0),
    [shown, axis],
  );
  const bySource = useMemo(() => {
    const counts: Record<Source, number> = { memory: 0, archive: 0, upstream: 0 };
    for (const { source } of shown) counts[source]++;
    return counts;
  }, [shown]);
  return { labels, colorBy, grouping, colors, scatter, shown, unplaceable, bySource };
}
