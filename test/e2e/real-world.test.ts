/** The built program on files as they are found elsewhere, with nothing around that they speak of: no cluster, no names, no secrets. */
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { loadConfigFile } from '../../src/config/load.js';
import { buildProgram, ROOT, startNode, temporaryDirectory } from '../support/build.js';
import { until } from '../support/until.js';

const FIXTURES = ['annotated-services', 'clouds', 'lists-and-credentials', 'newest-keys', 'operator-generated', 'thanos-sidecar']; // biome-ignore format: one line
const WATCHED_MS = 1_500;
const STOP_MS = 9_000;

interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly at?: string;
  readonly listening?: string;
}

/** Starts the program on a file, without waiting for anything. */
function start(main: string, file: string) {
  const child = startNode([
    main,
    `--config.file=${file}`,
    '--web.listen-address=127.0.0.1:0',
    '--log.format=json',
  ]);
  t.teardown(() => child.kill('SIGKILL'));
  let log = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const lines = () => log.split('\n').slice(0, -1).map((line) => JSON.parse(line) as LogLine); // biome-ignore format: one line
  return { child, lines };
}

/** Warnings and errors that stand there twice, but for their time. */
function repeatedOf(lines: readonly LogLine[]): string[] {
  const told = lines
    .filter(({ level }) => level !== 'info')
    .map((line) => JSON.stringify({ ...line, time: 0 }));
  return told.filter((line, i) => told.indexOf(line) < i);
}

t.test('real-world files run', { timeout: 180_000 }, async (t) => {
  const main = await buildProgram(await temporaryDirectory(t));
  for (const name of FIXTURES) {
    await t.test(name, async (t) => {
      const file = join(ROOT, 'test/fixtures/configs', `${name}.yml`);
      const expected = loadConfigFile(file);
      if (!expected.ok) throw new Error('it has errors');
      const { child, lines } = start(main, file);
      const ended = once(child, 'exit');
      const url = () => lines().find(({ listening }) => listening !== undefined)?.listening;
      await until(() => url() !== undefined, `${name} to listen`);
      await until(async () => (await fetch(`${url()}/-/ready`)).ok, `${name} to be ready`);
      await wait(WATCHED_MS);
      t.equal((await fetch(`${url()}/-/ready`)).status, 200, 'still ready');
      const response = await fetch(`${url()}/api/v1/targets`);
      const { data } = (await response.json()) as { data: { activeTargets: { scrapePool: string }[] } };
      const pools = new Set(data.activeTargets.map(({ scrapePool }) => scrapePool));
      const staticJobs = expected.config.scrapeJobs.filter(({ discovery }) =>
        discovery.some((each) => each.type === 'static'),
      );
      t.hasStrict(pools, new Set(staticJobs.map(({ jobName }) => jobName)), 'targets given are there');
      t.strictSame(
        lines()
          .filter(({ at }) => at !== undefined)
          .map(({ at, msg }) => `${at}: ${msg}`),
        expected.warnings.map((each) => `${each.file}:${each.line}:${each.column}: ${each.message}`),
        'each warning once',
      );
      t.strictSame(repeatedOf(lines()), [], 'what fails is said once');
      const startMs = performance.now();
      child.kill('SIGTERM');
      t.strictSame(await ended, [0, null]);
      t.ok(performance.now() - startMs < STOP_MS, 'in time');
    });
  }
});
