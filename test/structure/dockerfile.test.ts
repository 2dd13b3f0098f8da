import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import t from 'tap';
import { compileInto, ROOT, runNode, startNode, temporaryDirectory } from '../support/build.js';
import { until } from '../support/until.js';

interface Instruction {
  readonly name: string;
  readonly text: string;
  /** Number of the stage it belongs to. */
  readonly stage: number;
}

interface Copy {
  readonly from: string | undefined;
  readonly sources: readonly string[];
  readonly target: string;
}

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const { bin, engines, files } = JSON.parse(read('package.json')) as {
  bin: Record<string, string>;
  engines: { node: string };
  files: string[];
};

function parseDockerfile(text: string): Instruction[] {
  const lines = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  let stage = -1;
  return lines.map((line) => {
    const [, name, rest] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (name === undefined || rest === undefined) throw new Error(`no instruction: ${line}`);
    if (name === 'FROM') stage++;
    return { name, text: rest, stage };
  });
}

const instructions = parseDockerfile(read('Dockerfile'));
const stages = instructions.filter(({ name }) => name === 'FROM').map(({ text }) => text);
const last = stages.length - 1;

function only(name: string): string {
  const found = instructions.filter((each) => each.name === name && each.stage === last);
  if (found.length !== 1) throw new Error(`${found.length} times ${name} in the last stage`);
  return found[0]!.text;
}

function copies(stage: number): Copy[] {
  return instructions
    .filter((each) => each.name === 'COPY' && each.stage === stage)
    .map(({ text }) => {
      const words = text.split(/\s+/);
      const flags = words.filter((word) => word.startsWith('--'));
      const paths = words.filter((word) => !word.startsWith('--'));
      const from = flags.map((flag) => /^--from=(.+)$/.exec(flag)?.[1]);
      if (from.includes(undefined)) throw new Error(`only --from is understood everywhere: ${text}`);
      return { from: from[0], sources: paths.slice(0, -1), target: paths.at(-1)! };
    });
}

/** Reads the two forms that `.dockerignore` uses: `*` and `!PATH`. */
function ignored(path: string): boolean {
  const patterns = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const [all, ...kept] = patterns;
  if (all !== '*' || kept.some((pattern) => !/^![\w.-]+$/.test(pattern))) {
    throw new Error('.dockerignore has a form this test does not know');
  }
  return !kept.includes(`!${path.split('/')[0]}`);
}

/** Where a path of the image lies below `root`; relative ones start at the working directory. */
const inImage = (root: string, workdir: string, path: string) =>
  join(root, path.startsWith('/') ? path : join(workdir, path));

t.test('what is copied is there, and not ignored', async (t) => {
  for (const { sources, from } of stages.flatMap((_, stage) => copies(stage))) {
    if (from !== undefined) {
      t.ok(
        stages.some((stage) => stage.endsWith(` AS ${from}`)),
        `stage ${from}`,
      );
      continue;
    }
    for (const source of sources) {
      t.ok(existsSync(join(ROOT, source)), `${source} is there`);
      t.notOk(ignored(source), `${source} is not ignored`);
    }
  }
  t.ok(ignored('node_modules') && ignored('.git') && ignored('data'));
});

