/** The configuration of `exemplard --scrape=URL`: no file, the endpoints of the command line. */
import { stringify } from 'yaml';
import { DEFAULT_SCRAPE_JOB } from '../scrape/options.js';
import { decodePercent } from '../util/percent.js';
import { redactUrl } from '../util/secrets.js';
import { quote } from './document.js';
import { type ConfigResult, loadConfig } from './load.js';
import type { Config } from './schema.js';

const SIDECAR_JOB = 'sidecar';
const SIDECAR_INTERVAL = '5s';

export type SidecarResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly errors: readonly string[] };

/**
 * Each URL is a target, scraped every 5 s; a URL without a path is scraped at `/metrics`. URLs that differ in
 * address alone share the job `sidecar`; others are in `sidecar-2`, `sidecar-3`, … in the order given.
 * @returns errors that name the URL: one a URL that is refused
 */
export function configForScrapeUrls(urls: readonly string[]): SidecarResult {
  const errors = urls.flatMap((url) => refusal(url) ?? []);
  if (errors.length > 0) return { ok: false, errors };
  return toSidecarResult(loadConfig(stringify({ scrape_configs: jobsOf(urls) }), 'command line', {}));
}

function refusal(url: string): string | undefined {
  const shown = quote(redactUrl(url));
  if (!/^https?:\/\//i.test(url)) return `--scrape: ${shown} must start with http:// or https://`;
  if (!URL.canParse(url)) return `--scrape: ${shown} is not a URL`;
  return undefined;
}

interface SidecarJob {
  readonly job_name: string;
  readonly scrape_interval: string;
  readonly scheme: string;
  readonly metrics_path: string;
  readonly params: Readonly<Record<string, readonly string[]>>;
  readonly basic_auth?: { readonly username: string; readonly password: string };
  readonly static_configs: readonly [{ readonly targets: string[] }];
}

function jobsOf(urls: readonly string[]): SidecarJob[] {
  const jobs = new Map<string, SidecarJob>();
  for (const url of urls) {
    const { protocol, host, pathname, search, username, password } = new URL(url);
    const metricsPath = pathname === '/' ? DEFAULT_SCRAPE_JOB.metricsPath : pathname;
    const endpoint = `${protocol}${username}:${password}@${metricsPath}${search}`;
    const job = jobs.get(endpoint) ?? {
      job_name: jobs.size === 0 ? SIDECAR_JOB : `${SIDECAR_JOB}-${jobs.size + 1}`,
      scrape_interval: SIDECAR_INTERVAL,
      scheme: protocol.slice(0, -1),
      metrics_path: metricsPath,
      params: paramsOf(new URLSearchParams(search)),
      ...(username === '' && password === '' ? {} : { basic_auth: credentialsOf(username, password) }),
      static_configs: [{ targets: [] }],
    };
    const [{ targets }] = job.static_configs;
    if (!targets.includes(host)) targets.push(host);
    jobs.set(endpoint, job);
  }
  return [...jobs.values()];
}

function credentialsOf(username: string, password: string) {
  return { username: decodePercent(username), password: decodePercent(password) };
}

function paramsOf(search: URLSearchParams): Record<string, string[]> {
  return Object.fromEntries([...search.keys()].map((name) => [name, search.getAll(name)]));
}

function toSidecarResult(result: ConfigResult): SidecarResult {
  if (result.ok) return { ok: true, config: result.config };
  return { ok: false, errors: result.errors.map(({ message }) => `--scrape: ${message}`) };
}
