import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { freshHistogram, histogramBody, manySeriesBody, SERIES_PER_BODY } from '../page/exemplar-history.js';
import { type RunningApp, startApp } from '../support/app.js';
import { chromiumMissing, seriousFindings, startBrowser, visit } from '../support/browser.js';
import { body, type ServedTarget, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

/** Rings are not full before these tests are over: what is held only ever becomes more. */
const CONFIG = (address: string) => `
storage: {exemplars: {per_series: 10000}}
scrape_configs:
  - job_name: shop
    scrape_interval: 500ms
    scrape_timeout: 500ms
    static_configs: [{targets: ['${address}']}]
`;
const QUERY = '#/explore?query=shop_seconds_bucket';

/** A target with new exemplars at every scrape, and exemplard that scrapes it. */
async function startShop(t: Test): Promise<{ target: ServedTarget; app: RunningApp }> {
  const target = await serveTarget(freshHistogram());
  t.teardown(() => target.close());
  const app = await startApp(CONFIG(target.address));
  t.teardown(() => app.stop());
  return { target, app };
}

t.test('live', { skip: chromiumMissing() }, async (t) => {
  const { app } = await startShop(t);
  await until(async () => (await app.queryExemplars('shop_seconds_bucket')).length > 0, 'an exemplar');
  const browser = await startBrowser(t);
  const { page, problems, screenshot } = await visit(browser, `${app.url}/${QUERY}&range=15m`);
  const count = async () => Number(await page.getByRole('application').getAttribute('data-points'));
  await page.getByRole('application').waitFor();
  const before = await count();
  t.ok(before >= SERIES_PER_BODY);

  await page.getByRole('button', { name: 'Live' }).click();
  await page.getByText('as they come').waitFor();
  t.match(page.url(), 'live=1');
  await until(async () => (await count()) >= before + 3 * SERIES_PER_BODY, 'points by themselves');
  t.equal((await count()) % SERIES_PER_BODY, 0, 'each once');
  await screenshot('live-light');
  t.same(await seriousFindings(page), []);

  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('paused').waitFor();
  await new Promise((resolve) => setTimeout(resolve, 400));
  const paused = await count();
  await new Promise((resolve) => setTimeout(resolve, 1300));
  t.equal(await count(), paused, 'nothing comes');
  await page.getByRole('button', { name: 'Go on' }).click();
  await until(async () => (await count()) > paused, 'what came in between');
  t.same(problems, []);

  // Whoever looks at a moment does not want it to move away.
  const box = (await page.locator('.u-over').boundingBox())!;
  await page.mouse.move(box.x + 20, box.y + 50);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 5, box.y + 55, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/start=/);
  t.notMatch(page.url(), 'live=1');
});

t.test('more than can be shown live', { skip: chromiumMissing() }, async (t) => {
  let scrapes = 0;
  const target = await serveTarget((response, request) => {
    const nowMs = Date.now();
    body(manySeriesBody(2500, scrapes++, nowMs - 1000, nowMs))(response, request);
  });
  t.teardown(() => target.close());
  const app = await startApp(CONFIG(target.address));
  t.teardown(() => app.stop());
  await until(async () => (await app.queryExemplars('many_total')).length > 0, 'an exemplar');
  const browser = await startBrowser(t);
  const { page, problems, screenshot } = await visit(
    browser,
    `${app.url}/#/explore?query=many_total&range=15m&live=1`,
  );
  await page.getByText('as they come').waitFor();
  await page.getByText(/[\d,]+ exemplars came too fast to be shown live/).waitFor();
  await screenshot('live-skipped-light');
  t.same(await seriousFindings(page), []);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('came too fast').waitFor({ state: 'detached' });
  t.same(problems, []);
});

t.test('a lost connection comes back, and what came in between', { skip: chromiumMissing() }, async (t) => {
  const { target, app } = await startShop(t);
  const between = await startBetween(t, app.url);
  const browser = await startBrowser(t);
  const { page } = await visit(browser, `${between.url}/${QUERY}&range=15m&live=1`);
  await page.getByText('as they come').waitFor();
  between.cut();
  await page.getByText('no connection, trying again').waitFor();
  between.mend();
  await page.getByText('as they come').waitFor();
  await showsAll(page, app, target);
});

t.test('a connection that is lost without a word comes back, too', { skip: chromiumMissing() }, async (t) => {
  const { target, app } = await startShop(t);
  const between = await startBetween(t, app.url);
  const { page } = await visit(await startBrowser(t), 'about:blank');
  await page.clock.install();
  await page.goto(`${between.url}/${QUERY}&range=15m&live=1`);
  await page.getByText('as they come').waitFor();
  await page.getByRole('application').waitFor();
  between.hushStreams();
  const again = page.waitForRequest((request) => request.headers().accept === 'text/event-stream');
  await page.clock.runFor(30_500);
  await again;
  await page.getByText('as they come').waitFor();
  await showsAll(page, app, target);
});

