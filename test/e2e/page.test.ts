import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { minutesOfShop, SERIES_PER_BODY } from '../page/exemplar-history.js';
import { type RunningApp, startApp } from '../support/app.js';
import {
  chromiumMissing,
  OTHER_LOOKS,
  seriousFindings,
  startBrowser,
  type Visit,
  visit,
} from '../support/browser.js';
import { serveInTurn } from '../support/changing-target.js';
import { until } from '../support/until.js';

const BODIES = 40;
const QUERY = 'shop_seconds_bucket';
const HELD = BODIES * SERIES_PER_BODY;

const CONFIG = (address: string) => `
web:
  trace_links:
    - {label: trace_id, name: Tempo, url: "https://tempo.example/trace/\${value}"}
scrape_configs:
  - job_name: shop
    scrape_interval: 100ms
    scrape_timeout: 100ms
    static_configs: [{targets: ['${address}']}]
`;

/** An exemplard that has scraped forty minutes of a shop. */
async function startShop(t: Test): Promise<RunningApp> {
  const { served, areScraped } = await serveInTurn(minutesOfShop(BODIES));
  t.teardown(() => served.close());
  const app = await startApp(CONFIG(served.address));
  t.teardown(() => app.stop());
  await until(areScraped, 'scrapes');
  return app;
}

const explore = (app: RunningApp, parameters = '') => `${app.url}/#/explore?query=${QUERY}${parameters}`;
const chart = (page: Page) => page.getByRole('application');
/** Points of the chart, when there are as many. */
const hasPoints = (page: Page, count: number) => page.waitForSelector(`[data-points="${count}"]`);
const rowTexts = (page: Page, column: number) =>
  page.locator(`tr[data-opens] td:nth-child(${column})`).allTextContents();
const panel = (page: Page) => page.getByRole('complementary');

