import t from 'tap';
import { manySeriesBody } from '../page/exemplar-history.js';
import { startApp } from '../support/app.js';
import { chromiumMissing, pageCpuMs, startBrowser, visit } from '../support/browser.js';
import { serveInTurn } from '../support/changing-target.js';
import { cpuMs } from '../support/cpu-time.js';
import { until } from '../support/until.js';

const SERIES = 100_000;
const BODIES = 10;

t.test('the page opens at once with a million exemplars held', { skip: chromiumMissing() }, async (t) => {
  const startMs = Date.now() - 3_600_000;
  const bodies = Array.from({ length: BODIES }, (_, nth) =>
    manySeriesBody(SERIES, nth, startMs + nth * 300_000, startMs + (nth + 1) * 300_000),
  );
  const { served } = await serveInTurn(bodies);
  t.teardown(() => served.close());
  const app = await startApp(`
storage:
  exemplars: {max_exemplars: 1100000, max_bytes: 2GiB}
scrape_configs:
  - job_name: many
    scrape_interval: 2s
    static_configs: [{targets: ['${served.address}']}]
`);
  t.teardown(() => app.stop());
  const held = async () => {
    const response = await fetch(`${app.url}/api/v1/retention`);
    const { data } = (await response.json()) as { data: { groups: { exemplars: number }[] } };
    return data.groups[0]?.exemplars ?? 0;
  };
  await until(async () => (await held()) >= SERIES * BODIES, 'a million exemplars', 80_000);
  served.answer = (response) => response.writeHead(503).end();

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
