/** `exemplard size URL...`: watches endpoints, then says what a wanted retention needs. */
import { type Clock, systemClock } from '../util/clock.js';
import { formatDurationMs, parseDurationMs } from '../util/units.js';
import type { Write } from './check-config.js';
import { type Endpoint, type EndpointFlags, parseEndpoint } from './endpoint.js';
import { EXIT_FAILED, EXIT_FINE, EXIT_WRONG_USAGE } from './exit-codes.js';
import { type SizeReport, sizeAsJson, sizeAsText } from './size-report.js';
import { Watch, type WatchOptions } from './size-watch.js';
import { needsFor, trafficOf } from './sizing.js';

export interface SizeOptions extends EndpointFlags {
  readonly output: 'text' | 'json';
  readonly for: string;
  readonly interval: string;
  readonly timeout: string;
  /** Durations; none: a few usual ones. */
  readonly retention: readonly string[];
}

export interface SizeParts {
  readonly stdout: Write;
  readonly stderr: Write;
  /** Ends the watch early; what is known by then is reported. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

const USUAL_RETENTIONS = ['1h', '24h', '7d'];
const USUAL_CHOICE = '24h';
const PROGRESS_STEPS = 20;

interface Request {
  readonly endpoints: readonly Endpoint[];
  readonly options: WatchOptions;
  readonly retentionsMs: readonly number[];
}

/** @returns the exit code: 1 where no exemplars came that anything could be reckoned from */
export async function size(urls: readonly string[], options: SizeOptions, parts: SizeParts): Promise<number> {
  const { stdout, stderr, signal, clock = systemClock } = parts;
  const request = readRequest(urls, options);
  if (typeof request === 'string') {
    stderr(`error: ${request}\n(exemplard size --help shows what there is)\n`);
    return EXIT_WRONG_USAGE;
  }
  const watch = new Watch(request.endpoints, request.options, clock);
  await watch.run(signal, progressOn(stderr, request.options.forMs));
  const report = reportOn(
    watch,
    request,
    options.retention.length === 0 ? USUAL_CHOICE : options.retention[0]!,
  );
  stdout(options.output === 'json' ? sizeAsJson(report) : sizeAsText(report));
  return report.traffic.rate > 0 ? EXIT_FINE : EXIT_FAILED;
}

function readRequest(urls: readonly string[], options: SizeOptions): Request | string {
  const endpoints = urls.map((url) => parseEndpoint(url, options));
  const problem = endpoints.find((endpoint) => typeof endpoint === 'string');
  if (problem !== undefined) return problem as string;
  const durations = { for: options.for, interval: options.interval, timeout: options.timeout };
  for (const [flag, text] of Object.entries(durations))
    if (!isDuration(text)) return `--${flag} must be a duration like 10s, got ${JSON.stringify(text)}`;
  const retentions = options.retention.length === 0 ? USUAL_RETENTIONS : options.retention;
  const wrong = retentions.find((text) => !isDuration(text));
  if (wrong !== undefined) return `--retention must be a duration like 24h, got ${JSON.stringify(wrong)}`;
  const forMs = parseDurationMs(options.for)!;
  const intervalMs = parseDurationMs(options.interval)!;
  if (intervalMs > forMs) return `--for must not be less than --interval: nothing new is seen by one scrape`;
  return {
    endpoints: endpoints as Endpoint[],
    options: { forMs, intervalMs, timeoutMs: parseDurationMs(options.timeout)! },
    retentionsMs: retentions.map((text) => parseDurationMs(text)!),
  };
}

function isDuration(text: string): boolean {
  return (parseDurationMs(text) ?? 0) > 0;
}

function reportOn(watch: Watch, { options, retentionsMs }: Request, choice: string): SizeReport {
  const traffic = trafficOf(watch);
  const needs = retentionsMs.map((retentionMs) => needsFor(traffic, retentionMs));
  const chosen = needsFor(traffic, parseDurationMs(choice)!);
  return { watch, intervalMs: options.intervalMs, traffic, needs, chosen };
}

/** A line now and then, however long it takes. */
function progressOn(stderr: Write, forMs: number): (elapsedMs: number, watch: Watch) => void {
  let nextMs = 0;
  return (elapsedMs, watch) => {
    if (elapsedMs < nextMs) return;
    nextMs = elapsedMs + forMs / PROGRESS_STEPS;
    const elapsed = formatDurationMs(Math.round(elapsedMs / 1000) * 1000);
    const failures = watch.endpoints.reduce((sum, endpoint) => sum + endpoint.failures, 0);
    const failed = failures > 0 ? `, ${failures} scrapes failed` : '';
    stderr(`${elapsed} of ${formatDurationMs(forMs)}: ${watch.store.index.size} series with exemplars, ${watch.newExemplars} new exemplars${failed} (Ctrl-C ends the watch)\n`); // biome-ignore format: one text
  };
}
