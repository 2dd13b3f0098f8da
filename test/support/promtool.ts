import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What `promtool check config` says of a text, judged by its syntax alone: files it names need not be there. */
export function promtool(text: string): { readonly ok: boolean; readonly output: string } {
  const directory = mkdtempSync(join(tmpdir(), 'exemplard-promtool-'));
  try {
    const file = join(directory, 'prometheus.yml');
    writeFileSync(file, text);
    const args = ['check', 'config', '--syntax-only', file];
    const { status, stdout, stderr, error } = spawnSync('promtool', args, { encoding: 'utf8' });
    if (error !== undefined) throw error;
    return { ok: status === 0, output: `${stdout}${stderr}` };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
