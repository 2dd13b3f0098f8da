import { type Command, Option } from 'commander';
import type { SampleOptions } from './sample.js';

/** `sample`: what the sampler does on its schedules, by hand. */
export function addSample(program: Command, finish: (code: number) => void): void {
  program
    .command('sample')
    .description('choose the traces to keep, by the exemplars in the archive, or say what would be kept')
    .option('--once', 'do what is due now, and end')
    .option('--config.file <file>', 'configuration with the sampling jobs')
    .option('--storage.path <directory>', 'where the embedded archive is; nobody else may have it open')
    .option('--server <url>', 'have a running exemplard do it, which needs --web.enable-lifecycle')
    .option('--job <name>', 'this job alone')
    .option('--dry-run', 'write nothing: say what the policies would keep of the last windows')
    .option('--compare', 'the same, and what each policy would keep on its own')
    .option('--since <duration>', 'of a dry run: how far back', '24h')
    .addOption(
      new Option('-o, --output <format>', 'how to print').choices(['table', 'json']).default('table'),
    )
    .action(async (_options, command: Command) => {
      // Flags that running has, too, are taken by the program, wherever they stand.
      const options: SampleOptions = command.optsWithGlobals();
      const { sample } = await import('./sample.js');
      const stdout = (text: string) => process.stdout.write(text);
      const stderr = (text: string) => process.stderr.write(text);
      finish(await sample(options, stdout, stderr));
    });
}
