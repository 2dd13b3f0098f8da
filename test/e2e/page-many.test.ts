import type { Page } from 'playwright-core';
import t from 'tap';
import { manySeriesBody } from '../page/exemplar-history.js';
import { startApp } from '../support/app.js';
import { chromiumMissing, startBrowser, visit } from '../support/browser.js';
import { body, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

const SERIES = 100_000;
const HOUR_MS = 3_600_000;

interface Fluidity {
  /** Times between frames, in milliseconds: what a user feels, and whatever else this machine does. */
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly longestMs: number;
  /** Of the page's thread: what the page alone is to blame for. */
  readonly cpuMs: number;
}

async function fluidityDuring(page: Page, act: () => Promise<void>): Promise<Fluidity> {
  const devTools = await page.context().newCDPSession(page);
  await devTools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const cpuSeconds = async () => {
    const { metrics } = await devTools.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')!.value;
  };
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
  const startSeconds = await cpuSeconds();
  await act();
  const cpuMs = ((await cpuSeconds()) - startSeconds) * 1000;
  const times = (await page.evaluate('cancelAnimationFrame(window.frame), window.frameTimes')) as number[];
  await devTools.detach();
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return {
    medianMs: at(0.5),
    p95Ms: at(0.95),
    longestMs: at(1),
    cpuMs,
  };
}

t.test('100,000 points stay fluid', { skip: chromiumMissing() }, async (t) => {
  const endMs = Date.now();
  const target = await serveTarget(body(manySeriesBody(SERIES, 1, endMs - HOUR_MS * 0.9, endMs - 5000)));
  t.teardown(() => target.close());
  const app = await startApp(`
scrape_configs:
  - job_name: many
    scrape_interval: 5s
    static_configs: [{targets: ['${target.address}']}]
`);
  t.teardown(() => app.stop());
  const held = async () => {
    const response = await fetch(`${app.url}/api/v1/retention`);
    const { data } = (await response.json()) as { data: { groups: { exemplars: number }[] } };
    return data.groups[0]?.exemplars ?? 0;
  };
  await until(async () => (await held()) === SERIES, 'all exemplars', 40_000);
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

  await measure('hovering', 1500, async () => {
    for (let step = 0; step < 60; step++)
      await page.mouse.move(...at(0.1 + step / 80, 0.2 + (step % 20) / 40));
  });
  await page.locator('.tooltip').waitFor();
  await measure('dragging', 1000, async () => {
    await page.mouse.move(...at(0.3, 0.2));
    await page.mouse.down();
    await page.mouse.move(...at(0.8, 0.8), { steps: 40 });
  });
  await measure('zooming in', 2000, async () => {
    await page.mouse.up();
    await page.waitForSelector(`.scatter:not([data-points="${SERIES}"])`);
  });
  await measure('zooming out', 4000, async () => {
    await page.getByRole('button', { name: 'Zoom out' }).click();
    await page.waitForSelector(`[data-points="${SERIES}"]`, { timeout: 30_000 });
    await page.waitForSelector('.results:not(.stale)');
  });
  await measure('switching a group off and on', 1500, async () => {
    const group = page.getByRole('list', { name: 'Groups by group' }).getByRole('button').first();
    await group.click();
    await group.click();
  });
  await measure('sorting the table', 1500, async () => {
    await page.getByRole('button', { name: 'trace_id' }).click();
    await page.locator('th[aria-sort=descending]').filter({ hasText: 'trace_id' }).waitFor();
  });
  t.ok((await page.locator('tbody tr').count()) < 60, 'few rows in the document');
  t.same(problems, []);
});
