/** `global` and `scrape_configs` as read → the options of each job, everything inherited resolved. */
import { type Labels, labelsFromPairs } from '../model/labels.js';
import type { TargetGroup } from '../model/target-group.js';
import { DEFAULT_SCRAPE_JOB, type ScrapeJobOptions, type ScrapeProtocol } from '../scrape/options.js';
import { formatDurationMs } from '../util/units.js';
import { quote } from './document.js';
import { expandEnvironment } from './environment.js';
import type { IssueReport, Position } from './issue.js';
import type { GLOBAL_KEYS, SCRAPE_KEYS, STATIC_CONFIG_KEYS } from './scrape-keys.js';
import type { Section } from './table.js';

type GlobalSection = Section<typeof GLOBAL_KEYS>;
type ScrapeSection = Section<typeof SCRAPE_KEYS>;

/** What jobs take from `global` where they do not say otherwise. */
type InheritedOptions = Pick<
  ScrapeJobOptions,
  | 'intervalMs'
  | 'timeoutMs'
  | 'scrapeProtocols'
  | 'bodySizeLimitBytes'
  | 'sampleLimit'
  | 'labelLimit'
  | 'labelNameLengthLimitBytes'
  | 'labelValueLengthLimitBytes'
>;

export function resolveScrapeJobs(
  global: GlobalSection,
  jobs: readonly ScrapeSection[],
  report: IssueReport,
): ScrapeJobOptions[] {
  const inherited = resolveInherited(global, report);
  refuseRepeatedNames(jobs, report);
  return jobs.map((job) => resolveJob(job, inherited, report));
}

function resolveInherited(global: GlobalSection, report: IssueReport): InheritedOptions {
  return {
    ...resolveTiming(global, DEFAULT_SCRAPE_JOB, report),
    ...resolveLimits(global.values, DEFAULT_SCRAPE_JOB),
    scrapeProtocols: resolveProtocols(global, DEFAULT_SCRAPE_JOB.scrapeProtocols, report),
  };
}

function resolveJob(job: ScrapeSection, inherited: InheritedOptions, report: IssueReport): ScrapeJobOptions {
  const { values } = job;
  return {
    ...resolveTiming(job, inherited, report),
    ...resolveLimits(values, inherited),
    scrapeProtocols: resolveProtocols(job, inherited.scrapeProtocols, report),
    jobName: values.job_name ?? '',
    metricsPath: values.metrics_path,
    scheme: values.scheme,
    params: values.params,
    honorLabels: values.honor_labels,
    honorTimestamps: values.honor_timestamps,
    enableCompression: values.enable_compression,
    followRedirects: values.follow_redirects,
    fallbackScrapeProtocol: resolveFallback(job, report),
    staticConfigs: values.static_configs.map((group) =>
      resolveTargets(group, job.given('relabel_configs'), report),
    ),
  };
}

/** What `global` and jobs have alike, so that one rule serves both. */
interface TimingSection {
  readonly path: string;
  readonly values: {
    readonly scrape_interval: number | undefined;
    readonly scrape_timeout: number | undefined;
  };
  at(key: 'scrape_interval' | 'scrape_timeout'): Position;
  given(key: 'scrape_interval' | 'scrape_timeout'): boolean;
  refused(key: 'scrape_interval' | 'scrape_timeout'): boolean;
}

/** As in Prometheus 0 means "not given", and a timeout that is not given is cut to the interval. */
function resolveTiming(section: TimingSection, inherited: Timing, report: IssueReport): Timing {
  const intervalMs = givenTime(section, 'scrape_interval', report) ?? inherited.intervalMs;
  const timeoutMs = givenTime(section, 'scrape_timeout', report) ?? Math.min(inherited.timeoutMs, intervalMs);
  if (timeoutMs > intervalMs && !section.refused('scrape_interval')) {
    const [timeout, interval] = [timeoutMs, intervalMs].map(formatDurationMs);
    report.error(
      section.at('scrape_timeout'),
      `${section.path}.scrape_timeout must not exceed the scrape_interval ${interval}, got ${timeout}`,
    );
  }
  return { intervalMs, timeoutMs };
}

type Timing = Pick<ScrapeJobOptions, 'intervalMs' | 'timeoutMs'>;

function givenTime(
  section: TimingSection,
  key: 'scrape_interval' | 'scrape_timeout',
  report: IssueReport,
): number | undefined {
  if (!section.given(key)) return undefined;
  if (section.values[key] === 0)
    report.warn(section.at(key), `${section.path}.${key} is 0 and counts as not given`);
  return section.values[key] || undefined;
}

