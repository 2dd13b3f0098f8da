import { type ChildProcess, fork } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App } from '../app.js';
import { formatIssue } from '../config/issue.js';
import { loadConfigFile, reloadConfigFile } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { configForScrapeUrls } from '../config/sidecar.js';
import { createLogger, type LogFormat, type LogLevel } from '../telemetry/logger.js';
import { systemClock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import { redactUrl } from '../util/secrets.js';
import { EXIT_FAILED, EXIT_FINE, EXIT_WRONG_USAGE } from './exit-codes.js';
import type { WebFlags } from './web-flags.js';
import { type ReadWebFlags, readWebFlags, shownWebFlags, webConfigLoader } from './web-options.js';

export interface RunOptions extends WebFlags {
  readonly 'config.file'?: string;
  readonly 'config.autoReload': boolean;
  readonly scrape: readonly string[];
  readonly 'storage.path'?: string;
  readonly 'web.enableLifecycle': boolean;
  readonly 'log.level': LogLevel;
  readonly 'log.format': LogFormat;
  readonly demo: boolean;
}

/** Inside the 10 s and more that Docker, Kubernetes and systemd wait before they kill. */
const STOP_DEADLINE_MS = 5_000;

/** Runs until a signal, or a request to `/-/quit`, ends it. @returns the exit code */
export async function run(options: RunOptions): Promise<number> {
  const flags = readFlags(options);
  if (typeof flags === 'string') {
    process.stderr.write(`error: ${flags}\n(exemplard --help shows what there is)\n`);
    return EXIT_WRONG_USAGE;
  }
  const log = createLogger(options['log.level'], options['log.format']);
  const end = new EndOfRun(log);
  const app = createApp(options, flags, log, end);
  if (app === undefined) return options.scrape.length > 0 ? EXIT_WRONG_USAGE : EXIT_FAILED;
  const demo = options.demo ? startDemo() : undefined;
  try {
    await app.start();
    onHangup(app, log);
    await end.reached;
  } catch (error) {
    log.error({ error: (error as Error).message }, 'exemplard cannot start');
    return EXIT_FAILED;
  } finally {
    demo?.kill();
    await app.stop(STOP_DEADLINE_MS);
  }
  return EXIT_FINE;
}

/** @returns what is wrong with them, if anything is */
function readFlags(options: RunOptions): ReadWebFlags | string {
  try {
    return usageProblem(options) ?? readWebFlags(options);
  } catch (error) {
    return (error as Error).message;
  }
}

function usageProblem(options: RunOptions): string | undefined {
  const hasFile = options['config.file'] !== undefined;
  if (hasFile && options.scrape.length > 0)
    return '--scrape is for running without --config.file: use one of them';
  if (!hasFile && options.scrape.length === 0)
    return 'give a configuration by --config.file, or a target by --scrape';
  if (options['storage.path'] === '') return '--storage.path must name a directory';
  return undefined;
}

function createApp(options: RunOptions, flags: ReadWebFlags, log: Log, end: EndOfRun): App | undefined {
  const watchedFile = options['config.autoReload'] ? options['config.file'] : undefined;
  try {
    return new App({
      config: loadConfig(options, log, loadConfigFile),
      storagePath: options['storage.path'],
      ...flags,
      web: { ...flags.web, loadConfig: webConfigLoader(options, log) },
      enableLifecycle: options['web.enableLifecycle'],
      ...(watchedFile === undefined ? {} : { watchedFile: resolve(watchedFile) }),
      flags: flagsOf(options),
      loadConfig: () => loadConfig(options, log, reloadConfigFile),
      onQuit: () => end.reach('a request to /-/quit'),
      clock: systemClock,
      log,
    });
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return undefined;
  }
}

/** @throws {Error} with every error of the configuration, a line each */
function loadConfig(options: RunOptions, log: Log, loadFile: typeof loadConfigFile): Config {
  const file = options['config.file'];
  if (file === undefined) {
    const result = configForScrapeUrls(options.scrape);
    if (result.ok) return result.config;
    throw new Error(result.errors.join('\n'));
  }
  const result = loadFile(file);
  for (const warning of result.warnings)
    log.warn({ at: `${warning.file}:${warning.line}:${warning.column}` }, warning.message);
  if (result.ok) return result.config;
  throw new Error(result.errors.map(formatIssue).join('\n'));
}

/** As `/api/v1/status/flags` shows them: secrets in URLs are masked. */
export function flagsOf(options: RunOptions): Record<string, string> {
  return {
    'config.file': options['config.file'] ?? '',
    'config.auto-reload': String(options['config.autoReload']),
    scrape: options.scrape.map(redactUrl).join(','),
    'storage.path': options['storage.path'] ?? '',
    ...shownWebFlags(options),
    'web.enable-lifecycle': String(options['web.enableLifecycle']),
    'log.level': options['log.level'],
    'log.format': options['log.format'],
  };
}

/** A process of its own, so that its load is not counted as exemplard's. */
function startDemo(): ChildProcess {
  const main = fileURLToPath(new URL('../main.js', import.meta.url));
  return fork(main, ['demo'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
}

function onHangup(app: App, log: Log): void {
  process.on('SIGHUP', () => {
    app.reload().catch((error: Error) => {
      log.error({ error: error.message }, 'the configuration was not reloaded; the old one stays');
    });
  });
}

/** The first signal ends the run in good order, the second at once. */
class EndOfRun {
  readonly reached: Promise<void>;
  readonly #log: Log;
  #resolve!: () => void;
  #isReached = false;

  constructor(log: Log) {
    this.#log = log;
    this.reached = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.reach(signal));
  }

  reach(reason: string): void {
    if (this.#isReached) process.exit(EXIT_FAILED);
    this.#isReached = true;
    this.#log.info({ reason }, 'stopping');
    this.#resolve();
  }
}
