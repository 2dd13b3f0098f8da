import { useEffect, useRef } from 'preact/hooks';
import { formatCount, formatNumber } from '../format/number.js';
import { formatDateTime, formatDuration, roughDuration } from '../format/time.js';
import { type Column, DataTable } from '../parts/data-table.js';
import type { RetentionAnswer, RetentionGroup } from './answer.js';
import { exploreLink, groupingBelow, narrowed, selectorOf } from './drill-down.js';
import type { RetentionState } from './retention-state.js';
import { highestRate, windowOf } from './what-if.js';

export interface GroupsTableProps {
  readonly answer: RetentionAnswer;
  /** What the answer is by, and of: the next one may be on its way. */
  readonly by: string;
  readonly match: string;
  readonly isStale: boolean;
  readonly targetSeconds: number;
  readonly state: RetentionState;
  readonly onChange: (changes: Partial<RetentionState>) => void;
}

/** A row a group; opening one goes a step down, from jobs to metrics to series to their exemplars. */
export function GroupsTable(props: GroupsTableProps) {
  const { answer, by, match, isStale, targetSeconds, state, onChange } = props;
  const { groups } = answer;
  const alike = by === 'series' ? sharedLabels(groups) : [];
  const level = `${by} ${match}`;
  const box = useFocusOnNew(level);
  const perSeries = state.perSeries ?? answer.limits.perSeries;
  const longest = groups.reduce(
    (max, { windowSeconds }) => Math.max(max, windowSeconds.max ?? 0),
    targetSeconds,
  );
  const columns: Column<RetentionGroup>[] = [
    {
      id: 'group',
      title: 'Group',
      width: by === 'series' ? 340 : 240,
      cell: ({ labels }) => nameOf(labels, by, alike),
      hint: ({ labels }) => selectorOf(labels) || 'everything',
    },
    {
      id: 'window',
      title: 'Remembers now',
      width: 250,
      isSortable: true,
      cell: (group) => <WindowBar group={group} targetSeconds={targetSeconds} longestSeconds={longest} />,
      hint: windowHint,
    },
    {
      id: 'then',
      title: state.perSeries === undefined ? 'Then remembers' : `With ${perSeries} slots`,
      width: 155,
      isNumeric: true,
      cell: (group) => (
        <Then
          group={group}
          seconds={thenOf(group, state, answer.limits, targetSeconds)}
          targetSeconds={targetSeconds}
        />
      ),
    },
    {
      id: 'full',
      title: 'Full in',
      width: 90,
      isNumeric: true,
      cell: ({ forecast: { secondsToFull } }) =>
        secondsToFull === null ? '–' : secondsToFull === 0 ? 'full' : roughDuration(secondsToFull),
    },
    {
      id: 'rings',
      title: 'Full rings',
      width: 110,
      isNumeric: true,
      cell: ({ fullSeries, series }) => `${formatCount(fullSeries)} of ${formatCount(series)}`,
    },
    {
      id: 'exemplars',
      title: 'Exemplars',
      width: 100,
      isNumeric: true,
      isSortable: true,
      cell: ({ exemplars }) => formatCount(exemplars),
    },
    {
      id: 'rate',
      title: 'A second',
      width: 90,
      isNumeric: true,
      isSortable: true,
      cell: ({ rate }) => formatNumber(Number(rate['1h'].toPrecision(3))),
      hint: ({ rate }) => `last 5m ${formatNumber(rate['5m'])}, last 1h ${formatNumber(rate['1h'])}`,
    },
    {
      id: 'overwrites',
      title: 'Overwritten',
      width: 110,
      isNumeric: true,
      isSortable: true,
      cell: ({ overwritten }) => formatCount(overwritten),
      hint: ({ overwrittenUnforwarded }) =>
        `${formatCount(overwrittenUnforwarded)} of them before every sink had them`,
    },
  ];
  const open = (group: RetentionGroup) => {
    if (isStale) return;
    const below = groupingBelow(by);
    if (below === undefined) window.location.hash = exploreLink(group, answer.timestamp);
    else onChange({ by: below, match: narrowed(match, group.labels), sort: undefined });
  };
  return (
    <div ref={box} class={isStale ? 'stale' : undefined} aria-busy={isStale}>
      <DataTable
        key={level}
        caption={`Retention by ${by}`}
        columns={columns}
        rowCount={groups.length}
        rowAt={(index) => groups[index]!}
        {...(state.sort && { sort: state.sort })}
        onSort={(sort) => onChange({ sort })}
        onOpen={open}
      />
    </div>
  );
}

