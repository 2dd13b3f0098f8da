import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'; // biome-ignore format: one line
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { FileDiscovery } from '../../src/discovery/file.js';
import { systemClock } from '../../src/util/clock.js';
import { compilePattern } from '../../src/util/file-pattern.js';
import { temporaryDirectory } from '../support/build.js';
import { Found } from '../support/discovery.js';
import { FakeClock } from '../support/fake-clock.js';
import { until } from '../support/until.js';

const list = (...targets: string[]) => JSON.stringify([{ targets }]);

/** On the system's clock, as the file system's events are. */
function discover(
  t: Test,
  files: readonly string[],
  found = new Found(systemClock),
  refreshIntervalMs = 300_000,
) {
  const discovery = found.start(new FileDiscovery({ type: 'file', files, refreshIntervalMs }, found.parts));
  t.teardown(() => discovery.stop());
  return found;
}

t.test('files that match, in their order, with their path', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = (name: string) => join(directory, name);
  writeFileSync(path('b.json'), list('b:1'));
  writeFileSync(path('a.yml'), '- targets: [a:1]\n  labels: {x: y}\n- targets: [a:2]\n');
  writeFileSync(path('a.txt'), 'not asked for');
  const found = discover(t, [path('*.yml'), path('b.json'), path('*.json'), path('missing.yaml')]);
  await found.until(['a:1', 'a:2', 'b:1']);
  t.strictSame(found.groups[0], {
    source: `${path('a.yml')}:0`,
    targets: [{ __address__: 'a:1' }],
    labels: { x: 'y', __meta_filepath: path('a.yml') },
  });
  t.strictSame(found.warnings, []);
  t.equal(await found.metric('exemplard_discovery_targets{job="j",mechanism="file"}'), 3);
  t.equal(await found.metric('exemplard_discovery_groups{job="j",mechanism="file"}'), 3);
  t.equal(await found.metric('exemplard_discovery_refresh_duration_seconds_count'), 1);
});

t.test('changes of every kind are noticed', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = (name: string) => join(directory, name);
  const found = discover(t, [path('*.json')]);
  await found.until([]);
  writeFileSync(path('a.json'), list('a:1'));
  await found.until(['a:1']);
  writeFileSync(path('a.json'), list('a:2'));
  await found.until(['a:2']);
  // As an editor does.
  writeFileSync(path('a.json.new'), list('a:3'));
  renameSync(path('a.json.new'), path('a.json'));
  await found.until(['a:3']);
  writeFileSync(path('b.json'), list('b:1'));
  await found.until(['a:3', 'b:1']);
  unlinkSync(path('a.json'));
  await found.until(['b:1']);
  renameSync(path('b.json'), path('c.json'));
  await found.until(['b:1']);
  rmSync(directory, { recursive: true });
  await found.until([]);
  mkdirSync(directory);
  writeFileSync(path('d.json'), list('d:1'));
  await found.until(['d:1']);
  t.strictSame(found.warnings, []);
});

t.test('a directory that comes later, step by step', async (t) => {
  const directory = await temporaryDirectory(t);
  const found = discover(t, [join(directory, 'a/b/*.json')]);
  await found.until([]);
  mkdirSync(join(directory, 'a'));
  await wait(30);
  mkdirSync(join(directory, 'a/b'));
  await wait(30);
  writeFileSync(join(directory, 'a/b/x.json'), list('x:1'));
  await found.until(['x:1']);
  renameSync(join(directory, 'a/b'), join(directory, 'z'));
  await found.until([]);
  mkdirSync(join(directory, 'a/b'));
  writeFileSync(join(directory, 'a/b/x.json'), list('x:2'));
  await found.until(['x:2']);
});

t.test('links that are turned elsewhere, as Kubernetes does', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = (name: string) => join(directory, name);
  const publish = (version: string, text: string) => {
    mkdirSync(path(version));
    writeFileSync(path(`${version}/targets.json`), text);
    symlinkSync(version, path('..data_tmp'));
    renameSync(path('..data_tmp'), path('..data'));
  };
  publish('..1', list('a:1'));
  symlinkSync('..data/targets.json', path('targets.json'));
  const found = discover(t, [path('targets.json'), path('*.json')]);
  await found.until(['a:1']);
  publish('..2', list('a:2'));
  rmSync(path('..1'), { recursive: true });
  await found.until(['a:2']);
  t.strictSame(found.warnings, []);
});

