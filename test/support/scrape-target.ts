/** Options of scrape jobs and targets, made by hand. */
import type { DiscoveryOptions } from '../../src/discovery/options.js';
import { compileRules } from '../../src/model/relabel.js';
import type { TargetGroup } from '../../src/model/target-group.js';
import { DEFAULT_SCRAPE_JOB, type ScrapeJobOptions } from '../../src/scrape/options.js';
import { type Target, type TargetSet, targetsOf } from '../../src/scrape/target.js';
import { doAtOnce } from '../../src/util/time-slices.js';

export function groupOf(addresses: readonly string[], labels: Record<string, string> = {}): TargetGroup {
  return { source: 'test', targets: addresses.map((address) => ({ __address__: address })), labels };
}

export function staticDiscovery(...addresses: string[]): readonly DiscoveryOptions[] {
  return [{ type: 'static', groups: [groupOf(addresses)] }];
}

/** What the configuration lists. */
export function staticTargets({ discovery }: ScrapeJobOptions): string[][] {
  return discovery.flatMap((each) =>
    each.type === 'static'
      ? each.groups.map(({ targets }) => targets.map(({ __address__ = '' }) => __address__))
      : [],
  );
}

export function findTargets(options: Partial<ScrapeJobOptions>, groups: readonly TargetGroup[]): TargetSet {
  const job = { ...DEFAULT_SCRAPE_JOB, jobName: 'j', ...options };
  return doAtOnce(targetsOf(job, groups, compileRules(job.relabelRules)));
}

export function targetAt(url: URL, options: Partial<ScrapeJobOptions> = {}): Target {
  const labels = { __scheme__: url.protocol.slice(0, -1), __metrics_path__: url.pathname };
  return findTargets(options, [groupOf([url.host], labels)]).targets[0]!;
}