/** A step down takes the button away that was pressed: the keyboard goes on at the first of the new rows. */
function useFocusOnNew(level: string) {
  const box = useRef<HTMLDivElement>(null);
  const shown = useRef(level);
  useEffect(() => {
    if (shown.current === level) return;
    shown.current = level;
    if (document.activeElement === document.body) box.current?.querySelector<HTMLElement>('.opener')?.focus();
  }, [level]);
  return box;
}

/** Labels that all series have with the same value: they tell nothing apart. */
function sharedLabels(groups: readonly RetentionGroup[]): string[] {
  const [first, ...others] = groups;
  if (first === undefined || others.length === 0) return [];
  return Object.entries(first.labels)
    .filter(([name, value]) => others.every(({ labels }) => labels[name] === value))
    .map(([name]) => name);
}

function nameOf(labels: RetentionGroup['labels'], by: string, alike: readonly string[]): string {
  if (by === 'total') return 'everything';
  if (by !== 'series') return Object.values(labels)[0] || '(no such label)';
  const telling = Object.entries(labels).filter(([name]) => !alike.includes(name));
  const { __name__ = '', ...others } = Object.fromEntries(telling);
  return `${__name__}${selectorOf(others)}` || '{}';
}

/** The forecast of the server, or of rings of another size. */
function thenOf(
  group: RetentionGroup,
  { perSeries }: RetentionState,
  limits: RetentionAnswer['limits'],
  targetSeconds: number,
): number | undefined {
  if (perSeries !== undefined)
    return windowOf(perSeries, highestRate(group, limits.perSeries, targetSeconds));
  return group.forecast.steadyWindowSeconds ?? undefined;
}

function Then({
  group,
  seconds,
  targetSeconds,
}: {
  group: RetentionGroup;
  seconds: number | undefined;
  targetSeconds: number;
}) {
  if (seconds === undefined)
    return <span title="nothing comes, so nothing goes">{group.exemplars > 0 ? 'for ever' : '–'}</span>;
  const isMet = seconds >= targetSeconds;
  return (
    <span
      class={isMet ? 'met' : 'missed'}
      title={isMet ? 'meets the target' : `the target is ${formatDuration(targetSeconds)}`}
    >
      {isMet ? '✓' : '✗'} {roughDuration(seconds)}
    </span>
  );
}

interface WindowBarProps {
  readonly group: RetentionGroup;
  readonly targetSeconds: number;
  readonly longestSeconds: number;
}

/** From now at the left into the past: what half of the series remember, what the longest does, and the target as a line. */
function WindowBar({ group, targetSeconds, longestSeconds }: WindowBarProps) {
  const { p50, max } = group.windowSeconds;
  const share = (seconds: number | null) => `${(100 * (seconds ?? 0)) / longestSeconds}%`;
  return (
    <span class="window">
      <span class="bar-track" aria-hidden="true">
        <span class="longest" style={{ width: share(max) }} />
        <span class="half" style={{ width: share(p50) }} />
        <span class="target" style={{ left: share(targetSeconds) }} />
      </span>
      <span class="reading">{p50 === null ? '–' : roughDuration(p50)}</span>
    </span>
  );
}

function windowHint({ oldest, newest, windowSeconds: { min, p50, max } }: RetentionGroup): string {
  if (oldest === null || newest === null) return 'nothing is held';
  const span = [min, p50, max].map((seconds) => roughDuration(seconds ?? 0));
  return `series remember ${span[0]} at least, ${span[1]} in the middle, ${span[2]} at most; from ${formatDateTime(oldest * 1000)} to ${formatDateTime(newest * 1000)}`;
}
