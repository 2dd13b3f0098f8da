import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { AddressProblems } from '../parts/address-problems.js';
import { useVisible } from '../use-visible.js';
import type { ViewProps } from '../view.js';
import { type ExploreState, MAX_LIMIT, readState, writeState } from './explore-state.js';
import { FilterBar } from './filter-bar.js';
import { isSameFilter, type LabelFilter } from './label-filter.js';
import { PointPanel } from './point-panel.js';
import type { Point } from './points.js';
import { withMatcher } from './promql.js';
import { QueryBox } from './query-box.js';
import { Results } from './results.js';
import { widened } from './time-range.js';
import { Toolbar } from './toolbar.js';
import { TracePanel } from './trace-panel.js';
import { useExemplars } from './use-exemplars.js';
import { usePicture } from './use-picture.js';
import { Welcome } from './welcome.js';

/** What a zoom changes. */
type ZoomState = Pick<ExploreState, 'range' | 'isLive' | 'minValue' | 'maxValue'>;

const zoomOf = ({ range, isLive, minValue, maxValue }: ZoomState): ZoomState => ({
  range,
  isLive,
  minValue,
  maxValue,
});

const isSameZoom = (a: ZoomState, b: ZoomState) => JSON.stringify(zoomOf(a)) === JSON.stringify(zoomOf(b));

/** Exemplars of a query: time × value, and as a table. */
export function Explore({ parameters, navigate, status }: ViewProps) {
  const text = parameters.toString();
  const { state, problems } = useMemo(() => readState(new URLSearchParams(text)), [text]);
  const [isPaused, setIsPaused] = useState(false);
  const [selected, setSelected] = useState<Point | undefined>();
  /** Zooms that led here; one that led elsewhere is over once somebody zooms out. */
  const zooms = useRef<{ from: ZoomState; to: ZoomState }[]>([]);
  // Browsers keep a few connections to a server: tabs that nobody looks at leave theirs to others.
  const isVisible = useVisible();
  // One more is asked for, which tells whether there are more.
  const maxLimit = Math.min(MAX_LIMIT, status.maxExemplars - 1);
  const limit = Math.min(state.limit, maxLimit);
  const { exemplars, askAgain } = useExemplars({ ...state, limit }, state.isLive && !isPaused && isVisible);
  const picture = usePicture(state, exemplars);

  const update = (patch: Partial<ExploreState>, how: { replace?: boolean } = {}) =>
    navigate({ view: 'explore', parameters: writeState({ ...state, ...patch }) }, how);
  useEffect(() => setSelected(undefined), [state.query]);
  useEffect(() => {
    if (!state.isLive) setIsPaused(false);
  }, [state.isLive]);

  const run = (query: string) => {
    zooms.current = [];
    if (query === state.query) askAgain();
    else update({ query, hidden: [], trace: undefined });
  };
  const zoom = (area: { startMs: number; endMs: number; minValue?: number; maxValue?: number }) => {
    const { startMs, endMs, ...values } = area;
    const range = { kind: 'between', startMs: Math.floor(startMs), endMs: Math.ceil(endMs) } as const;
    const to = { ...zoomOf(state), range, isLive: false, ...values };
    if (!isSameZoom(to, state)) zooms.current.push({ from: zoomOf(state), to });
    update(to);
  };
  const zoomOut = () => {
    while (zooms.current.length > 0) {
      const { from, to } = zooms.current.pop()!;
      if (isSameZoom(to, state)) return update(from);
    }
    update({ range: widened(state.range) });
  };
  const addFilter = (filter: LabelFilter) => {
    if (!state.filters.some((each) => isSameFilter(each, filter))) {
      update({ filters: [...state.filters, filter] });
    }
  };
  const intoQuery = (filter: LabelFilter) =>
    update({
      query: withMatcher(state.query, filter),
      filters: state.filters.filter((each) => !isSameFilter(each, filter)),
    });

  const hasPanel = selected !== undefined || state.trace !== undefined;
  return (
    <div class="explore">
      <h1 class="off-screen">Explore exemplars</h1>
      <QueryBox
        query={state.query}
        onRun={run}
        error={exemplars.error?.isOfQuestion ? exemplars.error.message : undefined}
      />
      <AddressProblems problems={problems} />
      {state.query === '' ? (
        <Welcome onExplore={run} />
      ) : (
        <div class={hasPanel ? 'with-panel' : undefined}>
          <div class="column">
            <div class="controls">
              <Toolbar
                state={state}
                colorBy={picture.colorBy}
                labels={picture.labels}
                hasArchive={status.archive !== 'none'}
                live={exemplars.live}
                isPaused={isPaused}
                onChange={update}
                onPause={setIsPaused}
                onRefresh={askAgain}
                onZoomOut={zoomOut}
              />
              <FilterBar
                filters={state.filters}
                labels={picture.labels}
                onChange={(filters) => update({ filters })}
                onIntoQuery={intoQuery}
              />
            </div>
            <Results
              state={state}
              exemplars={exemplars}
              picture={picture}
              selected={selected}
              canRaiseLimit={limit < maxLimit}
              onUpdate={update}
              onOpen={setSelected}
              onZoom={zoom}
              onZoomOut={zoomOut}
              onRetry={askAgain}
            />
          </div>
          {selected !== undefined ? (
            <PointPanel
              point={selected}
              status={status}
              onFilter={addFilter}
              onTrace={(trace) => {
                setSelected(undefined);
                update({ trace });
              }}
              onClose={() => setSelected(undefined)}
            />
          ) : (
            state.trace !== undefined && (
              <TracePanel
                key={state.trace}
                id={state.trace}
                onOpen={setSelected}
                onClose={() => update({ trace: undefined })}
              />
            )
          )}
        </div>
      )}
    </div>
  );
}
