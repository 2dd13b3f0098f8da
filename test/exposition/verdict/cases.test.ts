import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { openmetricsVerdict } from '../../../src/exposition/verdict/openmetrics.js';
import { prometheusVerdict } from '../../../src/exposition/verdict/prometheus.js';

const OWN = fileURLToPath(new URL('../../fixtures/openmetrics', import.meta.url));
/** Parser test data of the specification, where a copy of it lies beside this repository. */
const PUBLISHED = fileURLToPath(new URL('../../../../shared/data/openmetrics', import.meta.url));

interface Case {
  readonly name: string;
  readonly spec: string;
  readonly prometheus: string;
}

function casesOf(folder: string): Case[] {
  const [, ...lines] = readFileSync(join(folder, 'verdicts.tsv'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [name = '', spec = '', prometheus = ''] = line.split('\t');
    return { name, spec, prometheus };
  });
}

function check(t: Test, folder: string): void {
  const cases = casesOf(folder);
  const files = readdirSync(join(folder, 'cases')).map((file) => file.replace(/\.txt$/, ''));
  t.same(cases.map(({ name }) => name).sort(), files.sort(), 'each body has its verdicts');
  for (const { name, spec, prometheus } of cases) {
    const body = readFileSync(join(folder, 'cases', `${name}.txt`));
    const errors = openmetricsVerdict(body, body.length);
    const [first] = errors;
    t.equal(first === undefined ? 'accept' : 'reject', spec, `${name}, specification: ${first?.message}`);
    const error = prometheusVerdict(body, body.length, 'openmetrics');
    t.equal(error === undefined ? 'accept' : 'reject', prometheus, `${name}, Prometheus: ${error?.message}`);
  }
}

t.test('own cases', async (t) => check(t, OWN));

t.test(
  'published cases',
  { skip: existsSync(PUBLISHED) ? false : 'no copy of the published cases beside this repository' },
  async (t) => check(t, PUBLISHED),
);
