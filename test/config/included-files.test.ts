import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ChangeWatch } from '../../src/config/change-watch.js';
import { formatIssue } from '../../src/config/issue.js';
import { loadConfigFile } from '../../src/config/load.js';
import { temporaryDirectory } from '../support/build.js';
import { FakeClock } from '../support/fake-clock.js';
import { staticTargets } from '../support/scrape-target.js';
import { until } from '../support/until.js';

/** @returns jobs, or what is wrong, without the directory */
async function load(t: Test, files: Readonly<Record<string, string>>) {
  const directory = await temporaryDirectory(t);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, name, '..'), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  const result = loadConfigFile(join(directory, 'main.yml'));
  const shorten = (text: string) => text.replaceAll(`${directory}/`, '');
  if (!result.ok) return result.errors.map(formatIssue).map(shorten);
  return [...result.config.scrapeJobs, ...result.warnings.map(formatIssue).map(shorten)];
}

t.test('jobs of other files', async (t) => {
  const found = await load(t, {
    'main.yml':
      'global: {scrape_interval: 7s}\nscrape_config_files: [jobs/*.yml, one.yml, none.yml, gone/*]\nscrape_configs: [{job_name: a}]',
    'jobs/2.yml':
      'scrape_configs: [{job_name: c, bearer_token_file: token, static_configs: [{targets: [c:1]}]}]',
    'jobs/1.yml': 'scrape_configs: [{job_name: b}]',
    'jobs/other.yaml': 'nonsense: true',
    'jobs/token': 'x',
    'one.yml': '',
  });
  t.match(found, [
    { jobName: 'a', intervalMs: 7000 },
    { jobName: 'b', intervalMs: 7000 },
    { jobName: 'c', intervalMs: 7000, httpClient: { auth: { credentials: { file: /\/jobs\/token$/ } } } },
  ]);
  t.equal(found.length, 3);
  t.strictSame(staticTargets(found[2] as never), [['c:1']]);
});

t.test('what is wrong is said of the file it is in', async (t) => {
  t.strictSame(
    await load(t, {
      'main.yml': 'scrape_config_files: ["*.yaml", "*/x.yml"]\nscrape_configs: [{job_name: a}]',
      '1.yaml': 'scrape_configs:\n  - job_name: a\n  - job_nam: b',
      '2.yaml': 'global: {}',
      '3.yaml': 'scrape_configs: }',
      '4.yaml/x': '',
    }),
    [
      'main.yml:1:33: scrape_config_files: "*/x.yml" may have a * in its last part alone',
      '1.yaml:2:15: scrape_configs[0].job_name "a" is taken by scrape_configs[0] in line 2',
      '1.yaml:3:5: unknown key "job_nam" in scrape_configs[1]; did you mean "job_name"?',
      '1.yaml:3:5: scrape_configs[1].job_name is missing or empty',
      '2.yaml:1:1: unknown key "global" at the top level',
      '3.yaml:1:17: Unexpected flow-map-end token in YAML stream: "}"',
      '4.yaml:1:1: the file cannot be read: EISDIR: illegal operation on a directory, read',
    ],
  );
});

t.test('changes are noticed, each once', async (t) => {
  const directory = await temporaryDirectory(t);
  const clock = new FakeClock();
  let changes = 0;
  const watch = new ChangeWatch({
    patterns: () => [join(directory, '*.yml'), join(directory, 'main.conf')],
    onChange: () => changes++,
    clock,
  });
  await watch.start();
  const look = async () => {
    await until(() => clock.waitingMs.length > 0, 'the watch to wait');
    await clock.advance(5_000);
    await until(() => clock.waitingMs.length > 0, 'the watch to wait again');
    return changes;
  };
  t.equal(await look(), 0);
  writeFileSync(join(directory, 'a.yml'), '1');
  t.equal(await look(), 1, 'a new file');
  t.equal(await look(), 1);
  writeFileSync(join(directory, 'other'), '1');
  t.equal(await look(), 1, 'another file');
  writeFileSync(join(directory, 'a.yml'), '12');
  t.equal(await look(), 2, 'a change');
  mkdirSync(join(directory, 'v1'));
  mkdirSync(join(directory, 'v2'));
  for (const version of ['v1', 'v2']) writeFileSync(join(directory, version, 'x'), version);
  symlinkSync('v1', join(directory, 'data'));
  symlinkSync('data/x', join(directory, 'main.conf'));
  t.equal(await look(), 3, 'a link');
  symlinkSync('v2', join(directory, 'data2'));
  renameSync(join(directory, 'data2'), join(directory, 'data'));
  t.equal(await look(), 4, 'a link turned elsewhere');
  rmSync(join(directory, 'a.yml'));
  t.equal(await look(), 5, 'a file that goes');
  watch.stop();
  await clock.advance(60_000);
  t.equal(changes, 5);
});
