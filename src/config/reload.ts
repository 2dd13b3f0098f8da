/** What a reload changes, so that what it leaves alone keeps running untouched. */
import { isDeepStrictEqual } from 'node:util';
import type { RemoteWriteOptions } from '../forward/options.js';
import type { ScrapeJobOptions } from '../scrape/options.js';
import type { Config } from './schema.js';

/** Every part of both configurations is in exactly one of the lists. New options, except for those removed. */
export interface Changes<Options> {
  readonly unchanged: readonly Options[];
  readonly changed: readonly Options[];
  readonly added: readonly Options[];
  readonly removed: readonly Options[];
}

export interface ConfigChanges {
  /** By `job_name`. */
  readonly scrapeJobs: Changes<ScrapeJobOptions>;
  /** By `name`. External labels are part of them. */
  readonly remoteWrites: Changes<RemoteWriteOptions>;
  readonly storeChanged: boolean;
  readonly retentionTargetChanged: boolean;
}

export function compareConfigs(running: Config, next: Config): ConfigChanges {
  return {
    scrapeJobs: compareByName(running.scrapeJobs, next.scrapeJobs, (job) => job.jobName),
    remoteWrites: compareByName(running.remoteWrites, next.remoteWrites, (remoteWrite) => remoteWrite.name),
    storeChanged: !isDeepStrictEqual(running.store, next.store),
    retentionTargetChanged: running.retentionTargetMs !== next.retentionTargetMs,
  };
}

function compareByName<Options>(
  running: readonly Options[],
  next: readonly Options[],
  nameOf: (options: Options) => string,
): Changes<Options> {
  const runningByName = new Map(running.map((options) => [nameOf(options), options]));
  const nextNames = new Set(next.map(nameOf));
  const kept = next.filter((options) => runningByName.has(nameOf(options)));
  const isUnchanged = (options: Options) => isDeepStrictEqual(options, runningByName.get(nameOf(options)));
  return {
    unchanged: kept.filter(isUnchanged),
    changed: kept.filter((options) => !isUnchanged(options)),
    added: next.filter((options) => !runningByName.has(nameOf(options))),
    removed: running.filter((options) => !nextNames.has(nameOf(options))),
  };
}
