/** `sampling` as read → the options of each job. */
import type { PromqlError } from '../query/expression.js';
import { parseSelector } from '../query/selectors.js';
import {
  DEFAULT_POLICIES,
  DEFAULT_PROBABILISTIC_RATE,
  DEFAULT_SELECTORS,
  PINNED_JOB,
  type PolicyOptions,
  type SamplingJobOptions,
  type Selector,
  type TraceTableOptions,
  type WebhookOptions,
} from '../sampler/options.js';
import { redactUrl } from '../util/secrets.js';
import { quote } from './document.js';
import { type FileContext, resolveHttpClient } from './http-client-schema.js';
import type { IssueReport, Position } from './issue.js';
import type { POLICY_KEYS, SAMPLING_KEYS, TRACES_KEYS, WEBHOOK_KEYS } from './sampling-keys.js';
import { resolveServer } from './server-keys.js';
import type { Section } from './table.js';
import { splitUrl } from './url-credentials.js';
import type { Located } from './value-type.js';

type JobSection = Section<typeof SAMPLING_KEYS>;
type PolicySection = Section<typeof POLICY_KEYS>;

/** @param archiveType as the file has it */
export function resolveSampling(
  sections: readonly JobSection[],
  context: FileContext,
  archiveType?: string,
): SamplingJobOptions[] {
  const [first] = sections;
  if (first !== undefined && archiveType === 'none')
    context.report.warn(
      first.at('job_name'),
      'sampling has no effect with archive.type none: traces are chosen from the archive',
    );
  const named = sections.map(({ values, path, at }) => ({ name: values.job_name, path, at: at('job_name') }));
  refuseSameNames(named, 'job_name', context.report);
  return sections.map((section) => resolveJob(section, context));
}

function resolveJob(section: JobSection, context: FileContext): SamplingJobOptions {
  const { values, path } = section;
  const { report } = context;
  if (values.job_name === PINNED_JOB)
    report.error(section.at('job_name'), `${path}.job_name ${quote(PINNED_JOB)} is taken`);
  // Without catch_up at all, nobody expects that windows are made up for.
  if (values.settle > values.catch_up && values.catch_up > 0)
    report.warn(
      section.at(section.given('settle') ? 'settle' : 'catch_up'),
      `${path}.settle is longer than ${path}.catch_up: windows that were missed are not made up for`,
    );
  const { budget } = values;
  return {
    jobName: values.job_name ?? '',
    schedule: values.schedule,
    jitterMs: values.jitter,
    windowMs: values.window,
    settleMs: values.settle,
    lateWindowMs: values.late_window,
    catchUpMs: values.catch_up,
    selectors: resolveSelectors(values.match, `${path}.match`, report),
    groupBy: values.group_by === undefined ? undefined : resolveGroupBy(values.group_by, path, report),
    serviceLabels: values.service_labels,
    policies: resolvePolicies(section, report),
    budget: {
      tracesPerRun: budget.values.traces_per_run,
      spansPerDay: budget.values.spans_per_day,
      spansPerTrace: budget.values.spans_per_trace,
      serviceShare: budget.values.service_share,
    },
    limits: {
      groups: values.max_groups,
      candidates: values.max_candidates,
      memoryBytes: values.max_memory,
      statementMs: values.statement_timeout,
    },
    traces: values.traces === undefined ? undefined : resolveTraces(values.traces, context),
    webhook: values.webhook === undefined ? undefined : resolveWebhook(values.webhook, context),
    dryRun: values.dry_run,
  };
}

function resolveGroupBy(labels: readonly Located<string>[], path: string, report: IssueReport): string[] {
  const names = new Set<string>();
  for (const { value, at } of labels) {
    if (names.has(value)) report.warn(at, `${path}.group_by has ${quote(value)} twice`);
    names.add(value);
  }
  return [...names];
}

