/** Something between the page and exemplard answers instead, and in the shape of Prometheus' answers, too. */
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { histogramBody } from '../page/exemplar-history.js';
import { startApp } from '../support/app.js';
import { chromiumMissing, seriousFindings, startBrowser, type Visit, visit } from '../support/browser.js';
import { body, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

const CONFIG = (address: string) => `
scrape_configs:
  - job_name: shop
    scrape_interval: 300ms
    scrape_timeout: 300ms
    static_configs: [{targets: ['${address}']}]
`;

const SERIES = [{ seriesLabels: {}, exemplars: {} }];

/** What is asked for a view, and two answers to it that are none. */
const QUESTIONS: readonly (readonly [question: string, view: string, foreign: readonly unknown[]])[] = [
  ['status/page', 'targets', [[], { version: '1' }]],
  ['targets', 'targets', [[], { activeTargets: [{}], droppedTargetCounts: {} }]],
  ['status/sinks', 'sinks', [[], { journal: null, remote_write: [], archive: [], sampler: [] }]],
  ['retention?*', 'retention', [[], { groups: [] }]],
  ['retention?*by=total*', 'retention', [null, { groups: [{}] }]],
  ['retention?*by=metric*', 'explore', [[], { groups: [{}] }]],
  ['query_exemplars?*', 'explore?query=shop_seconds_bucket', [{}, SERIES]],
  ['traces/*/exemplars?*', 'explore?query=shop_seconds_bucket&trace=abc', [{}, SERIES]],
];

t.test('answers of somebody else', { skip: chromiumMissing() }, async (t) => {
  const target = await serveTarget(body(histogramBody(1, Date.now() - 1000)));
  t.teardown(() => target.close());
  const app = await startApp(CONFIG(target.address));
  t.teardown(() => app.stop());
  await until(async () => (await app.queryExemplars('shop_seconds_bucket')).length > 0, 'exemplars');
  const browser = await startBrowser(t);
  const open = async (t: Test): Promise<Visit> => {
    const visited = await visit(browser, 'about:blank');
    t.teardown(() => visited.page.context().close());
    return visited;
  };
  const errors = ({ problems }: Visit) => problems.filter((problem) => problem.startsWith('error'));
  const answerWith = (page: Page, question: string, json: unknown) =>
    page.route(`**/exemplard/api/v1/${question}`, (route) => route.fulfill({ json }));

  for (const [question, view, foreign] of QUESTIONS) {
    await t.test(`${question} of ${view}`, async (t) => {
      const visited = await open(t);
      const { page } = visited;
      for (const data of foreign) {
        await answerWith(page, question, { status: 'success', data });
        await page.goto('about:blank');
        await page.goto(`${app.url}/#/${view}`);
        const alert = page.getByRole('alert');
        await alert.getByText("not exemplard's (HTTP 200)").waitFor();
        await alert.getByRole('heading', { name: 'Something else answers' }).waitFor();
        await alert.getByText('a proxy').waitFor();
        t.same(errors(visited), [], JSON.stringify(data));
        await page.unroute(`**/exemplard/api/v1/${question}`);
      }
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByRole('alert').waitFor({ state: 'detached' });
    });
  }

  await t.test('what comes after an answer that was right', async (t) => {
    const visited = await open(t);
    const { page } = visited;
    await page.clock.install();
    await page.goto(`${app.url}/#/targets`);
    await page.getByText('● up').waitFor();
    await answerWith(page, 'targets', { status: 'success', data: { activeTargets: [] } });
    await page.clock.runFor(10_500);
    await page.getByRole('alert').getByText('a proxy').waitFor();
    t.same(await seriousFindings(page), []);
    t.same(errors(visited), []);
  });

  await t.test('warnings that are none', async (t) => {
    const visited = await open(t);
    const { page } = visited;
    await answerWith(page, 'query_exemplars?*', { status: 'success', data: [], warnings: 'slow' });
    await page.goto(`${app.url}/#/explore?query=shop_seconds_bucket`);
    await page.getByRole('alert').getByText('a proxy').waitFor();
    t.same(errors(visited), []);
  });

  await t.test('completion', async (t) => {
    const visited = await open(t);
    const { page } = visited;
    await page.goto(`${app.url}/#/explore`);
    const box = page.getByRole('combobox', { name: 'PromQL' });
    const problem = page.getByText("No completion: the answer is not exemplard's (HTTP 200)");
    for (const [question, text] of [
      ['label/*/values?*', 'shop_sec'],
      ['labels?*', 'shop_seconds_bucket{r'],
      ['label/route/values?*', 'shop_seconds_bucket{route="'],
    ] as const) {
      for (const data of [{}, [1]]) {
        await answerWith(page, question, { status: 'success', data });
        await box.fill('');
        await box.fill(text);
        await problem.waitFor();
        await page.unroute(`**/exemplard/api/v1/${question}`);
      }
    }
    await answerWith(page, 'metadata?*', { status: 'success', data: [] });
    await box.fill('shop_seconds_b');
    await page.getByRole('option', { name: 'shop_seconds_bucket' }).waitFor();
    t.same(errors(visited), []);
  });
});
