import type { ComponentChildren } from 'preact';
import type { PageStatus } from '../api/answers.js';
import { useAnswer } from '../api/use-answer.js';
import { formatBytes } from '../format/bytes.js';
import { counted, formatCount, formatNumber } from '../format/number.js';
import { roughDuration } from '../format/time.js';
import { type Figure, Figures } from '../parts/figures.js';
import { Failure, Loading, Notice } from '../parts/states.js';
import { useTick } from '../use-tick.js';
import type { ViewProps } from '../view.js';
import type { Sink, SinksAnswer } from './answer.js';
import { healthOf } from './health.js';
import { lossesOf, type SinkKind } from './losses.js';

const REFRESH_MS = 5_000;

/** Where exemplars go from here, how far behind each sink is, and what was lost on the way. */
export function Sinks({ status }: ViewProps) {
  const [tick, refresh] = useTick(REFRESH_MS);
  const asked = useAnswer<SinksAnswer>('status/sinks', {}, tick);
  if (asked.state === 'loading') return <Loading what="sinks" />;
  if (asked.state === 'failed') return <Failure error={asked.error} onRetry={refresh} />;
  const { impairment, journal, remote_write, archive, sampler } = asked.data;
  const [disk, store] = [journal[0], archive[0]];
  return (
    <section class="view">
      <h1 class="off-screen">Sinks</h1>
      {impairment !== null && <Notice kind="warning">{impairment}</Notice>}
      <Kind title="Journal" absent={disk === undefined && <WithoutJournal />}>
        {disk && <SinkCard kind="journal" title="On disk" sink={disk} figures={journalFigures(disk)} />}
      </Kind>
      <Kind
        title="Forwarding"
        absent={
          remote_write.length === 0 && (
            <p>
              Nothing is forwarded. A <code>remote_write</code> section sends every exemplar to Prometheus,
              Mimir, Thanos or VictoriaMetrics.
            </p>
          )
        }
      >
        {remote_write.map((sink) => (
          <SinkCard
            key={JSON.stringify(sink.labels)}
            kind="remote_write"
            title={sink.labels.url ?? ''}
            name={sink.labels.remote_name}
            sink={sink}
            figures={forwardFigures(sink)}
          />
        ))}
      </Kind>
      <Kind title="Archive" absent={(status.archive === 'none' || store === undefined) && <WithoutArchive />}>
        {store && status.archive !== 'none' && (
          <SinkCard kind="archive" title={archiveName(status)} sink={store} figures={archiveFigures(store)} />
        )}
      </Kind>
      <Kind
        title="Sampler"
        absent={
          sampler.length === 0 && (
            <p>
              No traces are chosen. <code>sampling</code> jobs keep the traces that exemplars point at.
            </p>
          )
        }
      >
        {sampler.map((sink) => (
          <SinkCard
            key={sink.labels.job}
            kind="sampler"
            title={sink.labels.job ?? ''}
            sink={sink}
            figures={samplerFigures(sink)}
          />
        ))}
      </Kind>
    </section>
  );
}

function Kind({
  title,
  absent,
  children,
}: {
  title: string;
  absent: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section class="kind" aria-label={title}>
      <h2>{title}</h2>
      {absent ? <div class="card absent">{absent}</div> : <ul class="cards">{children}</ul>}
    </section>
  );
}

function WithoutJournal() {
  return (
    <p>
      Everything is in memory alone: a restart forgets it. With <code>--storage.path=DIR</code> what was
      accepted outlives a crash, and waits for sinks that are away.
    </p>
  );
}

function WithoutArchive() {
  return (
    <p>
      There is none: queries go back as far as the rings do. With <code>--storage.path=DIR</code>, or{' '}
      <code>archive</code> and a ClickHouse server, they go back for weeks.
    </p>
  );
}

interface SinkCardProps {
  readonly kind: SinkKind;
  readonly title: string;
  /** Two may go to the same place. */
  readonly name?: string | undefined;
  readonly sink: Sink;
  readonly figures: readonly Figure[];
}

