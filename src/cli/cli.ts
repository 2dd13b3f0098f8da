import { Command, CommanderError, Option } from 'commander';
import { VERSION } from '../version.js';
import { addCheckMetrics, addSize } from './endpoint-commands.js';
import { EXIT_FINE, EXIT_WRONG_USAGE } from './exit-codes.js';
import { addSample } from './sampling-commands.js';
import { WEB_FLAG_DEFAULTS } from './web-flags.js';

/** Runs one command line. @returns the exit code */
export async function runCli(args: readonly string[]): Promise<number> {
  let exitCode = EXIT_FINE;
  const finish = (code: number) => {
    exitCode = code;
  };
  const program = createProgram(finish);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_FINE : EXIT_WRONG_USAGE;
    throw error;
  }
  return exitCode;
}

/** Commands load what they need when they are run: `--help` reads none of the parts. */
function createProgram(finish: (code: number) => void): Command {
  const program = new Command('exemplard')
    .description(
      'Keeps the exemplars of OpenMetrics endpoints, says how long it remembers them, and forwards them.',
    )
    .version(VERSION, '--version', 'print the version')
    .helpOption('--help', 'print help')
    .exitOverride();
  addRunOptions(program).action(async (options) => {
    const { run } = await import('./run.js');
    finish(await run(options));
  });
  const check = program.command('check').description('check something before it is used');
  check
    .command('config')
    .argument('<file>', 'configuration file')
    .description('load and validate a configuration: SUCCESS, or every error as FILE:LINE:COL: message')
    .action(async (file: string) => {
      const { checkConfig } = await import('./check-config.js');
      finish(checkConfig(file, (text) => process.stdout.write(text)));
    });
  addCheckMetrics(check, finish);
  addSize(program, finish);
  addQueryCommands(program, finish);
  addSample(program, finish);
  program
    .command('demo')
    .description('run an instrumented demo service to scrape, with its own load')
    .option('--listen-address <host:port>', 'where it serves /metrics', '127.0.0.1:9464')
    .action(async (options) => {
      const { runDemo } = await import('../demo/demo.js');
      finish(await runDemo(options.listenAddress));
    });
  nameHelpAfterErrors(program, 'exemplard');
  return program;
}

/** Errors of usage lead to the help of the command that was wrong. */
function nameHelpAfterErrors(command: Command, path: string): void {
  command.showHelpAfterError(`(${path} --help shows what there is)`);
  for (const each of command.commands) nameHelpAfterErrors(each, `${path} ${each.name()}`);
}

function addQueryCommands(program: Command, finish: (code: number) => void): void {
  const query = program.command('query').description('ask a running exemplard');
  const add = (name: string, description: string) =>
    query
      .command(name)
      .description(description)
      .option('--server <url>', 'where it serves HTTP', 'http://127.0.0.1:9199')
      .addOption(
        new Option('-o, --output <format>', 'how to print').choices(['table', 'json']).default('table'),
      )
      .option('--limit <n>', 'print so many at most')
      .addOption(new Option('--order <order>', 'of what is printed').choices(['asc', 'desc']));
  const stdout = (text: string) => process.stdout.write(text);
  const stderr = (text: string) => process.stderr.write(text);
  add('exemplars', 'the exemplars of every series that an expression selects')
    .argument('<expr>', 'PromQL')
    .option('--start <time>', 'earliest: seconds since 1970, or RFC 3339')
    .option('--end <time>', 'latest')
    .option('--min-value <number>', 'leave out what is less')
    .option('--max-value <number>', 'leave out what is more')
    .addOption(
      new Option('--source <source>', 'the rings, the archive, or both').choices([
        'memory',
        'archive',
        'all',
      ]),
    )
    .action(async (expression: string, options) => {
      const { queryExemplars } = await import('./query.js');
      finish(await queryExemplars({ ...options, expression }, stdout, stderr));
    });
  add('retention', 'how long the rings remember, and why; and the archive')
    .option('--by <grouping>', 'total, job, instance, metric, series or label:NAME')
    .addOption(repeatable('--match <selector>', 'only these series', 'all'))
    .option('--sort <figure>', 'window, rate, overwrites or exemplars')
    .option('--target <duration>', 'how far back you wish to see; says what that needs')
    .action(async (options) => {
      const { queryRetention } = await import('./query.js');
      finish(await queryRetention(options, stdout, stderr));
    });
}

function addRunOptions(program: Command): Command {
  return program
    .option('--config.file <file>', 'configuration, in Prometheus’ format')
    .option(
      '--config.auto-reload',
      'read the configuration again when its file changes, not only on SIGHUP and /-/reload',
      false,
    )
    .addOption(repeatable('--scrape <url>', 'scrape this URL every 5 s, without a file', 'none'))
    .option(
      '--storage.path <directory>',
      'where exemplars outlive a restart; without it, they are in memory alone',
    )
    .addOption(repeatable('--web.listen-address <host:port>', 'where to serve HTTP', '127.0.0.1:9199'))
    .option('--web.enable-lifecycle', 'allow /-/reload and /-/quit', false)
    .option('--web.config.file <file>', 'who may ask, and TLS: Prometheus’ web configuration')
    .option(
      '--web.external-url <url>',
      'where it is reached from outside; its path is the default of --web.route-prefix',
    )
    .option('--web.route-prefix <path>', 'what all paths begin with')
    .option(
      '--web.cors.origin <regex>',
      'which other origins may read the API',
      WEB_FLAG_DEFAULTS['web.cors.origin'],
    )
    .option('--web.max-connections <n>', 'connections at once', WEB_FLAG_DEFAULTS['web.maxConnections'])
    .option(
      '--web.read-timeout <duration>',
      'for a whole request to come in',
      WEB_FLAG_DEFAULTS['web.readTimeout'],
    )
    .option(
      '--query.max-concurrency <n>',
      'queries at once; others wait',
      WEB_FLAG_DEFAULTS['query.maxConcurrency'],
    )
    .option('--query.timeout <duration>', 'for a query to be answered', WEB_FLAG_DEFAULTS['query.timeout'])
    .option('--query.max-exemplars <n>', 'exemplars in one answer', WEB_FLAG_DEFAULTS['query.maxExemplars'])
    .addOption(
      new Option('--log.level <level>', 'least important level logged')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addOption(
      new Option('--log.format <format>', 'how it is logged').choices(['logfmt', 'json']).default('logfmt'),
    )
    .option('--demo', 'also run the demo service, as a process of its own', false);
}

/** @param shownDefault what an empty list stands for */
function repeatable(flags: string, description: string, shownDefault: string): Option {
  return new Option(flags, `${description}; repeatable`).argParser(collect).default([], shownDefault);
}

function collect(value: string, values: string[]): string[] {
  return [...values, value];
}
