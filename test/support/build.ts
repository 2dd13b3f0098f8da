import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Without the hooks that tap gives to every Node process below it: programs are not started with them elsewhere. */
const PLAIN_NODE = ['-u', 'NODE_OPTIONS', process.execPath];

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export function run(file: string, args: readonly string[], cwd = ROOT): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(file, args, { cwd, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code ?? -1);
      resolve({ code, stdout, stderr });
    });
  });
}

/** The same for a Node program. */
export function runNode(args: readonly string[], cwd = ROOT): Promise<Ended> {
  return run('env', [...PLAIN_NODE, ...args], cwd);
}

/** Starts a Node program, its stderr to be read. */
export function startNode(args: readonly string[]): ChildProcess {
  return spawn('env', [...PLAIN_NODE, ...args], { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** A directory of one's own outside the project, until `teardown`. */
export async function temporaryDirectory(t: {
  teardown(remove: () => Promise<void>): unknown;
}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'exemplard-test-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Compiles the sources as `npm run build` does, into a place of one's own: tests run side by side. */
export async function compileInto(outDirectory: string): Promise<void> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = ['-p', 'tsconfig.json', '--noEmit', 'false', '--outDir', outDirectory];
  const { code, stdout, stderr } = await runNode([tsc, ...options]);
  if (code !== 0) throw new Error(`tsc: ${stdout}${stderr}`);
}

/** What of the project has to lie beside `dist`. */
const BESIDE_DIST = ['package.json', 'proto', 'config.example.yaml'];

/** The built program, in a directory that is there already. @returns its entry file */
export async function buildProgram(directory: string): Promise<string> {
  await compileInto(join(directory, 'dist'));
  for (const path of BESIDE_DIST) await cp(join(ROOT, path), join(directory, path), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  return join(directory, 'dist/main.js');
}