t.test('plain: stages of one Node image, nothing that only BuildKit knows', async (t) => {
  const images = stages.map((stage) => stage.split(' ')[0]!);
  t.equal(new Set(images).size, 1);
  const version = Number(/^node:(\d+)-slim$/.exec(images[0]!)?.[1]);
  t.ok(version >= 24, `Node ${version}`);
  t.ok(version >= Number(/^>=(\d+)/.exec(engines.node)?.[1]), 'engines of package.json');
  for (const { name, text } of instructions) {
    if (name === 'RUN') t.notMatch(text, /^--|<</, `RUN ${text}`);
  }
  t.notMatch(read('Dockerfile'), /^#\s*syntax=/m);
});

t.test('not root, and no more of the image is changed by who runs it', async (t) => {
  t.match(only('USER'), /^[1-9]\d*(:[1-9]\d*)?$/);
  const afterUser = instructions.slice(instructions.findIndex(({ name }) => name === 'USER') + 1);
  t.same(
    afterUser.filter(({ name }) => name === 'RUN' || name === 'COPY' || name === 'USER'),
    [],
  );
  const runs = instructions.filter(({ name, stage }) => name === 'RUN' && stage === last);
  const volume = only('VOLUME');
  t.same(
    runs.map(({ text }) => text),
    [`mkdir ${volume} && chown ${only('USER')} ${volume}`],
    'but the place for what outlives a restart',
  );
});

t.test('only dependencies of the program reach the last stage', async (t) => {
  const runs = instructions.filter(({ name, stage }) => name === 'RUN' && stage < last);
  const [install, build, prune] = runs.map(({ text }) => text);
  t.match(install, /^npm ci /);
  t.equal(build, 'npm run build');
  t.match(prune, /^npm prune --omit=dev /);
  t.equal(runs.length, 3);
  const copied = copies(last).flatMap(({ sources }) => sources.map((source) => source.split('/').at(-1)));
  for (const path of files.filter((file) => !file.endsWith('.md'))) {
    t.ok(copied.includes(path), `${path} of package.json's files`);
  }
});

t.test('the image, laid out as the Dockerfile says, runs and is healthy', async (t) => {
  const image = await temporaryDirectory(t);
  const workdir = only('WORKDIR');
  const built = join(image, 'build-stage');
  await mkdir(built);
  await compileInto(join(built, 'dist'));
  await symlink(join(ROOT, 'node_modules'), join(built, 'node_modules'));
  await mkdir(inImage(image, workdir, '.'), { recursive: true });
  for (const { from, sources, target } of copies(last)) {
    for (const source of sources) {
      const name = source.split('/').at(-1)!;
      const to = inImage(image, workdir, target.endsWith('/') ? `${target}${name}` : target);
      await mkdir(dirname(to), { recursive: true });
      if (name === 'node_modules') await symlink(join(built, name), to);
      else await cp(join(from === undefined ? ROOT : built, name), to, { recursive: true });
    }
  }

  const [node, main, ...flags] = JSON.parse(only('ENTRYPOINT')) as string[];
  const command = JSON.parse(only('CMD')) as string[];
  t.equal(node, 'node');
  t.equal(main, join(workdir, bin.exemplard!));
  const program = inImage(image, workdir, main!);
  const port = only('EXPOSE');
  t.same(flags, [`--web.listen-address=0.0.0.0:${port}`]);
  const [configFlag] = command;
  t.equal(command.length, 1);
  const configFile = inImage(image, workdir, configFlag!.replace('--config.file=', ''));
  t.match(await runNode([program, ...flags, 'check', 'config', configFile]), { code: 0, stdout: 'SUCCESS' });

  const freePort = flags.map((flag) => flag.replace(`0.0.0.0:${port}`, '127.0.0.1:0'));
  const child = startNode([program, ...freePort, '--scrape=http://127.0.0.1:1']);
  t.teardown(() => child.kill('SIGKILL'));
  let log = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  await until(() => /listening=\S+/.test(log), 'exemplard to listen');
  const url = /listening=(\S+)/.exec(log)![1]!;

  const [interpreter, option, script] = JSON.parse(
    /CMD (\[.*\])$/.exec(only('HEALTHCHECK'))![1]!,
  ) as string[];
  t.same([interpreter, option], ['node', '-e']);
  t.ok(script!.includes(`http://127.0.0.1:${port}/`), 'the port of the entry point');
  const check = script!.replace(`http://127.0.0.1:${port}`, url);
  const exitCode = async (script: string) => (await runNode(['-e', script])).code;
  t.equal(await exitCode(check), 0, 'healthy');
  t.equal(await exitCode(check.replace('/-/', '/none/')), 1, 'a path that is none');
  child.kill('SIGTERM');
  t.same(await once(child, 'exit'), [0, null]);
  t.equal(await exitCode(check), 1, 'nobody there');
});
