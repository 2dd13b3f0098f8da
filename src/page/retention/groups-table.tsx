import { matcherText } from '../explore/promql.js';
import { formatCount, formatNumber } from '../format/number.js';
import { formatDateTime, formatDuration, roughDuration } from '../format/time.js';
import { type Column, DataTable } from '../parts/data-table.js';
import type { RetentionAnswer, RetentionGroup } from './answer.js';
import type { RetentionState } from './retention-state.js';
import { highestRate, windowOf } from './what-if.js';

export interface GroupsTableProps {
  readonly answer: RetentionAnswer;
  readonly targetSeconds: number;
  readonly state: RetentionState;
  readonly onChange: (changes: Partial<RetentionState>) => void;
}

/** A row a group; opening one goes a step down, from jobs to metrics to series to their exemplars. */
export function GroupsTable({ answer, targetSeconds, state, onChange }: GroupsTableProps) {
  const { groups } = answer;
  const perSeries = state.perSeries ?? answer.limits.perSeries;
  const longest = groups.reduce(
    (max, { windowSeconds }) => Math.max(max, windowSeconds.max ?? 0),
    targetSeconds,
  );
  const columns: Column<RetentionGroup>[] = [
    {
      id: 'group',
      title: 'Group',
      width: 260,
      cell: ({ labels }) => nameOf(labels, state.by),
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
      width: 130,
      isNumeric: true,
      cell: (group) => (
        <Then group={group} seconds={thenOf(group, state, targetSeconds)} targetSeconds={targetSeconds} />
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
  return (
    <DataTable
      caption={`Retention by ${state.by}`}
      columns={columns}
      rowCount={groups.length}
      rowAt={(index) => groups[index]!}
      {...(state.sort && { sort: state.sort })}
      onSort={(sort) => onChange({ sort })}
      onOpen={({ labels }) => open(labels, state, onChange)}
    />
  );
}

/** A step down; from a series to its exemplars. */
function open(
  labels: RetentionGroup['labels'],
  state: RetentionState,
  onChange: GroupsTableProps['onChange'],
): void {
  if (state.by === 'series') {
    window.location.hash = `#/explore?${new URLSearchParams({ query: selectorOf(labels) })}`;
    return;
  }
  const next = state.by === 'total' ? 'job' : state.by === 'metric' ? 'series' : 'metric';
  onChange({ by: next, match: narrowed(state.match, selectorOf(labels)), sort: undefined });
}

/** Both selectors in one: the server takes a list of them for "any of", not for "all of". */
function narrowed(match: string, selector: string): string {
  const inner = (text: string) => /^\{(.*)\}$/s.exec(text.trim())?.[1]?.trim() ?? '';
  if (selector === '' || (match !== '' && inner(match) === '')) return selector || match;
  return `{${[inner(match), inner(selector)].filter((part) => part !== '').join(', ')}}`;
}

function selectorOf(labels: RetentionGroup['labels']): string {
  const matchers = Object.entries(labels).map(([name, value]) => matcherText(name, '=', value));
  return matchers.length === 0 ? '' : `{${matchers.join(', ')}}`;
}

function nameOf(labels: RetentionGroup['labels'], by: string): string {
  if (by === 'total') return 'everything';
  if (by !== 'series') return Object.values(labels)[0] ?? '(no such label)';
  const { __name__ = '', ...others } = labels;
  return `${__name__}${selectorOf(others)}`;
}

/** The forecast of the server, or of rings of another size. */
function thenOf(
  group: RetentionGroup,
  { perSeries }: RetentionState,
  targetSeconds: number,
): number | undefined {
  if (perSeries !== undefined) return windowOf(perSeries, highestRate(group, targetSeconds));
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
