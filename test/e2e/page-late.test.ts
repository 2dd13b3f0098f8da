/** Answers that come late, or not at all, or from somebody else: what is shown is never said of another question. */
import type { Page, Route } from 'playwright-core';
import t, { type Test } from 'tap';
import { freshHistogram, minutesOfShop, SERIES_PER_BODY } from '../page/exemplar-history.js';
import { type RunningApp, startApp } from '../support/app.js';
import { chromiumMissing, seriousFindings, startBrowser, type Visit, visit } from '../support/browser.js';
import { serveInTurn } from '../support/changing-target.js';
import { DEFAULT_QUERY_LIMITS } from '../support/query-limits.js';
import { serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

const BODIES = 30;
const HELD = BODIES * SERIES_PER_BODY;

/** Rings of this size are not full before these tests are over: what is held only ever becomes more. */
const ROOMY = 'storage: {exemplars: {per_series: 10000}}';

const CONFIG = (address: string, rest = '') => `
${rest}
scrape_configs:
  - job_name: shop
    scrape_interval: 200ms
    scrape_timeout: 200ms
    static_configs: [{targets: ['${address}']}]
`;

/** Keeps requests back until they are let through, each by itself. */
async function hold(page: Page, url: string): Promise<(() => Promise<void>)[]> {
  const held: (() => Promise<void>)[] = [];
  await page.route(url, (route) => void held.push(() => route.continue()));
  return held;
}

const answerWith =
  (status: number, text = '{"status":"error","error":"out of order"}') =>
  (route: Route) =>
    route.fulfill({ status, body: text });
const once = { times: 1 };

const QUESTIONS = '**/exemplard/api/v1/query_exemplars*';
const chart = (page: Page) => page.getByRole('application');
const hasPoints = (page: Page, count: number) => page.waitForSelector(`[data-points="${count}"]`);
const panel = (page: Page) => page.getByRole('complementary');
const retry = (page: Page) => page.getByRole('button', { name: 'Try again' });

t.test('what has been', { skip: chromiumMissing() }, async (t) => {
  const { served, areScraped } = await serveInTurn(minutesOfShop(BODIES));
  t.teardown(() => served.close());
  const app = await startApp(CONFIG(served.address, 'retention_target: 6h'));
  t.teardown(() => app.stop());
  await until(areScraped, 'scrapes');
  const browser = await startBrowser(t);
  const open = async (t: Test, fragment: string): Promise<Visit> => {
    const visited = await visit(browser, `${app.url}/#/${fragment}`);
    t.teardown(() => visited.page.context().close());
    return visited;
  };
  const explore = (rest = '') => `explore?query=shop_seconds_bucket${rest}`;

  await t.test('that nothing was found is only said when it is known', async (t) => {
    const { page } = await open(t, explore());
    await hasPoints(page, HELD);
    const nothing = page.getByRole('heading', { name: 'No exemplars found' });
    const box = page.getByRole('combobox', { name: 'PromQL' });
    await box.fill('nothing_total');
    await box.press('Enter');
    await nothing.waitFor();
    const held = await hold(page, QUESTIONS);
    await page.getByRole('button', { name: 'Zoom out' }).first().click();
    await until(() => held.length === 1, 'the question');
    t.equal(await nothing.count(), 0);
    await page.getByText('Loading exemplars').waitFor();
    await held[0]!();
    await nothing.waitFor();
    await page.unroute(QUESTIONS);

    await page.route(QUESTIONS, answerWith(500), once);
    await box.fill('shop_seconds_bucket');
    await box.press('Enter');
    await page.getByRole('alert').getByText('out of order').waitFor();
    const again = await hold(page, QUESTIONS);
    await retry(page).click();
    await until(() => again.length === 1, 'the question');
    await page.getByText('Loading exemplars').waitFor();
    t.equal(await nothing.count(), 0);
    await again[0]!();
    await hasPoints(page, HELD);
  });

  await t.test('what is wrong with the way there is not blamed on the expression', async (t) => {
    const { page } = await open(t, explore());
    await hasPoints(page, HELD);
    for (const [status, text] of [
      [200, '<html>Please log in</html>'],
      [401, 'who are you'],
      [413, '<h1>too large</h1>'],
      [200, '{"status":"success"}'],
    ] as const) {
      await page.route(QUESTIONS, answerWith(status, text), once);
      await page.getByRole('button', { name: 'Refresh' }).click();
      await page.getByRole('alert').getByText(`not exemplard's (HTTP ${status})`).waitFor();
      t.equal(
        await page.getByRole('combobox', { name: 'PromQL' }).getAttribute('aria-invalid'),
        'false',
        text,
      );
      await retry(page).click();
      await hasPoints(page, HELD);
    }
  });

  await t.test('the ring stays at its point when others come and go', async (t) => {
    const { page, problems } = await open(t, explore('&range=15m'));
    await page.locator('.opener').nth(3).click();
    const id = await panel(page).locator('.trace code').first().textContent();
    const marker = page.locator('.scatter-marker');
    const place = async () => (await marker.boundingBox())!;
    const before = await place();
    await page.getByRole('combobox', { name: 'Time' }).selectOption('21600');
    await hasPoints(page, HELD);
    await until(async () => (await place()).x > before.x + 5, 'the ring nearer to the end');
    const { x, y, width, height } = await place();
    t.equal(await page.locator('tr.selected').count(), 1, 'its row, too');
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.locator('.tooltip').getByText(id!).waitFor();
    t.same(problems, []);
  });

  await t.test(
    'a key stays at its point, the mouse shows what is under it, whatever is painted',
    async (t) => {
      const { page } = await open(t, explore());
      await hasPoints(page, HELD);
      const tooltip = page.locator('.tooltip');
      await chart(page).focus();
      await page.keyboard.press('Home');
      const oldest = await tooltip.textContent();
      const marker = (await page.locator('.scatter-marker').boundingBox())!;
      await page.keyboard.press('End');
      const newest = await tooltip.textContent();
      t.not(newest, oldest);
      await page.keyboard.press('Escape');
      await page.mouse.move(marker.x + 7, marker.y + 7);
      await until(async () => (await tooltip.textContent()) === oldest, "the mouse's point");
      await page.keyboard.press('End');
      await until(async () => (await tooltip.textContent()) === newest, "the keyboard's point");
      const answered = page.waitForResponse(QUESTIONS);
      // By script: a click would take mouse and focus along.
      await page
        .getByRole('button', { name: 'Refresh' })
        .evaluate((button: { click(): void }) => button.click());
      await (await answered).finished();
      await page.waitForSelector('.results:not(.stale)');
      t.equal(await tooltip.textContent(), newest);
      await page.mouse.move(marker.x + 6, marker.y + 6);
      await until(async () => (await tooltip.textContent()) === oldest, "the mouse's point, since it moved");
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.mouse.move(marker.x + 7, 5);
      await tooltip.waitFor({ state: 'detached' });
    },
  );

  await t.test('a completion takes the place of what is at the cursor', async (t) => {
    const { page } = await open(t, explore());
    const box = page.getByRole('combobox', { name: 'PromQL' });
    const options = page.getByRole('listbox', { name: 'Completions' }).getByRole('option');
    const choose = async (option: string) => {
      await box.press('Control+Space');
      await options.filter({ hasText: option }).waitFor();
      await box.press('ArrowDown');
      await box.press('Tab');
    };
    await box.fill('shop_sec{route="/ca"}');
    await box.press('Escape');
    await box.press('Home');
    for (let step = 0; step < 4; step++) await box.press('ArrowRight');
    await choose('shop_seconds_bucket');
    t.equal(await box.inputValue(), 'shop_seconds_bucket{route="/ca"}');
    await box.press('End');
    await box.press('ArrowLeft');
    await box.press('ArrowLeft');
    await choose('/cart');
    t.equal(await box.inputValue(), 'shop_seconds_bucket{route="/cart"}');
  });

  await t.test('what is dimmed can be read', async (t) => {
    const { page } = await open(t, explore());
    await hasPoints(page, HELD);
    const held = await hold(page, '**/exemplard/api/v1/**');
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.locator('.results.stale').waitFor();
    t.same(await seriousFindings(page), []);
    await page.goto(`${app.url}/#/retention`);
    while ((await page.locator('.view .view').count()) === 0) {
      for (const answer of held.splice(0)) await answer().catch(() => {});
      await page.waitForTimeout(100);
    }
    await page.getByLabel('Group by').selectOption('metric');
    await page.getByRole('textbox', { name: 'Target' }).fill('1h');
    await page.keyboard.press('Enter');
    await page.locator('.view .view.stale').waitFor();
    t.same(await seriousFindings(page), []);
  });

  await t.test('what is too young to be complete is asked for', async (t) => {
    const { page } = await open(t, explore());
    await hasPoints(page, HELD);
    const box = (await page.locator('.u-over').boundingBox())!;
    const asked = page.waitForRequest(QUESTIONS);
    await page.mouse.move(box.x + box.width * 0.5, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.97, box.y + 33, { steps: 4 });
    await page.mouse.up();
    await asked;
  });

  await t.test('zooming out goes back to before the zoom, unless something else came between', async (t) => {
    const { page } = await open(t, explore('&range=2h'));
    await hasPoints(page, HELD);
    const drag = async () => {
      const box = (await page.locator('.u-over').boundingBox())!;
      await page.mouse.move(box.x + box.width * 0.85, box.y + 30);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.95, box.y + 33, { steps: 4 });
      await page.mouse.up();
      await page.waitForURL(/start=/);
    };
    const zoomOut = () => page.getByRole('button', { name: 'Zoom out' }).first().click();
    await drag();
    await zoomOut();
    await page.waitForURL(/range=2h/);
    await drag();
    await page.goBack();
    await page.waitForURL(/range=2h/);
    await zoomOut();
    await page.waitForURL(/range=4h/);
    await drag();
    await page.getByRole('combobox', { name: 'Time' }).selectOption('86400');
    await page.waitForURL(/range=1d/);
    await zoomOut();
    await page.waitForURL(/range=2d/);
    await drag();
    await page.getByLabel('Value ≥').fill('0.5');
    await page.keyboard.press('Enter');
    await page.waitForURL(/min=0.5/);
    await zoomOut();
    await page.waitForURL((url) => /start=.*min=0.5/.test(url.hash));
  });

  await t.test('settings that come late, or at the second try', async (t) => {
    const { page } = await open(t, 'targets');
    const STATUS = '**/exemplard/api/v1/status/page';
    await page.route(STATUS, answerWith(500), once);
    await page.goto(`${app.url}/#/retention`);
    await page.reload();
    await page.getByRole('alert').getByText('out of order').waitFor();
    t.equal(await page.getByText('The target is').count(), 0);
    await page.unroute(STATUS);
    const held = await hold(page, STATUS);
    await retry(page).click();
    await until(() => held.length > 0, 'the question');
    t.equal(await page.getByText('The target is').count(), 0);
    await held[0]!();
    await page.getByRole('heading', { name: 'The target is missed 6h' }).waitFor();
    t.notMatch(await page.textContent('.advice h2'), 'unless you set another');
  });

  await t.test('advice is about what was asked, and dimmed while another is', async (t) => {
    const { page } = await open(t, 'retention');
    await page.getByRole('heading', { name: 'The target is missed 6h' }).waitFor();
    const TOTALS = '**/api/v1/retention?*by=total*';
    const held = await hold(page, TOTALS);
    await page.getByRole('cell', { name: 'shop', exact: true }).click();
    await page.getByRole('table', { name: 'Retention by metric' }).waitFor();
    await page.locator('.view .view.stale').waitFor();
    t.equal(await page.getByText('for the selected series alone').count(), 0);
    await page.getByRole('textbox', { name: 'Target' }).fill('1d');
    await page.keyboard.press('Enter');
    await page.waitForURL(/target=1d/);
    t.match(await page.textContent('.advice h2'), /missed 6h$/);
    await until(() => held.length > 1, 'both questions');
    await page.unroute(TOTALS);
    for (const answer of held) await answer().catch(() => {});
    await page.getByText('for the selected series alone').waitFor();
    await page.getByRole('heading', { name: 'The target is missed 1d, unless you set another' }).waitFor();
    await page.locator('.view .view:not(.stale)').waitFor();
  });

  await t.test('a wrong selector is not held against the right one', async (t) => {
    const { page } = await open(t, 'retention?match={');
    const wrong = page.getByRole('alert').getByText('match[]');
    await wrong.waitFor();
    await page.getByRole('heading', { name: 'This cannot be answered' }).waitFor();
    const held = await hold(page, '**/api/v1/retention?*');
    await page.getByRole('textbox', { name: 'Series' }).fill('{job="shop"}');
    await page.keyboard.press('Enter');
    await until(() => held.length === 2, 'both questions');
    t.equal(await wrong.count(), 0);
    for (const answer of held) await answer();
    await page.getByRole('table', { name: 'Retention by job' }).waitFor();
  });

  await t.test("a trace's exemplars, at the second try", async (t) => {
    const { page } = await open(t, explore());
    await page.locator('.opener').first().click();
    await page.route('**/api/v1/traces/*/exemplars*', answerWith(500), once);
    await panel(page).getByRole('button', { name: 'All exemplars of this trace' }).click();
    await panel(page).getByText('out of order').waitFor();
    await panel(page).getByRole('button', { name: 'Try again' }).click();
    await panel(page).getByText('1 exemplar, the oldest first').waitFor();
  });
});

