import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SRC = join(ROOT, 'src');

/** What every part may import: things without a part of their own in the story, and below all of them. */
const BELOW_ALL = ['model', 'util', 'telemetry'];

/**
 * All other arrows. A part is a top folder of `src`; files beside the folders are parts of their own. `src/app.ts`
 * joins the parts, so that they need not know each other.
 */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  model: ['util'],
  util: [],
  telemetry: ['util'],
  exposition: ['model', 'util'],
  doctor: [...BELOW_ALL, 'exposition'],
  journal: BELOW_ALL,
  store: BELOW_ALL,
  'http-client': BELOW_ALL,
  discovery: [...BELOW_ALL, 'http-client'],
  scrape: [...BELOW_ALL, 'discovery', 'doctor', 'exposition', 'http-client'],
  clickhouse: [...BELOW_ALL, 'http-client'],
  archive: [...BELOW_ALL, 'clickhouse'],
  query: [...BELOW_ALL, 'store'],
  sampler: [...BELOW_ALL, 'archive', 'clickhouse', 'http-client'],
  forward: [...BELOW_ALL, 'http-client'],
  upstream: [...BELOW_ALL, 'http-client'],
  http: [...BELOW_ALL, 'clickhouse', 'http-client', 'query', 'sampler', 'store', 'upstream'],
  'durability.ts': [...BELOW_ALL, 'journal', 'store'],
  // Puts the options and defaults that parts export together; no part imports it.
  config: [
    ...BELOW_ALL,
    'archive',
    'clickhouse',
    'discovery',
    'http',
    'http-client',
    'journal',
    'query',
    'sampler',
    'scrape',
    'store',
    'forward',
    'upstream',
  ],
  'version.ts': [],
  'app.ts': [
    ...BELOW_ALL,
    'archive',
    'clickhouse',
    'config',
    'discovery',
    'durability.ts',
    'forward',
    'http',
    'journal',
    'query',
    'sampler',
    'scrape',
    'store',
    'upstream',
    'version.ts',
  ],
  // Commands: on top of everything.
  cli: [
    ...BELOW_ALL,
    'app.ts',
    'archive',
    'clickhouse',
    'config',
    'demo',
    'doctor',
    'exposition',
    'http',
    'http-client',
    'sampler',
    'scrape',
    'store',
    'version.ts',
  ],
  demo: ['cli'],
  'main.ts': ['cli'],
};

/** Of the parts that `config` knows, it only puts together options: these files, and nothing that acts. */
const CONFIG_READS = /(^|\/)(options|protocols)\.ts$/;

/** The one arrow that points back up: the demo reads its own `--listen-address`, and imports no more of it. */
const ARROWS_UP = ['demo → cli'];

const MAX_LINES = 500;
const FORBIDDEN_NAMES = /(^|[/-])(utils|helpers?|common|misc|shared)([/.-]|$)/;

interface Import {
  readonly from: string;
  readonly to: string;
}

const sources = (readdirSync(SRC, { recursive: true }) as string[])
  .filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.d.ts'))
  .sort();
/** The page runs in browsers: a program of its own, which the rest serves as files. */
const isOfPage = (path: string) => path.startsWith('page/');
const files = sources.filter((path) => !isOfPage(path));
const pageFiles = sources.filter(isOfPage);
const text = (path: string) => readFileSync(join(SRC, path), 'utf8');
const partOf = (path: string) => path.split('/')[0]!;

const SPECIFIER =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?'([^']+)'|\bimport(?:\.meta\.resolve)?\(\s*'([^']+)'\s*\)/g;

/** Comments quote code at times. */
const code = (path: string) => text(path).replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

function specifiersOf(path: string): string[] {
  return [...code(path).matchAll(SPECIFIER)].map(([, named, loaded]) => (named ?? loaded)!);
}

const importsOf = (from: string): Import[] =>
  specifiersOf(from)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => ({
      from,
      to: relative(SRC, join(SRC, dirname(from), specifier)).replace(/\.js$/, '.ts'),
    }));

const imports = files.flatMap(importsOf);

type Edge = readonly [from: string, to: string];

/** One way from somewhere back to there, or undefined. */
function cycleOf(edges: readonly Edge[]): string | undefined {
  const next = new Map<string, string[]>();
  for (const [from, to] of edges) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const visit = (at: string, path: readonly string[]): string | undefined => {
    if (path.includes(at)) return [...path.slice(path.indexOf(at)), at].join(' → ');
    if (done.has(at)) return undefined;
    for (const to of next.get(at) ?? []) {
      const found = visit(to, [...path, at]);
      if (found !== undefined) return found;
    }
    done.add(at);
    return undefined;
  };
  for (const start of next.keys()) {
    const found = visit(start, []);
    if (found !== undefined) return found;
  }
  return undefined;
}

