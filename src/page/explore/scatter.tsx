import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { counted } from '../format/number.js';
import { useIsDark } from '../theme.js';
import type { Axis } from './explore-state.js';
import { indexOfPoint, type Point } from './points.js';
import { ScatterChart, type ScatterData, type ScatterEvents } from './scatter-chart.js';
import { describePoint, Tooltip } from './tooltip.js';

export interface ScatterProps {
  readonly data: ScatterData;
  readonly axis: Axis;
  /** An index into the points. */
  readonly selected: number | undefined;
  readonly onOpen: (point: Point) => void;
  readonly onSelect: ScatterEvents['onSelect'];
  readonly onZoomOut: () => void;
}

/** Where the keyboard goes from a point: by so many points in time. */
const STEPS: Readonly<Record<string, number>> = {
  ArrowRight: 1,
  ArrowLeft: -1,
  ArrowUp: 10,
  ArrowDown: -10,
  PageUp: 100,
  PageDown: -100,
  End: Number.POSITIVE_INFINITY,
  Home: Number.NEGATIVE_INFINITY,
};

/** Exemplars as points: time × value. */
export function Scatter(props: ScatterProps) {
  const { data, axis, selected, onOpen } = props;
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<ScatterChart | undefined>(undefined);
  const [current, setCurrent] = useState<{ index: number; byKey: boolean } | undefined>();
  /** The keyboard's last point, from where it goes on when the focus comes back. */
  const walkedTo = useRef<Point | undefined>(undefined);
  const isDark = useIsDark();
  // The chart lives longer than one rendering, and calls what is current.
  const latest = useRef(props);
  latest.current = props;

  useLayoutEffect(() => {
    const element = box.current!;
    const made = new ScatterChart(element, axis, latest.current.data, {
      onHover: (index) => setCurrent(index === undefined ? undefined : { index, byKey: false }),
      onClick: (index) => {
        const { data, onOpen } = latest.current;
        if (index !== undefined) onOpen(data.points[index]!);
      },
      onSelect: (area) => latest.current.onSelect(area),
      onZoomOut: () => latest.current.onZoomOut(),
    });
    chart.current = made;
    const observer = new ResizeObserver(() => made.resize(element.clientWidth, element.clientHeight));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [axis, isDark]);

  useEffect(() => {
    chart.current!.show(data);
    // Indices are those of the points that were.
    setCurrent((before) => (before?.byKey ? undefined : before));
  }, [data]);

  const marked = current?.index ?? selected;
  const [place, setPlace] = useState<{ left: number; top: number } | undefined>();
  useEffect(() => setPlace(chart.current!.mark(marked)), [marked, data, axis, isDark]);

  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step !== undefined) {
      const from = marked ?? indexOfPoint(walkedTo.current, data.points);
      const index = stepTo(chart.current!, data.points.length, from, step);
      if (index === undefined) return;
      walkedTo.current = data.points[index];
      setCurrent({ index, byKey: true });
    } else if (event.key === 'Enter' && marked !== undefined) onOpen(data.points[marked]!);
    else if (event.key === 'Escape' && current !== undefined) setCurrent(undefined);
    else return;
    event.preventDefault();
  };
  const shown = current === undefined ? undefined : data.points[current.index];
  const hint = 'Arrow keys go from point to point, Enter opens one.';
  return (
    <div class="scatter-frame">
      <div
        class="scatter"
        ref={box}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys walk through the points
        tabIndex={0}
        role="application"
        aria-roledescription="scatter chart"
        aria-label={`${counted(data.points.length, 'exemplar')}, time by value. ${hint}`}
        data-points={data.points.length}
        onKeyDown={onKeyDown}
        onBlur={() => setCurrent((before) => (before?.byKey ? undefined : before))}
      />
      {shown !== undefined && place !== undefined && (
        <Tooltip
          point={shown}
          {...place}
          width={box.current!.clientWidth}
          height={box.current!.clientHeight}
        />
      )}
      <p class="off-screen" aria-live="polite">
        {current?.byKey && shown !== undefined ? describePoint(shown) : ''}
      </p>
    </div>
  );
}

/** The next point that is drawn, so many drawn points away, or the last on the way there. */
function stepTo(
  chart: ScatterChart,
  count: number,
  from: number | undefined,
  step: number,
): number | undefined {
  const direction = Math.sign(step);
  let left = Math.abs(step);
  let found = from;
  // From nowhere, forwards begins at the oldest, backwards at the newest.
  let index = from ?? (direction > 0 ? -1 : count);
  while (left > 0) {
    index += direction;
    if (index < 0 || index >= count) break;
    if (!chart.isPlaced(index)) continue;
    found = index;
    left--;
  }
  return found;
}
