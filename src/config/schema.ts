/** The whole file as one table, and from what was read by it the options of every part. */
import { dirname, resolve } from 'node:path';
import type { ArchiveOptions } from '../archive/options.js';
import type { RemoteWriteOptions } from '../forward/options.js';
import type { JournalOptions } from '../journal/options.js';
import type { Labels } from '../model/labels.js';
import type { TraceLink } from '../model/trace-link.js';
import type { SamplingJobOptions } from '../sampler/options.js';
import type { ScrapeJobOptions } from '../scrape/options.js';
import type { StoreOptions } from '../store/options.js';
import type { UpstreamOptions } from '../upstream/options.js';
import { ARCHIVE_KEYS, resolveArchive } from './archive-keys.js';
import { readIncludedFiles } from './included-files.js';
import type { IssueReport } from './issue.js';
import { JOURNAL_KEYS, resolveJournal } from './journal-keys.js';
import { REMOTE_WRITE_KEYS } from './remote-write-keys.js';
import { resolveRemoteWrites } from './remote-write-schema.js';
import { SAMPLING_KEYS } from './sampling-keys.js';
import { resolveSampling } from './sampling-schema.js';
import { GLOBAL_KEYS } from './scrape-keys.js';
import { resolveExternalLabels, resolveScrapeJobs } from './scrape-schema.js';
import { scrapeJobs } from './skipped-jobs.js';
import { resolveStore, STORAGE_KEYS } from './storage-keys.js';
import { optional, prometheusOnly, type Section, section, subsection, withDefault } from './table.js';
import { resolveUpstream, UPSTREAM_KEYS } from './upstream-keys.js';
import { list, located, nonEmptyText, positiveDuration } from './value-type.js';
import { resolveTraceLinks, WEB_KEYS } from './web-keys.js';

export interface Config {
  readonly scrapeJobs: readonly ScrapeJobOptions[];
  /** Patterns of the files that more jobs came from. */
  readonly includedFiles: readonly string[];
  readonly remoteWrites: readonly RemoteWriteOptions[];
  readonly store: StoreOptions;
  readonly journal: JournalOptions;
  readonly archive: ArchiveOptions;
  readonly sampling: readonly SamplingJobOptions[];
  /** Whether the file says anything of it. */
  readonly isJournalGiven: boolean;
  /** What the retention forecast compares with; undefined: nothing. */
  readonly retentionTargetMs: number | undefined;
  readonly externalLabels: Labels;
  readonly upstream: UpstreamOptions | undefined;
  readonly traceLinks: readonly TraceLink[];
  /** The file as YAML, secrets masked, comments left out. */
  readonly text: string;
}

export const ROOT_KEYS = {
  global: subsection(GLOBAL_KEYS, 'What jobs have in common.'),
  scrape_configs: withDefault(scrapeJobs, [], 'What to scrape, in jobs.'),
  remote_write: withDefault(list(section(REMOTE_WRITE_KEYS)), [], 'Where to forward exemplars.'),
  storage: subsection(STORAGE_KEYS, 'What is kept.'),
  retention_target: optional(
    positiveDuration,
    'How far back you wish to see. `/api/v1/retention` says what that needs.',
  ),
  scrape_config_files: withDefault(
    list(located(nonEmptyText)),
    [],
    'Files with more `scrape_configs`; a `*` may stand in the last part of a path. They are read again when they change.',
  ),
  journal: subsection(JOURNAL_KEYS, 'What outlives a restart. Needs `--storage.path`.'),
  archive: subsection(ARCHIVE_KEYS, 'Where exemplars are kept for good.'),
  sampling: withDefault(
    list(section(SAMPLING_KEYS)),
    [],
    'Which traces are kept, by the exemplars in the archive, in jobs.',
  ),
  upstream: optional(
    section(UPSTREAM_KEYS),
    'The Prometheus that exemplard stands before, so that dashboards need one data source.',
  ),
  web: subsection(WEB_KEYS, 'What the page shows.'),
  rule_files: prometheusOnly('exemplard evaluates no rules'),
  alerting: prometheusOnly('exemplard sends no alerts'),
  remote_read: prometheusOnly('exemplard reads from no remote storage'),
  otlp: prometheusOnly('exemplard receives no OTLP'),
  tracing: prometheusOnly('exemplard sends no traces of its own'),
  runtime: prometheusOnly("it tunes Go's runtime"),
};

export function resolveConfig(
  root: Section<typeof ROOT_KEYS>,
  fileName: string,
  environment: NodeJS.ProcessEnv,
  report: IssueReport,
): Omit<Config, 'text'> {
  const {
    global,
    scrape_configs,
    scrape_config_files,
    remote_write,
    storage,
    journal,
    archive,
    retention_target,
  } = root.values;
  const context = { directory: dirname(fileName), report };
  const externalLabels = resolveExternalLabels(global, environment, report);
  const included = readIncludedFiles(scrape_config_files, context);
  const files = [{ sections: scrape_configs, context }, ...included] as const;
  // Where jobs are given and could not be read, the errors say so.
  const areJobsGiven = included.length > 0 || root.given('scrape_configs') || root.refused('scrape_configs');
  const isTold = areJobsGiven && report.hasErrors;
  if (files.every(({ sections }) => sections.length === 0) && !isTold)
    report.warn(root.at('scrape_configs'), 'no scrape_configs: nothing is scraped');
  return {
    scrapeJobs: resolveScrapeJobs(global, files),
    includedFiles: scrape_config_files.map(({ value }) => resolve(context.directory, value)),
    remoteWrites: resolveRemoteWrites(remote_write, {
      ...context,
      externalLabels,
      nameValidation: global.values.metric_name_validation_scheme,
    }),
    store: resolveStore(storage.values.exemplars, report),
    journal: resolveJournal(journal),
    archive: resolveArchive(archive, context),
    sampling: resolveSampling(root.values.sampling, context, archive.values.type),
    isJournalGiven: root.given('journal'),
    retentionTargetMs: retention_target,
    externalLabels,
    upstream: resolveUpstream(root.values.upstream, context),
    traceLinks: resolveTraceLinks(root.values.web),
  };
}
