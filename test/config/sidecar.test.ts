import t from 'tap';
import { configForScrapeUrls } from '../../src/config/sidecar.js';
import { staticTargets } from '../support/scrape-target.js';

function jobsOf(...urls: string[]) {
  const result = configForScrapeUrls(urls);
  if (!result.ok) throw new Error(result.errors.join('\n'));
  return result.config.scrapeJobs.map((job) => ({
    jobName: job.jobName,
    url: `${job.scheme}://${staticTargets(job).join(';')}${job.metricsPath}`,
    params: job.params,
  }));
}

function errorsOf(...urls: string[]): readonly string[] {
  const result = configForScrapeUrls(urls);
  return result.ok ? [] : result.errors;
}

t.test('a URL is a target, scraped every 5 s', async (t) => {
  const result = configForScrapeUrls(['https://app:8443/actuator/prometheus?a=1&a=2&b=']);
  if (!result.ok) throw new Error(result.errors.join());
  const [job, ...others] = result.config.scrapeJobs;
  t.strictSame(others, []);
  t.match(job, {
    jobName: 'sidecar',
    intervalMs: 5_000,
    timeoutMs: 5_000,
    scheme: 'https',
    metricsPath: '/actuator/prometheus',
    params: { a: ['1', '2'], b: [''] },
  });
  t.strictSame(staticTargets(job!), [['app:8443']]);
  t.match(result.config.text, /^scrape_configs:\n {2}- job_name: sidecar\n/);
});

t.test('a URL without a path is scraped at /metrics', async (t) => {
  t.strictSame(jobsOf('http://localhost:8080'), [
    { jobName: 'sidecar', url: 'http://localhost:8080/metrics', params: {} },
  ]);
});

t.test('URLs share a job where only the address differs, and count once', async (t) => {
  t.strictSame(
    jobsOf('http://a:1', 'http://[::1]:2/metrics', 'http://a:1/metrics', 'http://a:1/x', 'https://a:1'),
    [
      { jobName: 'sidecar', url: 'http://a:1,[::1]:2/metrics', params: {} },
      { jobName: 'sidecar-2', url: 'http://a:1/x', params: {} },
      { jobName: 'sidecar-3', url: 'https://a:1/metrics', params: {} },
    ],
  );
});

t.test('every URL that is refused is named', async (t) => {
  t.strictSame(errorsOf('localhost:8080/metrics', 'http://a:1', 'http://', 'ftp://me:hunter2@a'), [
    '--scrape: "localhost:8080/metrics" must start with http:// or https://',
    '--scrape: "http://" is not a URL',
    '--scrape: "ftp://me:<secret>@a" must start with http:// or https://',
  ]);
});

t.test('credentials of a URL are sent as basic authentication', async (t) => {
  const result = configForScrapeUrls(['http://me:p%40ss@a:1', 'http://a:1', 'http://you@a:1']);
  if (!result.ok) throw new Error(result.errors.join());
  t.strictSame(
    result.config.scrapeJobs.map(({ httpClient }) => httpClient.auth),
    [
      { type: 'basic', username: { text: 'me' }, password: { text: 'p@ss' } },
      { type: 'none' },
      { type: 'basic', username: { text: 'you' }, password: { text: '' } },
    ],
  );
  t.notMatch(result.config.text, /p@ss/);
});
