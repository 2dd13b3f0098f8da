import { chromiumMissing, startBrowser, visit } from '../support/browser.js';
import { startExemplard } from '../support/exemplard.js';
import { SERIES, serveManySeries } from '../support/many-series.js';
import { median } from './median.js';
import type { Measured } from './table.js';

const REPEATS = 7;

/** From an address to what is seen there, in a browser that has nothing yet, of a million exemplars held. */
export async function pageRows(): Promise<Measured[]> {
  const missing = chromiumMissing();
  if (missing) {
    console.log(`${missing}: nothing is measured of the page`);
    return [];
  }
  const cleanups: (() => Promise<unknown>)[] = [];
  try {
    const series = await serveManySeries(10);
    cleanups.unshift(() => series.close());
    const exemplard = await startExemplard(series);
    cleanups.unshift(() => exemplard.stop());
    await series.held(exemplard.url);
    const browser = await startBrowser({ teardown: (work) => cleanups.unshift(work) });
    const seconds = async (fragment: string, selector: string) => {
      const times: number[] = [];
      for (let repeat = 0; repeat < REPEATS; repeat++) {
        const { page } = await visit(browser, `${exemplard.url}/${fragment}`);
        await page.waitForSelector(selector);
        times.push(Number(await page.evaluate('performance.now()')) / 1000);
        await page.context().close();
      }
      return median(times);
    };
    const row = (what: string, exemplardSeconds: number): Measured => ({
      what,
      unit: 's',
      prometheus: undefined,
      exemplard: exemplardSeconds,
    });
    return [
      { ...row('the page opens, a million held', await seconds('', '.welcome li')), maxValue: 1 },
      row(
        'its 10,000 newest points of a metric',
        await seconds('#/explore?query=many_total', '[data-points="10000"]'),
      ),
      row(
        'its 100,000 newest points',
        await seconds(`#/explore?query=many_total&limit=${SERIES}`, `[data-points="${SERIES}"]`),
      ),
    ];
  } finally {
    for (const cleanup of cleanups) await cleanup();
  }
}