t.test('no more is asked for than the server answers', { skip: chromiumMissing() }, async (t) => {
  const { served, areScraped } = await serveInTurn(minutesOfShop(3));
  t.teardown(() => served.close());
  const app = await startApp(CONFIG(served.address), undefined, {
    queryLimits: { ...DEFAULT_QUERY_LIMITS, maxExemplars: 101 },
  });
  t.teardown(() => app.stop());
  await until(areScraped, 'scrapes');
  const { page, problems } = await visit(
    await startBrowser(t),
    `${app.url}/#/explore?query=shop_seconds_bucket`,
  );
  await hasPoints(page, 100);
  await page.getByText('The newest 100 are shown').waitFor();
  t.notMatch(await page.textContent('.results'), 'At most');
  t.same(problems, []);
});

t.test('live', { skip: chromiumMissing() }, async (t) => {
  const target = await serveTarget(freshHistogram());
  t.teardown(() => target.close());
  const app = await startApp(CONFIG(target.address, ROOMY));
  t.teardown(() => app.stop());
  const held = async () =>
    (await app.queryExemplars('shop_seconds_bucket')).reduce(
      (sum, { exemplars }) => sum + exemplars.length,
      0,
    );
  await until(async () => (await held()) > 0, 'an exemplar');
  const browser = await startBrowser(t);
  const LIVE = '#/explore?query=shop_seconds_bucket&range=15m&live=1';
  const isStream = (route: Route) => route.request().headers().accept === 'text/event-stream';
  const open = async (t: Test, app: RunningApp): Promise<Visit> => {
    const visited = await visit(browser, `${app.url}/#/targets`);
    t.teardown(() => visited.page.context().close());
    return visited;
  };
  const shown = async (page: Page) => Number(await chart(page).getAttribute('data-points'));
  /** Stops the target for as long as everything is counted. */
  const hasAll = async (page: Page, what: string) => {
    const { answer } = target;
    target.answer = (response) => response.writeHead(503).end();
    await until(async () => (await shown(page)) === (await held()), what);
    target.answer = answer;
  };

  await t.test('what came before the stream did', async (t) => {
    const { page } = await open(t, app);
    let isAway = true;
    await page.route(QUESTIONS, (route) =>
      isAway && isStream(route) ? route.fulfill({ status: 503, body: 'too many' }) : route.continue(),
    );
    await page.goto(`${app.url}/${LIVE}`);
    await page.getByText('no connection, trying again').waitFor();
    await until(async () => (await shown(page)) > 0, 'the answer');
    const before = await held();
    await until(async () => (await held()) > before + 2 * SERIES_PER_BODY, 'what is missed');
    isAway = false;
    await page.getByText('as they come').waitFor();
    await hasAll(page, 'all, also from in between');
  });

  await t.test('a stream that nobody answers is tried again', async (t) => {
    const { page } = await open(t, app);
    const tries: Route[] = [];
    await page.route(QUESTIONS, (route) => (isStream(route) ? void tries.push(route) : route.continue()));
    await page.goto(`${app.url}/${LIVE}`);
    await page.getByText('no connection, trying again').waitFor();
    await until(() => tries.length === 2, 'the second try');
    await tries[1]!.continue();
    await page.getByText('as they come').waitFor();
    await hasAll(page, 'all');
  });

  await t.test('a question that fails is asked again', async (t) => {
    const { page } = await open(t, app);
    let failures = 1;
    await page.route(QUESTIONS, (route) =>
      !isStream(route) && failures-- > 0 ? answerWith(503)(route) : route.continue(),
    );
    await page.goto(`${app.url}/${LIVE}`);
    await page.getByRole('alert').getByText('out of order').waitFor();
    await chart(page).waitFor();
    await hasAll(page, 'all');
  });

  await t.test('a stream that comes and goes does not starve a slow answer', async (t) => {
    const { page } = await open(t, app);
    let streams = 0;
    const questions: Route[] = [];
    await page.route(QUESTIONS, async (route) => {
      if (!isStream(route)) return void questions.push(route);
      streams++;
      await route.fulfill({ contentType: 'text/event-stream', body: 'retry: 100\n\n' });
    });
    await page.goto(`${app.url}/${LIVE}`);
    await until(() => streams >= 5, 'streams');
    t.equal(questions.length, 1);
    await questions[0]!.continue();
    await chart(page).waitFor();
    await until(() => questions.length >= 2, 'what came meanwhile');
  });

  await t.test('points of another query do not join those that are shown', async (t) => {
    const { page } = await open(t, app);
    await page.goto(`${app.url}/${LIVE}`);
    await page.getByText('as they come').waitFor();
    await until(async () => (await shown(page)) > 0, 'points');
    let isHeld = true;
    await page.route(QUESTIONS, async (route) => {
      while (isHeld && !isStream(route)) await page.waitForTimeout(50);
      await route.continue().catch(() => {});
    });
    const box = page.getByRole('combobox', { name: 'PromQL' });
    await box.fill('shop_seconds_bucket{le="1.0"}');
    await box.press('Enter');
    await page.locator('.results.stale').waitFor();
    const before = await shown(page);
    const then = await held();
    await until(async () => (await held()) > then + 3 * SERIES_PER_BODY, 'some from the stream');
    t.equal(await shown(page), before);
    isHeld = false;
    await page.locator('.results:not(.stale)').waitFor();
  });

  await t.test('a tab that nobody looks at leaves its connection to others', async (t) => {
    const { page } = await open(t, app);
    await page.goto(`${app.url}/${LIVE}`);
    await page.getByText('as they come').waitFor();
    const look = (isHidden: boolean) =>
      page.evaluate(`
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${isHidden} });
        document.dispatchEvent(new Event('visibilitychange'));
      `);
    const closed = page.waitForEvent('requestfailed', (request) => request.url().includes('query_exemplars'));
    await look(true);
    await closed;
    t.equal(await page.getByText('as they come').count(), 0);
    const before = await held();
    await until(async () => (await held()) > before + 2 * SERIES_PER_BODY, 'what is missed');
    await look(false);
    await page.getByText('as they come').waitFor();
    await hasAll(page, 'all, also from in between');
  });
});
