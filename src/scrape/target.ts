import { createHash } from 'node:crypto';
import { type Labels, labelPairs, labelsFromPairs, labelValue } from '../model/labels.js';
import { type CompiledRules, relabel } from '../model/relabel.js';
import type { TargetGroup } from '../model/target-group.js';
import { redactUrl } from '../util/secrets.js';
import { formatDurationMs, parseDurationMs } from '../util/units.js';
import type { ScrapeJobOptions } from './options.js';

/** One endpoint to scrape. Immutable. */
export interface Target {
  /** As discovered, with `__…__` labels, before relabelling. */
  readonly discoveredLabels: Labels;
  /** What its series get: without labels that start with `__`. */
  readonly labels: Labels;
  readonly url: string;
  /** For people, logs and metrics: what may be a secret in the URL is masked. */
  readonly shownUrl: string;
  /** Two targets of equal identity are one. */
  readonly identity: string;
  /** A stable place of the target in the interval, 0 ≤ phase < 1. */
  readonly phase: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** As relabelling wrote them. */
  readonly intervalText: string;
  readonly timeoutText: string;
  /** Whether to ask for protobuf first, and how to read it. */
  readonly histograms: HistogramOptions;
  /** Where to connect instead of to the host of the URL; empty: nowhere else. */
  readonly unixSocket: string;
}

export type HistogramOptions = Pick<
  ScrapeJobOptions,
  'scrapeNativeHistograms' | 'alwaysScrapeClassicHistograms' | 'convertClassicHistogramsToNhcb'
>;

/** What became of what discovery found for a job. */
export interface TargetSet {
  readonly targets: readonly Target[];
  /** Discovered labels of those that relabelling dropped. */
  readonly dropped: readonly Labels[];
  readonly refused: readonly RefusedTarget[];
}

export interface RefusedTarget {
  readonly discoveredLabels: Labels;
  readonly error: string;
}

/** Setting of the job → label of a target that holds it, so that relabelling may change it. */
const HISTOGRAM_LABELS: Readonly<Record<keyof HistogramOptions, string>> = {
  scrapeNativeHistograms: '__scrape_native_histograms__',
  alwaysScrapeClassicHistograms: '__always_scrape_classic_histograms__',
  convertClassicHistogramsToNhcb: '__convert_classic_histograms_to_nhcb__',
};

/** No UTF-8 stands for these. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** What became of groups met before, by the same job and rules: of ten thousand pods, few change at a time. */
export type KnownGroups = WeakMap<TargetGroup, TargetSet>;

/** Targets made between two pauses. */
const TARGETS_A_STEP = 64;

/**
 * In steps, between which others may have their turn: a cluster has ten thousand targets.
 * @param rules the job's `relabel_configs`
 */
export function* targetsOf(
  job: ScrapeJobOptions,
  groups: readonly TargetGroup[],
  rules: CompiledRules,
  known: KnownGroups = new WeakMap(),
): Generator<void, TargetSet> {
  const targets = new Map<string, Target>();
  const dropped: Labels[] = [];
  const refused: RefusedTarget[] = [];
  for (const [i, group] of groups.entries()) {
    // Groups are large and few, or many and small.
    if (i % TARGETS_A_STEP === TARGETS_A_STEP - 1) yield;
    const found = known.get(group) ?? (yield* targetsOfGroup(job, group, rules));
    known.set(group, found);
    for (const target of found.targets)
      if (!targets.has(target.identity)) targets.set(target.identity, target);
    for (const labels of found.dropped) dropped.push(labels);
    for (const each of found.refused) refused.push(each);
  }
  return { targets: [...targets.values()], dropped, refused };
}

function* targetsOfGroup(
  job: ScrapeJobOptions,
  group: TargetGroup,
  rules: CompiledRules,
): Generator<void, TargetSet> {
  const targets: Target[] = [];
  const dropped: Labels[] = [];
  const refused: RefusedTarget[] = [];
  for (const [i, own] of group.targets.entries()) {
    if (i % TARGETS_A_STEP === TARGETS_A_STEP - 1) yield;
    const discovered = discoveredLabels(job, own, group.labels);
    const labels = relabel(discovered, rules);
    if (labels === undefined) dropped.push(discovered);
    else {
      const target = createTarget(job, discovered, labels);
      if ('error' in target) refused.push({ discoveredLabels: discovered, error: target.error });
      else targets.push(target);
    }
  }
  return { targets, dropped, refused };
}

