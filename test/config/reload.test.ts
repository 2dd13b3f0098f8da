import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { compareConfigs } from '../../src/config/reload.js';

function load(text: string) {
  const result = loadConfig(text, 'f', {});
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.config;
}

function withJobs(...jobs: string[]): string {
  return `scrape_configs: [${jobs.join(', ')}]\n`;
}

t.test('jobs by name', async (t) => {
  const running = load(withJobs('{job_name: same}', '{job_name: other}', '{job_name: gone}'));
  const next = load(
    withJobs('{job_name: new}', '{job_name: other, scheme: https}', '{scrape_interval: 60s, job_name: same}'),
  );
  const { scrapeJobs } = compareConfigs(running, next);
  t.strictSame(
    Object.entries(scrapeJobs).map(([kind, jobs]) => [
      kind,
      jobs.map(({ jobName }: { jobName: string }) => jobName),
    ]),
    [
      ['unchanged', ['same']],
      ['changed', ['other']],
      ['added', ['new']],
      ['removed', ['gone']],
    ],
  );
  t.equal(scrapeJobs.changed[0], next.scrapeJobs[1], 'the new options');
});

t.test('what a job inherits changes it', async (t) => {
  const both = '{job_name: a}, {job_name: b, scrape_interval: 1m, scrape_timeout: 5s}';
  const { scrapeJobs } = compareConfigs(
    load(withJobs(both)),
    load(`global: {scrape_interval: 5s}\n${withJobs(both)}`),
  );
  t.strictSame(
    scrapeJobs.changed.map(({ jobName }) => jobName),
    ['a'],
  );
});

t.test('the rest', async (t) => {
  const base = 'remote_write: [{url: "http://r"}]\n';
  const kindsOf = (before: string, after: string) => {
    const changes = compareConfigs(load(before), load(after));
    return {
      remoteWrites: changes.remoteWrites.changed.map(({ name }) => name),
      store: changes.storeChanged,
      target: changes.retentionTargetChanged,
    };
  };
  const nothing = { remoteWrites: [], store: false, target: false };
  t.strictSame(kindsOf(base, `# comment\n${base}`), nothing);
  t.strictSame(kindsOf(base, `${base}global: {external_labels: {a: b}}`), {
    ...nothing,
    remoteWrites: ['r'],
  });
  t.strictSame(kindsOf(base, `${base}storage: {exemplars: {per_series: 5}}`), { ...nothing, store: true });
  t.strictSame(kindsOf(base, `${base}storage: {exemplars: {per_series: 128}}`), nothing);
  t.strictSame(kindsOf(base, `${base}retention_target: 1h`), { ...nothing, target: true });
});
