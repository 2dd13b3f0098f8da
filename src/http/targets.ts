import { hostname } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { type Labels, labelsToRecord } from '../model/labels.js';
import { isSecretName, MASK, redactQuery, redactUrl } from '../util/secrets.js';
import { sendData } from './answer.js';
import { goTime } from './go-time.js';
import { Parameters } from './parameters.js';

export interface ActiveTarget {
  readonly discoveredLabels: Labels;
  readonly labels: Labels;
  readonly scrapePool: string;
  /** Secrets in it masked. */
  readonly scrapeUrl: string;
  /** Empty when the last scrape went well. */
  readonly lastError: string;
  /** NaN before the first. */
  readonly lastScrapeMs: number;
  readonly lastDurationMs: number;
  readonly health: 'unknown' | 'up' | 'down';
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
  /** What the doctor says of its exemplars, the worst first. */
  readonly exemplarFindings: readonly object[];
}

/** A scrape job, those without targets as well. */
export interface ScrapePoolSummary {
  readonly name: string;
  /** Discovered labels of targets that relabelling drops; perhaps not of all of them. */
  readonly dropped: readonly Labels[];
  readonly droppedCount: number;
}

export interface TargetRouteParts {
  readonly activeTargets: () => Iterable<ActiveTarget>;
  readonly scrapePools: () => Iterable<ScrapePoolSummary>;
}

/** `targets` and `scrape_pools`, as Prometheus answers them. */
export function targetRoutes(api: FastifyInstance, parts: TargetRouteParts): void {
  const pools = () => [...parts.scrapePools()].sort((a, b) => compareText(a.name, b.name));
  api.get('/targets', (request, reply) => {
    const parameters = new Parameters(request);
    const state = parameters.text('state').toLowerCase();
    const pool = parameters.text('scrapePool');
    const isAsked = (name: string) => pool === '' || name === pool;
    const showsActive = ['', 'any', 'active'].includes(state);
    const showsDropped = ['', 'any', 'dropped'].includes(state);
    const active = showsActive ? [...parts.activeTargets()] : [];
    const dropping = showsDropped ? pools() : [];
    return sendData(reply, {
      activeTargets: active
        .filter(({ scrapePool }) => isAsked(scrapePool))
        .sort((a, b) => compareText(a.scrapePool, b.scrapePool))
        .map(shown),
      droppedTargets: dropping
        .filter(({ name }) => isAsked(name))
        .flatMap(({ name, dropped }) =>
          dropped.map((labels) => ({ discoveredLabels: shownLabels(labels), scrapePool: name })),
        ),
      droppedTargetCounts: Object.fromEntries(dropping.map(({ name, droppedCount }) => [name, droppedCount])),
    });
  });
  api.get('/scrape_pools', (_request, reply) =>
    sendData(reply, { scrapePools: pools().map(({ name }) => name) }),
  );
}

/** Keys in Prometheus' order. */
function shown(target: ActiveTarget): object {
  return {
    discoveredLabels: shownLabels(target.discoveredLabels),
    labels: labelsToRecord(target.labels),
    scrapePool: target.scrapePool,
    scrapeUrl: target.scrapeUrl,
    globalUrl: globalUrl(target.scrapeUrl),
    lastError: target.lastError,
    lastScrape: goTime(target.lastScrapeMs),
    lastScrapeDuration: target.lastDurationMs / 1000,
    health: target.health,
    scrapeInterval: target.scrapeInterval,
    scrapeTimeout: target.scrapeTimeout,
    // Not Prometheus'.
    exemplarFindings: target.exemplarFindings,
  };
}

/** Of discovered labels some become parts of the URL: what may be a secret there is masked. */
function shownLabels(labels: Labels): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labelsToRecord(labels)).map(([name, value]) => [name, shownValue(name, value)]),
  );
}

function shownValue(name: string, value: string): string {
  if (name.startsWith('__param_') && isSecretName(name.slice('__param_'.length))) return MASK;
  return name === '__metrics_path__' ? redactQuery(value) : redactUrl(value);
}

/** The URL with a host that means something elsewhere, too. */
function globalUrl(scrapeUrl: string): string {
  return scrapeUrl.replace(/^(https?:\/\/)(?:localhost|127\.0\.0\.1|\[::1\])(?=[:/]|$)/, `$1${hostname()}`);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
