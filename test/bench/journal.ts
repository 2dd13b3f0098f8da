import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXEMPLARD, EXEMPLARD_WITH_JOURNAL } from './peers.js';
import { scrapeCpu } from './scrape.js';
import type { Measured } from './table.js';

/** What the journal adds to each accepted exemplar, and how long a restart takes: Prometheus has no counterpart. */
export async function journalRows(): Promise<Measured[]> {
  const [plain, withJournal] = [await scrapeCpu(EXEMPLARD), await scrapeCpu(EXEMPLARD_WITH_JOURNAL)];
  const inMemory = await fill(1_000_000, 'memory');
  rmSync(inMemory.directory, { recursive: true });
  const journaled = await fill(1_000_000, 'kill');
  return [
    row(
      `CPU per scraped MB with the journal (without: ${plain.toFixed(2)} ms)`,
      'ms',
      withJournal,
      1.2 * plain,
    ),
    row(
      'CPU the journal adds to an accepted exemplar',
      'µs',
      journaled.figures.microseconds! - inMemory.figures.microseconds!,
      1.2,
    ),
    row('bytes of the journal for each', 'B', journaled.figures.bytes!, 200),
    row('restart with 1 million, killed', 's', await recover(journaled), 5),
    row('restart with 1 million, stopped', 's', await recover(await fill(1_000_000, 'stop')), 5),
    row('restart with 5 million, killed', 's', await recover(await fill(5_000_000, 'kill')), 25),
    row('restart with 5 million, stopped', 's', await recover(await fill(5_000_000, 'stop')), 25),
  ];
}

interface Filled {
  readonly directory: string;
  readonly exemplars: number;
  readonly figures: Readonly<Record<string, number>>;
}

async function fill(exemplars: number, end: 'memory' | 'kill' | 'stop'): Promise<Filled> {
  const directory = mkdtempSync(join(tmpdir(), 'exemplard-bench-'));
  return { directory, exemplars, figures: await life([directory, 'fill', String(exemplars), end]) };
}

async function recover({ directory, exemplars }: Filled): Promise<number> {
  const figures = await life([directory, 'recover']);
  rmSync(directory, { recursive: true });
  if (figures.exemplars !== exemplars)
    throw new Error(`of ${exemplars} exemplars ${figures.exemplars} came back`);
  return figures.seconds!;
}

function life(parameters: readonly string[]): Promise<Readonly<Record<string, number>>> {
  const script = fileURLToPath(new URL('journal-process.ts', import.meta.url));
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--import=tsx', script, ...parameters], (error, stdout, stderr) => {
      // One that kills itself has said what there is to say.
      if (stdout.endsWith('\n')) resolve(JSON.parse(stdout) as Record<string, number>);
      else reject(new Error(`the journal's process failed: ${stderr}`, { cause: error }));
    });
  });
}

function row(what: string, unit: string, exemplard: number, maxValue: number): Measured {
  return { what, unit, prometheus: undefined, exemplard, maxValue };
}
