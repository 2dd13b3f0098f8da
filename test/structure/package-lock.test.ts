/** `npm ci` refuses a lock file with a hole, as npm leaves where a package was not to be had for some platform. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ROOT } from '../support/build.js';

interface Locked {
  readonly resolved?: string;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

const read = (name: string) => JSON.parse(readFileSync(join(ROOT, name), 'utf8'));
const { packages } = read('package-lock.json') as { packages: Record<string, Locked> };

/** Where a package at `path` finds `name`: in its own node_modules, or in those further up. */
function isFound(path: string, name: string): boolean {
  const folders = path.split('/node_modules/');
  const candidates = folders.map((_, i) => {
    const folder = folders.slice(0, folders.length - i).join('/node_modules/');
    return `${folder}/node_modules/${name}`;
  });
  return [...candidates, `node_modules/${name}`].some((candidate) => candidate in packages);
}

t.test('every dependency in it is in it', async (t) => {
  t.ok(Object.keys(packages).length > 100);
  const holes = Object.entries(packages).flatMap(
    ([path, { dependencies, devDependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
        .filter((name) => !isFound(path, name))
        .map((name) => `${path || 'the project'}: ${name}`),
  );
  t.same(holes, []);
});

t.test('it is that of package.json, and names no registry', async (t) => {
  const project = read('package.json') as Record<string, unknown>;
  const kinds = ['dependencies', 'devDependencies', 'optionalDependencies'];
  const locked = packages[''] as Record<string, unknown> | undefined;
  for (const kind of kinds) t.same(locked?.[kind], project[kind], kind);
  t.same(
    Object.keys(locked ?? {})
      .filter((key) => key.endsWith('ependencies'))
      .sort(),
    kinds,
  );
  t.same(
    Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined),
    [],
  );
});
