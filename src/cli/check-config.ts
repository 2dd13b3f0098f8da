/** `exemplard check config FILE`. */
import { formatIssue } from '../config/issue.js';
import { loadConfigFile } from '../config/load.js';

/** Takes whole lines, their line feed included. */
export type Write = (text: string) => void;

/**
 * Prints `SUCCESS`, or every error as `FILE:LINE:COL: message`; warnings in both cases.
 * All of it is what the command was asked for, so it goes to stdout, as with linters.
 * @returns the exit code: 0 when the file would start exemplard, else 1
 */
export function checkConfig(file: string, stdout: Write, environment?: NodeJS.ProcessEnv): number {
  const result = loadConfigFile(file, environment);
  for (const warning of result.warnings)
    stdout(`${formatIssue({ ...warning, message: `warning: ${warning.message}` })}\n`);
  if (result.ok) {
    const { scrapeJobs, remoteWrites } = result.config;
    const parts = [
      countOf(scrapeJobs, 'scrape job'),
      countOf(remoteWrites, 'remote write'),
      countOf(result.warnings, 'warning'),
    ];
    stdout(`SUCCESS: ${file}: ${parts.join(', ')}\n`);
    return 0;
  }
  for (const error of result.errors) stdout(`${formatIssue(error)}\n`);
  return 1;
}

function countOf(items: readonly unknown[], noun: string): string {
  return `${items.length} ${noun}${items.length === 1 ? '' : 's'}`;
}