t.test('the page, in Chromium', { skip: chromiumMissing() }, async (t) => {
  const app = await startShop(t);
  const browser = await startBrowser(t);
  const open = async (t: Test, url: string, look = {}): Promise<Visit> => {
    const visited = await visit(browser, url, look);
    t.teardown(() => visited.page.context().close());
    return visited;
  };

  await t.test('the first visit shows what there is, and one click explores it', async (t) => {
    const { page, problems, screenshot } = await open(t, app.url);
    await page.getByRole('button', { name: /shop_seconds_bucket/ }).waitFor();
    t.match(await page.textContent('.welcome'), '1,760 exemplars · 44 series');
    await screenshot('welcome-light');
    t.same(await seriousFindings(page), []);
    await page.getByRole('button', { name: /shop_seconds_bucket/ }).click();
    await hasPoints(page, HELD);
    t.match(page.url(), /#\/explore\?query=shop_seconds_bucket$/);
    t.equal(await page.title(), 'Explore · exemplard');
    await page.goBack();
    await page.getByRole('heading', { name: 'Metrics with the most exemplars' }).waitFor();
    t.same(problems, []);
  });

  await t.test('completion, by keyboard', async (t) => {
    const { page, problems, screenshot } = await open(t, app.url);
    const box = page.getByRole('combobox', { name: 'PromQL' });
    const option = (name: string | RegExp) => page.getByRole('option', { name });
    await box.fill('sum(rate(SECONDS_b');
    await option(/shop_seconds_bucket.*Time to answer a request/).waitFor();
    await screenshot('completion-light');
    t.same(await seriousFindings(page), []);
    await box.press('ArrowDown');
    t.equal(await option(/shop_seconds_bucket/).getAttribute('aria-selected'), 'true');
    await box.press('Enter');
    t.equal(await box.inputValue(), 'sum(rate(shop_seconds_bucket');
    await box.pressSequentially('{ro');
    await option('route').waitFor();
    await box.press('ArrowDown');
    await box.press('Tab');
    await box.pressSequentially('="che');
    await option('/checkout').click();
    t.equal(await box.inputValue(), 'sum(rate(shop_seconds_bucket{route="/checkout"');
    await box.pressSequentially('}[5m])) by (l');
    await option('le').waitFor();
    await box.press('Escape');
    t.equal(await page.getByRole('listbox').count(), 0, 'closed');
    await box.press('Backspace');
    await box.pressSequentially('le)');
    await box.press('Enter');
    await hasPoints(page, HELD / 4);
    t.same(problems, []);
  });

  await t.test(
    'completion by a slow server: what was chosen stays, and takes the place of what stands there',
    async (t) => {
      const { page, problems } = await open(t, app.url);
      const box = page.getByRole('combobox', { name: 'PromQL' });
      const options = page.getByRole('listbox', { name: 'Completions' }).getByRole('option');
      await box.fill('shop_seconds_bucket{r');
      await options.filter({ hasText: 'route' }).waitFor();
      const held: (() => Promise<void>)[] = [];
      await page.route('**/api/v1/labels?*', (route) => void held.push(() => route.continue()));
      await box.pressSequentially('o');
      await box.press('ArrowDown');
      await until(() => held.length === 1, 'the question');
      const answered = page.waitForResponse('**/api/v1/labels?*');
      await held[0]!();
      await (await answered).finished();
      await page.waitForTimeout(50);
      t.equal(await options.filter({ hasText: 'route' }).getAttribute('aria-selected'), 'true');
      await box.press('Tab');
      t.equal(await box.inputValue(), 'shop_seconds_bucket{route');
      // In another place, what would fit the last one is not offered.
      await box.pressSequentially(',');
      await box.press('ArrowDown');
      await until(() => held.length === 2, 'the next question');
      t.equal(await options.count(), 0);
      await held[1]!();
      await options.filter({ hasText: 'job' }).waitFor();
      t.same(problems, []);
    },
  );

  await t.test('points are drawn, and answer to mouse and keyboard', async (t) => {
    const { page, problems, screenshot } = await open(t, explore(app));
    await hasPoints(page, HELD);
    const drawn = await page.evaluate<number>(`(() => {
      const canvas = document.querySelector('.scatter canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const colors = new Set();
      for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) colors.add(data[at] << 16 | data[at + 1] << 8 | data[at + 2]);
      return colors.size;
    })()`);
    t.ok(drawn > 11, `${drawn} colours`);
    await screenshot('explore-light');
    t.same(await seriousFindings(page), []);
    await chart(page).focus();
    await page.keyboard.press('End');
    const newest = await page.textContent('.tooltip dl');
    await page.keyboard.press('ArrowLeft');
    t.not(await page.textContent('.tooltip dl'), newest);
    t.match(await page.textContent('[aria-live=polite]'), /from memory\. .*trace_id/);
    await page.keyboard.press('ArrowRight');
    t.equal(await page.textContent('.tooltip dl'), newest, 'there and back');
    await page.keyboard.press('Enter');
    await panel(page)
      .getByRole('heading', { name: 'Exemplar', exact: true })
      .and(page.locator(':focus'))
      .waitFor();
    t.match(newest, await panel(page).locator('.trace code').first().textContent());
    await page.keyboard.press('Escape');
    t.equal(await panel(page).count(), 0);
    await page.locator('.scatter:focus').waitFor();
    await page.keyboard.press('ArrowLeft');

    // Where the keyboard's point is drawn, the mouse finds one, too.
    const marker = (await page.locator('.scatter-marker').boundingBox())!;
    await page.keyboard.press('Escape');
    await page.locator('.tooltip').waitFor({ state: 'detached' });
    await page.mouse.move(marker.x + 8, marker.y + 8);
    await page.locator('.tooltip').waitFor();
    await screenshot('tooltip-light');
    await page.mouse.click(marker.x + 7, marker.y + 7);
    await panel(page).waitFor();
    t.same(problems, []);
  });

  await t.test('a point opens its trace, copies, filters, and lists the trace', async (t) => {
    const { page, problems, screenshot } = await open(t, explore(app));
    await page.locator('.opener').nth(2).click();
    const id = (await panel(page).locator('.trace code').textContent())!;
    t.match(id, /^[0-9a-f]{32}$/);
    const link = panel(page).getByRole('link', { name: 'Open in Tempo' });
    t.equal(await link.getAttribute('href'), `https://tempo.example/trace/${id}`);
    t.match(await link.getAttribute('rel'), /noopener/);
    await panel(page).getByRole('button', { name: 'Copy id' }).click();
    await panel(page).getByText('Copied').waitFor();
    t.equal(await page.evaluate('navigator.clipboard.readText()'), id);
    await screenshot('panel-light');
    t.same(await seriousFindings(page), []);
    await panel(page).getByRole('button', { name: 'All exemplars of this trace' }).click();
    await panel(page).getByText('1 exemplar, the oldest first').waitFor();
    t.match(page.url(), `trace=${id}`);
    t.same(await seriousFindings(page), []);
    await panel(page).locator('.trace-points button').click();
    const route = await panel(page)
      .getByRole('button', { name: /^All but route=/ })
      .getAttribute('aria-label');
    await panel(page)
      .getByRole('button', { name: /^All but route=/ })
      .click();
    await hasPoints(page, (HELD / 4) * 3);
    await page.getByRole('button', { name: /into the query/ }).click();
    const query = `shop_seconds_bucket{route!="${route!.slice('All but route='.length)}"}`;
    await until(async () => (await page.inputValue('#query')) === query, 'the query');
    await hasPoints(page, (HELD / 4) * 3);
    t.same(problems, []);
  });

  await t.test('legend, filters and value bounds', async (t) => {
    const { page, problems } = await open(t, explore(app));
    await hasPoints(page, HELD);
    const bucket = page.getByRole('list', { name: 'Groups by le' }).getByRole('button', { name: /^5\.0/ });
    await bucket.click();
    t.equal(await bucket.getAttribute('aria-pressed'), 'false');
    await page.getByRole('heading', { name: '1,600 exemplars' }).waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByRole('button', { name: '+ Label filter' }).click();
    await page.getByRole('combobox', { name: 'Label', exact: true }).selectOption('route');
    await page.getByRole('textbox', { name: 'Value', exact: true }).fill('/cart');
    await page.keyboard.press('Enter');
    await hasPoints(page, HELD / 4);
    await page.getByLabel('Value ≥').fill('2.5');
    await page.keyboard.press('Enter');
    await hasPoints(page, BODIES * 2);
    t.match(page.url(), 'min=2.5');
    await page.getByRole('button', { name: 'Remove filter route=/cart' }).click();
    await hasPoints(page, BODIES * 8);
    await page.getByLabel('Axis').selectOption('linear');
    t.match(page.url(), 'axis=linear');
    await page.getByLabel('Colour').selectOption('route');
    await page.getByRole('list', { name: 'Groups by route' }).waitFor();
    t.same(problems, []);
  });

  await t.test('the table sorts, and has few rows in the document', async (t) => {
    const { page, problems } = await open(t, explore(app));
    await hasPoints(page, HELD);
    const value = page.getByRole('columnheader', { name: 'Value' });
    await value.getByRole('button').click();
    t.equal(await value.getAttribute('aria-sort'), 'descending');
    const greatest = (await rowTexts(page, 2)).map(Number);
    t.same(
      greatest,
      greatest.toSorted((a, b) => b - a),
    );
    await value.getByRole('button').click();
    t.equal(await value.getAttribute('aria-sort'), 'ascending');
    t.ok(Number((await rowTexts(page, 2))[0]) < 0.002);
    t.match(page.url(), 'sort=value');
    t.ok((await page.locator('tbody tr').count()) < 60);
    await page.evaluate('document.querySelector(".table-box").scrollTo(0, 1e6)');
    await page.locator('tr[aria-rowindex="1761"]').waitFor();
    await page.getByText('Columns', { exact: true }).click();
    await page.getByRole('checkbox', { name: 'instance' }).check();
    await page.getByRole('columnheader', { name: 'instance' }).waitFor();
    t.same(await seriousFindings(page), []);
    t.same(problems, []);
  });

  await t.test('a zoomed view is shared by its address', async (t) => {
    const { page, problems, screenshot } = await open(t, explore(app));
    await hasPoints(page, HELD);
    const box = (await page.locator('.u-over').boundingBox())!;
    // What is younger than five minutes may still be coming, and would be asked for.
    await page.mouse.move(box.x + box.width * 0.45, box.y + box.height * 0.1);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.85, box.y + box.height * 0.5, { steps: 8 });
    await screenshot('drag-light');
    const questions: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/api/')) questions.push(request.url());
    });
    await page.mouse.up();
    await page.waitForURL(/start=.*min=/);
    await until(async () => Number(await chart(page).getAttribute('data-points')) < HELD / 2, 'fewer');
    t.same(questions, [], 'all its points are there already');
    const shown = Number(await chart(page).getAttribute('data-points'));
    t.ok(shown > 50, `${shown} of ${HELD}`);
    // Another's page asks for them: the server says the same.
    const other = await open(t, page.url());
    await hasPoints(other.page, shown);
    const texts = [await rowTexts(page, 1), await rowTexts(other.page, 1)];
    t.same(texts[1], texts[0]);
    await page.mouse.dblclick(box.x + box.width / 2, box.y + box.height / 2);
    await hasPoints(page, HELD);
    await page.goBack();
    await hasPoints(page, shown);
    await page.reload();
    await hasPoints(page, shown);
    t.same([...problems, ...other.problems], []);
  });

  await t.test('a double click zooms out, whatever its first click opens', async (t) => {
    for (const look of [OTHER_LOOKS.narrow, {}]) {
      const { page, problems } = await open(t, explore(app, '&range=1h'), look);
      await hasPoints(page, HELD);
      const press = async (clickCount: number) => {
        await page.mouse.down({ clickCount });
        await page.mouse.up({ clickCount });
      };
      const doubleClick = async (key: string) => {
        await chart(page).focus();
        await page.keyboard.press(key);
        const marker = (await page.locator('.scatter-marker').boundingBox())!;
        await page.mouse.move(marker.x + marker.width / 2, marker.y + marker.height / 2);
        await press(1);
        await panel(page).waitFor();
        await press(2);
      };
      // The panel comes to lie under the pointer there.
      await doubleClick('End');
      await page.waitForURL(/range=2h/);
      await panel(page).waitFor({ state: 'detached' });
      t.notMatch(page.url(), 'filter=', 'what lay under the second click was not meant');
      t.same(problems, []);
      if (look === OTHER_LOOKS.narrow) continue;

      const shownId = () => panel(page).locator('.trace code').first().textContent();
      await page.locator('.opener').nth(5).click();
      const id = await shownId();
      await doubleClick('Home');
      await page.waitForURL(/range=4h/);
      await until(async () => (await shownId()) === id, 'what was open before');
      t.same(problems, []);
    }
  });

  await t.test("a range of one's own, and a server that warns", async (t) => {
    const { page, problems, screenshot } = await open(t, explore(app));
    await hasPoints(page, HELD);
    await page.getByRole('combobox', { name: 'Time' }).selectOption('custom');
    await page.getByLabel('The last').fill('soon');
    t.ok(await page.getByRole('button', { name: 'Apply' }).first().isDisabled());
    await page.getByText('a time, like 90m or 7d').waitFor();
    await page.getByLabel('The last').fill('10m30s');
    await screenshot('custom-range-light');
    t.same(await seriousFindings(page), []);
    await page.keyboard.press('Enter');
    await page.waitForURL(/range=10m30s/);
    await until(async () => Number(await chart(page).getAttribute('data-points')) < HELD / 2, 'fewer');
    t.not(await chart(page).getAttribute('data-points'), '0');
    await page.getByLabel('At most').selectOption('1000');
    await page.getByRole('combobox', { name: 'Time' }).selectOption('3600');
    await page.getByText('The newest 1,000 are shown').waitFor();
    await hasPoints(page, 1000);
    await page.route('**/query_exemplars?*', async (route) => {
      const response = await route.fetch();
      const answer = { ...((await response.json()) as object), warnings: ['<b>the archive is away</b>'] };
      await route.fulfill({ response, json: answer });
    });
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText('<b>the archive is away</b>').waitFor();
    t.same(problems, []);
  });

  await t.test('exemplars of a Prometheus behind have a shape of their own', async (t) => {
    const { page, problems, screenshot } = await open(t, app.url);
    let nth = 0;
    await page.route('**/query_exemplars?*', async (route) => {
      const response = await route.fetch();
      const text = await response.text();
      const sources = ['memory', 'archive', 'upstream'];
      const body = text.replaceAll('"source":"memory"', () => `"source":"${sources[nth++ % 3]}"`);
      await route.fulfill({ response, body });
    });
    await page.goto(explore(app));
    await hasPoints(page, HELD);
    t.same(await page.getByRole('list', { name: 'Shapes' }).getByRole('listitem').allTextContents(), [
      ' in memory (587)',
      ' from the archive (587)',
      ' from the upstream (586)',
    ]);
    await screenshot('upstream-light');
    await page.getByRole('columnheader', { name: 'Held in' }).getByRole('button').click();
    t.equal(await page.locator('tr[data-opens] td:last-child').first().textContent(), 'upstream');
    await page.locator('.opener').first().click();
    await panel(page).getByText('the upstream').waitFor();
    t.same(await seriousFindings(page), []);
    t.same(problems, []);
  });

  await t.test('what an address says badly is named', async (t) => {
    const { page, problems } = await open(t, explore(app, '&range=soon&axis=cubic'));
    await page.getByText('defaults are used for').waitFor();
    await hasPoints(page, HELD);
    await page.goto(`${app.url}/#/nowhere`);
    await page.getByText('There is no view “nowhere”').waitFor();
    t.same(problems, []);
  });

  await t.test('behind a path prefix', async (t) => {
    const front = createServer((request, response) => {
      if (!request.url!.startsWith('/team/exemplars/')) return response.writeHead(404).end();
      const path = request.url!.slice('/team/exemplars'.length);
      return request.pipe(
        forward(`${app.url}${path}`, { headers: request.headers }, (answer) => {
          response.writeHead(answer.statusCode!, answer.headers);
          answer.pipe(response);
        }),
      );
    });
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
    t.teardown(() => front.close());
    const { port } = front.address() as AddressInfo;
    const { page, problems } = await open(
      t,
      `http://127.0.0.1:${port}/team/exemplars/#/explore?query=${QUERY}`,
    );
    await hasPoints(page, HELD);
    t.same(problems, []);
  });

  await t.test('dark, and narrow', async (t) => {
    for (const [name, look] of Object.entries(OTHER_LOOKS)) {
      const { page, problems, screenshot } = await open(t, app.url, look);
      await page.getByRole('button', { name: /shop_seconds_bucket/ }).waitFor();
      await screenshot(`welcome-${name}`);
      t.same(await seriousFindings(page), [], name);
      await page.goto(explore(app));
      await hasPoints(page, HELD);
      await screenshot(`explore-${name}`);
      t.same(await seriousFindings(page), [], name);
      await page.locator('.opener').first().click();
      await panel(page).waitFor();
      await screenshot(`panel-${name}`);
      t.same(await seriousFindings(page), [], name);
      t.equal(
        await page.evaluate('document.documentElement.scrollWidth - innerWidth'),
        0,
        'nothing sticks out',
      );
      t.same(problems, []);
    }
  });

  await t.test('a chosen theme is remembered', async (t) => {
    const { page } = await open(t, app.url);
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const light = await ground();
    await page.getByLabel('Theme').selectOption('dark');
    await page.locator('html[data-theme=dark]').waitFor();
    t.not(await ground(), light);
    await page.reload();
    t.not(await ground(), light);
  });
});
