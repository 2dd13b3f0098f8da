import type { ServerOptions } from '../clickhouse/options.js';
import type { HttpClientOptions } from '../http-client/options.js';
import { METRIC_NAME } from '../model/labels.js';
import type { MatcherType } from '../model/matcher.js';

/** One condition of a selector, as data: two sets of options can be compared. */
export interface Condition {
  readonly type: MatcherType;
  readonly name: string;
  readonly value: string;
}

/** All of its conditions. */
export type Selector = readonly Condition[];

/**
 * - `errors`: exemplars of series that say that something failed
 * - `slowest`: the highest values of each group
 * - `rare`: groups of the fewest traces first
 * - `representative`: of each group the ids with the lowest hashes, so that every run picks the same
 * - `probabilistic`: every id whose hash is below a rate, whatever group it is of
 */
export const POLICY_TYPES = ['errors', 'slowest', 'rare', 'representative', 'probabilistic'] as const;
export type PolicyType = (typeof POLICY_TYPES)[number];

export interface PolicyOptions {
  /** Unique in its job: the reason that a decision gives. */
  readonly name: string;
  readonly type: PolicyType;
  /** Part of the run's traces, 0 to 1; what is left of it goes to the policies after this one. */
  readonly share: number;
  /** Traces of each group; of no meaning to `probabilistic`. */
  readonly perGroup: number;
  /** Only exemplars of series that one of them selects; none: all. */
  readonly selectors: readonly Selector[];
  /** Of `probabilistic`: part of all ids, 0 to 1. */
  readonly rate: number;
}

export interface BudgetOptions {
  /** A run decides about one window. */
  readonly tracesPerRun: number;
  /** Copied in one day (UTC) for this job. */
  readonly spansPerDay: number;
  /** Larger traces are not copied. */
  readonly spansPerTrace: number;
  /** Part of a run's traces that one service may have, 0 to 1. */
  readonly serviceShare: number;
}

/** Where spans are, and where those of kept traces go: tables as the OpenTelemetry exporter makes them. */
export interface TraceTableOptions {
  /** Undefined: in the database of the archive. */
  readonly server: ServerOptions | undefined;
  /** `table` or `database.table` */
  readonly source: string;
  readonly kept: string;
  /** 0: for ever. */
  readonly keptTtlMs: number;
  /** How far from its exemplar a span may have begun. */
  readonly marginMs: number;
  /** Whether spans are copied; if not, it is only looked which traces there are. */
  readonly copy: boolean;
  /** Whether missing tables are made. */
  readonly createSchema: boolean;
}

export interface WebhookOptions {
  readonly url: string;
  /** Without credentials. */
  readonly shownUrl: string;
  readonly timeoutMs: number;
  /** Attempts after the first. */
  readonly retries: number;
  readonly httpClient: HttpClientOptions;
}

/** What one statement, and one run, may take. */
export interface SamplerLimits {
  readonly groups: number;
  /** Ids that are looked up in a run. */
  readonly candidates: number;
  readonly memoryBytes: number;
  readonly statementMs: number;
}

/** One job of `sampling`, all defaults resolved. */
export interface SamplingJobOptions {
  /** Unique. */
  readonly jobName: string;
  /** For node-cron: five fields, or six with seconds in front. */
  readonly schedule: string;
  /** Each start is put off by up to so long. */
  readonly jitterMs: number;
  /** Length of the windows, which begin at multiples of it since 1970. */
  readonly windowMs: number;
  /** Time for spans and exemplars to arrive after a window has closed. */
  readonly settleMs: number;
  /** For how long after that spans that come late are still copied; 0: not. */
  readonly lateWindowMs: number;
  /** How far back windows are made up for. */
  readonly catchUpMs: number;
  /** Only exemplars of series that one of them selects; none: all. */
  readonly selectors: readonly Selector[];
  /** Labels whose values make a group; undefined: all but `le` and `quantile`, and the name of the metric. */
  readonly groupBy: readonly string[] | undefined;
  /** The first of these labels that a series has says whose trace it is. */
  readonly serviceLabels: readonly string[];
  readonly policies: readonly PolicyOptions[];
  readonly budget: BudgetOptions;
  readonly limits: SamplerLimits;
  /** Undefined: traces are decided about, and others act on it. */
  readonly traces: TraceTableOptions | undefined;
  readonly webhook: WebhookOptions | undefined;
  /** Nothing is written: what would be kept is counted. */
  readonly dryRun: boolean;
}

