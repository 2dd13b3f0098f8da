/** The keys of `sampling`. */
import { validateDetailed } from 'node-cron';
import { isTableName } from '../sampler/identifier.js';
import {
  DEFAULT_PER_GROUP,
  DEFAULT_PROBABILISTIC_RATE,
  DEFAULT_SAMPLING_JOB,
  DEFAULT_TRACE_TABLES,
  DEFAULT_WEBHOOK,
  MAX_CATCH_UP_MS,
  POLICY_TYPES,
} from '../sampler/options.js';
import { formatDurationMs, parseDurationMs } from '../util/units.js';
import { describeValue } from './document.js';
import { httpClientKeys } from './http-client-keys.js';
import { serverKeys } from './server-keys.js';
import { optional, required, section, subsection, withDefault } from './table.js';
import {
  boolean,
  bytes,
  count,
  duration,
  httpUrl,
  list,
  located,
  nonEmptyText,
  oneOf,
  positiveDuration,
  scalar,
  type ValueType,
} from './value-type.js';

/** Five fields, or six with seconds in front. */
const cron: ValueType<string> = {
  name: 'cron expression',
  read(node, path, report) {
    const text = node.kind === 'scalar' ? node.text.trim() : '';
    const { valid, errors } = validateDetailed(text);
    const isNickname = text.startsWith('@');
    if (node.kind === 'scalar' && valid && !isNickname) return text;
    const message = isNickname ? 'names of expressions are not read' : errors[0]?.message;
    const why = message === undefined ? '' : `: ${message}`;
    return report.error(
      node.at,
      `${path} must be a cron expression like "*/5 * * * *", got ${describeValue(node)}${why}`,
    );
  },
  format: (value) => `'${value}'`,
};

/** `0.25` or `25%`. */
const part = scalar<number>({
  name: 'part',
  expectation: 'a part from 0 to 1, like 0.25 or 25%',
  parse(text, plain) {
    const match = plain ? /^(\d+(?:\.\d*)?|\.\d+)(%?)$/.exec(text) : null;
    if (match === null) return undefined;
    const value = Number(match[1]) / (match[2] === '' ? 1 : 100);
    return value <= 1 ? value : undefined;
  },
});

const tableName = scalar({
  name: 'text',
  expectation: 'a table, or database.table, of letters, digits and underscores',
  parse: (value) => (isTableName(value) ? value : undefined),
});

const DAY_MS = 24 * 60 * 60_000;

/** @param expectation completes "must be …" */
function durationWithin(minimumMs: number, maximumMs: number, expectation: string): ValueType<number> {
  return scalar({
    name: 'duration',
    expectation,
    parse(text) {
      const lengthMs = parseDurationMs(text);
      return lengthMs !== undefined && lengthMs >= minimumMs && lengthMs <= maximumMs ? lengthMs : undefined;
    },
    format: formatDurationMs,
  });
}

const selectors = list(located(nonEmptyText));
const { budget, limits } = DEFAULT_SAMPLING_JOB;

export const POLICY_KEYS = {
  type: required(
    oneOf(POLICY_TYPES),
    'Who is chosen: `errors`, of each group what failed, the highest value first; `slowest`, the highest values of each group; `rare`, groups of the fewest traces first; `representative`, of each group the ids with the lowest hashes, the same in every run; `probabilistic`, every id whose hash is below `rate`.',
  ),
  name: optional(nonEmptyText, 'The reason that a decision gives. Unique in its job.', '`type`'),
  share: optional(
    part,
    "Part of the run's traces. What it leaves goes to the policies after it, and at last to whoever wants more.",
    'an equal part of what other policies do not name',
  ),
  per_group: optional(count(1, 1_000), 'Traces of each group.', 'that of the job'),
  match: optional(
    selectors,
    'Selectors: only exemplars of series that one of them selects.',
    'all; for `errors`, a status of `5..` or `STATUS_CODE_ERROR` in one of the labels that instrumentation gives it; for `slowest`, no metric that counts or is of bytes, by its name',
  ),
  rate: optional(
    part,
    'Of `probabilistic`: part of all ids. Recorded with each decision.',
    `\`${DEFAULT_PROBABILISTIC_RATE}\``,
  ),
};

export const BUDGET_KEYS = {
  traces_per_run: withDefault(
    count(1, 100_000),
    budget.tracesPerRun,
    'Traces of one window. Policies that come first have them first.',
  ),
  spans_per_day: withDefault(
    count(1, Number.MAX_SAFE_INTEGER),
    budget.spansPerDay,
    'Spans that the job copies in a day (UTC). Traces that do not fit are not copied.',
  ),
  spans_per_trace: withDefault(count(1), budget.spansPerTrace, 'Traces with more are not copied.'),
  service_share: withDefault(
    part,
    budget.serviceShare,
    "Part of the run's traces that one service may have.",
  ),
};

