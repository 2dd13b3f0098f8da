/** docs/configuration.md, config.example.yaml and the loader say the same. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parseDocument } from '../../src/config/document.js';
import { IssueReport } from '../../src/config/issue.js';
import { loadConfig, loadConfigFile } from '../../src/config/load.js';
import { configReference, SECTIONS } from '../../src/config/reference.js';
import { readRoot, section } from '../../src/config/table.js';
import { staticTargets } from '../support/scrape-target.js';

const fileOf = (path: string) => new URL(`../../${path}`, import.meta.url);

t.test('the committed page is the generated one', async (t) => {
  t.equal(readFileSync(fileOf('docs/configuration.md'), 'utf8'), configReference(), 'run: npm run docs');
});

t.test('a default, written as the page shows it, is the default', async (t) => {
  for (const [path, table] of SECTIONS) {
    for (const [name, key] of Object.entries(table)) {
      if (key.kind !== 'applied' || key.whenAbsent.kind !== 'default') continue;
      const shown = key.type.format(key.whenAbsent.value);
      const report = new IssueReport('f');
      const root = readRoot({ [name]: key }, parseDocument(`${name}: ${shown}`, report)!, report);
      t.strictSame(
        [root?.values, report.errors],
        [{ [name]: key.whenAbsent.value }, []],
        `${path}.${name}: ${shown}`,
      );
    }
  }
});

t.test('every section that is read is documented', async (t) => {
  const documented = new Set(SECTIONS.map(([, table]) => table));
  for (const [path, table] of SECTIONS) {
    for (const [name, key] of Object.entries(table)) {
      if (key.kind !== 'applied' || key.whenAbsent.kind !== 'section') continue;
      t.ok(documented.has(key.whenAbsent.table), `${path}.${name}`);
    }
  }
});

t.test('each key says what it is for, and each that is not applied what follows', async (t) => {
  for (const [path, table] of SECTIONS) {
    for (const [name, key] of Object.entries(table)) {
      t.match(key.kind === 'applied' ? key.doc : `${key.consequence}.`, /^\S.*\.$/s, `${path}.${name}`);
    }
  }
});

t.test('the example file', async (t) => {
  const path = fileOf('config.example.yaml').pathname;
  const result = loadConfigFile(path, {});
  t.match(result, { ok: true, warnings: [] }, 'loads without a warning');
  const uncommented = readFileSync(path, 'utf8').replace(/^# (\w+:$|\s{2,})/gm, '$1');
  const all = loadConfig(uncommented, path, {});
  if (!all.ok || !result.ok) throw new Error(JSON.stringify(all));
  t.match(all.config.text, /per_series: 128/);
  t.match(all.config.text, /max_bytes: 2GiB/);
  t.strictSame(all.config.store, result.config.store, 'its comments show the defaults');
  t.strictSame(all.config.journal, result.config.journal);
  t.strictSame(
    result.config.scrapeJobs.map((job) => [job.jobName, job.intervalMs, ...staticTargets(job)]),
    [
      ['demo', 5_000, ['127.0.0.1:9464']],
      ['exemplard', 5_000, ['127.0.0.1:9199']],
    ],
  );
});

t.test('a section is a type of its own', async (t) => {
  t.equal(section({}).name, 'section');
});
