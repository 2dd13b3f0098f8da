import { counted, formatCount } from '../format/number.js';
import { Empty, Failure, Loading, Notice } from '../parts/states.js';
import type { Exemplars } from './exemplar-feed.js';
import type { ExploreState } from './explore-state.js';
import { Legend } from './legend.js';
import type { Point } from './points.js';
import { PointsTable, suitableColumns } from './points-table.js';
import { Scatter } from './scatter.js';
import type { ScatterEvents } from './scatter-chart.js';
import { describeRange } from './time-range.js';
import type { Picture } from './use-picture.js';

export interface ResultsProps {
  readonly state: ExploreState;
  readonly exemplars: Exemplars;
  readonly picture: Picture;
  readonly selected: Point | undefined;
  readonly canRaiseLimit: boolean;
  readonly onUpdate: (patch: Partial<ExploreState>, how?: { replace?: boolean }) => void;
  readonly onOpen: (point: Point | undefined) => void;
  readonly onZoom: ScatterEvents['onSelect'];
  readonly onZoomOut: () => void;
  readonly onRetry: () => void;
}

/** Chart, legend and table; or why there are none. */
export function Results(props: ResultsProps) {
  const { state, exemplars, picture, selected, onUpdate, onOpen } = props;
  const { error, isLoading, isAnswered, points } = exemplars;
  if (error?.isOfQuestion) {
    return (
      <Empty title="This could not be asked">
        <p>What is wrong stands above, below the expression. Correct it, and press Enter.</p>
      </Empty>
    );
  }
  if (error !== undefined) return <Failure error={error} onRetry={props.onRetry} />;
  if (!isAnswered || (isLoading && points.length === 0)) return <Loading what="exemplars" />;
  return (
    <div class={isLoading ? 'results stale' : 'results'} aria-busy={isLoading}>
      <Notices {...props} />
      {points.length === 0 && !state.isLive ? (
        <NothingFound state={state} onZoomOut={props.onZoomOut} />
      ) : (
        <>
          <Legend
            label={picture.colorBy}
            groups={picture.grouping.groups}
            colors={picture.colors}
            hidden={state.hidden}
            onHide={(hidden) => onUpdate({ hidden }, { replace: true })}
            bySource={picture.bySource}
          />
          <Scatter
            data={picture.scatter}
            axis={state.axis}
            selected={selected}
            onOpen={onOpen}
            onSelect={props.onZoom}
            onZoomOut={props.onZoomOut}
          />
          <p class="hint chart-hint">
            Drag to zoom, double click to zoom out. Click a point, or walk with the arrow keys, for its
            details.
          </p>
          <PointsTable
            points={picture.shown}
            labels={picture.labels}
            columns={state.columns ?? suitableColumns(picture.labels)}
            onColumns={(columns) => onUpdate({ columns }, { replace: true })}
            sort={state.sort}
            onSort={(sort) => onUpdate({ sort }, { replace: true })}
            selected={selected}
            onOpen={onOpen}
          />
        </>
      )}
    </div>
  );
}

function Notices({ state, exemplars, picture, canRaiseLimit, onUpdate }: ResultsProps) {
  const { warnings, isCut, skipped, points } = exemplars;
  const { unplaceable, scatter } = picture;
  return (
    <>
      {warnings.map((warning) => (
        <Notice key={warning} kind="warning">
          {warning}
        </Notice>
      ))}
      {isCut && (
        <Notice kind="warning">
          The newest {formatCount(points.length)} are shown, older ones are left out: narrow the query, the
          time or the values{canRaiseLimit ? ', or raise “At most”' : ''}.
        </Notice>
      )}
      {skipped > 0 && (
        <Notice kind="warning">
          {counted(skipped, 'exemplar')} came too fast to be shown live. Narrow the query, or refresh without
          live.
        </Notice>
      )}
      {unplaceable > 0 && (
        <Notice>
          {counted(unplaceable, 'exemplar')} of zero or less, or without a finite value, have no place on this
          axis.{' '}
          {state.axis === 'log' && (
            <button type="button" class="small" onClick={() => onUpdate({ axis: 'linear' })}>
              Use a linear axis
            </button>
          )}
        </Notice>
      )}
      {points.length > 0 && scatter.points.length === 0 && (
        <Notice kind="warning">
          The label filters leave none of {counted(points.length, 'exemplar')}.{' '}
          <button type="button" class="small" onClick={() => onUpdate({ filters: [] })}>
            Remove the filters
          </button>
        </Notice>
      )}
    </>
  );
}

function NothingFound({ state, onZoomOut }: { state: ExploreState; onZoomOut: () => void }) {
  const hasBounds = state.minValue !== undefined || state.maxValue !== undefined;
  return (
    <Empty title="No exemplars found">
      <p>
        No series that the query selects has exemplars in the {describeRange(state.range)}
        {hasBounds ? ' with such values' : ''}.
      </p>
      <ul>
        <li>
          Look at a longer time:{' '}
          <button type="button" class="small" onClick={onZoomOut}>
            Zoom out
          </button>
        </li>
        <li>Histograms have theirs on series that end in _bucket, counters on those that end in _total.</li>
        <li>
          Does the target expose exemplars? <code>exemplard check metrics URL</code> tells.
        </li>
      </ul>
    </Empty>
  );
}
