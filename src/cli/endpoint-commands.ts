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

function addRequestOptions(command: Command): Command {
  return command
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['text', 'json']).default('text'))
    .option('--timeout <duration>', 'for each answer', '10s')
    .option('--header <name: value>', 'of each request; repeatable', collect, [])
    .option('--insecure', 'take any certificate', false);
}

function collect(value: string, values: readonly string[]): readonly string[] {
  return [...values, value];
}
