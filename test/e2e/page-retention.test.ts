import type { Page, Route } from 'playwright-core';
import t, { type Test } from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { parseDuration } from '../../src/page/format/time.js';
import { minutesOfShop } from '../page/exemplar-history.js';
import { type RunningApp, startApp } from '../support/app.js';
import {
  chromiumMissing,
  OTHER_LOOKS,
  seriousFindings,
  startBrowser,
  type Visit,
  visit,
} from '../support/browser.js';
import { temporaryDirectory } from '../support/build.js';
import { serveInTurn } from '../support/changing-target.js';
import { WITHOUT_CHDB } from '../support/databases.js';
import { body } from '../support/target.js';
import { until } from '../support/until.js';

const BODIES = 40;
const PER_SERIES = 20;
const HELD = 44 * PER_SERIES;

const SCRAPED = (address: string) => `
scrape_configs:
  - job_name: shop
    scrape_interval: 100ms
    scrape_timeout: 100ms
    static_configs: [{targets: ['${address}']}]
  - job_name: odd
    scrape_interval: 500ms
    scrape_timeout: 500ms
    static_configs: [{targets: ['${address}']}]
    params: {odd: ['1']}
`;
const CONFIG = (address: string, storage = `storage: {exemplars: {per_series: ${PER_SERIES}}}`) =>
  `${storage}\n${SCRAPED(address)}`;

const ODD = '<img src=x onerror=window.hit=1>';

/** Forty minutes of a shop, and a job that exposes what nobody should trust. */
async function startShop(t: Test): Promise<{ app: RunningApp; address: string }> {
  const { served, areScraped } = await serveInTurn(minutesOfShop(BODIES));
  t.teardown(() => served.close());
  const seconds = (Date.now() / 1000 - BODIES * 60).toFixed(3);
  const odd = `# TYPE odd counter\nodd_total{path="${ODD}"} 1 # {trace_id="javascript:1"} 1 ${seconds}\n# EOF\n`;
  const shop = served.answer;
  served.answer = (response, request) => (request.url!.includes('odd') ? body(odd) : shop)(response, request);
  const app = await startApp(CONFIG(served.address));
  t.teardown(() => app.stop());
  await until(areScraped, 'scrapes');
  await until(async () => (await app.queryExemplars('odd_total')).length > 0, 'the odd one');
  return { app, address: served.address };
}

interface Group {
  readonly forecast: { steadyWindowSeconds: number; perSeriesForTarget: number; bytesForTarget: number };
}

async function retention(app: RunningApp, parameters: Record<string, string>): Promise<Group[]> {
  const response = await fetch(`${app.url}/api/v1/retention?${new URLSearchParams(parameters)}`);
  return ((await response.json()) as { data: { groups: Group[] } }).data.groups;
}

/** Keeps what the server says to the next question of the what-if until `release`. */
function holdForecast(page: Page): { forecast: Promise<Group['forecast']>; release(): void } {
  const isForecast = ({ searchParams }: URL) =>
    searchParams.get('by') === 'total' && searchParams.get('target') !== `${24 * 3_600_000}ms`;
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const forecast = new Promise<Group['forecast']>((resolve) => {
    const hold = async (route: Route) => {
      const response = await route.fetch();
      const { data } = (await response.json()) as { data: { groups: Group[] } };
      resolve(data.groups[0]!.forecast);
      await released;
      await route.fulfill({ response });
    };
    void page.route(isForecast, hold, { times: 1 });
  });
  return { forecast, release };
}

const rows = (page: Page) => page.locator('tr[data-opens]');
const table = (page: Page, by: string) => page.getByRole('table', { name: `Retention by ${by}` });
const asked = (page: Page, pattern: RegExp) => page.waitForRequest((request) => pattern.test(request.url()));
const isMet = (page: Page) => page.getByRole('heading', { name: /^The target is met/ }).waitFor();
const isMissed = (page: Page) => page.getByRole('heading', { name: /^The target is missed/ }).waitFor();

