/**
 * Jobs whose targets only mechanisms would find that exemplard lacks. They are skipped: each costs one warning that
 * names it, and what else could be said about it, such as a missing CA file, is of no interest to anyone.
 */
import { DISCOVERY_KEYS_APPLIED, INSTEAD_OF_LACKED, KEYS_LACKED } from './discovery-keys.js';
import { quote } from './document.js';
import type { IssueReport } from './issue.js';
import { SCRAPE_KEYS } from './scrape-keys.js';
import { REASONS, type Section, section } from './table.js';
import { list, type ValueType } from './value-type.js';

export type ScrapeSection = Section<typeof SCRAPE_KEYS>;

const job = section(SCRAPE_KEYS);

/** What `scrape_configs` is read as. */
export const scrapeJobs: ValueType<readonly ScrapeSection[]> = list({
  ...job,
  read: (node, path, report) =>
    report.withoutWarnings(
      () => job.read(node, path, report),
      (read) => read !== undefined && isUnfound(read),
    ),
});

/** A job without any discovery is not among them: it is as Prometheus would have it, empty. */
export function isUnfound(job: ScrapeSection): boolean {
  return keysLacked(job).length > 0 && DISCOVERY_KEYS_APPLIED.every((key) => job.values[key].length === 0);
}

type Key = keyof typeof SCRAPE_KEYS;

function keysLacked(job: ScrapeSection): readonly Key[] {
  return (KEYS_LACKED as readonly Key[]).filter((key) => job.given(key));
}

/** One warning, however many mechanisms it is. */
export function warnOfLacked(job: ScrapeSection, report: IssueReport): void {
  const lacked = keysLacked(job);
  if (lacked.length === 0) return;
  const name = `${job.path} ${quote(job.values.job_name ?? '')}`;
  const keys = `${lacked.join(', ')} ${lacked.length === 1 ? 'is' : 'are'} ${REASONS.later}`;
  const message = isUnfound(job)
    ? `${name} is skipped: ${keys}, so it has no targets; ${INSTEAD_OF_LACKED}`
    : `${name} is scraped in part: ${keys}, so the targets from there are missing; ${INSTEAD_OF_LACKED}`;
  report.warn(job.at(lacked[0]!), message);
}
