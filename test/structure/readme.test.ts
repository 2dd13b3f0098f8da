/** What the README says can be done, can be done. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { startApp } from '../support/app.js';
import { ROOT, runNode } from '../support/build.js';

const PAGES = ['README.md', 'docs/architecture.md', 'CHANGELOG.md'];
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const readme = read('README.md');
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text]) => text!);
const scripts = Object.keys(
  (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts,
);

t.test('the two commands, and every script it names', async (t) => {
  t.ok(blocks('sh').includes('npm ci && npm start\n'));
  t.ok(blocks('sh').includes('npm ci && npm test\n'));
  for (const [, name] of readme.matchAll(/npm run ([\w-]+)/g))
    t.ok(scripts.includes(name!), `npm run ${name}`);
});

t.test('its configuration loads without a warning', async (t) => {
  const configs = blocks('yaml').filter((text) => text.includes('scrape_configs:'));
  t.equal(configs.length, 1);
  for (const text of configs) t.match(loadConfig(text, 'README.md', {}), { ok: true, warnings: [] });
});

t.test('flags are those of exemplard, or of the Prometheus beside it', async (t) => {
  const prometheus = new Set([
    '--enable-feature',
    '--web.enable-remote-write-receiver',
    '--tsdb.max-exemplars',
  ]);
  const others = new Set(['--rm', '--omit']);
  const help = async (...command: string[]) =>
    (await runNode(['--import=tsx', 'src/main.ts', ...command, '--help'])).stdout;
  const known = (
    await Promise.all([
      help(),
      help('demo'),
      help('check', 'config'),
      help('check', 'metrics'),
      help('size'),
      help('query', 'exemplars'),
      help('query', 'retention'),
      help('sample'),
    ])
  ).join('\n');
  const flags = new Set([...readme.matchAll(/(?<![\w<!-])--[a-z][\w.-]*/g)].map(([flag]) => flag));
  t.ok(flags.size > 10);
  for (const flag of flags) {
    if (prometheus.has(flag) || others.has(flag)) continue;
    t.match(known, new RegExp(`${flag.replaceAll('.', '\\.')}\\b`), flag);
  }
});

t.test('paths of the API are answered', async (t) => {
  const app = await startApp('');
  t.teardown(() => app.stop());
  const [, table] = /\n## HTTP API\n([\s\S]*?)\n## /.exec(readme)!;
  const firstCells = [...table!.matchAll(/^\| (`.*?) \|/gm)].map(([, cell]) => cell!);
  let before = '';
  const paths = firstCells
    .flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, path]) => path!))
    .map((path) => {
      const whole = path.startsWith('…') ? before + path.slice(1) : path;
      if (!path.startsWith('…')) before = path.slice(0, path.lastIndexOf('/'));
      return whole;
    });
  t.ok(paths.length >= 15, paths.join(' '));
  for (const path of paths) {
    const { status } = await fetch(app.url + path);
    t.not(status, 404, `${path} ${status}`);
  }
  t.equal((await fetch(`${app.url}/api/v1/none`)).status, 404);
});

t.test('links inside the project lead somewhere', async (t) => {
  for (const page of PAGES) {
    for (const [, target] of read(page).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      t.ok(existsSync(join(ROOT, page, '..', target!)), `${page}: ${target}`);
    }
    for (const [path] of read(page).matchAll(/\b(?:src|test|docs|proto)\/[\w./-]+\.\w+/g)) {
      t.ok(existsSync(join(ROOT, path)), `${page}: ${path}`);
    }
  }
});
