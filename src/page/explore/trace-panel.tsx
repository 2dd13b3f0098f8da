import { useState } from 'preact/hooks';
import type { SeriesExemplars } from '../api/answers.js';
import { useAnswer } from '../api/use-answer.js';
import { counted, formatNumber } from '../format/number.js';
import { formatDateTime } from '../format/time.js';
import { CopyButton } from '../parts/copy-button.js';
import { Failure, Loading, Notice } from '../parts/states.js';
import { labelOf, type Point, pointsOf } from './points.js';
import { SidePanel } from './side-panel.js';

export interface TracePanelProps {
  readonly id: string;
  readonly onOpen: (point: Point) => void;
  readonly onClose: () => void;
}

/** More would be no list to read. */
const MAX_LISTED = 500;

/** All points of graphs that one trace stands behind. */
export function TracePanel({ id, onOpen, onClose }: TracePanelProps) {
  const [asks, setAsks] = useState(0);
  const path = `traces/${encodeURIComponent(id)}/exemplars` as const;
  const asked = useAnswer<SeriesExemplars[]>(path, { show_source: 'true' }, asks);
  return (
    <SidePanel title="Exemplars of a trace" about={id} onClose={onClose}>
      <p>
        <code>{id}</code> <CopyButton text={id} what="trace id" label="Copy id" />
      </p>
      {asked.state === 'loading' && <Loading what="exemplars" />}
      {asked.state === 'failed' && <Failure error={asked.error} onRetry={() => setAsks(asks + 1)} />}
      {asked.state === 'ready' && (
        <>
          {asked.warnings.map((warning) => (
            <Notice key={warning} kind="warning">
              {warning}
            </Notice>
          ))}
          <TracePoints points={pointsOf(asked.data)} onOpen={onOpen} />
        </>
      )}
    </SidePanel>
  );
}

function TracePoints({ points, onOpen }: { points: readonly Point[]; onOpen: (point: Point) => void }) {
  if (points.length === 0) {
    return <p>No exemplar of this trace is held any more, neither in memory nor in the archive.</p>;
  }
  return (
    <>
      <p class="hint">{counted(points.length, 'exemplar')}, the oldest first.</p>
      <ol class="trace-points">
        {points.slice(0, MAX_LISTED).map((point, index) => (
          <li key={index}>
            <button type="button" onClick={() => onOpen(point)}>
              <span class="metric">{labelOf(point, '__name__')}</span>
              <span class="value">{formatNumber(point.value)}</span>
              <span class="rest">{seriesText(point)}</span>
              <span class="time">{formatDateTime(point.timeMs)}</span>
            </button>
          </li>
        ))}
      </ol>
    </>
  );
}

function seriesText({ series }: Point): string {
  return Object.entries(series)
    .filter(([name]) => name !== '__name__')
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