t.test('retention, in Chromium', { skip: chromiumMissing() }, async (t) => {
  const { app, address } = await startShop(t);
  const browser = await startBrowser(t);
  const open = async (t: Test, parameters = '', look = {}): Promise<Visit> => {
    const visited = await visit(browser, `${app.url}/#/retention${parameters}`, look);
    t.teardown(() => visited.page.context().close());
    return visited;
  };

  await t.test('from job to metric to series to exemplars, by mouse', async (t) => {
    const { page, problems, screenshot } = await open(t);
    await table(page, 'job').waitFor();
    t.equal(await rows(page).count(), 2);
    await screenshot('retention-light');
    t.same(await seriousFindings(page), []);
    await page.getByRole('cell', { name: 'shop' }).click();
    await table(page, 'metric').waitFor();
    t.match(decodeURIComponent(page.url()), /by=metric&match=\{job="shop"\}/);
    t.match(await page.textContent('.figures'), `${HELD} exemplars of 44 series`);
    await page.getByRole('cell', { name: 'shop_seconds_bucket' }).click();
    await table(page, 'series').waitFor();
    t.match(
      await page.inputValue('input[placeholder*=selector]'),
      '{job="shop", __name__="shop_seconds_bucket"}',
    );
    await screenshot('retention-series-light');
    t.same(await seriousFindings(page), []);
    await rows(page).filter({ hasText: 'le="0.1"' }).first().click();
    await page.waitForURL(/#\/explore\?query=/);
    await page.waitForSelector(`[data-points="${PER_SERIES}"]`);
    for (const by of ['series', 'metric', 'job']) {
      await page.goBack();
      await table(page, by).waitFor();
    }
    t.same(problems, []);
  });

  await t.test('the same by keyboard: the focus goes along', async (t) => {
    const { page, problems } = await open(t);
    await rows(page).nth(1).getByRole('button').focus();
    for (const by of ['metric', 'series']) {
      await page.keyboard.press('Enter');
      await table(page, by).waitFor();
      await page.locator('.opener:focus').waitFor();
    }
    await page.keyboard.press('Enter');
    await page.waitForSelector(`[data-points="${PER_SERIES}"]`);
    t.same(problems, []);
  });

  await t.test('the server sorts, and the URL says so', async (t) => {
    const { page, problems } = await open(t, '?by=series');
    const header = page.getByRole('columnheader', { name: 'Exemplars' });
    const descending = asked(page, /sort=exemplars&order=desc/);
    await header.getByRole('button').click();
    await descending;
    await page.waitForURL(/sort=exemplars$/);
    t.equal(await header.getAttribute('aria-sort'), 'descending');
    const ascending = asked(page, /sort=exemplars&order=asc/);
    await page.keyboard.press('Enter');
    await ascending;
    await page.waitForURL(/order=asc/);
    await rows(page).first().filter({ hasText: 'odd_total' }).waitFor();
    const right = async (selector: string) => (await page.locator(selector).first().boundingBox())!;
    const [title, cell] = [await right('th:nth-child(7) .title'), await right('td:nth-child(7)')];
    t.equal(Math.round(title.x + title.width), Math.round(cell.x + cell.width - 10), 'over its figures');
    const other = await open(t, new URL(page.url()).hash.slice('#/retention'.length));
    await rows(other.page).first().filter({ hasText: 'odd_total' }).waitFor();
    const names = ({ page }: Pick<Visit, 'page'>) => page.locator('.opener').allTextContents();
    t.same(await names(other), await names({ page }));
    t.same([...problems, ...other.problems], []);
  });

  await t.test('what if: as the server says', async (t) => {
    const { page, problems } = await open(t, `?match=${encodeURIComponent('{job="shop"}')}`);
    const says = () => page.locator('.what-if [role=status]').textContent();
    const shop = async (target: string) =>
      (await retention(app, { 'match[]': '{job="shop"}', by: 'total', target }))[0]!;
    const steadyWindow = async () =>
      ((await shop('1h')).forecast.steadyWindowSeconds / (PER_SERIES - 1)) * 99;
    const before = await steadyWindow();
    await page.reload();
    await until(async () => /would take about/.test((await says())!), 'memory');
    const slots = page.getByRole('textbox', { name: 'Slots' });
    await slots.fill('100');
    t.notMatch(await says(), /would take about/, 'what the present size takes is gone at once');
    const held = holdForecast(page);
    await slots.press('Enter');
    await page.waitForURL(/per_series=100/);
    const { bytesForTarget, perSeriesForTarget } = await held.forecast;
    t.notMatch(await says(), /would take about/, 'nor is it there until the answer has come');
    held.release();
    await until(async () => /would take about/.test((await says())!), 'memory');
    const [, window, memory] = /remember\s*(.*?); .* about\s*([\d.]+) KiB/.exec((await says())!)!;
    const shown = parseDuration(window!)!;
    // The average forgets the scrapes at the start: what a ring will remember grows meanwhile.
    const now = await steadyWindow();
    t.ok(shown >= before - 1 && shown <= now + 1, `${before} ≤ ${window} ≤ ${now}`);
    t.ok(Math.abs(perSeriesForTarget - 100) <= 10, `asked for ${perSeriesForTarget} slots, by now`);
    const kib = bytesForTarget / 1024;
    t.ok(Math.abs(Number(memory) - kib) < 0.005 * kib, `${memory} KiB of ${bytesForTarget} B`);
    await page.getByRole('columnheader', { name: 'With 100 slots' }).waitFor();
    t.same(await seriousFindings(page), []);

    await app.reload(CONFIG(address, 'storage: {exemplars: {per_series: 100}}'));
    const came = (await shop('1h')).forecast.steadyWindowSeconds;
    await app.reload(CONFIG(address));
    const later = await steadyWindow();
    t.ok(came >= now && came <= later, `${now} ≤ ${came} ≤ ${later}: it came true`);

    const slider = page.getByRole('slider');
    await slider.focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(/per_series=128/);
    await page.getByRole('button', { name: `Back to ${PER_SERIES}` }).click();
    await page.waitForURL((url) => !url.hash.includes('per_series'));

    await slots.fill('1000');
    await slots.press('Enter');
    await page.waitForURL(/per_series=1000$/);
    const { x, y, width, height } = (await slider.boundingBox())!;
    const thumb = x + 8 + ((width - 16) * Number(await slider.inputValue())) / 68;
    await page.mouse.move(thumb, y + height / 2);
    await page.mouse.down();
    for (const [place, step] of [
      [thumb + 0.2 * width, /^(?!1000$)/],
      [thumb, /^1024$/],
    ] as const) {
      await page.mouse.move(place, y + height / 2);
      await until(async () => step.test(await slots.inputValue()), 'the slider at its place');
    }
    await page.mouse.up();
    await page.waitForURL(/per_series=1024$/);
    t.same(problems, []);
  });

  await t.test('a target: met, missed, and met with the snippet', async (t) => {
    const { page, problems, screenshot } = await open(t);
    const target = page.getByRole('textbox', { name: 'Target' });
    await target.fill('soon');
    t.equal(await target.getAttribute('aria-invalid'), 'true');
    await target.fill('1s');
    await target.press('Enter');
    await isMet(page);
    t.equal(await page.locator('.snippet').count(), 0);
    await screenshot('retention-met-light');
    await target.fill('3d');
    await target.press('Enter');
    await page.waitForURL(/target=3d/);
    await isMissed(page);
    await screenshot('retention-missed-light');
    t.same(await seriousFindings(page), []);
    await page.getByRole('button', { name: 'Copy the configuration' }).click();
    const snippet = (await page.evaluate('navigator.clipboard.readText()')) as string;
    t.match(snippet, /per_series: \d+[\s\S]*retention_target: 3d/);
    const changed = CONFIG(address, snippet);
    t.ok(loadConfig(changed, 'x.yml').ok, snippet);
    await app.reload(changed);
    t.teardown(() => app.reload(CONFIG(address)));
    await page.reload();
    await isMet(page);
    t.equal(await page.getByRole('textbox', { name: 'Target' }).inputValue(), '3d');
    t.same(problems, []);
  });

  await t.test('an address with values that mean nothing', async (t) => {
    const { page } = await open(t, '?by=rack&per_series=many');
    await page.getByText('defaults are used for: by=rack, per_series=many').waitFor();
    await table(page, 'job').waitFor();
    await page.getByRole('cell', { name: 'shop', exact: true }).click();
    await table(page, 'metric').waitFor();
    t.equal(await page.getByText('defaults are used').count(), 0, 'once another was chosen');
  });

  await t.test('slots that no ring can have', async (t) => {
    const { page, problems, screenshot } = await open(t);
    await table(page, 'job').waitFor();
    const slots = page.getByRole('textbox', { name: 'Slots' });
    const described = () =>
      slots.evaluate(
        (input) =>
          input.ownerDocument.getElementById(String(input.getAttribute('aria-describedby')))?.textContent,
      );
    for (const wrong of ['abc', '', '0', '1.5', '-1', '2147483648', '3e9']) {
      await slots.fill(wrong);
      await slots.press('Enter');
      t.equal(await slots.getAttribute('aria-invalid'), 'true', wrong);
      t.equal(await described(), 'a whole number from 1 to 2,147,483,647', wrong);
      t.equal(
        await page.locator('.what-if [role=status]').textContent(),
        '',
        'nothing is said of other rings',
      );
    }
    await slots.blur();
    t.equal(await slots.inputValue(), '3e9', 'it stays, to be corrected');
    await screenshot('retention-slots-wrong-light');
    t.same(await seriousFindings(page), []);
    t.notMatch(page.url(), 'per_series');
    for (const [right, parameter] of [
      ['2147483647', 'per_series=2147483647'],
      ['1e3', 'per_series=1000'],
    ] as const) {
      await slots.fill(right);
      await slots.press('Enter');
      await page.waitForURL((url) => url.hash.endsWith(parameter));
      t.equal(await slots.getAttribute('aria-invalid'), 'false', right);
      t.equal(await described(), undefined);
    }
    await slots.fill('many');
    await page.getByRole('button', { name: `Back to ${PER_SERIES}` }).click();
    await page.waitForURL((url) => !url.hash.includes('per_series'));
    t.equal(await slots.inputValue(), String(PER_SERIES));
    t.same(problems, []);
  });

  await t.test('a reload of the configuration leaves alone what is being written', async (t) => {
    const { page, problems } = await open(t);
    t.teardown(() => app.reload(CONFIG(address)));
    const heading = (target: string) => page.getByRole('heading', { name: new RegExp(` ${target}(,|$)`) });
    const reload = async (target: string, slots: number) => {
      await app.reload(
        CONFIG(address, `storage: {exemplars: {per_series: ${slots}}}\nretention_target: ${target}`),
      );
      await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
      await heading(target).waitFor();
      await page.locator('.figures').getByText(String(slots), { exact: true }).waitFor();
    };
    const target = page.getByRole('textbox', { name: 'Target' });
    const slots = page.getByRole('textbox', { name: 'Slots' });
    await isMissed(page);
    await target.pressSequentially('0');
    const written = await target.inputValue();
    await reload('5h', 21);
    t.equal(await target.inputValue(), written);
    await target.fill('5');
    await reload('6h', 22);
    t.equal(await target.inputValue(), '5');
    await target.press('End');
    await target.pressSequentially('m');
    await target.press('Enter');
    await page.waitForURL(/target=5m/);
    await page.goBack();
    await heading('6h').waitFor();
    t.equal(await target.inputValue(), '6h', 'what nobody writes follows');

    await slots.fill('4');
    await reload('7h', 23);
    t.equal(await slots.inputValue(), '4');
    await slots.fill('x');
    await slots.blur();
    await reload('8h', 24);
    t.equal(await slots.inputValue(), '24', 'what was left in vain gives way');
    t.equal(await target.inputValue(), '8h');
    await reload('8h', 23);
    t.equal(await slots.inputValue(), '23', 'for good');
    t.same(problems, []);
  });
});

t.test('retention in other states, in Chromium', { skip: chromiumMissing() }, async (t) => {
  const { app, address } = await startShop(t);
  const browser = await startBrowser(t);

  await t.test('dark, and narrow', async (t) => {
    for (const [name, look] of Object.entries(OTHER_LOOKS)) {
      const { page, problems, screenshot } = await visit(browser, `${app.url}/#/retention?target=3d`, look);
      await isMissed(page);
      await screenshot(`retention-${name}`);
      t.same(await seriousFindings(page), [], name);
      t.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, name);
      await table(page, 'job').scrollIntoViewIfNeeded();
      await screenshot(`retention-table-${name}`);
      t.same(problems, []);
      await page.context().close();
    }
  });

  await t.test('label values stay text', async (t) => {
    const { page, problems } = await visit(browser, `${app.url}/#/retention?by=label:path`);
    await page.getByRole('cell', { name: ODD }).waitFor();
    await page.getByRole('cell', { name: '(no such label)' }).waitFor();
    await page.getByRole('cell', { name: ODD }).click();
    await table(page, 'metric').waitFor();
    await rows(page).first().click();
    await table(page, 'series').waitFor();
    t.equal(await rows(page).count(), 1);
    t.equal(await page.evaluate('typeof window.hit'), 'undefined');
    t.equal(await page.locator('main img').count(), 0);
    await page.goto(`${app.url}/#/retention?by=label:path`);
    await page.getByRole('cell', { name: '(no such label)' }).click();
    await page.getByRole('cell', { name: 'shop_seconds_bucket' }).waitFor();
    t.same(problems, []);
    await page.context().close();
  });

  await t.test('a wrong selector, and one that selects nothing', async (t) => {
    const { page, screenshot } = await visit(browser, `${app.url}/#/retention`);
    const series = page.getByRole('textbox', { name: 'Series' });
    await series.fill('{job=');
    await series.press('Enter');
    await page
      .getByRole('alert')
      .getByText(/match\[\]/)
      .waitFor();
    await screenshot('retention-wrong-light');
    t.same(await seriousFindings(page), []);
    await series.fill('{job="none"}');
    await series.press('Enter');
    await page.getByRole('heading', { name: 'No such series' }).waitFor();
    t.ok(await series.evaluate((input) => input === input.ownerDocument.activeElement), 'still there');
    t.same(await seriousFindings(page), []);
    await page.getByRole('button', { name: 'Show all jobs' }).click();
    await table(page, 'job').waitFor();
    await page.context().close();
  });

  await t.test('answers that come late do not mix, and refreshes disturb nobody', async (t) => {
    const { page, problems } = await visit(browser, 'about:blank');
    await page.clock.install();
    await page.goto(`${app.url}/#/retention`);
    await table(page, 'job').waitFor();
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    await page.route(/by=metric/, async (route) => {
      await released;
      await route.continue().catch(() => {});
    });
    const groupBy = page.getByRole('combobox', { name: 'Group by' });
    await groupBy.selectOption('metric');
    await page.locator('.stale').waitFor();
    await table(page, 'job').waitFor();
    await groupBy.selectOption('instance');
    await table(page, 'instance').waitFor();
    release();
    await page.unroute(/by=metric/);
    t.equal(await table(page, 'metric').count(), 0);

    const series = page.getByRole('textbox', { name: 'Series' });
    await series.fill('{half a sel');
    let asked = 0;
    page.on('request', (request) => (asked += Number(request.url().includes('by=instance'))));
    await page.clock.runFor(15_500);
    await until(() => asked === 1, 'a refresh');
    t.equal(await series.inputValue(), '{half a sel');
    t.ok(await series.evaluate((input) => input === input.ownerDocument.activeElement));
    await page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true, configurable: true })");
    await page.clock.runFor(60_000);
    t.equal(asked, 1, 'nobody looks');
    await page.evaluate('delete document.hidden; document.dispatchEvent(new Event("visibilitychange"))');
    await until(() => asked === 2, 'somebody looks again');
    t.same(
      problems.filter((problem) => !problem.includes('foreign')),
      [],
    );
    await page.context().close();
  });

  await t.test('nothing there, and nobody there', async (t) => {
    const empty = await startApp('scrape_configs: []');
    t.teardown(() => empty.stop());
    const { page, screenshot } = await visit(browser, `${empty.url}/#/retention`);
    await page.getByRole('heading', { name: 'No exemplars yet' }).waitFor();
    await screenshot('retention-empty-light');
    t.same(await seriousFindings(page), []);
    await empty.stop();
    await page.getByRole('combobox', { name: 'Group by' }).selectOption('metric');
    await page.getByRole('heading', { name: 'The server does not answer' }).waitFor();
    t.same(await seriousFindings(page), []);
    await page.context().close();
  });

  await t.test('with an archive', { skip: 'skip' in WITHOUT_CHDB ? WITHOUT_CHDB.skip : false }, async (t) => {
    const archiving = await startApp(CONFIG(address), await temporaryDirectory(t));
    t.teardown(() => archiving.stop());
    const answer = async () => (await fetch(`${archiving.url}/api/v1/retention`)).text();
    await until(async () => (await answer()).includes('"archive":'), 'the archive to answer');
    const { page, screenshot } = await visit(browser, `${archiving.url}/#/retention?target=3d`);
    await page.locator('.figures').getByText('Archive').waitFor();
    await screenshot('retention-archive-light');
    t.same(await seriousFindings(page), []);
    await page.context().close();
  });
});
