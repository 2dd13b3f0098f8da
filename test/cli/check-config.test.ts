import { join } from 'node:path';
import t from 'tap';
import { checkConfig } from '../../src/cli/check-config.js';

t.test('check config', async (t) => {
  const directory = t.testdir({
    'good.yml': 'scrape_configs: [{job_name: a}]\n',
    'warned.yml': 'rule_files: [x]\nscrape_configs: [{job_name: a}, {job_name: b}]\n',
    'bad-jobs.yml': 'scrape_configs:\n  - job',
    'bad-included.yml': 'scrape_config_files: [bad-jobs.yml]',
    'included.yml': 'scrape_config_files: [good.yml]',
    'bad.yml': 'rule_files: [x]\nglobal: {scrape_interval: 5}\nfoo: bar\n',
  });
  const run = (name: string) => {
    let printed = '';
    const code = checkConfig(join(directory, name), (text) => {
      printed += text;
    });
    return [code, printed.replaceAll(`${directory}/`, '')];
  };
  t.strictSame(run('good.yml'), [0, 'SUCCESS: good.yml: 1 scrape job, 0 remote writes, 0 warnings\n']);
  t.strictSame(run('warned.yml'), [
    0,
    "warned.yml:1:1: warning: rule_files is not applied, being Prometheus' own business: exemplard evaluates no rules\n" +
      'SUCCESS: warned.yml: 2 scrape jobs, 0 remote writes, 1 warning\n',
  ]);
  t.strictSame(run('bad.yml'), [
    1,
    "bad.yml:1:1: warning: rule_files is not applied, being Prometheus' own business: exemplard evaluates no rules\n" +
      'bad.yml:1:1: warning: no scrape_configs: nothing is scraped\n' +
      'bad.yml:2:27: global.scrape_interval must be a duration like 500ms, 30s or 1h30m, of at most 292 years, got "5"\n' +
      'bad.yml:3:1: unknown key "foo" at the top level\n',
  ]);
  t.match(run('bad-jobs.yml'), [1, /^bad-jobs\.yml:2:5: scrape_configs\[0\] must be a map of keys[^\n]*\n$/]);
  t.match(run('bad-included.yml'), [
    1,
    /^bad-jobs\.yml:2:5: scrape_configs\[0\] must be a map of keys[^\n]*\n$/,
  ]);
  t.strictSame(run('included.yml'), [
    0,
    'SUCCESS: included.yml: 1 scrape job, 0 remote writes, 0 warnings\n',
  ]);
  const [code, printed] = run('missing.yml');
  t.equal(code, 1);
  t.match(printed, /^missing\.yml:1:1: the file cannot be read: ENOENT: no such file or directory/);
});
