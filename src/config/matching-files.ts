/** The files that a pattern of the configuration names. */
import { readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { compareBytewise } from '../model/labels.js';
import { compilePattern } from '../util/file-pattern.js';

/**
 * In order. None where there is no such file or directory, as in Prometheus.
 * @param pattern may have a `*` in its last part, and is relative to `directory`
 */
export function filesOf(pattern: string, directory: string): string[] {
  const path = resolve(directory, pattern);
  const name = compilePattern(basename(path));
  try {
    const names = readdirSync(dirname(path)).filter((each) => name?.test(each) ?? each === basename(path));
    return names.sort(compareBytewise).map((each) => join(dirname(path), each));
  } catch {
    return [];
  }
}
