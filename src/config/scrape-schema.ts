/** `global` and `scrape_configs` as read → the options of each job, everything inherited resolved. */
import { type Labels, labelsFromPairs } from '../model/labels.js';
import {
  DEFAULT_SCRAPE_JOB,
  type NameEscapingScheme,
  type NameValidationScheme,
  type ScrapeJobOptions,
  type ScrapeProtocol,
} from '../scrape/options.js';
import { formatDurationMs } from '../util/units.js';
import { resolveDiscovery } from './discovery-schema.js';
import { quote } from './document.js';
import { expandEnvironment } from './environment.js';
import { type FileContext, resolveHttpClient } from './http-client-schema.js';
import type { IssueReport, Position } from './issue.js';
import { resolveRelabelRules } from './relabel-keys.js';
import type { GLOBAL_KEYS } from './scrape-keys.js';
import { isSkipped, type ScrapeSection, warnOfLacked } from './skipped-jobs.js';
import type { Section } from './table.js';

type GlobalSection = Section<typeof GLOBAL_KEYS>;

/** What jobs take from `global` where they do not say otherwise. */
type InheritedOptions = Pick<
  ScrapeJobOptions,
  keyof Timing | keyof Limits | keyof Habits | 'scrapeProtocols' | 'nameValidation' | 'nameEscaping'
>;

/** The jobs of one file. */
export interface ScrapeSections {
  readonly sections: readonly ScrapeSection[];
  readonly context: FileContext;
}

/** @param files the main one first */
export function resolveScrapeJobs(
  global: GlobalSection,
  files: readonly [ScrapeSections, ...ScrapeSections[]],
): ScrapeJobOptions[] {
  const inherited = resolveInherited(global, files[0].context.report);
  refuseRepeatedNames(files);
  return files.flatMap(({ sections, context }) =>
    sections.flatMap((job) => resolveUnlessSkipped(job, inherited, context)),
  );
}

/** None for a job that is skipped; its errors are errors nevertheless. */
function resolveUnlessSkipped(
  job: ScrapeSection,
  inherited: InheritedOptions,
  context: FileContext,
): ScrapeJobOptions[] {
  const { report } = context;
  const options = report.withoutWarnings(
    () => resolveJob(job, inherited, context),
    () => isSkipped(job),
  );
  warnOfLacked(job, report);
  return isSkipped(job) ? [] : [options];
}

function resolveInherited(global: GlobalSection, report: IssueReport): InheritedOptions {
  return {
    ...resolveTiming(global, DEFAULT_SCRAPE_JOB, report),
    ...resolveLimits(global.values, DEFAULT_SCRAPE_JOB),
    ...resolveHabits(global.values, DEFAULT_SCRAPE_JOB),
    ...resolveNames(global, DEFAULT_SCRAPE_JOB, report),
    scrapeProtocols: resolveProtocols(global, undefined, report),
  };
}

