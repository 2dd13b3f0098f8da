/** A program that is killed and started again under load. */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Test } from 'tap';
import { startNode } from './build.js';
import type { Exposition } from './changing-target.js';
import type { ServedTarget } from './target.js';
import { until } from './until.js';

/** Also its timeout: short enough for many scrapes a life, long enough for a machine that is busy with other tests. */
const SCRAPE_INTERVAL_MS = 250;

/** Half of the series show a new exemplar. */
export function expose(target: string, series: number): Exposition {
  const ids: string[] = [];
  const seconds = (Date.now() / 1000).toFixed(3);
  const lines = Array.from({ length: series }, (_, n) => {
    const sample = `crash_total{target="${target}",n="${n}"} ${n}`;
    if (Math.random() < 0.5) return sample;
    const id = randomBytes(16).toString('hex');
    ids.push(id);
    return `${sample} # {trace_id="${id}",span_id="${id.slice(0, 16)}"} ${n} ${seconds}`;
  });
  return { text: `# TYPE crash counter\n${lines.join('\n')}\n# EOF\n`, ids };
}

export function scrapeConfigs(targets: readonly { readonly served: ServedTarget }[]): string {
  const jobs = targets.map(
    ({ served }, i) => `- job_name: job${i}
  scrape_interval: ${SCRAPE_INTERVAL_MS}ms
  scrape_timeout: ${SCRAPE_INTERVAL_MS}ms
  static_configs: [{targets: ['${served.address}']}]`,
  );
  return `scrape_configs:\n${jobs.join('\n')}`;
}

export interface Life {
  readonly process: ChildProcess;
  readonly url: Promise<string>;
  readonly log: () => string;
}

/** Until it is killed, at the latest with the test. */
export function startLife(t: Test, main: string, configFile: string, directory: string): Life {
  const child = startNode([
    main,
    `--config.file=${configFile}`,
    `--storage.path=${join(directory, 'data')}`,
    '--web.listen-address=127.0.0.1:0',
  ]);
  t.teardown(() => child.kill('SIGKILL'));
  let log = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const isEnded = () => child.exitCode !== null || child.signalCode !== null;
  const ready = /listening=(http:\S+)/;
  const url = until(() => ready.test(log) || isEnded(), 'exemplard to be ready').then(() => {
    const found = ready.exec(log)?.[1];
    if (found === undefined) throw new Error(`exemplard did not start:\n${log}`);
    return found;
  });
  // One that is killed while it starts never is.
  url.catch(() => {});
  return { process: child, url, log: () => log };
}
