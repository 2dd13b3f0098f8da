import type { Page } from 'playwright-core';
import t from 'tap';
import { freshHistogram } from '../page/exemplar-history.js';
import { type RunningApp, startApp } from '../support/app.js';
import { chromiumMissing, seriousFindings, startBrowser, visit } from '../support/browser.js';
import { temporaryDirectory } from '../support/build.js';
import { WITHOUT_CHDB } from '../support/databases.js';
import { startReceiver } from '../support/remote-write-receiver.js';
import { serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

const MARKUP = '<img src=x onerror=window.hit=1>';

const SCRAPED = (address: string) => `
scrape_configs:
  - job_name: shop
    scrape_interval: 300ms
    scrape_timeout: 300ms
    static_configs: [{targets: ['${address}']}]
`;

const kind = (page: Page, name: string) => page.getByRole('region', { name });

async function metric(app: RunningApp, name: string): Promise<number> {
  return Number(new RegExp(`^exemplard_${name}(?:\\{.*\\})? (\\S+)`, 'm').exec(await app.metrics())?.[1]);
}

t.test('without sinks, the page says how to have them', { skip: chromiumMissing() }, async (t) => {
  const app = await startApp('scrape_configs: []');
  t.teardown(() => app.stop());
  const browser = await startBrowser(t);
  const { page, problems, screenshot } = await visit(browser, `${app.url}/#/sinks`);
  await kind(page, 'Journal').getByText('--storage.path=DIR').waitFor();
  await kind(page, 'Forwarding').getByText('Nothing is forwarded').waitFor();
  await kind(page, 'Archive').getByText('There is none').waitFor();
  await kind(page, 'Sampler').getByText('No traces are chosen').waitFor();
  await screenshot('sinks-none-light');
  t.same(await seriousFindings(page), []);
  t.same(problems, []);

  await page.route('**/status/sinks', (route) => route.abort());
  await page.reload();
  await page.getByRole('heading', { name: 'The server does not answer' }).waitFor();
  t.same(await seriousFindings(page), []);
  await page.unroute('**/status/sinks');
  await page.getByRole('button', { name: 'Try again' }).click();
  await kind(page, 'Journal').waitFor();
});

t.test('forwarding that works, and that does not', { skip: chromiumMissing() }, async (t) => {
  const receiver = await startReceiver();
  const dead = await startReceiver();
  await dead.close();
  const target = await serveTarget(freshHistogram());
  t.teardown(() => Promise.all([receiver.close(), target.close()]));
  const app = await startApp(`${SCRAPED(target.address)}
remote_write:
  - {name: living, url: '${receiver.url}', send_exemplars: true, queue_config: {batch_send_deadline: 100ms}}
  - {name: dead, url: '${dead.url}', send_exemplars: true, queue_config: {batch_send_deadline: 100ms}}
`);
  t.teardown(() => app.stop());
  await until(
    async () => /exemplars_retried_total\{[^}]*dead[^}]*\} [1-9]/.test(await app.metrics()),
    'a retry',
  );
  await until(() => receiver.accepted.length > 0, 'a request');
  const browser = await startBrowser(t);
  const { page, problems, screenshot } = await visit(browser, `${app.url}/#/sinks`);
  const cards = kind(page, 'Forwarding').locator('.card');
  const living = cards.filter({ hasText: receiver.url });
  const lost = cards.filter({ hasText: dead.url });
  await living.getByText('● working').waitFor();
  t.equal(await living.locator('.badge').textContent(), 'living');
  t.notMatch(await living.textContent(), /Sent0 exemplars/);
  await lost.getByText('▲ nothing sent yet').waitFor();
  await lost.getByText('→ The log says what the receiver answered').waitFor();
  await living.getByText('All figures').click();
  await living.getByText('exemplars_dropped_total (too_old)').waitFor();
  await screenshot('sinks-forwarding-light');
  t.same(await seriousFindings(page), []);
  await page.waitForResponse(/status\/sinks$/);
  t.equal(await page.locator('details[open]').count(), 1, 'open after a refresh');
  t.same(problems, []);

  await t.test('impairment, losses and lag, told as text', async (t) => {
    const sink = (labels: object, figures: object, parts = {}) => ({ labels, figures, parts });
    const data = {
      impairment: `The journal cannot be written: ${MARKUP}`,
      journal: [sink({}, { writable: 0, bytes: 5e6, max_bytes: 1e9, unwritten_exemplars_total: 12 })],
      remote_write: [
        sink(
          { remote_name: 'x', url: 'javascript:window.hit=1' },
          {
            exemplars_pending: 9,
            exemplars_retried_total: 3,
            highest_sent_timestamp_seconds: Date.now() / 1000 - 7300,
          },
          { exemplars_dropped_total: { [MARKUP]: 3, too_old: 2000 } },
        ),
      ],
      archive: [sink({}, { up: 1, pending_rows: 5, lag_seconds: 400 })],
      sampler: [sink({ job: MARKUP }, { pending_windows: 8, lag_seconds: 3600, coverage_ratio: 0.5 })],
    };
    for (const [name, look] of [
      ['light', {}],
      ['dark', { colorScheme: 'dark' }],
      ['narrow', { width: 360, height: 740 }],
    ] as const) {
      const bad = await visit(browser, 'about:blank', look);
      await bad.page.route('**/status/sinks', (route) =>
        route.fulfill({ json: { status: 'success', data } }),
      );
      await bad.page.route('**/status/page', async (route) => {
        const response = await route.fetch();
        const answer = (await response.json()) as { data: object };
        await route.fulfill({ response, json: { ...answer, data: { ...answer.data, archive: 'chdb' } } });
      });
      await bad.page.goto(`${app.url}/#/sinks`);
      await bad.page.getByRole('status').getByText(MARKUP).waitFor();
      t.match(
        await kind(bad.page, 'Journal').textContent(),
        /▲ not writing.*Make room.*12 exemplars could not/,
      );
      t.match(await kind(bad.page, 'Forwarding').textContent(), /▲ behind by 2h 1m/);
      t.match(await kind(bad.page, 'Forwarding').locator('.losses li').allTextContents(), [
        '2,000 exemplars dropped: too old',
        `3 exemplars dropped: ${MARKUP}`,
      ]);
      await kind(bad.page, 'Archive').getByText('▲ behind by 6m 40s').waitFor();
      await kind(bad.page, 'Sampler').getByText('▲ behind by 8 windows, 1h').waitFor();
      t.equal(await bad.page.locator('main img, main a[href^="javascript:"]').count(), 0);
      t.equal(await bad.page.evaluate('typeof window.hit'), 'undefined');
      t.equal(await bad.page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, name);
      await bad.screenshot(`sinks-bad-${name}`);
      t.same(await seriousFindings(bad.page), [], name);
      await bad.page.context().close();
    }
  });
});

