import { cp, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { compileInto, ROOT, run, runNode, temporaryDirectory } from '../support/build.js';

/** What npm reads or packs; not what installing, building and testing leave behind. */
const NOT_COPIED = new Set(['node_modules', 'dist', 'data', '.git', '.tap']);

t.test('the package has what runs, and nothing else', async (t) => {
  const directory = await temporaryDirectory(t);
  const project = join(directory, 'project');
  await mkdir(project);
  for (const name of await readdir(ROOT)) {
    if (!NOT_COPIED.has(name) && !name.endsWith('.tgz'))
      await cp(join(ROOT, name), join(project, name), { recursive: true });
  }
  await compileInto(join(project, 'dist'));
  await symlink(join(ROOT, 'node_modules'), join(project, 'node_modules'));
  const page = await runNode(['--import=tsx', join(project, 'src/page/build.ts')], project);
  t.equal(page.code, 0, page.stderr);
  const packed = await run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', directory],
    project,
  );
  t.equal(packed.code, 0, packed.stderr);
  const [archive] = JSON.parse(packed.stdout) as [
    { filename: string; size: number; files: { path: string }[] },
  ];
  const paths = archive.files.map(({ path }) => path);
  const sources = (await readdir(join(ROOT, 'src'), { recursive: true })).filter(
    (path) => /(?<!\.d)\.ts$/.test(path) && !path.startsWith('page/'),
  );
  t.same(
    paths.filter((path) => /^dist\/(?!page\/)/.test(path)).sort(),
    sources.map((path) => `dist/${path.replace(/\.ts$/, '.js')}`).sort(),
    'each source, compiled',
  );
  const ofPage = paths.filter((path) => path.startsWith('dist/page/'));
  for (const name of [/^dist\/page\/index\.html$/, /page-\w+\.js$/, /page-\w+\.js\.br$/, /page-\w+\.css$/])
    t.ok(
      ofPage.some((path) => name.test(path)),
      `the page: ${name}`,
    );
  t.same(paths.filter((path) => !path.startsWith('dist/')).sort(), [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'config.example.yaml',
    'package.json',
    ...(await readdir(join(ROOT, 'proto'))).map((file) => `proto/${file}`).sort(),
  ]);
  t.ok(archive.size < 1_000_000, `${archive.size} bytes`);

  // Unpacked somewhere else, with nothing but its dependencies, it runs.
  const unpacked = await run('tar', ['-xzf', join(directory, archive.filename), '-C', directory]);
  t.equal(unpacked.code, 0, unpacked.stderr);
  const installed = join(directory, 'package');
  await symlink(join(ROOT, 'node_modules'), join(installed, 'node_modules'));
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
    version: string;
    bin: { exemplard: string };
  };
  const program = join(installed, manifest.bin.exemplard);
  t.match(await readFile(program, 'utf8'), /^#!\/usr\/bin\/env node\n/);
  t.same(await runNode([program, '--version'], directory), {
    code: 0,
    stdout: `${manifest.version}\n`,
    stderr: '',
  });
  t.match(await runNode([program, 'check', 'config', join(installed, 'config.example.yaml')], directory), {
    code: 0,
    stdout: 'SUCCESS',
  });
});
