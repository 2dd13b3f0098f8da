import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What `promtool check config` says of each text, judged by its syntax alone: files it names need not be there.
 * @returns why it is refused, or undefined where it is not
 */
export function promtool(texts: readonly string[]): (string | undefined)[] {
  const directory = mkdtempSync(join(tmpdir(), 'exemplard-promtool-'));
  try {
    const files = texts.map((_, i) => join(directory, `${i}.yml`));
    for (const [i, file] of files.entries()) writeFileSync(file, texts[i]!);
    const args = ['check', 'config', '--syntax-only', ...files];
    const { stdout, stderr, error } = spawnSync('promtool', args, { encoding: 'utf8' });
    if (error !== undefined) throw error;
    const complaints = stderr.split('  FAILED: ');
    return files.map((file) => {
      if (stdout.includes(`SUCCESS: ${file} is valid`)) return undefined;
      return complaints.find((complaint) => complaint.includes(`${file}:`))?.trim() ?? stderr;
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
