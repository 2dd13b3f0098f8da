import type { Page } from 'playwright-core';
import t from 'tap';
import { manySeriesBody } from '../page/exemplar-history.js';
import { startApp } from '../support/app.js';
import { chromiumMissing, startBrowser, visit } from '../support/browser.js';
import { body, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

const SERIES = 100_000;
const HOUR_MS = 3_600_000;

/** Times between frames while something is done, in milliseconds. */
async function framesDuring(
  page: Page,
  act: () => Promise<void>,
): Promise<{ median: number; p95: number; worst: number }> {
  await page.evaluate(`(() => {
    window.frameTimes = [];
    let before = performance.now();
    const next = (now) => {
      window.frameTimes.push(now - before);
      before = now;
      if (window.frameTimes !== undefined) window.frame = requestAnimationFrame(next);
    };
    window.frame = requestAnimationFrame(next);
  })()`);
  await act();
  const times = (await page.evaluate('cancelAnimationFrame(window.frame), window.frameTimes')) as number[];
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!);
  return { median: at(0.5), p95: at(0.95), worst: at(1) };
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
  const report = (what: string, frames: Awaited<ReturnType<typeof framesDuring>>) => {
    t.comment(
      `${what}: frames of ${frames.median} ms (median), ${frames.p95} ms (95 %), ${frames.worst} ms (longest)`,
    );
    t.ok(frames.median < 100, what);
    t.ok(frames.worst < 3000, what);
  };

  report(
    'hovering',
    await framesDuring(page, async () => {
      for (let step = 0; step < 60; step++)
        await page.mouse.move(...at(0.1 + step / 80, 0.2 + (step % 20) / 40));
    }),
  );
  await page.locator('.tooltip').waitFor();
  report(
    'dragging',
    await framesDuring(page, async () => {
      await page.mouse.move(...at(0.3, 0.2));
      await page.mouse.down();
      await page.mouse.move(...at(0.8, 0.8), { steps: 40 });
    }),
  );
  report(
    'zooming in',
    await framesDuring(page, async () => {
      await page.mouse.up();
      await page.waitForURL(/start=/);
      await page.waitForSelector('.results:not(.stale)');
    }),
  );
  report(
    'zooming out',
    await framesDuring(page, async () => {
      await page.getByRole('button', { name: 'Zoom out' }).click();
      await page.waitForSelector(`[data-points="${SERIES}"]`, { timeout: 30_000 });
      await page.waitForSelector('.results:not(.stale)');
    }),
  );
  report(
    'switching a group off and on',
    await framesDuring(page, async () => {
      const group = page.getByRole('list', { name: 'Groups by group' }).getByRole('button').first();
      await group.click();
      await group.click();
    }),
  );
  report(
    'sorting the table',
    await framesDuring(page, async () => {
      await page.getByRole('button', { name: 'trace_id' }).click();
      await page.locator('th[aria-sort=descending]').filter({ hasText: 'trace_id' }).waitFor();
    }),
  );
  t.ok((await page.locator('tbody tr').count()) < 60, 'few rows in the document');
  t.same(problems, []);
});