function resolveJob(job: ScrapeSection, inherited: InheritedOptions, context: FileContext): ScrapeJobOptions {
  const { report } = context;
  const { values } = job;
  const names = resolveNames(job, inherited, report);
  const rulesOf = (key: 'relabel_configs' | 'metric_relabel_configs' | 'exemplar_relabel_configs') =>
    resolveRelabelRules(values[key], names.nameValidation, report);
  return {
    ...resolveTiming(job, inherited, report),
    ...resolveLimits(values, inherited),
    ...resolveHabits(withRenamed(job, report), inherited),
    ...names,
    jobName: values.job_name ?? '',
    discovery: resolveDiscovery(job, values.relabel_configs.length > 0, context),
    metricsPath: values.metrics_path,
    scheme: values.scheme,
    params: values.params,
    httpClient: resolveHttpClient(job, context),
    enableCompression: values.enable_compression,
    scrapeProtocols: resolveProtocols(job, inherited.scrapeProtocols, report),
    fallbackScrapeProtocol: values.fallback_scrape_protocol,
    honorLabels: values.honor_labels,
    honorTimestamps: values.honor_timestamps,
    exemplarValidation: values.exemplar_validation,
    textExemplars: values.text_exemplars,
    traceIdLabels: values.trace_id_labels,
    relabelRules: rulesOf('relabel_configs'),
    metricRelabelRules: rulesOf('metric_relabel_configs'),
    exemplarRelabelRules: rulesOf('exemplar_relabel_configs'),
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

function resolveProtocols(
  section: ProtocolSection,
  inherited: readonly ScrapeProtocol[] | undefined,
  report: IssueReport,
): readonly ScrapeProtocol[] | undefined {
  const given = section.values.scrape_protocols;
  if (given?.every((protocol) => protocol.startsWith('PrometheusText'))) {
    report.warn(
      section.at('scrape_protocols'),
      `${section.path}.scrape_protocols names text formats alone: they carry no exemplars, so none will be found`,
    );
  }
  return given ?? inherited;
}

type LimitKey =
  | 'body_size_limit'
  | 'sample_limit'
  | 'target_limit'
  | 'label_limit'
  | 'label_name_length_limit'
  | 'label_value_length_limit'
  | 'keep_dropped_targets';
type Limits = Pick<
  ScrapeJobOptions,
  | 'bodySizeLimitBytes'
  | 'sampleLimit'
  | 'targetLimit'
  | 'labelLimit'
  | 'labelNameLengthLimitBytes'
  | 'labelValueLengthLimitBytes'
  | 'keepDroppedTargets'
>;

/** In a job 0 takes the global limit, as in Prometheus. */
function resolveLimits(values: Readonly<Record<LimitKey, number | undefined>>, inherited: Limits): Limits {
  return {
    bodySizeLimitBytes: values.body_size_limit || inherited.bodySizeLimitBytes,
    sampleLimit: values.sample_limit || inherited.sampleLimit,
    targetLimit: values.target_limit || inherited.targetLimit,
    labelLimit: values.label_limit || inherited.labelLimit,
    labelNameLengthLimitBytes: values.label_name_length_limit || inherited.labelNameLengthLimitBytes,
    labelValueLengthLimitBytes: values.label_value_length_limit || inherited.labelValueLengthLimitBytes,
    keepDroppedTargets: values.keep_dropped_targets || inherited.keepDroppedTargets,
  };
}

type HabitKey =
  | 'scrape_native_histograms'
  | 'always_scrape_classic_histograms'
  | 'convert_classic_histograms_to_nhcb';
type Habits = Pick<
  ScrapeJobOptions,
  'scrapeNativeHistograms' | 'alwaysScrapeClassicHistograms' | 'convertClassicHistogramsToNhcb'
>;

function resolveHabits(values: Readonly<Record<HabitKey, boolean | undefined>>, inherited: Habits): Habits {
  return {
    scrapeNativeHistograms: values.scrape_native_histograms ?? inherited.scrapeNativeHistograms,
    alwaysScrapeClassicHistograms:
      values.always_scrape_classic_histograms ?? inherited.alwaysScrapeClassicHistograms,
    convertClassicHistogramsToNhcb:
      values.convert_classic_histograms_to_nhcb ?? inherited.convertClassicHistogramsToNhcb,
  };
}

/** Prometheus 2 knows one key of a job by another name. */
function withRenamed(
  { values, path, given, at }: ScrapeSection,
  report: IssueReport,
): ScrapeSection['values'] {
  const { scrape_classic_histograms: earlier, always_scrape_classic_histograms: value } = values;
  if (given('scrape_classic_histograms'))
    report.warn(at('scrape_classic_histograms'), `${path}.scrape_classic_histograms is called always_scrape_classic_histograms since Prometheus 3`); // biome-ignore format: one line
  return { ...values, always_scrape_classic_histograms: value ?? earlier };
}

interface NameSection {
  readonly path: string;
  readonly values: {
    readonly metric_name_validation_scheme: NameValidationScheme | undefined;
    readonly metric_name_escaping_scheme: NameEscapingScheme | undefined;
  };
  at(key: 'metric_name_escaping_scheme'): Position;
}

type Names = Pick<ScrapeJobOptions, 'nameValidation' | 'nameEscaping'>;

/** Who refuses UTF-8 names asks for escaped ones. */
function resolveNames(section: NameSection, inherited: Names, report: IssueReport): Names {
  const nameValidation = section.values.metric_name_validation_scheme ?? inherited.nameValidation;
  const given = section.values.metric_name_escaping_scheme;
  if (nameValidation === 'legacy' && given === 'allow-utf-8') {
    report.error(
      section.at('metric_name_escaping_scheme'),
      `${section.path}.metric_name_escaping_scheme must not be allow-utf-8 where metric_name_validation_scheme is legacy`,
    );
  }
  const isForced = nameValidation === 'legacy' && inherited.nameEscaping === 'allow-utf-8';
  return { nameValidation, nameEscaping: given ?? (isForced ? 'underscores' : inherited.nameEscaping) };
}

function refuseRepeatedNames(files: readonly ScrapeSections[]): void {
  const first = new Map<string, string>();
  for (const { sections, context } of files) {
    for (const job of sections) {
      const name = job.values.job_name;
      if (name === undefined) continue;
      const at = job.at('job_name');
      const earlier = first.get(name);
      if (earlier !== undefined)
        context.report.error(at, `${job.path}.job_name ${quote(name)} is taken by ${earlier}`);
      const where = context === files[0]!.context ? '' : ` of ${context.report.file}`;
      if (earlier === undefined) first.set(name, `${job.path} in line ${at.line}${where}`);
    }
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
