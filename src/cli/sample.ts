/** `exemplard sample --once`: chooses and keeps traces now, or says what would be kept. */
import type { OpenDatabase } from '../archive/open-database.js';
import { openDatabase } from '../archive/open-database.js';
import { ServerDatabase } from '../clickhouse/server/server-database.js';
import { formatIssue } from '../config/issue.js';
import { loadConfigFile } from '../config/load.js';
import type { Config } from '../config/schema.js';
import type { PolicyFigures } from '../sampler/comparison.js';
import { type RunReport, reportJson } from '../sampler/job.js';
import { SamplerManager } from '../sampler/manager.js';
import { SamplerMetrics } from '../sampler/metrics.js';
import { createLogger } from '../telemetry/logger.js';
import { createRegistry } from '../telemetry/registry.js';
import { systemClock } from '../util/clock.js';
import { parseDurationMs } from '../util/units.js';
import { USER_AGENT } from '../version.js';
import type { Write } from './check-config.js';
import { EXIT_FAILED, EXIT_FINE, EXIT_WRONG_USAGE } from './exit-codes.js';
import { askServer } from './query.js';
import { type Column, textTable } from './text-table.js';

export interface SampleOptions {
  readonly once?: boolean;
  readonly dryRun?: boolean;
  readonly compare?: boolean;
  readonly job?: string;
  /** Of a dry run: how far back windows are looked at. */
  readonly since: string;
  readonly output: 'table' | 'json';
  readonly server?: string;
  readonly 'config.file'?: string;
  readonly 'storage.path'?: string;
}

type Reports = ReturnType<typeof reportJson>[];
type Preview = readonly { readonly job: string; readonly figures: readonly PolicyFigures[] }[];

/** @returns the exit code */
export async function sample(options: SampleOptions, stdout: Write, stderr: Write): Promise<number> {
  const problem = usageProblem(options);
  if (problem !== undefined) {
    stderr(`error: ${problem}\n(exemplard sample --help shows what there is)\n`);
    return EXIT_WRONG_USAGE;
  }
  try {
    const source = options.server === undefined ? await openLocal(options, stderr) : askRemote(options);
    if (source === undefined) return EXIT_FAILED;
    try {
      return await (isDry(options) ? preview(options, source, stdout) : run(options, source, stdout));
    } finally {
      await source.close();
    }
  } catch (error) {
    stderr(`error: ${(error as Error).message}\n`);
    return EXIT_FAILED;
  }
}

function usageProblem({ once, server, since, 'config.file': file }: SampleOptions): string | undefined {
  if (once !== true)
    return 'give --once: on their schedules, jobs run within exemplard --config.file=FILE itself';
  if ((server === undefined) === (file === undefined))
    return 'give the configuration by --config.file, or a running exemplard by --server';
  if (!parseDurationMs(since)) return `--since must be a duration like 24h, got ${JSON.stringify(since)}`;
  return undefined;
}

function isDry({ dryRun, compare }: SampleOptions): boolean {
  return dryRun === true || compare === true;
}

/** Who does it: this process, or the one that has the embedded archive open. */
interface Source {
  run(): Promise<Reports>;
  preview(): Promise<Preview>;
  close(): Promise<void>;
}

async function run(options: SampleOptions, source: Source, stdout: Write): Promise<number> {
  const reports = await source.run();
  stdout(options.output === 'json' ? `${JSON.stringify(reports)}\n` : reportsTable(reports));
  return reports.some(({ errors }) => errors.length > 0) ? EXIT_FAILED : EXIT_FINE;
}

async function preview(options: SampleOptions, source: Source, stdout: Write): Promise<number> {
  const compared = await source.preview();
  stdout(options.output === 'json' ? `${JSON.stringify(compared)}\n` : previewTable(compared));
  return EXIT_FINE;
}

function askRemote({ server = '', job, since, compare }: SampleOptions): Source {
  const jobParameter = ['job', job] as const;
  return {
    run: () => askServer<Reports>(server, 'sampling/run', [jobParameter], 'POST'),
    preview: () =>
      askServer<Preview>(server, 'sampling/preview', [
        jobParameter,
        ['since', since],
        ['compare', String(compare === true)],
      ]),
    close: async () => {},
  };
}

