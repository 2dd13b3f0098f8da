import { createHash } from 'node:crypto';
import { type Labels, labelPairs, labelsFromPairs, labelsFromRecord, labelValue } from '../model/labels.js';
import type { TargetGroup } from '../model/target-group.js';
import { formatDurationMs } from '../util/units.js';
import type { ScrapeJobOptions } from './options.js';

/** One endpoint to scrape. Immutable. */
export interface Target {
  /** As discovered, with `__…__` labels. */
  readonly discoveredLabels: Labels;
  /** What its series get: without labels that start with `__`. */
  readonly labels: Labels;
  readonly url: string;
  /** Two targets of equal identity are one. */
  readonly identity: string;
  /** A stable place of the target in the interval, 0 ≤ phase < 1. */
  readonly phase: number;
}

/** The targets of a job's groups, each identity once. */
export function targetsOf(job: ScrapeJobOptions, groups: readonly TargetGroup[]): Target[] {
  const targets = new Map<string, Target>();
  for (const group of groups) {
    for (const address of group.targets) {
      const target = createTarget(job, address, group.labels);
      if (!targets.has(target.identity)) targets.set(target.identity, target);
    }
  }
  return [...targets.values()];
}

function createTarget(
  job: ScrapeJobOptions,
  address: string,
  groupLabels: Readonly<Record<string, string>>,
): Target {
  const discovered = discoveredLabels(job, address, groupLabels);
  const url = targetUrl(discovered, job.params);
  const publicLabels = [...labelPairs(discovered)].filter(([name]) => !name.startsWith('__'));
  const named = labelValue(discovered, 'instance') === '' ? [['instance', address] as const] : [];
  const labels = labelsFromPairs([...publicLabels, ...named]);
  const digest = createHash('md5')
    .update(JSON.stringify([labels, url]))
    .digest();
  return {
    discoveredLabels: discovered,
    labels,
    url,
    identity: digest.toString('hex'),
    phase: digest.readUInt32BE(0) / 2 ** 32,
  };
}

/** Prometheus `PopulateDiscoveredLabels`: what the job says fills what the group does not. */
function discoveredLabels(
  job: ScrapeJobOptions,
  address: string,
  groupLabels: Readonly<Record<string, string>>,
): Labels {
  const defaults: Record<string, string> = {
    job: job.jobName,
    __scrape_interval__: formatDurationMs(job.intervalMs),
    __scrape_timeout__: formatDurationMs(job.timeoutMs),
    __metrics_path__: job.metricsPath,
    __scheme__: job.scheme,
  };
  for (const [name, values] of Object.entries(job.params)) {
    if (values[0] !== undefined) defaults[`__param_${name}`] = values[0];
  }
  const given = [...labelPairs(labelsFromRecord(groupLabels))];
  return labelsFromPairs([...Object.entries(defaults), ...given, ['__address__', address]]);
}

/** Of each parameter the first value comes from its label, the others from the job; keys sorted, as Go does. */
function targetUrl(labels: Labels, params: ScrapeJobOptions['params']): string {
  const query: string[] = [];
  const first = new Map<string, string>();
  for (const [name, value] of labelPairs(labels)) {
    if (name.startsWith('__param_')) first.set(name.slice('__param_'.length), value);
  }
  const keys = [...new Set([...Object.keys(params), ...first.keys()])].sort();
  for (const key of keys) {
    const others = (params[key] ?? []).slice(1);
    const values = first.has(key) ? [first.get(key)!, ...others] : (params[key] ?? []);
    for (const value of values) query.push(`${queryEscape(key)}=${queryEscape(value)}`);
  }
  const path = labelValue(labels, '__metrics_path__');
  const base = `${labelValue(labels, '__scheme__')}://${labelValue(labels, '__address__')}`;
  return `${base}${path.startsWith('/') ? '' : '/'}${path}${query.length > 0 ? `?${query.join('&')}` : ''}`;
}

/** Go's `url.QueryEscape`. */
function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replace(/%20/g, '+')
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
