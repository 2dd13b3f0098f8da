import { type Command, Option } from 'commander';
import { METRICS_FORMATS } from './examine-bytes.js';

type Finish = (code: number) => void;

const stdout = (text: string) => process.stdout.write(text);
const stderr = (text: string) => process.stderr.write(text);

/** `exemplard check metrics` */
export function addCheckMetrics(check: Command, finish: Finish): void {
  addRequestOptions(check.command('metrics'))
    .argument('<source>', 'URL of an endpoint, a file, or - for standard input')
    .description('say what an endpoint answers, and why its exemplars are missing')
    .addOption(
      new Option(
        '--format <format>',
        'how to read a file (openmetrics, if not given), or an answer without Content-Type',
      ).choices(METRICS_FORMATS),
    )
    .action(async (source: string, options) => {
      const { checkMetrics } = await import('./check-metrics.js');
      finish(await checkMetrics(source, options, { stdout, stderr, stdin: process.stdin }));
    });
}

/** `exemplard size` */
export function addSize(program: Command, finish: Finish): void {
  addRequestOptions(program.command('size'))
    .argument('<url...>', 'endpoints to watch')
    .description('watch endpoints for a while, then say which rings, memory and disk a retention needs')
    .option('--for <duration>', 'how long to watch', '1m')
    .option('--interval <duration>', 'between two scrapes of an endpoint', '5s')
    .addOption(
      new Option('--retention <duration>', 'how far back to remember; repeatable')
        .argParser(collect)
        .default([], '1h, 24h, 7d'),
    )
    .action(async (urls: string[], options) => {
      const { size } = await import('./size.js');
      const end = new AbortController();
      // A second one ends the process, as without us.
      process.once('SIGINT', () => end.abort());
      finish(await size(urls, options, { stdout, stderr, signal: end.signal }));
    });
}

function addRequestOptions(command: Command): Command {
  return command
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['text', 'json']).default('text'))
    .option('--timeout <duration>', 'for each answer', '10s')
    .addOption(
      new Option('--header <name: value>', 'of each request; repeatable')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--insecure', 'take any certificate', false)
    .option(
      '--ca <file>',
      'authorities that the certificate may lead to, PEM, in the place of the usual ones',
    )
    .option('--cert <file>', 'client certificate, PEM')
    .option('--key <file>', 'its key, PEM');
}

function collect(value: string, values: readonly string[]): readonly string[] {
  return [...values, value];
}
