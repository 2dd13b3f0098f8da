/**
 * Jobs whose targets only mechanisms would find that exemplard lacks, or that only a SOCKS proxy leads to. They are
 * skipped: each costs one warning that names it, and what else could be said about it, such as a missing CA file, is of
 * no interest to anyone.
 */
import { DISCOVERY_KEYS_APPLIED, INSTEAD_OF_LACKED, KEYS_LACKED } from './discovery-keys.js';
import { quote } from './document.js';
import type { IssueReport } from './issue.js';
import { SCRAPE_KEYS } from './scrape-keys.js';
import { type SocksProxy, socksProxyOf } from './socks-proxies.js';
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
      (read) => read !== undefined && isSkipped(read),
    ),
});

export function isSkipped(job: ScrapeSection): boolean {
  return isUnfound(job) || socksProxyOfJob(job) !== undefined;
}

/** A job without any discovery is not among them: it is as Prometheus would have it, empty. */
function isUnfound(job: ScrapeSection): boolean {
  return keysLacked(job).length > 0 && DISCOVERY_KEYS_APPLIED.every((key) => job.values[key].length === 0);
}

type Key = keyof typeof SCRAPE_KEYS;

function keysLacked(job: ScrapeSection): readonly Key[] {
  return (KEYS_LACKED as readonly Key[]).filter((key) => job.given(key));
}

/** That of its requests, or of those that find its targets. */
function socksProxyOfJob(job: ScrapeSection): SocksProxy | undefined {
  const { http_sd_configs, kubernetes_sd_configs } = job.values;
  for (const section of [job, ...http_sd_configs, ...kubernetes_sd_configs]) {
    const proxy = socksProxyOf(section);
    if (proxy !== undefined) return proxy;
  }
  return undefined;
}

/** One warning, however many mechanisms it is. */
export function warnOfLacked(job: ScrapeSection, report: IssueReport): void {
  const socks = socksProxyOfJob(job);
  if (socks !== undefined) {
    const reason = `${socks.path} is a SOCKS proxy, which is ${REASONS.later}`;
    report.warn(socks.at, `${nameOf(job)} is skipped: ${reason}; proxies of http:// and https:// are`);
    return;
  }
  const lacked = keysLacked(job);
  if (lacked.length === 0) return;
  const keys = `${lacked.join(', ')} ${lacked.length === 1 ? 'is' : 'are'} ${REASONS.later}`;
  const message = isUnfound(job)
    ? `${nameOf(job)} is skipped: ${keys}, so it has no targets; ${INSTEAD_OF_LACKED}`
    : `${nameOf(job)} is scraped in part: ${keys}, so the targets from there are missing; ${INSTEAD_OF_LACKED}`;
  report.warn(job.at(lacked[0]!), message);
}

function nameOf(job: ScrapeSection): string {
  return `${job.path} ${quote(job.values.job_name ?? '')}`;
}