function resolvePolicies({ values, path, at }: JobSection, report: IssueReport): PolicyOptions[] {
  const { policies: sections, per_group: perGroup } = values;
  if (sections === undefined) return DEFAULT_POLICIES.map((policy) => ({ ...policy, perGroup }));
  if (sections.length === 0) report.error(at('policies'), `${path}.policies is empty: nothing is chosen`);
  const byName = sections.map((section) => {
    const { name, type } = section.values;
    return { name: name ?? type, path: section.path, at: section.at('name') };
  });
  refuseSameNames(byName, 'name', report);
  const named = sections.reduce((sum, section) => sum + (section.values.share ?? 0), 0);
  // Sums of decimal fractions are off by a little.
  if (named > 1 + 1e-9) report.error(at('policies'), `${path}.policies have shares of more than 1 together`);
  const unnamed = sections.filter(({ values: { share } }) => share === undefined).length;
  return sections.map((section) =>
    resolvePolicy(section, perGroup, Math.max(0, 1 - named) / unnamed, report),
  );
}

function resolvePolicy(
  section: PolicySection,
  perGroup: number,
  ifNoShare: number,
  report: IssueReport,
): PolicyOptions {
  const { values, path } = section;
  const type = values.type ?? 'representative';
  if (section.given('rate') && type !== 'probabilistic')
    report.error(section.at('rate'), `${path}.rate needs ${path}.type probabilistic`);
  if (section.given('per_group') && type === 'probabilistic')
    report.error(section.at('per_group'), `${path}.per_group has no meaning for ${path}.type probabilistic`);
  return {
    name: values.name ?? type,
    type,
    share: values.share ?? ifNoShare,
    perGroup: values.per_group ?? perGroup,
    selectors:
      values.match === undefined
        ? DEFAULT_SELECTORS[type]
        : resolveSelectors(values.match, `${path}.match`, report),
    rate: values.rate ?? DEFAULT_PROBABILISTIC_RATE,
  };
}

function resolveTraces(section: Section<typeof TRACES_KEYS>, context: FileContext): TraceTableOptions {
  const { values, path } = section;
  if (values.source === values.kept)
    context.report.error(section.at('kept'), `${path}.kept must be another table than ${path}.source`);
  const needsUrl = ['user', 'password', 'password_file', 'tls_config', 'database', 'cluster'] as const;
  const given = needsUrl.find((key) => section.given(key));
  const hasServer = values.url.length > 0 || section.refused('url');
  if (!hasServer && given !== undefined)
    context.report.error(section.at(given), `${path}.${given} needs ${path}.url`);
  return {
    server: values.url.length > 0 ? resolveServer(section, context) : undefined,
    source: values.source,
    kept: values.kept,
    keptTtlMs: values.kept_ttl,
    marginMs: values.margin,
    copy: values.copy,
    createSchema: values.create_schema,
  };
}

function resolveWebhook(section: Section<typeof WEBHOOK_KEYS>, context: FileContext): WebhookOptions {
  const { url, auth } = splitUrl(section.values.url);
  const client = resolveHttpClient(section, context, auth === undefined ? [] : ['credentials in url']);
  return {
    url,
    shownUrl: redactUrl(url),
    timeoutMs: section.values.timeout,
    retries: section.values.retries,
    httpClient: { ...client, auth: auth ?? client.auth },
  };
}

/** As plain data, without what matches: two sets of options can be compared. */
function resolveSelectors(
  texts: readonly Located<string>[],
  path: string,
  report: IssueReport,
): readonly Selector[] {
  return texts.map(({ value, at }): Selector => {
    try {
      return parseSelector(value).map(({ type, name, value: text }) => ({ type, name, value: text }));
    } catch (error) {
      report.error(at, `${path}: ${(error as PromqlError).message}`);
      return [];
    }
  });
}

interface Named {
  /** Undefined: not given, which has been said. */
  readonly name: string | undefined;
  readonly path: string;
  readonly at: Position;
}

function refuseSameNames(named: readonly Named[], key: string, report: IssueReport): void {
  const taken = new Map<string, Named>();
  for (const each of named) {
    if (each.name === undefined) continue;
    const earlier = taken.get(each.name);
    if (earlier === undefined) taken.set(each.name, each);
    else
      report.error(
        each.at,
        `${each.path}.${key} ${quote(each.name)} is taken by ${earlier.path} in line ${earlier.at.line}`,
      );
  }
}
