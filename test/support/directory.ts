import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** An empty directory, removed when the test is over. */
export function temporaryDirectory(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'exemplard-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
