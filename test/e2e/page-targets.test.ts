import type { Page, Route } from 'playwright-core';
import t from 'tap';
import { histogramBody } from '../page/exemplar-history.js';
import { startApp } from '../support/app.js';
import {
  chromiumMissing,
  OTHER_LOOKS,
  pageCpuMs,
  seriousFindings,
  startBrowser,
  visit,
} from '../support/browser.js';
import { body, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

const MARKUP = '<img src=x onerror=window.hit=1>';
const LINK = 'javascript:window.hit=1';

const CONFIG = (up: string, odd: string, down: string) => `
scrape_configs:
  - job_name: shop
    scrape_interval: 300ms
    scrape_timeout: 300ms
    static_configs: [{targets: ['${up}'], labels: {team: blue}}]
  - job_name: odd
    scrape_interval: 300ms
    scrape_timeout: 300ms
    static_configs: [{targets: ['${odd}'], labels: {path: '${MARKUP}', link: '${LINK}'}}]
  - job_name: down
    scrape_interval: 300ms
    scrape_timeout: 300ms
    static_configs: [{targets: ['${down}']}]
  - job_name: later
    scrape_interval: 365d
    static_configs: [{targets: ['${up}', 'dropped.example:80']}]
    relabel_configs: [{source_labels: [__address__], regex: 'dropped.*', action: drop}]
`;

const card = (page: Page, job: string) =>
  page.locator('.card').filter({ has: page.locator('.head .badge', { hasText: job }) });
const show = (page: Page, name: RegExp) => page.getByRole('button', { name });

async function isHarmless(page: Page): Promise<boolean> {
  const links = await page.locator('main a').evaluateAll((all) => all.map((link) => String(link.href)));
  const elements = await page.locator('main img, main script').count();
  const hit = await page.evaluate('typeof window.hit');
  return hit === 'undefined' && elements === 0 && links.every((link) => /^https?:/.test(link));
}

t.test('targets, in Chromium', { skip: chromiumMissing() }, async (t) => {
  const up = await serveTarget(body(histogramBody(1, Date.now())));
  const odd = await serveTarget(body(`${MARKUP} ${LINK}\n`));
  const gone = await serveTarget();
  await gone.close();
  t.teardown(() => Promise.all([up.close(), odd.close()]));
  const app = await startApp(CONFIG(up.address, odd.address, gone.address));
  t.teardown(() => app.stop());
  const browser = await startBrowser(t);
  const url = `${app.url}/#/targets`;
  const { page, problems, screenshot } = await visit(browser, 'about:blank');
  await page.clock.install();
  await page.goto(url);
  const refresh = () => page.clock.runFor(10_500);
  await until(async () => {
    await refresh();
    return (await page.getByText('● up').count()) === 1 && (await page.getByText('▲ down').count()) === 2;
  }, 'health of all');

  await t.test('health, errors, findings and what to do', async (t) => {
    t.match(await card(page, 'shop').textContent(), /● up.*scraped .* ago .*, took \d+ ms, every 300ms/);
    t.match(await card(page, 'down').textContent(), /▲ down.*refused/);
    t.match(await card(page, 'later').textContent(), '○ not yet scraped');
    t.match(await card(page, 'odd').locator('.finding').first().textContent(), /error.*→ ./);
    t.match(await page.textContent('.figures'), /Targets4Up1Jobs4Dropped by relabelling1/);
    t.match((await page.locator('.cards .health').allTextContents()).slice(0, 2), ['▲ down', '▲ down']);
    await card(page, 'odd').getByText('Labels').click();
    await card(page, 'odd').getByText(MARKUP, { exact: true }).waitFor();
    t.ok(await isHarmless(page));
    await screenshot('targets-light');
    t.same(await seriousFindings(page), []);
  });

  await t.test('a refresh leaves alone what is open, and who types', async (t) => {
    const search = page.getByRole('textbox', { name: 'Search' });
    await search.fill('odd');
    await search.evaluate((input) => (input as unknown as { setSelectionRange(a: number, b: number): void }).setSelectionRange(1, 2)); // biome-ignore format: one line
    const answered = page.waitForResponse(/targets$/);
    await refresh();
    await answered;
    t.ok(await page.locator('details[open]').isVisible());
    t.equal(
      await search.evaluate((input) => (input as unknown as { selectionStart: number }).selectionStart),
      1,
    );
    t.ok(await search.evaluate((input) => input === input.ownerDocument.activeElement));
    await search.fill('');
  });

  await t.test('search and choice, as the URL says', async (t) => {
    await show(page, /^Down \(2\)/).click();
    await page.waitForURL(/show=down/);
    t.equal(await page.locator('.card').count(), 2);
    await page.getByRole('textbox', { name: 'Search' }).fill('REFUSED down');
    await page.waitForURL(/search=REFUSED/);
    t.equal(await page.locator('.card').count(), 1);
    const other = await visit(browser, page.url());
    await other.page.getByRole('button', { name: /^Down \(1\)/ }).waitFor();
    t.equal(await other.page.locator('.card').count(), 1);
    await other.page.context().close();
    await page.getByRole('textbox', { name: 'Search' }).fill('nothing like it');
    await page.getByRole('heading', { name: 'None of these' }).waitFor();
    t.same(await seriousFindings(page), []);
    await page.getByRole('textbox', { name: 'Search' }).fill('');
    await show(page, /^With findings/).click();
    await card(page, 'odd').waitFor();
    t.equal(await card(page, 'shop').count(), 0);
    await show(page, /^All \(4\)/).click();
  });

  await t.test('dark, and narrow', async (t) => {
    for (const [name, look] of Object.entries(OTHER_LOOKS)) {
      const other = await visit(browser, url, look);
      await other.page.locator('.card').first().waitFor();
      await other.screenshot(`targets-${name}`);
      t.same(await seriousFindings(other.page), [], name);
      t.equal(await other.page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, name);
      t.same(other.problems, []);
      await other.page.context().close();
    }
  });
  t.same(
    problems.filter((problem) => !problem.startsWith('foreign')),
    [],
  );

  await t.test('the server goes away, and comes back', async (t) => {
    const search = page.getByRole('textbox', { name: 'Search' });
    await search.pressSequentially('sh');
    await page.route('**/api/v1/targets', (route) => route.abort());
    await refresh();
    await page.getByRole('heading', { name: 'The server does not answer' }).waitFor();
    await page.keyboard.type('op');
    t.equal(await search.inputValue(), 'shop', 'who writes goes on writing');
    await screenshot('targets-gone-light');
    t.same(await seriousFindings(page), []);
    await page.unroute('**/api/v1/targets');
    await page.getByRole('button', { name: 'Try again' }).click();
    await card(page, 'shop').waitFor();
    t.equal(await page.locator('.card').count(), 1);
  });

  await t.test('a server that takes its time is heard', async (t) => {
    const held: Route[] = [];
    await page.route('**/api/v1/targets', (route) => void held.push(route));
    await page.reload();
    await until(() => held.length === 1, 'the question');
    for (let nth = 0; nth < 3; nth++) await refresh();
    await held[0]!.continue();
    await card(page, 'shop').waitFor();
    await refresh();
    await until(() => held.length === 2, 'the next question');
    await page.clock.runFor(60_000);
    await until(() => held.length === 3, 'another, for one that is not answered');
    for (const route of held.slice(1)) await route.continue().catch(() => {});
    t.equal(await card(page, 'shop').count(), 1);
  });
});

t.test('no targets, and thousands of them', { skip: chromiumMissing() }, async (t) => {
  const app = await startApp('scrape_configs: []');
  t.teardown(() => app.stop());
  const browser = await startBrowser(t);
  const { page, screenshot, problems } = await visit(browser, `${app.url}/#/targets`);
  await page.getByRole('heading', { name: 'No targets' }).waitFor();
  t.match(await page.textContent('.state'), 'exemplard check config FILE');
  await screenshot('targets-none-light');
  t.same(await seriousFindings(page), []);
  await app.reload(`
scrape_configs:
  - job_name: dropped
    static_configs: [{targets: ['a:1', 'b:1']}]
    relabel_configs: [{action: drop}]
`);
  await page.reload();
  await page.getByText('2 targets were found, and dropped').waitFor();

  const targets = Array.from({ length: 3000 }, (_, nth) => `'t${nth}.example:80'`);
  await app.reload(`
scrape_configs:
  - job_name: many
    scrape_interval: 365d
    static_configs: [{targets: [${targets}]}]
`);
  await page.reload();
  await page.getByText('2,700 more targets').waitFor();
  await screenshot('targets-many-light');
  const search = page.getByRole('textbox', { name: 'Search' });
  const beforeMs = await pageCpuMs(page);
  await search.pressSequentially('t2999.example');
  await page.getByRole('button', { name: 'All (1)' }).waitFor();
  const tookMs = (await pageCpuMs(page)) - beforeMs;
  t.ok(tookMs < 3000, `thirteen letters in ${Math.round(tookMs)} ms`);
  t.comment(`thirteen letters in ${Math.round(tookMs)} ms`);
  t.equal(await page.locator('.card').count(), 1);
  t.same(problems, []);
});