const skip = 'skip' in WITHOUT_CHDB ? WITHOUT_CHDB.skip : chromiumMissing();

t.test('journal, archive and sampler', { skip }, async (t) => {
  const target = await serveTarget(freshHistogram());
  t.teardown(() => target.close());
  const app = await startApp(
    `${SCRAPED(target.address)}
sampling:
  - {job_name: representative, traces: {}}
`,
    await temporaryDirectory(t),
  );
  t.teardown(() => app.stop());
  await until(async () => (await metric(app, 'archive_rows_total')) > 0, 'rows');
  const browser = await startBrowser(t);
  for (const [name, look] of [
    ['light', {}],
    ['dark', { colorScheme: 'dark' }],
    ['narrow', { width: 360, height: 740 }],
  ] as const) {
    const { page, problems, screenshot } = await visit(browser, `${app.url}/#/sinks`, look);
    await kind(page, 'Archive').getByText('Embedded (chDB)').waitFor();
    const figure = async (title: string) =>
      Number(/[\d,]+/.exec((await page.locator('.figures > div', { hasText: title }).locator('dd').textContent())!)![0].replaceAll(',', '')); // biome-ignore format: one line
    const [accepted, written] = [await figure('Accepted'), await figure('Written')];
    t.ok(accepted > 0 && accepted <= (await metric(app, 'journal_appended_exemplars_total')), `${accepted}`);
    t.ok(written > 0 && written <= (await metric(app, 'archive_rows_total')), `${written}`);
    await kind(page, 'Sampler').getByText('representative').waitFor();
    for (const each of ['Journal', 'Archive', 'Sampler'])
      t.match(await kind(page, each).locator('.health').textContent(), '● working', each);
    await screenshot(`sinks-${name}`);
    t.same(await seriousFindings(page), [], name);
    t.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, name);
    t.same(problems, []);
    await page.context().close();
  }
});
