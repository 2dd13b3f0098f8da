import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Notice } from '../parts/states.js';
import type { ViewProps } from '../view.js';
import { type ExploreState, readState, writeState } from './explore-state.js';
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

/** Exemplars of a query: time × value, and as a table. */
export function Explore({ parameters, navigate, status }: ViewProps) {
  const text = parameters.toString();
  const { state, problems } = useMemo(() => readState(new URLSearchParams(text)), [text]);
  const [isPaused, setIsPaused] = useState(false);
  const [asks, setAsks] = useState(0);
  const [selected, setSelected] = useState<Point | undefined>();
  const zooms = useRef<ZoomState[]>([]);
  const exemplars = useExemplars(state, state.isLive && !isPaused, asks);
  const picture = usePicture(state, exemplars);

  const update = (patch: Partial<ExploreState>, how: { replace?: boolean } = {}) =>
    navigate({ view: 'explore', parameters: writeState({ ...state, ...patch }) }, how);
  const askAgain = () => setAsks((count) => count + 1);
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
    const { range, isLive, minValue, maxValue } = state;
    zooms.current.push({ range, isLive, minValue, maxValue });
    const { startMs, endMs, ...values } = area;
    const between = { kind: 'between', startMs: Math.floor(startMs), endMs: Math.ceil(endMs) } as const;
    update({ range: between, isLive: false, ...values });
  };
  const zoomOut = () => update(zooms.current.pop() ?? { range: widened(state.range) });
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
      <QueryBox query={state.query} onRun={run} error={queryError(exemplars.error)} />
      {problems.length > 0 && (
        <Notice kind="warning">
          This address has values that mean nothing here; defaults are used for: {problems.join(', ')}
        </Notice>
      )}
      {state.query === '' ? (
        <Welcome again={asks} onRetry={askAgain} onExplore={run} />
      ) : (
        <div class={hasPanel ? 'with-panel' : undefined}>
          <div class="column">
            <div class="controls">
              <Toolbar
                state={state}
                colorBy={picture.colorBy}
                labels={picture.labels}
                hasArchive={status !== undefined && status.archive !== 'none'}
                live={exemplars.live}
                isPaused={isPaused}
                onChange={update}
                onPause={(pause) => {
                  setIsPaused(pause);
                  if (!pause) askAgain();
                }}
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

/** What is wrong with the expression stands at its box; that the server is gone, where the points would be. */
function queryError(error: { status: number | undefined; message: string } | undefined): string | undefined {
  return error !== undefined && error.status !== undefined && error.status < 500 ? error.message : undefined;
}
