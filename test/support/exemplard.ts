import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ExemplardProcess {
  readonly url: string;
  readonly pid: number;
  readonly configFile: string;
  /** What it has logged so far. */
  readonly log: () => string;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** The built program, as `npm run build` leaves it, on a free loopback port. */
export async function startExemplard(settings: {
  readonly config: string;
  readonly flags?: readonly string[];
}): Promise<ExemplardProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'exemplard-'));
  const configFile = join(directory, 'exemplard.yml');
  await writeFile(configFile, settings.config);
  const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
  const child = spawn(
    process.execPath,
    [main, `--config.file=${configFile}`, '--web.listen-address=127.0.0.1:0', ...(settings.flags ?? [])],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let logged = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    logged += text;
  });
  const url = await listeningUrl(child, () => logged);
  return {
    url,
    pid: child.pid!,
    configFile,
    log: () => logged,
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await rm(directory, { recursive: true, force: true });
      return child.exitCode;
    },
  };
}

async function listeningUrl(child: ChildProcess, log: () => string): Promise<string> {
  const ended = once(child, 'exit').then(() => {
    throw new Error(`exemplard did not start:\n${log()}`);
  });
  ended.catch(() => {});
  for (;;) {
    const url = /listening=(http:\S+)/.exec(log())?.[1];
    if (url !== undefined) return url;
    await Promise.race([once(child.stderr!, 'data'), ended]);
  }
}