t.test('the reader of imports sees them', async (t) => {
  t.ok(imports.length > 200, `${imports.length} imports`);
  for (const { from, to } of imports) t.ok(files.includes(to) || to.endsWith('.d.ts'), `${from} → ${to}`);
  t.ok(imports.some(({ from, to }) => from === 'cli/cli.ts' && to === 'cli/run.ts', 'loaded when needed'));
});

t.test('arrows between parts', async (t) => {
  t.same([...new Set(files.map(partOf))].filter((part) => !(part in ARROWS)).sort(), [], 'each has its line');
  const forbidden = imports.filter(({ from, to }) => {
    const [part, other] = [partOf(from), partOf(to)];
    return part !== other && !ARROWS[part]?.includes(other);
  });
  t.same(
    forbidden.map(({ from, to }) => `${from} → ${to}`),
    [],
  );
  t.same(
    imports.filter(({ from, to }) => partOf(from) === 'demo' && partOf(to) === 'cli').map(({ to }) => to),
    ['cli/listen-address.ts'],
  );
  const used = new Set(imports.map(({ from, to }) => `${partOf(from)} → ${partOf(to)}`));
  const unused = Object.entries(ARROWS).flatMap(([part, others]) =>
    others
      .filter((other) => !BELOW_ALL.includes(other) && !used.has(`${part} → ${other}`))
      .map((other) => `${part} → ${other}`),
  );
  t.same(unused, [], 'the table has no arrow that nobody uses');
});

t.test('config knows the options of parts, not the parts', async (t) => {
  const others = ['http-client', 'scrape', 'store', 'forward'];
  const acting = imports.filter(
    ({ from, to }) => partOf(from) === 'config' && others.includes(partOf(to)) && !CONFIG_READS.test(to),
  );
  t.same(
    acting.map(({ from, to }) => `${from} → ${to}`),
    [],
  );
});

t.test('no cycles', async (t) => {
  t.equal(cycleOf(imports.map(({ from, to }) => [from, to])), undefined, 'between files');
  const arrows = imports
    .map(({ from, to }): Edge => [partOf(from), partOf(to)])
    .filter(([from, to]) => from !== to && !ARROWS_UP.includes(`${from} → ${to}`));
  t.equal(cycleOf(arrows), undefined, 'between parts');
  const edges: Edge[] = ['a b', 'b c', 'c b', 'd a'].map((edge) => edge.split(' ') as [string, string]);
  t.equal(cycleOf(edges), 'b → c → b', 'one would be found');
});

t.test('the page and the server meet over HTTP only', async (t) => {
  const pageImports = pageFiles.flatMap(importsOf);
  t.ok(pageImports.length > 50, `${pageImports.length} imports`);
  const across = [
    ...imports.filter(({ to }) => isOfPage(to)),
    ...pageImports.filter(({ to }) => !isOfPage(to)),
  ];
  t.same(
    across.map(({ from, to }) => `${from} → ${to}`),
    [],
  );
  const edges = pageImports.map(({ from, to }): Edge => [withoutEnding(from), withoutEnding(to)]);
  t.equal(cycleOf(edges), undefined, 'no cycles');
});

const withoutEnding = (path: string) => path.replace(/\.tsx?$/, '');

t.test('the page writes no HTML', async (t) => {
  const writers =
    /dangerouslySetInnerHTML|(?:inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|new Function/;
  for (const path of pageFiles) t.notMatch(text(path), writers, path);
  t.match("node.innerHTML = '<b>'", writers, 'it would be seen');
});

t.test('packages that the program imports are its dependencies, and the other way round', async (t) => {
  const { dependencies: required, optionalDependencies } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ) as Record<string, Record<string, string>>;
  const dependencies = { ...required, ...optionalDependencies };
  const nameOf = (specifier: string) =>
    specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
  const packages = new Set(
    files
      .flatMap(specifiersOf)
      .filter((specifier) => !/^(\.|node:)/.test(specifier))
      .map(nameOf),
  );
  // Peers that lezer-promql leaves to whoever installs it.
  const peers = ['@lezer/highlight', '@lezer/lr'];
  t.same([...packages].sort(), Object.keys(dependencies).filter((name) => !peers.includes(name)).sort()); // biome-ignore format: one comparison
});

t.test('files are small, and named for what they are', async (t) => {
  for (const path of sources) {
    const lines = text(path).split('\n').length - 1;
    t.ok(lines <= MAX_LINES, `${path} has ${lines} lines`);
    t.notMatch(path, FORBIDDEN_NAMES);
    t.match(path, /^[a-z0-9/-]+\.tsx?$/, 'kebab-case');
  }
  t.ok(FORBIDDEN_NAMES.test('store/ring-utils.ts') && FORBIDDEN_NAMES.test('common/x.ts'));
});

t.test('no any', async (t) => {
  for (const path of sources) t.notMatch(code(path), /(:|<|\bas)\s*any\b|\bany\[\]/, path);
});