interface ProtocolSection {
  readonly path: string;
  readonly values: { readonly scrape_protocols: readonly ScrapeProtocol[] | undefined };
  at(key: 'scrape_protocols'): Position;
}

/** Protobuf is not offered to targets, because they would prefer it and their answer could not be read. */
function resolveProtocols(
  section: ProtocolSection,
  inherited: readonly ScrapeProtocol[],
  report: IssueReport,
): readonly ScrapeProtocol[] {
  const wanted = section.values.scrape_protocols ?? inherited;
  const offered = wanted.filter((protocol) => protocol !== 'PrometheusProto');
  const warn = (message: string) =>
    report.warn(section.at('scrape_protocols'), `${section.path}.scrape_protocols ${message}`);
  if (offered.length < wanted.length)
    warn('names PrometheusProto, which this version cannot read and does not offer to targets');
  if (offered.length === 0) return DEFAULT_SCRAPE_JOB.scrapeProtocols;
  if (wanted !== inherited && !offered.some((protocol) => protocol.startsWith('OpenMetrics'))) {
    warn('names no OpenMetrics format: the others carry no exemplars, so none will be found');
  }
  return offered;
}

function resolveFallback(job: ScrapeSection, report: IssueReport): ScrapeProtocol | undefined {
  const protocol = job.values.fallback_scrape_protocol;
  if (protocol !== 'PrometheusProto') return protocol;
  report.warn(
    job.at('fallback_scrape_protocol'),
    `${job.path}.fallback_scrape_protocol: PrometheusProto is not read in this version; answers without a usable Content-Type fail`,
  );
  return undefined;
}

type LimitKey =
  | 'body_size_limit'
  | 'sample_limit'
  | 'label_limit'
  | 'label_name_length_limit'
  | 'label_value_length_limit';
type Limits = Omit<InheritedOptions, keyof Timing | 'scrapeProtocols'>;

/** In a job 0 takes the global limit, as in Prometheus. */
function resolveLimits(values: Readonly<Record<LimitKey, number | undefined>>, inherited: Limits): Limits {
  return {
    bodySizeLimitBytes: values.body_size_limit || inherited.bodySizeLimitBytes,
    sampleLimit: values.sample_limit || inherited.sampleLimit,
    labelLimit: values.label_limit || inherited.labelLimit,
    labelNameLengthLimitBytes: values.label_name_length_limit || inherited.labelNameLengthLimitBytes,
    labelValueLengthLimitBytes: values.label_value_length_limit || inherited.labelValueLengthLimitBytes,
  };
}

function resolveTargets(
  group: Section<typeof STATIC_CONFIG_KEYS>,
  isRelabelled: boolean,
  report: IssueReport,
): TargetGroup {
  const { targets, labels } = group.values;
  const addresses = targets.filter(({ value, at }) => checkAddress(value, at, isRelabelled, report));
  return { targets: addresses.map(({ value }) => value), labels };
}

const NOT_IN_AN_ADDRESS = /[\s/?#@]/;

/** A URL as a target is the usual mistake, except where relabelling turns it into a parameter (blackbox exporter). */
function checkAddress(address: string, at: Position, isRelabelled: boolean, report: IssueReport): boolean {
  if (!NOT_IN_AN_ADDRESS.test(address)) return true;
  const target = `target ${quote(address)}`;
  if (isRelabelled) {
    report.warn(at, `${target} is not scraped: it is no address until relabel_configs are applied`);
  } else if (address.includes('/')) {
    const instead = 'give HOST:PORT here, and scheme and metrics_path beside job_name';
    report.error(at, `${target} looks like a URL; ${instead}`);
  } else {
    report.error(at, `${target} is not of the form HOST:PORT`);
  }
  return false;
}

function refuseRepeatedNames(jobs: readonly ScrapeSection[], report: IssueReport): void {
  const first = new Map<string, ScrapeSection>();
  for (const job of jobs) {
    const name = job.values.job_name;
    if (name === undefined) continue;
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, job);
    else
      report.error(
        job.at('job_name'),
        `${job.path}.job_name ${quote(name)} is taken by ${earlier.path} in line ${earlier.at('job_name').line}`,
      );
  }
}

/** Environment variables are put in here and nowhere else, as in Prometheus. */
export function resolveExternalLabels(
  global: GlobalSection,
  environment: NodeJS.ProcessEnv,
  report: IssueReport,
): Labels {
  const pairs = Object.entries(global.values.external_labels).map(([name, { value, at }]) => {
    const { text, missing } = expandEnvironment(value, environment);
    for (const variable of missing) {
      report.warn(
        at,
        `global.external_labels.${name}: environment variable ${variable} is not set, its place stays empty`,
      );
    }
    return [name, text] as const;
  });
  return labelsFromPairs(pairs);
}
