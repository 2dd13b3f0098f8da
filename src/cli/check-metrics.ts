/** `exemplard check metrics URL|FILE|-`: the doctor's visit. */

import { readFile } from 'node:fs/promises';
import type { Finding } from '../doctor/finding.js';
import { bySeverity } from '../doctor/finding.js';
import type { ExpositionFormat } from '../exposition/content-type.js';
import { type Clock, systemClock } from '../util/clock.js';
import { formatBytes, parseDurationMs } from '../util/units.js';
import type { Write } from './check-config.js';
import { EndpointClient, type EndpointFlags, isUrl, MAX_BODY_BYTES, parseEndpoint } from './endpoint.js';
import { visitEndpoint } from './endpoint-visit.js';
import { examineBytes } from './examine-bytes.js';
import { EXIT_FAILED, EXIT_FINE, EXIT_WRONG_USAGE } from './exit-codes.js';
import { type MetricsReport, reportAsJson, reportAsText } from './metrics-report.js';
import { readableBytes } from './readable.js';

export interface CheckMetricsOptions extends EndpointFlags {
  readonly output: 'text' | 'json';
  /** How to read a file, or an answer that does not say. */
  readonly format?: ExpositionFormat;
  readonly timeout: string;
}

export interface CheckMetricsParts {
  readonly stdout: Write;
  readonly stderr: Write;
  readonly stdin: AsyncIterable<Buffer | string>;
  readonly clock?: Clock;
}

/** @returns the exit code: 1 for a failure, and for findings that are more than worth knowing */
export async function checkMetrics(
  source: string,
  options: CheckMetricsOptions,
  parts: CheckMetricsParts,
): Promise<number> {
  const { timeout } = options;
  const timeoutMs = parseDurationMs(timeout);
  if (timeoutMs === undefined || timeoutMs === 0)
    return wrongUsage(parts.stderr, `--timeout must be a duration like 10s, got ${JSON.stringify(timeout)}`);
  const report = isUrl(source)
    ? await reportOnUrl(source, options, timeoutMs, parts)
    : await reportOnFile(source, options, parts);
  if (typeof report === 'number') return report;
  parts.stdout(options.output === 'json' ? reportAsJson(report) : reportAsText(report));
  return report.findings.every(({ severity }) => severity === 'info') ? EXIT_FINE : EXIT_FAILED;
}

type Reported = MetricsReport | number;

async function reportOnUrl(
  source: string,
  options: CheckMetricsOptions,
  timeoutMs: number,
  { stderr, clock = systemClock }: CheckMetricsParts,
): Promise<Reported> {
  const endpoint = parseEndpoint(source, options);
  if (typeof endpoint === 'string') return wrongUsage(stderr, endpoint);
  const client = new EndpointClient(endpoint, timeoutMs, clock);
  try {
    return {
      source: endpoint.shown,
      ...(await visitEndpoint(client, { fallback: options.format, progress: progressOn(stderr) }, clock)),
    };
  } finally {
    await client.close();
  }
}

async function reportOnFile(
  source: string,
  { format = 'openmetrics' }: CheckMetricsOptions,
  { stdin, stderr, clock = systemClock }: CheckMetricsParts,
): Promise<Reported> {
  let bytes: Buffer;
  try {
    bytes = source === '-' ? await gather(stdin) : await readFile(source);
  } catch (error) {
    stderr(`error: ${source}: ${readProblem(error as NodeJS.ErrnoException)}\n`);
    return EXIT_FAILED;
  }
  const answer = { contentType: undefined, isAnswer: false };
  progressOn(stderr)(bytes.length);
  const examined = examineBytes(bytes, format, answer, clock.nowMs());
  const findings: readonly Finding[] = 'failure' in examined ? [examined.failure] : examined.findings;
  return {
    source: source === '-' ? 'standard input' : source,
    answers: [],
    examination: 'failure' in examined ? undefined : examined,
    repeats: undefined,
    findings: bySeverity(findings),
  };
}

/** Larger bodies take seconds. */
const SILENT_BYTES = 8 * 1024 * 1024;

function progressOn(stderr: Write): (bytes: number) => void {
  return (bytes) => {
    if (bytes > SILENT_BYTES) stderr(`examining ${readableBytes(bytes)} …\n`);
  };
}

function wrongUsage(stderr: Write, problem: string): number {
  stderr(`error: ${problem}\n(exemplard check metrics --help shows what there is)\n`);
  return EXIT_WRONG_USAGE;
}

function readProblem({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'there is no such file (a URL must start with http:// or https://)';
  return code === 'EISDIR' ? 'this is a directory' : message;
}

async function gather(stream: AsyncIterable<Buffer | string>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > MAX_BODY_BYTES) throw new Error(`more than ${formatBytes(MAX_BODY_BYTES)}`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks, length);
}