/** Of series labels that change from one exemplar of a series to the next, in histograms and summaries. */
export const UNGROUPED_LABELS: readonly string[] = ['le', 'quantile'];

/** What instrumentation calls the status of a request; 5xx, or the word of span metrics for it. */
const STATUS_LABELS = ['status', 'code', 'status_code', 'http_status', 'http_status_code', 'http_code', 'http_response_status_code']; // biome-ignore format: one list
export const ERROR_SELECTORS: readonly Selector[] = [
  ...STATUS_LABELS.map((name): Selector => [{ type: '=~', name, value: '5..|STATUS_CODE_ERROR' }]),
  [{ type: '=', name: 'outcome', value: 'SERVER_ERROR' }],
];

/** Values that are no time: the exemplar of a counter has what was counted, nearly always 1, and bytes are in the thousands. */
export const SLOWEST_SELECTORS: readonly Selector[] = [
  [{ type: '!~', name: METRIC_NAME, value: '.*_(total|bytes|bytes_bucket|size|size_bucket)' }],
];

/** Where a policy does not say which exemplars it is about. */
export const DEFAULT_SELECTORS: Readonly<Record<PolicyType, readonly Selector[]>> = {
  errors: ERROR_SELECTORS,
  slowest: SLOWEST_SELECTORS,
  rare: [],
  representative: [],
  probabilistic: [],
};

export const DEFAULT_PER_GROUP = 1;
export const DEFAULT_PROBABILISTIC_RATE = 0.001;

const POLICY_DEFAULTS = { perGroup: DEFAULT_PER_GROUP, selectors: [], rate: 1 };

/** What went wrong first, then what is slow, what is seldom, and one of each. */
export const DEFAULT_POLICIES: readonly PolicyOptions[] = [
  { ...POLICY_DEFAULTS, name: 'errors', type: 'errors', share: 0.25, selectors: ERROR_SELECTORS },
  { ...POLICY_DEFAULTS, name: 'slowest', type: 'slowest', share: 0.25, selectors: SLOWEST_SELECTORS },
  { ...POLICY_DEFAULTS, name: 'rare', type: 'rare', share: 0.25 },
  { ...POLICY_DEFAULTS, name: 'representative', type: 'representative', share: 0.25 },
];

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Windows that were done are remembered for as long as this. */
export const MAX_CATCH_UP_MS = 28 * DAY_MS;

export const DEFAULT_SAMPLING_JOB: Omit<SamplingJobOptions, 'jobName'> = {
  schedule: '* * * * *',
  jitterMs: 0,
  windowMs: 5 * MINUTE_MS,
  settleMs: MINUTE_MS,
  lateWindowMs: 30 * MINUTE_MS,
  catchUpMs: DAY_MS,
  selectors: [],
  groupBy: undefined,
  serviceLabels: ['service', 'service_name', 'job'],
  policies: DEFAULT_POLICIES,
  budget: {
    // 288 windows a day: 288,000 traces, which at 10 spans of 40 bytes on disk are 115 MB a day.
    tracesPerRun: 1_000,
    // 200 MB a day, 36 GB in half a year.
    spansPerDay: 5_000_000,
    spansPerTrace: 100_000,
    serviceShare: 1,
  },
  limits: {
    groups: 20_000,
    candidates: 200_000,
    memoryBytes: 1024 * 1024 * 1024,
    statementMs: MINUTE_MS,
  },
  traces: undefined,
  webhook: undefined,
  dryRun: false,
};

export const DEFAULT_TRACE_TABLES: TraceTableOptions = {
  server: undefined,
  source: 'otel_traces',
  kept: 'otel_traces_kept',
  keptTtlMs: 180 * DAY_MS,
  marginMs: 10 * MINUTE_MS,
  copy: true,
  createSchema: true,
};

export const DEFAULT_WEBHOOK: Pick<WebhookOptions, 'timeoutMs' | 'retries'> = {
  timeoutMs: 10_000,
  retries: 2,
};

/** Decisions that nobody's job made, but somebody who asked for a trace: in the place of a job's name. */
export const PINNED_JOB = 'pinned';