t.test('half a file leaves the groups it gave last; said once, counted each time', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'a.json');
  const clock = new FakeClock();
  const found = new Found(clock);
  writeFileSync(path, list('a:1'));
  discover(t, [path], found, 1_000);
  await found.until(['a:1']);
  const failures = 'exemplard_discovery_failures_total{job="j",mechanism="file"}';
  const refreshes = () => found.metric('exemplard_discovery_refresh_duration_seconds_count');
  const next = async () => {
    await until(() => clock.waitingMs.length > 0, 'it to wait');
    const before = (await refreshes())!;
    await clock.advance(1_000);
    await until(async () => (await refreshes())! > before, 'the file to be read');
  };
  const finds = (addresses: readonly string[]) =>
    until(async () => {
      await next();
      return JSON.stringify(found.addresses) === JSON.stringify(addresses);
    }, `${addresses}`);
  const whole = list('b:1', 'b:2');
  writeFileSync(path, whole.slice(0, 20));
  await next();
  t.strictSame(found.addresses, ['a:1']);
  t.equal(found.warnings.length, 1);
  t.match(found.log.lines[0], { fields: { job: 'j', mechanism: 'file', file: path } });
  await next();
  await next();
  t.equal(found.warnings.length, 1, 'once');
  t.ok((await found.metric(failures))! >= 3);
  t.equal(found.answers.length, 1, 'what stays is not said again');
  appendFileSync(path, whole.slice(20));
  await finds(['b:1', 'b:2']);
  t.match(found.log.lines.at(-1), { level: 'info', message: 'discovery recovered' });
  writeFileSync(path, '{');
  await next();
  unlinkSync(path);
  await finds([]);
});

t.test('files that are none, or hold what is no list', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = (name: string) => join(directory, name);
  mkdirSync(path('directory.json'));
  execFileSync('mkfifo', [path('fifo.json')]);
  symlinkSync('loop.json', path('loop.json'));
  symlinkSync('/dev/zero', path('zero.json'));
  symlinkSync('nowhere', path('dangling.json'));
  writeFileSync(path('large.json'), Buffer.alloc(32 * 1024 * 1024 + 1, 0x20));
  writeFileSync(path('map.json'), '{"targets": ["a:1"]}');
  writeFileSync(path('bytes.json'), Buffer.from([0xff, 0xfe, 0x00]));
  writeFileSync(path('nul.yaml'), '\0');
  writeFileSync(path('good.json'), list('good:1'));
  writeFileSync(path('secret.json'), list('secret:1'));
  chmodSync(path('secret.json'), 0);
  const found = discover(t, [path('*.json'), path('*.yaml')]);
  const isRoot = process.getuid?.() === 0;
  await found.until(isRoot ? ['good:1', 'secret:1'] : ['good:1']);
  const told = new Map(found.log.lines.map(({ fields }) => [String(fields.file).slice(directory.length + 1), String(fields.error)])); // biome-ignore format: one line
  t.match(told.get('directory.json'), /no regular file/);
  t.match(told.get('fifo.json'), /no regular file/);
  t.match(told.get('zero.json'), /no regular file/);
  t.match(told.get('loop.json'), /ELOOP/);
  t.match(told.get('large.json'), /larger than 33554432 bytes/);
  t.match(told.get('map.json'), /must be a list/);
  t.match(told.get('bytes.json'), /not UTF-8/);
  t.match(told.get('nul.yaml'), /list/);
  t.notOk(told.has('dangling.json'), 'there is no such file');
  if (!isRoot) t.match(told.get('secret.json'), /EACCES/);
});

t.test('after stop nothing is said any more, and nothing is watched', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'a.json');
  writeFileSync(path, list('a:1'));
  const found = new Found(systemClock);
  const discovery = found.start(
    new FileDiscovery({ type: 'file', files: [path], refreshIntervalMs: 50 }, found.parts),
  );
  await found.until(['a:1']);
  writeFileSync(path, list('a:2'));
  await discovery.stop();
  const { length } = found.answers;
  writeFileSync(path, list('a:3'));
  await wait(150);
  t.equal(found.answers.length, length);
  t.equal(await found.metric('exemplard_discovery_targets{'), undefined, 'its figures are gone');
  const early = found.start(new FileDiscovery({ type: 'file', files: [path], refreshIntervalMs: 50 }, found.parts)); // biome-ignore format: one line
  await early.stop();
  t.equal(found.answers.length, length, 'stopped before the first reading was over');
});

t.test('patterns', async (t) => {
  const f = (pattern: string, name: string, want: boolean) =>
    t.equal(compilePattern(pattern)?.test(name), want, `${pattern} ${name}`);
  t.equal(compilePattern('a.json'), undefined);
  f('*.json', 'a.json', true);
  f('*.json', '.a.json', true);
  f('*.json', 'a.json~', false);
  f('*.json', 'axjson', false);
  f('a*b*.yml', 'a1b2.yml', true);
  f('a?.yml', 'ab.yml', true);
  f('a?.yml', 'a.yml', false);
  f('[ab]-*.yml', 'b-1.yml', true);
  f('[^ab]-*.yml', 'b-1.yml', false);
  f('[z-a]*.yml', 'z.yml', false);
  f('(x)+*.yml', '(x)+1.yml', true);
  f('\\*.yml', '*.yml', true);
  f('\\*.yml', 'a.yml', false);
});
