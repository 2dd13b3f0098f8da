import t from 'tap';
import { minutesOfShop, SERIES_PER_BODY } from '../page/exemplar-history.js';
import { startApp } from '../support/app.js';
import { chromiumMissing, seriousFindings, startBrowser, visit } from '../support/browser.js';
import { temporaryDirectory } from '../support/build.js';
import { serveInTurn } from '../support/changing-target.js';
import { WITHOUT_CHDB } from '../support/databases.js';
import { until } from '../support/until.js';

const BODIES = 20;
const PER_SERIES = 5;

const skip = 'skip' in WITHOUT_CHDB ? WITHOUT_CHDB.skip : chromiumMissing();

t.test('what is memory and what is archive', { skip }, async (t) => {
  const { served } = await serveInTurn(minutesOfShop(BODIES));
  t.teardown(() => served.close());
  const app = await startApp(
    `
storage:
  exemplars: {per_series: ${PER_SERIES}}
scrape_configs:
  - job_name: shop
    scrape_interval: 200ms
    scrape_timeout: 200ms
    static_configs: [{targets: ['${served.address}']}]
`,
    await temporaryDirectory(t),
  );
  t.teardown(() => app.stop());
  const answered = async () => {
    const series = await app.queryExemplars('shop_seconds_bucket');
    return series.reduce((sum, { exemplars }) => sum + exemplars.length, 0);
  };
  await until(async () => (await answered()) === BODIES * SERIES_PER_BODY, 'all of the archive');

  const browser = await startBrowser(t);
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, problems, screenshot } = await visit(
      browser,
      `${app.url}/#/explore?query=shop_seconds_bucket`,
      { colorScheme },
    );
    await page.waitForSelector(`[data-points="${BODIES * SERIES_PER_BODY}"]`);
    const fromArchive = (BODIES - PER_SERIES) * SERIES_PER_BODY;
    t.match(await page.getByRole('list', { name: 'Shapes' }).textContent(), `(${fromArchive})`);
    await screenshot(`archive-${colorScheme}`);
    t.same(await seriousFindings(page), []);
    await page.getByRole('columnheader', { name: 'Held in' }).getByRole('button').click();
    await page.getByRole('columnheader', { name: 'Held in' }).getByRole('button').click();
    t.equal(await page.locator('tr[data-opens] td:last-child').first().textContent(), 'archive');
    await page.locator('.opener').first().click();
    await page.getByRole('complementary').getByText('the archive').waitFor();
    await page.getByRole('combobox', { name: 'From' }).selectOption('memory');
    await page.waitForSelector(`[data-points="${PER_SERIES * SERIES_PER_BODY}"]`);
    t.equal(await page.getByRole('list', { name: 'Shapes' }).count(), 0);
    t.same(problems, []);
  }
});
