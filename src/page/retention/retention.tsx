import type { ApiParameters } from '../api/client.js';
import { useAnswer } from '../api/use-answer.js';
import { formatBytes } from '../format/bytes.js';
import { counted, formatCount } from '../format/number.js';
import { formatDuration, roughDuration } from '../format/time.js';
import { AddressProblems } from '../parts/address-problems.js';
import { type Figure, Figures } from '../parts/figures.js';
import { Empty, Failure, Loading, Notice } from '../parts/states.js';
import { useTick } from '../use-tick.js';
import type { ViewProps } from '../view.js';
import { AdviceBox } from './advice-box.js';
import type { ArchiveRetention, RetentionAnswer } from './answer.js';
import { GroupsTable } from './groups-table.js';
import { type RetentionState, readState, writeState } from './retention-state.js';
import { RetentionToolbar } from './toolbar.js';

const REFRESH_MS = 15_000;
const MAX_GROUPS = 500;
/** What forecasts are made for where nobody has said how far back they wish to see. */
const USUAL_TARGET_SECONDS = 24 * 3600;

/** How long the rings remember, why, and what to change. */
export function Retention({ parameters, navigate, status }: ViewProps) {
  const { state, problems } = readState(parameters);
  const [tick, refresh] = useTick(REFRESH_MS);
  const change = (changes: Partial<RetentionState>, replace = false) =>
    navigate(
      { view: 'retention', parameters: writeState({ ...state, ...changes }, formatDuration) },
      { replace },
    );
  const targetSeconds = state.targetSeconds ?? status.retentionTargetSeconds ?? USUAL_TARGET_SECONDS;
  const match = { 'match[]': state.match === '' ? undefined : state.match };
  const target = `${Math.round(targetSeconds * 1000)}ms`;
  const groups = useAnswer<RetentionAnswer>(
    'retention',
    { ...match, by: state.by, target, limit: MAX_GROUPS, ...sorting(state) },
    tick,
  );
  const total = useAnswer<RetentionAnswer>('retention', { ...match, by: 'total', target }, tick);
  return (
    <section class="view">
      <h1 class="off-screen">Retention</h1>
      <AddressProblems problems={problems} />
      <RetentionToolbar state={state} targetSeconds={targetSeconds} onChange={change} />
      {body()}
    </section>
  );

  function body() {
    if (groups.state === 'failed') return <Failure error={groups.error} onRetry={refresh} />;
    if (total.state === 'failed') return <Failure error={total.error} onRetry={refresh} />;
    if (groups.state === 'loading' || total.state === 'loading') return <Loading what="retention" />;
    // What is shown is said of what was asked, not of what is being asked now.
    const all = total.data.groups[0];
    const asked = total.asked;
    return (
      <div class={total.isStale ? 'view stale' : 'view'} aria-busy={total.isStale}>
        {groups.warnings.map((warning) => (
          <Notice key={warning} kind="warning">
            {warning}
          </Notice>
        ))}
        <Summary answer={total.data} archive={groups.data.archive} />
        {all === undefined || all.exemplars === 0 ? (
          <NothingHeld match={matchOf(asked)} onAll={() => change({ match: '', by: 'job' })} />
        ) : (
          <>
            <AdviceBox
              total={all}
              answer={total.data}
              targetSeconds={secondsOf(asked)}
              isConfigured={status.retentionTargetSeconds === secondsOf(asked)}
              hasArchive={groups.data.archive !== undefined}
              match={matchOf(asked)}
              perSeries={state.perSeries}
              onPerSeries={(perSeries) => change({ perSeries }, true)}
            />
            <GroupsTable
              answer={groups.data}
              by={String(groups.asked.by)}
              match={matchOf(groups.asked)}
              isStale={groups.isStale}
              targetSeconds={secondsOf(groups.asked)}
              state={state}
              onChange={change}
            />
            {groups.data.groups.length === MAX_GROUPS && (
              <p class="hint">
                These are the first {formatCount(MAX_GROUPS)}: narrow the selector to see others.
              </p>
            )}
          </>
        )}
      </div>
    );
  }
}

/** The target that an answer is about: another may have been set since. */
function secondsOf({ target }: ApiParameters): number {
  return Number.parseInt(String(target), 10) / 1000;
}

/** Empty: all series. */
function matchOf({ 'match[]': match }: ApiParameters): string {
  return String(match ?? '');
}

function sorting({ sort }: RetentionState) {
  return sort === undefined ? {} : { sort: sort.column, order: sort.isDescending ? 'desc' : 'asc' };
}

function NothingHeld({ match, onAll }: { match: string; onAll: () => void }) {
  if (match === '')
    return (
      <Empty title="No exemplars yet">
        <p>
          Rings fill with the first scrapes. <a href="#/targets">Targets</a> shows whether these succeed, and
          what is wrong where exemplars are missing.
        </p>
      </Empty>
    );
  return (
    <Empty title="No such series">
      <p>
        Nothing that <code>{match}</code> selects has exemplars.
      </p>
      <button type="button" onClick={onAll}>
        Show all jobs
      </button>
    </Empty>
  );
}

/** What is held, and what it takes. */
function Summary({ answer, archive }: { answer: RetentionAnswer; archive: ArchiveRetention | undefined }) {
  const { limits, bytes, groups, timestamp } = answer;
  const used = bytes.slots + bytes.labels + bytes.index;
  const total = groups[0];
  const figures: Figure[] = [
    [
      'Held in rings',
      `${counted(total?.exemplars ?? 0, 'exemplar')} of ${formatCount(total?.series ?? 0)} series`,
    ],
    ['Slots a ring', formatCount(limits.perSeries)],
    [
      'Memory',
      <>
        <meter
          aria-label="Memory used"
          min={0}
          max={limits.maxBytes}
          high={limits.maxBytes * 0.9}
          value={Math.min(used, limits.maxBytes)}
        />{' '}
        {formatBytes(used)} of {formatBytes(limits.maxBytes)}
      </>,
    ],
  ];
  if (archive !== undefined) figures.push(['Archive', describeArchive(archive, timestamp)]);
  return <Figures figures={figures} />;
}

function describeArchive({ rows, bytes, oldest, ttlSeconds }: ArchiveRetention, timestamp: number): string {
  const parts = [counted(rows, 'exemplar'), formatBytes(bytes)];
  if (oldest !== null) parts.push(`back ${roughDuration(timestamp - oldest)}`);
  if (ttlSeconds !== null) parts.push(`kept for ${roughDuration(ttlSeconds)}`);
  return parts.join(', ');
}