function SinkCard({ kind, title, name, sink, figures }: SinkCardProps) {
  const { isWell, text, next } = healthOf(kind, sink, Date.now() / 1000);
  const losses = lossesOf(kind, sink);
  return (
    <li class={`card ${isWell ? 'up' : 'down'}`}>
      <div class="head">
        <span class={`health ${isWell ? 'up' : 'down'}`}>{`${isWell ? '●' : '▲'} ${text}`}</span>
        <strong>{title}</strong>
        {name !== undefined && <span class="badge">{name}</span>}
      </div>
      {next !== undefined && (
        <div class="finding error">
          <p class="next">→ {next}</p>
        </div>
      )}
      <Figures figures={figures} />
      {losses.length === 0 ? (
        <p class="hint">Nothing lost since the start.</p>
      ) : (
        <ul class="losses" aria-label="Losses by reason">
          {losses.map(({ reason, count }) => (
            <li key={reason}>
              <strong>{formatCount(count)}</strong> {reason}
            </li>
          ))}
        </ul>
      )}
      <details>
        <summary>All figures</summary>
        <dl class="pairs">
          {allFigures(sink).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{formatNumber(value)}</dd>
            </div>
          ))}
        </dl>
      </details>
    </li>
  );
}

function allFigures({ figures, parts }: Sink): [string, number][] {
  const inParts = Object.entries(parts).flatMap(([name, byReason]) =>
    Object.entries(byReason).map(([reason, value]): [string, number] => [`${name} (${reason})`, value]),
  );
  return [...Object.entries(figures), ...inParts];
}

function journalFigures({ figures }: Sink): Figure[] {
  return [
    ['Size', `${formatBytes(figures.bytes ?? 0)} of ${formatBytes(figures.max_bytes ?? 0)}`],
    ['Segments', formatCount(figures.segments ?? 0)],
    ['Accepted', counted(figures.appended_exemplars_total ?? 0, 'exemplar')],
    ['Last snapshot', sinceSeconds(figures.snapshot_timestamp_seconds)],
  ];
}

function forwardFigures({ figures }: Sink): Figure[] {
  return [
    ['Pending', counted(figures.exemplars_pending ?? 0, 'exemplar')],
    ['Sent', counted(figures.exemplars_total ?? 0, 'exemplar')],
    ['Newest sent', sinceSeconds(figures.highest_sent_timestamp_seconds)],
    ['Sent again', formatCount(figures.exemplars_retried_total ?? 0)],
  ];
}

function archiveFigures({ figures }: Sink): Figure[] {
  const { table_rows: rows = 0, table_bytes: bytes = 0, rows_total: written = 0 } = figures;
  // The table is counted now and then.
  const isCounted = rows > 0 || written === 0;
  return [
    ['Pending', counted(figures.pending_rows ?? 0, 'exemplar')],
    ['Behind', roughDuration(figures.lag_seconds ?? 0)],
    ['Holds', isCounted ? `${counted(rows, 'exemplar')}, ${formatBytes(bytes)}` : 'not counted yet'],
    ['Written', counted(written, 'exemplar')],
  ];
}

function samplerFigures({ figures }: Sink): Figure[] {
  const coverage = figures.coverage_ratio;
  return [
    ['Behind', roughDuration(figures.lag_seconds ?? 0)],
    ['Groups covered', coverage === undefined ? 'no window yet' : `${Math.floor(coverage * 100)} %`],
    [
      'Traces found',
      `${formatCount(figures.traces_found_total ?? 0)} of ${formatCount(figures.traces_chosen_total ?? 0)}`,
    ],
    ['Spans copied', formatCount(figures.spans_copied_total ?? 0)],
  ];
}

function sinceSeconds(timestampSeconds: number | undefined): string {
  if (!timestampSeconds) return 'never';
  return `${roughDuration(Math.max(0, Math.round(Date.now() / 1000 - timestampSeconds)))} ago`;
}

function archiveName(status: PageStatus): string {
  return status.archive === 'clickhouse' ? 'ClickHouse' : 'Embedded (chDB)';
}
