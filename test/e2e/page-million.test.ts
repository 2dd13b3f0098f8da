import t from 'tap';
import { startApp } from '../support/app.js';
import { chromiumMissing, pageCpuMs, startBrowser, visit } from '../support/browser.js';
import { cpuMs } from '../support/cpu-time.js';
import { serveManySeries } from '../support/many-series.js';

t.test('the page opens at once with a million exemplars held', { skip: chromiumMissing() }, async (t) => {
  const series = await serveManySeries(10);
  t.teardown(() => series.close());
  const app = await startApp(series.config);
  t.teardown(() => app.stop());
  await series.held(app.url);
  const browser = await startBrowser(t);
  const beforeMs = cpuMs();
  const { page, problems } = await visit(browser, app.url);
  /** What exemplard and the page have computed for since the browser was told the address. */
  const spentMs = async () => Math.round(cpuMs() - beforeMs + (await pageCpuMs(page)));
  await page.getByRole('button', { name: /many_total/ }).waitFor();
  const openMs = await spentMs();
  t.comment(`the page and its list of metrics: ${openMs} ms`);
  t.ok(openMs < 3000);
  await page.getByRole('button', { name: /many_total/ }).click();
  await page.waitForSelector('[data-points="10000"]');
  t.comment(`its first 10,000 points: ${(await spentMs()) - openMs} ms`);
  await page.getByText('The newest 10,000 are shown').waitFor();
  t.same(problems, []);
});