export const TRACES_KEYS = {
  source: withDefault(
    tableName,
    DEFAULT_TRACE_TABLES.source,
    'Table with all spans, in the shape of the OpenTelemetry exporter.',
  ),
  kept: withDefault(
    tableName,
    DEFAULT_TRACE_TABLES.kept,
    'Table for the spans of kept traces. Made with the columns of `source` if it is missing.',
  ),
  kept_ttl: withDefault(
    duration,
    DEFAULT_TRACE_TABLES.keptTtlMs,
    'How long kept spans live, where exemplard makes the table; `0s`: for ever.',
  ),
  margin: withDefault(
    positiveDuration,
    DEFAULT_TRACE_TABLES.marginMs,
    'How far from its exemplar a span may have begun. Where there is a table `<source>_trace_id_ts`, longer traces are found, too.',
  ),
  copy: withDefault(
    boolean,
    DEFAULT_TRACE_TABLES.copy,
    'Whether spans are copied; if not, it is only looked which traces there are.',
  ),
  create_schema: withDefault(boolean, DEFAULT_TRACE_TABLES.createSchema, 'Whether missing tables are made.'),
  ...serverKeys('Where spans are in another ClickHouse than the archive.'),
};

export const WEBHOOK_KEYS = {
  url: required(httpUrl, 'Where decisions are posted, as JSON.'),
  timeout: withDefault(positiveDuration, DEFAULT_WEBHOOK.timeoutMs, 'How long one request may take.'),
  retries: withDefault(
    count(0, 10),
    DEFAULT_WEBHOOK.retries,
    'Attempts after the first. Who must not miss a decision reads `/api/v1/sampling/decisions`.',
  ),
  ...httpClientKeys(true),
};

export const SAMPLING_KEYS = {
  job_name: required(
    nonEmptyText,
    'Unique in the file. `pinned` is taken: by traces that somebody asked to keep.',
  ),
  schedule: withDefault(
    cron,
    DEFAULT_SAMPLING_JOB.schedule,
    'When to look for windows that are due: minute, hour, day, month and day of the week, with seconds in front if need be, in local time.',
  ),
  jitter: withDefault(
    duration,
    DEFAULT_SAMPLING_JOB.jitterMs,
    'Each start is put off by a random time of up to so long.',
  ),
  window: withDefault(
    durationWithin(10_000, DAY_MS, 'a duration from 10s to 1d'),
    DEFAULT_SAMPLING_JOB.windowMs,
    'Length of the windows that are decided about, one by one.',
  ),
  settle: withDefault(
    duration,
    DEFAULT_SAMPLING_JOB.settleMs,
    'Time for spans and exemplars to arrive after a window has ended.',
  ),
  late_window: withDefault(
    duration,
    DEFAULT_SAMPLING_JOB.lateWindowMs,
    'For how long after that spans that come late are still copied; `0s`: not. The source must keep spans for longer.',
  ),
  catch_up: withDefault(
    durationWithin(0, MAX_CATCH_UP_MS, 'a duration of at most 28d'),
    DEFAULT_SAMPLING_JOB.catchUpMs,
    'How far back windows are made up for that were missed while exemplard was down, or the job was not there.',
  ),
  match: withDefault(
    selectors,
    [],
    'Selectors: only exemplars of series that one of them selects. None: all.',
  ),
  group_by: optional(
    list(located(nonEmptyText)),
    'Labels whose values make a group; `__name__` may be one of them. Every group gets its own traces.',
    'all labels of a series but `le` and `quantile`',
  ),
  service_labels: withDefault(
    list(nonEmptyText),
    DEFAULT_SAMPLING_JOB.serviceLabels,
    'The first of these labels that a series has says whose trace it is.',
  ),
  per_group: withDefault(count(1, 1_000), DEFAULT_PER_GROUP, 'Traces that each policy picks of each group.'),
  policies: optional(
    list(section(POLICY_KEYS)),
    'Who is chosen, in the order of importance.',
    '`errors`, `slowest`, `rare`, `representative`',
  ),
  budget: subsection(BUDGET_KEYS, 'How much is kept at most.'),
  traces: optional(
    section(TRACES_KEYS),
    'Where spans are, and where those of kept traces go.',
    'traces are decided about, and others act on it',
  ),
  webhook: optional(section(WEBHOOK_KEYS), 'Who is told of the decisions of each run.'),
  dry_run: withDefault(
    boolean,
    DEFAULT_SAMPLING_JOB.dryRun,
    'Whether nothing is written: what would be kept shows in metrics and in the log.',
  ),
  max_groups: withDefault(
    count(1, 1_000_000),
    limits.groups,
    'Groups of one window; more are not looked at, which is counted.',
  ),
  max_candidates: withDefault(
    count(1, 10_000_000),
    limits.candidates,
    'Trace ids of one window that are looked up.',
  ),
  max_memory: withDefault(bytes(64 * 1024 * 1024), limits.memoryBytes, 'What one statement may take.'),
  statement_timeout: withDefault(positiveDuration, limits.statementMs, 'How long one statement may take.'),
};
