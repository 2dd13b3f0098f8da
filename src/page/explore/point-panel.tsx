import type { Labels, PageStatus, Source } from '../api/answers.js';
import { formatNumber } from '../format/number.js';
import { formatDateTime, formatIso } from '../format/time.js';
import { CopyButton } from '../parts/copy-button.js';
import type { LabelFilter } from './label-filter.js';
import type { Point } from './points.js';
import { SidePanel } from './side-panel.js';
import { traceUrl } from './trace-link.js';

export interface PointPanelProps {
  readonly point: Point;
  readonly status: PageStatus;
  readonly onFilter: (filter: LabelFilter) => void;
  readonly onTrace: (id: string) => void;
  readonly onClose: () => void;
}

const HELD_IN: Readonly<Record<Source, string>> = {
  memory: 'memory (a ring)',
  archive: 'the archive',
  upstream: 'the upstream',
};

/** All about one exemplar, and where to go from it. */
export function PointPanel({ point, status, onFilter, onTrace, onClose }: PointPanelProps) {
  return (
    <SidePanel title="Exemplar" about={point} onClose={onClose}>
      <dl class="facts">
        <div>
          <dt>Value</dt>
          <dd>
            <span class="text" title={point.valueText}>
              {formatNumber(point.value)}
            </span>
            <CopyButton text={point.valueText} what="value" />
          </dd>
        </div>
        <div>
          <dt>Time</dt>
          <dd>
            <span class="text" title={formatIso(point.timeMs)}>
              {formatDateTime(point.timeMs)}
            </span>
            <CopyButton text={formatIso(point.timeMs)} what="time" />
          </dd>
        </div>
        <div>
          <dt>Held in</dt>
          <dd>{HELD_IN[point.source]}</dd>
        </div>
      </dl>
      <TraceWays point={point} status={status} onTrace={onTrace} />
      <LabelList title="Exemplar labels" labels={point.labels} onFilter={onFilter} />
      <LabelList title="Series labels" labels={point.series} onFilter={onFilter} />
    </SidePanel>
  );
}

interface TraceWaysProps {
  readonly point: Point;
  readonly status: PageStatus;
  readonly onTrace: (id: string) => void;
}

function TraceWays({ point, status, onTrace }: TraceWaysProps) {
  const links = status.traceLinks;
  const traceLabels = status.traceIdLabels;
  const ids = Object.entries(point.labels).filter(
    ([name, value]) =>
      value !== '' && (traceLabels.includes(name) || links.some(({ label }) => label === name)),
  );
  if (ids.length === 0) return <p class="hint">This exemplar has no label with the id of a trace.</p>;
  return (
    <section class="traces" aria-label="Trace">
      {ids.map(([name, value]) => {
        const ways = links.filter(({ label }) => label === name);
        return (
          <div key={name} class="trace">
            <p>
              <span class="label">{name}</span> <code>{value}</code>
            </p>
            <div class="ways">
              {ways.map((link) => {
                const url = traceUrl(link, value);
                return url === undefined ? (
                  <span key={link.name} class="hint">
                    {link.name}: not a web address
                  </span>
                ) : (
                  <a
                    key={link.name}
                    class="button primary"
                    href={url}
                    target="_blank"
                    rel="noopener noreferrer"
                  >
                    Open in {link.name}
                  </a>
                );
              })}
              <CopyButton text={value} what={name} label="Copy id" />
              {traceLabels.includes(name) && (
                <button type="button" onClick={() => onTrace(value)}>
                  All exemplars of this trace
                </button>
              )}
            </div>
            {ways.length === 0 && (
              <p class="hint">
                To open traces from here, configure <code>web.trace_links</code> with label {name}.
              </p>
            )}
          </div>
        );
      })}
    </section>
  );
}

interface LabelListProps {
  readonly title: string;
  readonly labels: Labels;
  readonly onFilter: (filter: LabelFilter) => void;
}

function LabelList({ title, labels, onFilter }: LabelListProps) {
  const entries = Object.entries(labels);
  if (entries.length === 0) return null;
  return (
    <section class="label-list">
      <h3>{title}</h3>
      <dl>
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <span class="text">{value === '' ? '""' : value}</span>
              <span class="actions">
                <button
                  type="button"
                  class="small"
                  title="Only those with this value"
                  aria-label={`Only ${name}=${value}`}
                  onClick={() => onFilter({ name, operator: '=', value })}
                >
                  =
                </button>
                <button
                  type="button"
                  class="small"
                  title="All but those with this value"
                  aria-label={`All but ${name}=${value}`}
                  onClick={() => onFilter({ name, operator: '!=', value })}
                >
                  ≠
                </button>
                <CopyButton text={value} what={name} />
              </span>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
