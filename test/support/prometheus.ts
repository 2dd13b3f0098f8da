import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.js';

export interface PrometheusSettings {
  /** The configuration file; by default an empty one. */
  readonly config?: string;
  readonly flags?: readonly string[];
}

export interface QueriedSeries {
  readonly seriesLabels: Record<string, string>;
  readonly exemplars: { labels: Record<string, string>; value: string; timestamp: number }[];
}

export interface Prometheus {
  readonly url: string;
  readonly pid: number;
  /** @param range seconds since 1970; by default all time */
  queryExemplars(query: string, range?: { start: number; end: number }): Promise<QueriedSeries[]>;
  stop(): Promise<void>;
}

/**
 * Why tests against a real Prometheus cannot run here: a text for `skip`, or false. In CI (`CI=true`) they never
 * skip, so that a machine without the binary fails instead of proving nothing.
 */
export function prometheusMissing(): string | false {
  if (process.env.CI === 'true') return false;
  return spawnSync('prometheus', ['--version']).error === undefined
    ? false
    : 'no prometheus binary (apt-get install prometheus)';
}

/**
 * A Prometheus of its own on a free loopback port and a temporary directory, with exemplar storage and the remote
 * write receiver.
 * @throws Error with what it logged when it does not get ready
 */
export async function startPrometheus({
  config = '',
  flags = [],
}: PrometheusSettings = {}): Promise<Prometheus> {
  const directory = await mkdtemp(join(tmpdir(), 'exemplard-prometheus-'));
  const configFile = join(directory, 'prometheus.yml');
  await writeFile(configFile, config);
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=${url.slice('http://'.length)}`,
      '--enable-feature=exemplar-storage',
      '--web.enable-remote-write-receiver',
      ...flags,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let logged = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    logged = (logged + text).slice(-10_000);
  });
  let failure: Error | undefined;
  child.on('error', (error) => {
    failure = error;
  });
  const stop = () => stopProcess(child, directory);
  try {
    await until(async () => {
      if (failure !== undefined || child.exitCode !== null) throw failure ?? new Error('it exited');
      return isReady(url);
    }, 'prometheus to be ready');
  } catch (error) {
    await stop();
    throw new Error(`prometheus did not start: ${(error as Error).message}\n${logged}`, { cause: error });
  }
  return {
    url,
    pid: child.pid!,
    queryExemplars: (query, range = { start: 0, end: 1e11 }) => queryExemplars(url, query, range),
    stop,
  };
}

async function queryExemplars(
  url: string,
  query: string,
  { start, end }: { start: number; end: number },
): Promise<QueriedSeries[]> {
  const parameters = new URLSearchParams({ query, start: String(start), end: String(end) });
  const response = await fetch(`${url}/api/v1/query_exemplars?${parameters}`);
  const answer = (await response.json()) as { status: string; data: QueriedSeries[]; error?: string };
  if (answer.status !== 'success') throw new Error(`query_exemplars: ${answer.error}`);
  return answer.data;
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/-/ready`).catch(() => undefined);
  return response?.ok ?? false;
}

async function stopProcess(child: ChildProcess, directory: string): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    // A test has no use for a clean shutdown.
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await rm(directory, { recursive: true, force: true });
}

/** Below those that the system gives to whoever asks for any: nobody gets one of these by chance before it is used. */
const [LOWEST_PORT, HIGHEST_PORT] = [20_000, 32_000];

/** A port of the loopback interface that nobody listens on now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
