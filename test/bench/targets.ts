import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TargetSettings } from './target-process.js';

interface Served {
  readonly bytes: number;
  readonly scrapes: number;
  /** Since it was asked last: how far from the interval after the one before each scrape came. */
  readonly deviationsMs: number[];
}

export interface Targets {
  /** host:port */
  readonly address: string;
  /** Scraped so far. */
  served(): Promise<Served>;
  stop(): void;
}

export async function startTargets(settings: TargetSettings): Promise<Targets> {
  const child = fork(
    fileURLToPath(new URL('target-process.ts', import.meta.url)),
    [JSON.stringify(settings)],
    {
      execArgv: ['--import=tsx', '--max-old-space-size=4096'],
    },
  );
  const [port] = (await once(child, 'message')) as [number];
  const address = `127.0.0.1:${port}`;
  return {
    address,
    async served() {
      return (await (await fetch(`http://${address}/served`)).json()) as Served;
    },
    stop: () => child.disconnect(),
  };
}

/**
 * Scrape jobs, one a target name, in the format both programs read.
 * @param jobKeys more of each job, indented by four spaces
 */
export function scrapeConfig(
  targets: Targets,
  names: readonly string[],
  {
    interval,
    maxExemplars = 1_000_000,
    jobKeys = '',
  }: { interval: string; maxExemplars?: number; jobKeys?: string },
): string {
  const jobs = names.map(
    (name) => `  - job_name: ${name}
    scrape_interval: ${interval}
    scrape_timeout: ${interval}
    params: { target: [${name}] }
    static_configs: [{ targets: ['${targets.address}'] }]
${jobKeys}`,
  );
  return `storage:\n  exemplars: { max_exemplars: ${maxExemplars} }\nscrape_configs:\n${jobs.join('\n')}\n`;
}