/** Prometheus `PopulateDiscoveredLabels`: what the job says fills what the target and its group do not. */
function discoveredLabels(
  job: ScrapeJobOptions,
  own: Readonly<Record<string, string>>,
  shared: Readonly<Record<string, string>>,
): Labels {
  const defaults: [string, string][] = [
    ['job', job.jobName],
    ['__scrape_interval__', formatDurationMs(job.intervalMs)],
    ['__scrape_timeout__', formatDurationMs(job.timeoutMs)],
    ['__metrics_path__', job.metricsPath],
    ['__scheme__', job.scheme],
  ];
  for (const [name, values] of Object.entries(job.params))
    if (values[0] !== undefined) defaults.push([`__param_${name}`, values[0]]);
  for (const [option, label] of Object.entries(HISTOGRAM_LABELS))
    defaults.push([label, String(job[option as keyof HistogramOptions])]);
  const given = Object.entries({ ...shared, ...own }).filter(([, value]) => value !== '');
  return labelsFromPairs([...defaults, ...given]);
}

/** Prometheus `PopulateLabels`, what comes after relabelling. */
function createTarget(
  job: ScrapeJobOptions,
  discovered: Labels,
  relabelled: Labels,
): Target | { readonly error: string } {
  const address = labelValue(relabelled, '__address__');
  if (address === '') return { error: 'no address' };
  if (address.includes('/')) return { error: `${JSON.stringify(address)} is not a valid hostname` };
  const timing = timingOf(relabelled);
  if ('error' in timing) return timing;
  const histograms = histogramsOf(relabelled);
  if ('error' in histograms) return histograms;
  const badUtf8 = [...labelPairs(relabelled)].find(([, value]) => LONE_SURROGATE.test(value));
  if (badUtf8 !== undefined) return { error: `invalid label value for ${JSON.stringify(badUtf8[0])}` };
  const url = targetUrl(relabelled, job.params);
  if (!URL.canParse(url)) return { error: `${JSON.stringify(redactUrl(url))} is not a valid URL` };
  const publicLabels = [...labelPairs(relabelled)].filter(([name]) => !name.startsWith('__'));
  const named = labelValue(relabelled, 'instance') === '' ? [['instance', address] as const] : [];
  const labels = labelsFromPairs([...publicLabels, ...named]);
  const unixSocket = labelValue(relabelled, '__unix_socket__');
  const digest = createHash('md5')
    .update(JSON.stringify([labels, url, unixSocket]))
    .digest();
  return {
    discoveredLabels: discovered,
    labels,
    url,
    shownUrl: redactUrl(url),
    identity: digest.toString('hex'),
    phase: digest.readUInt32BE(0) / 2 ** 32,
    ...timing,
    histograms,
    unixSocket,
  };
}

type Timing = Pick<Target, 'intervalMs' | 'timeoutMs' | 'intervalText' | 'timeoutText'>;

function timingOf(labels: Labels): Timing | { readonly error: string } {
  const [interval, timeout] = ['__scrape_interval__', '__scrape_timeout__'].map((name) =>
    labelValue(labels, name),
  ) as [string, string];
  const intervalMs = parseDurationMs(interval);
  const timeoutMs = parseDurationMs(timeout);
  if (intervalMs === undefined)
    return {
      error: `error parsing scrape interval: not a valid duration string: ${JSON.stringify(interval)}`,
    };
  if (intervalMs === 0) return { error: 'scrape interval cannot be 0' };
  if (timeoutMs === undefined)
    return { error: `error parsing scrape timeout: not a valid duration string: ${JSON.stringify(timeout)}` };
  if (timeoutMs === 0) return { error: 'scrape timeout cannot be 0' };
  if (timeoutMs > intervalMs) {
    const [longer, shorter] = [timeout, interval].map((text) => JSON.stringify(text));
    return { error: `scrape timeout cannot be greater than scrape interval (${longer} > ${shorter})` };
  }
  return { intervalMs, timeoutMs, intervalText: interval, timeoutText: timeout };
}

function histogramsOf(labels: Labels): HistogramOptions | { readonly error: string } {
  const options: Partial<Record<keyof HistogramOptions, boolean>> = {};
  for (const [option, label] of Object.entries(HISTOGRAM_LABELS)) {
    const text = labelValue(labels, label);
    const value = parseGoBool(text);
    if (value === undefined)
      return { error: `error parsing ${label}: invalid syntax: ${JSON.stringify(text)}` };
    options[option as keyof HistogramOptions] = value;
  }
  return options as HistogramOptions;
}

/** Go's `strconv.ParseBool`. */
function parseGoBool(text: string): boolean | undefined {
  if (/^(?:1|t|T|true|TRUE|True)$/.test(text)) return true;
  return /^(?:0|f|F|false|FALSE|False)$/.test(text) ? false : undefined;
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
