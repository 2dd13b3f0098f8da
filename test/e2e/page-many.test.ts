import type { Page } from 'playwright-core';
import t from 'tap';
import { startApp } from '../support/app.js';
import { chromiumMissing, pageCpuMs, startBrowser, visit } from '../support/browser.js';
import { SERIES, serveManySeries } from '../support/many-series.js';

interface Fluidity {
  /** Times between frames, in milliseconds: what a user feels, and whatever else this machine does. */
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly longestMs: number;
  /** Of the page's process: what the page alone is to blame for. */
  readonly cpuMs: number;
}

async function fluidityDuring(page: Page, act: () => Promise<void>): Promise<Fluidity> {
  await page.evaluate(`(() => {
    window.frameTimes = [];
    let before = performance.now();
    const next = (now) => {
      window.frameTimes.push(now - before);
      before = now;
      window.frame = requestAnimationFrame(next);
    };
    window.frame = requestAnimationFrame(next);
  })()`);
  const beforeMs = await pageCpuMs(page);
  await act();
  const cpuMs = (await pageCpuMs(page)) - beforeMs;
  const times = (await page.evaluate('cancelAnimationFrame(window.frame), window.frameTimes')) as number[];
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { medianMs: at(0.5), p95Ms: at(0.95), longestMs: at(1), cpuMs };
}

t.test('100,000 points stay fluid', { skip: chromiumMissing() }, async (t) => {
  const series = await serveManySeries(1);
  t.teardown(() => series.close());
  const app = await startApp(series.config);
  t.teardown(() => app.stop());
  await series.held(app.url);
  const browser = await startBrowser(t);
  const { page, problems, screenshot } = await visit(browser, app.url);
  await page.getByRole('button', { name: /many_total/ }).waitFor();

  const startMs = performance.now();
  await page.goto(`${app.url}/#/explore?query=many_total&limit=100000&color=group`);
  await page.waitForSelector(`[data-points="${SERIES}"]`, { timeout: 30_000 });
  t.comment(`from the address to the points: ${Math.round(performance.now() - startMs)} ms`);
  await screenshot('many-light');

  const box = (await page.locator('.u-over').boundingBox())!;
  const at = (x: number, y: number) => [box.x + box.width * x, box.y + box.height * y] as const;
  // Some five times what it takes: a bound that a mistake breaks, and a slow machine does not.
  const measure = async (what: string, maxCpuMs: number, act: () => Promise<void>) => {
    const { medianMs, p95Ms, longestMs, cpuMs } = await fluidityDuring(page, act);
    const frames = [medianMs, p95Ms, longestMs].map(Math.round).join(', ');
    t.comment(`${what}: frames of ${frames} ms (median, 95 %, longest), ${Math.round(cpuMs)} ms CPU`);
    t.ok(cpuMs < maxCpuMs, `${what}: ${Math.round(cpuMs)} of ${maxCpuMs} ms CPU`);
  };

  await measure('hovering', 3500, async () => {
    for (let step = 0; step < 60; step++)
      await page.mouse.move(...at(0.1 + step / 80, 0.2 + (step % 20) / 40));
  });
  await page.locator('.tooltip').waitFor();
  await measure('dragging', 2000, async () => {
    await page.mouse.move(...at(0.3, 0.2));
    await page.mouse.down();
    await page.mouse.move(...at(0.8, 0.8), { steps: 40 });
  });
  await measure('zooming in', 2500, async () => {
    await page.mouse.up();
    await page.waitForSelector(`.scatter:not([data-points="${SERIES}"])`);
  });
  await measure('zooming out', 7000, async () => {
    await page.getByRole('button', { name: 'Zoom out' }).click();
    await page.waitForSelector(`[data-points="${SERIES}"]`, { timeout: 30_000 });
    await page.waitForSelector('.results:not(.stale)');
  });
  await measure('switching a group off and on', 2000, async () => {
    const group = page.getByRole('list', { name: 'Groups by group' }).getByRole('button').first();
    await group.click();
    await group.click();
  });
  await measure('sorting the table', 2000, async () => {
    await page.getByRole('button', { name: 'trace_id' }).click();
    await page.locator('th[aria-sort=descending]').filter({ hasText: 'trace_id' }).waitFor();
  });
  t.ok((await page.locator('tbody tr').count()) < 60, 'few rows in the document');
  t.same(problems, []);
});
