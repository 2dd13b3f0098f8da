/** `deploy/alerts`, by Prometheus' own tool. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { ROOT, temporaryDirectory } from '../support/build.js';
import { prometheusMissing } from '../support/prometheus.js';

interface Rule {
  readonly alert: string;
  expr: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}

interface Rules {
  readonly groups: { readonly name: string; readonly rules: Rule[] }[];
}

interface Tests {
  /** The first word is the alert that it is about. */
  readonly tests: { readonly name: string }[];
}

const DIRECTORY = join(ROOT, 'deploy/alerts');
const read = (name: string) => readFileSync(join(DIRECTORY, name), 'utf8');
const readRules = () => parse(read('exemplard.rules.yml')) as Rules;
const rulesOf = ({ groups }: Rules) => groups.flatMap(({ rules }) => rules);
const names = rulesOf(readRules()).map(({ alert }) => alert);
/** Debian's package of Prometheus has both. */
const skip = prometheusMissing();

function promtool(cwd: string, ...args: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { cwd, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { status, text: stdout + stderr };
}

t.test('every alert says what is wrong, and what to do', async (t) => {
  t.equal(new Set(names).size, names.length);
  for (const { alert, labels, annotations } of rulesOf(readRules())) {
    t.match(labels.severity, /^(critical|warning|info)$/, alert);
    t.same(Object.keys(annotations), ['summary', 'description', 'action'], alert);
    for (const text of Object.values(annotations)) t.ok(text.length > 10, `${alert}: ${text}`);
  }
});

t.test('the table of the README has each once', async (t) => {
  const listed = [...read('README.md').matchAll(/`(Exemplard\w+)`/g)].map(([, name]) => name!);
  t.same(listed.sort(), [...names].sort());
});

t.test('promtool', { skip }, async (t) => {
  const checked = promtool(DIRECTORY, 'check', 'rules', 'exemplard.rules.yml');
  t.equal(checked.status, 0, checked.text);
  const tested = promtool(DIRECTORY, 'test', 'rules', 'exemplard.tests.yml');
  t.equal(tested.status, 0, tested.text);
});

t.test('each alert has a test that it fires, and one that it does not', { skip }, async (t) => {
  const directory = await temporaryDirectory(t);
  const all = parse(read('exemplard.tests.yml')) as Tests;
  /** What fails of the tests of one rule, the only one there, when it is another. */
  const failures = (alert: string, expr: string) => {
    const rule = { ...rulesOf(readRules()).find((each) => each.alert === alert)!, expr };
    const tests = all.tests.filter(({ name }) => /^\w+/.exec(name)?.[0] === alert);
    writeFileSync(
      join(directory, 'exemplard.rules.yml'),
      stringify({ groups: [{ name: 'one', rules: [rule] }] }),
    );
    writeFileSync(join(directory, 'exemplard.tests.yml'), stringify({ ...all, tests }));
    const { status, text } = promtool(directory, 'test', 'rules', 'exemplard.tests.yml');
    return { failed: status !== 0, text };
  };
  for (const alert of names) {
    const silent = failures(alert, 'vector(0) > 1');
    t.ok(silent.failed && silent.text.includes(alert), `${alert} that never fires`);
    const loud = failures(alert, '{__name__=~".+",job="exemplard"} > -1');
    t.ok(loud.failed && loud.text.includes(alert), `${alert} that always fires`);
  }
});