/** Stops the target, so that all can be counted. */
async function showsAll(page: Page, app: RunningApp, target: ServedTarget): Promise<void> {
  target.answer = (response) => response.writeHead(503).end();
  await until(async () => {
    const series = await app.queryExemplars('shop_seconds_bucket');
    const held = series.reduce((sum, { exemplars }) => sum + exemplars.length, 0);
    const shown = await page.getByRole('application').getAttribute('data-points');
    return Number(shown) === held;
  }, 'all that is held');
}

/** Something between the page and exemplard that can break. */
async function startBetween(t: Test, url: string) {
  const wires = new Set<Socket>();
  const streams = new Set<() => void>();
  let isCut = false;
  const between = createServer((incoming) => {
    if (isCut) return void incoming.destroy();
    const onward = connect(Number(new URL(url).port), '127.0.0.1');
    for (const wire of [incoming, onward]) {
      wires.add(wire);
      wire.on('close', () => wires.delete(wire)).on('error', () => {});
    }
    incoming.pipe(onward).pipe(incoming);
    incoming.on('data', (chunk) => {
      if (chunk.includes('text/event-stream')) streams.add(() => onward.unpipe(incoming).resume());
    });
  });
  const address = await new Promise<string>((resolve) =>
    between.listen(0, '127.0.0.1', () => resolve(`127.0.0.1:${(between.address() as AddressInfo).port}`)),
  );
  t.teardown(() => {
    between.close();
    for (const wire of wires) wire.destroy();
  });
  return {
    url: `http://${address}`,
    cut() {
      isCut = true;
      for (const wire of wires) wire.destroy();
    },
    mend() {
      isCut = false;
    },
    /** Nothing more comes over them, and nobody is told. */
    hushStreams() {
      for (const hush of streams) hush();
    },
  };
}

t.test('the server goes away', { skip: chromiumMissing() }, async (t) => {
  const target = await serveTarget(body(histogramBody(0, Date.now())));
  t.teardown(() => target.close());
  const app = await startApp(CONFIG(target.address));
  await until(async () => (await app.queryExemplars('shop_seconds_bucket')).length > 0, 'an exemplar');
  const browser = await startBrowser(t);
  const live = await visit(browser, `${app.url}/${QUERY}&live=1`);
  await live.page.getByText('as they come').waitFor();
  const { page, screenshot } = await visit(browser, `${app.url}/${QUERY}`);
  await page.getByRole('application').waitFor();
  await app.stop();
  await live.page.getByText('no connection, trying again').waitFor();
  await live.screenshot('live-lost-light');
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.getByRole('heading', { name: 'The server does not answer' }).waitFor();
  await screenshot('unreachable-light');
  t.same(await seriousFindings(page), []);
});

t.test('nothing there, and questions that are wrong', { skip: chromiumMissing() }, async (t) => {
  const app = await startApp('scrape_configs: []');
  t.teardown(() => app.stop());
  const browser = await startBrowser(t);
  const { page, screenshot } = await visit(browser, app.url);
  await page.getByRole('heading', { name: 'No exemplars yet' }).waitFor();
  t.match(await page.textContent('.state'), 'exemplard check metrics URL');
  await screenshot('empty-light');
  t.same(await seriousFindings(page), []);

  const box = page.getByRole('combobox', { name: 'PromQL' });
  await box.fill('sum(');
  await box.press('Escape');
  await box.press('Enter');
  await page.getByRole('alert').getByText('parse error').waitFor();
  t.equal(await box.getAttribute('aria-invalid'), 'true');
  await screenshot('wrong-light');
  t.same(await seriousFindings(page), []);
  await box.fill('1 + 1');
  await box.press('Enter');
  await page.getByRole('alert').getByText('no selector').waitFor();
  await box.fill('up');
  await box.press('Enter');
  await page.getByRole('heading', { name: 'No exemplars found' }).waitFor();
  await screenshot('none-found-light');
  t.same(await seriousFindings(page), []);

  // An answer that takes its time.
  await page.route('**/query_exemplars*', () => {});
  await page.goto(`${app.url}/#/explore?query=slow`);
  await page.reload();
  await page.getByText('Loading exemplars').waitFor();
  await screenshot('loading-light');
  t.same(await seriousFindings(page), []);
});