/** @returns undefined where it cannot be, which has been said */
async function openLocal(options: SampleOptions, stderr: Write): Promise<Source | undefined> {
  const result = loadConfigFile(options['config.file']!);
  if (!result.ok) {
    for (const error of result.errors) stderr(`${formatIssue(error)}\n`);
    return undefined;
  }
  const { config } = result;
  if (config.sampling.length === 0) {
    stderr(`error: ${options['config.file']} has no sampling jobs\n`);
    return undefined;
  }
  const log = createLogger('warn', 'logfmt');
  const archive = openDatabase({
    options: config.archive,
    storagePath: options['storage.path'],
    clock: systemClock,
    log,
  });
  if (archive === undefined) {
    stderr('error: there is no archive: give --storage.path, or archive.type clickhouse\n');
    return undefined;
  }
  return localSource(options, config, archive, log);
}

function localSource(
  { job, since, compare }: SampleOptions,
  config: Config,
  { database }: OpenDatabase,
  log: ReturnType<typeof createLogger>,
): Source {
  const { server, createSchema } = config.archive;
  const manager = new SamplerManager({
    archive: () => ({ database, placement: { cluster: server?.cluster }, createSchema }),
    openServer: (options) => new ServerDatabase({ options, clock: systemClock, log }),
    clock: systemClock,
    log,
    metrics: new SamplerMetrics(createRegistry()),
    userAgent: USER_AGENT,
  });
  const applied = manager.apply(config.sampling);
  return {
    async run() {
      await applied;
      return (await manager.runOnce(job)).map((report: RunReport) => reportJson(report));
    },
    async preview() {
      await applied;
      return manager.preview(parseDurationMs(since)!, { jobName: job, compare: compare === true });
    },
    async close() {
      await manager.stop();
      await database.close();
    },
  };
}

function reportsTable(reports: Reports): string {
  const rows = reports.flatMap(({ job, windows }) => windows.map((window) => ({ job, ...window })));
  const errors = reports.flatMap(({ job, errors: all }) => all.map((error) => `${job}: ${error}\n`));
  if (rows.length === 0) return `nothing was due\n${errors.join('')}`;
  const columns: Column<(typeof rows)[number]>[] = [
    { title: 'JOB', cell: ({ job }) => job },
    { title: 'WINDOW', cell: ({ start }) => new Date(start * 1000).toISOString() },
    numberColumn('EXEMPLARS', ({ exemplars }) => exemplars),
    numberColumn('GROUPS', ({ groups }) => groups),
    numberColumn('COVERED', ({ covered }) => covered),
    numberColumn('TRACES', ({ chosen }) => chosen),
    numberColumn('MISSING', ({ missing }) => missing),
    numberColumn('SPANS', ({ spans }) => spans),
    { title: 'BY POLICY', cell: ({ byPolicy }) => policiesText(byPolicy) },
  ];
  return textTable(columns, rows) + errors.join('');
}

function previewTable(compared: Preview): string {
  const rows = compared.flatMap(({ job, figures }) => figures.map((each) => ({ job, ...each })));
  if (rows.length === 0) return 'no jobs\n';
  const columns: Column<(typeof rows)[number]>[] = [
    { title: 'JOB', cell: ({ job }) => job },
    { title: 'POLICIES', cell: ({ policies }) => policies.join(', ') },
    numberColumn('WINDOWS', ({ windows }) => windows),
    numberColumn('GROUPS', ({ groups }) => groups),
    numberColumn('COVERED', ({ covered }) => covered),
    {
      title: 'COVERAGE',
      cell: ({ covered, groups }) => (groups === 0 ? '' : `${((100 * covered) / groups).toFixed(1)} %`),
      align: 'right',
    },
    numberColumn('TRACES', ({ chosen }) => chosen),
    numberColumn('MISSING', ({ missing }) => missing),
    { title: 'BY POLICY', cell: ({ byPolicy }) => policiesText(byPolicy) },
  ];
  return textTable(columns, rows);
}

function numberColumn<Row>(title: string, value: (row: Row) => number): Column<Row> {
  return { title, cell: (row) => String(value(row)), align: 'right' };
}

function policiesText(byPolicy: Readonly<Record<string, number>>): string {
  return Object.entries(byPolicy)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
