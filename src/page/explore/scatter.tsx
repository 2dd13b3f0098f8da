import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { counted } from '../format/number.js';
import { useIsDark } from '../theme.js';
import type { Axis } from './explore-state.js';
import type { Point } from './points.js';
import { ScatterChart, type ScatterData, type ScatterEvents } from './scatter-chart.js';
import { describePoint, Tooltip } from './tooltip.js';

export interface ScatterProps {
  readonly data: ScatterData;
  readonly axis: Axis;
  readonly selected: Point | undefined;
  /** Undefined: nothing was open before a double click. */
  readonly onOpen: (point: Point | undefined) => void;
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
  const [current, setCurrent] = useState<{ point: Point; byKey: boolean } | undefined>();
  /** Where the marked point was painted; only the chart knows when. */
  const [place, setPlace] = useState<{ left: number; top: number } | undefined>();
  const [paints, setPaints] = useState(0);
  /** The keyboard's last point, from where it goes on when the focus comes back. */
  const walkedTo = useRef<Point | undefined>(undefined);
  const isDark = useIsDark();
  const selectedBeforeClick = useRef<Point | undefined>(undefined);
  // The chart lives longer than one rendering, and calls what is current.
  const latest = useRef(props);
  latest.current = props;

  useLayoutEffect(() => {
    const element = box.current!;
    const made = new ScatterChart(element, axis, latest.current.data, {
      // What is under a pointer that rests changes with the points; a point that a key chose stays.
      onHover: (point, isMoved) =>
        setCurrent((before) => {
          if (before?.byKey && !(isMoved && point !== undefined)) return before;
          if (point === undefined) return undefined;
          return before?.point === point && !before.byKey ? before : { point, byKey: false };
        }),
      onClick: (point) => {
        selectedBeforeClick.current = latest.current.selected;
        if (point !== undefined) latest.current.onOpen(point);
      },
      onDoubleClick: () => {
        latest.current.onOpen(selectedBeforeClick.current);
        latest.current.onZoomOut();
      },
      onPaint: () => setPaints((count) => count + 1),
      onSelect: (area) => latest.current.onSelect(area),
    });
    chart.current = made;
    // What the chart before had found under the pointer, it no longer tells of.
    setCurrent((before) => (before?.byKey ? before : undefined));
    const observer = new ResizeObserver(() => made.resize(element.clientWidth, element.clientHeight));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [axis, isDark]);

  useEffect(() => chart.current!.show(data), [data]);

  const marked = current?.point ?? selected;
  useEffect(() => setPlace(chart.current!.mark(marked)), [marked, paints]);

  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step !== undefined) {
      const point = chart.current!.pointAfter(marked ?? walkedTo.current, step);
      if (point === undefined) return;
      walkedTo.current = point;
      setCurrent({ point, byKey: true });
    } else if (event.key === 'Enter' && marked !== undefined && place !== undefined) onOpen(marked);
    else if (event.key === 'Escape' && current !== undefined) setCurrent(undefined);
    else return;
    event.preventDefault();
  };
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
      {current !== undefined && place !== undefined && (
        <Tooltip
          point={current.point}
          {...place}
          width={box.current!.clientWidth}
          height={box.current!.clientHeight}
        />
      )}
      <p class="off-screen" aria-live="polite">
        {current?.byKey && place !== undefined ? describePoint(current.point) : ''}
      </p>
    </div>
  );
}
