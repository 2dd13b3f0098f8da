import t from 'tap';
import { startApp } from '../support/app.js';
import { chromiumMissing, startBrowser, visit } from '../support/browser.js';
import { body, serveTarget } from '../support/target.js';
import { until } from '../support/until.js';

const MARKUP = '<img src=x onerror=window.hit=1>';
const SCRIPT = 'javascript:window.hit=1';

/** As a target that nobody should trust would answer. Names may be any text since UTF-8 came to Prometheus. */
function hostileBody(): string {
  const seconds = (Date.now() / 1000).toFixed(3);
  return [
    `# HELP evil ${MARKUP}`,
    '# TYPE evil counter',
    `evil_total{path="${MARKUP}",constructor="${SCRIPT}",__proto="x"} 1 # {trace_id="${SCRIPT}",note="${MARKUP}"} 1 ${seconds}`,
    `# TYPE "${MARKUP}" counter`,
    `{"${MARKUP}_total","${MARKUP}"="${SCRIPT}"} 1 # {trace_id="\\"><script>window.hit=1</script>"} 1 ${seconds}`,
    '# EOF\n',
  ].join('\n');
}

t.test('what targets say never becomes more than text', { skip: chromiumMissing() }, async (t) => {
  const target = await serveTarget(body(hostileBody()));
  t.teardown(() => target.close());
  const app = await startApp(`
web:
  trace_links:
    - {label: trace_id, name: Tempo, url: "https://tempo.example/trace/\${value}"}
scrape_configs:
  - job_name: evil
    scrape_interval: 200ms
    scrape_timeout: 200ms
    static_configs: [{targets: ['${target.address}']}]
`);
  t.teardown(() => app.stop());
  await until(async () => (await app.queryExemplars('evil_total')).length > 0, 'an exemplar');
  const browser = await startBrowser(t);
  const { page, problems, screenshot } = await visit(browser, app.url);
  const isHarmless = async (where: string) => {
    t.equal(await page.evaluate('typeof window.hit'), 'undefined', `${where}: nothing ran`);
    t.equal(
      await page.locator('img:not([src="./assets/icon.svg"]), #page script').count(),
      0,
      `${where}: no element`,
    );
    const links = await page
      .locator('a')
      .evaluateAll((anchors) => anchors.map((anchor) => String(anchor.href)));
    t.same(
      links.filter((link) => !/^https?:/.test(link)),
      [],
      `${where}: web addresses only`,
    );
  };

  await page.getByRole('button', { name: /evil_total/ }).waitFor();
  await isHarmless('welcome');
  await page.locator('#query').fill('evil');
  await page.getByRole('listbox').getByRole('option').first().waitFor();
  await isHarmless('metric names');
  await page.locator('#query').fill('evil_total{path="');
  await page.getByRole('option', { name: MARKUP }).click();
  await page.keyboard.press('Escape');
  await page.locator('#query').fill('{__name__=~".+"}');
  await page.keyboard.press('Enter');
  await page.locator('.opener').first().waitFor();
  await page.getByLabel('Colour').selectOption('path');
  await page.getByRole('application').focus();
  await page.keyboard.press('Home');
  await page.locator('.tooltip').waitFor();
  await screenshot('hostile-light');
  await isHarmless('chart');
  for (const opener of await page.locator('.opener').all()) {
    await opener.click();
    const panel = page.getByRole('complementary');
    await panel.locator('.trace code').waitFor();
    const id = (await panel.locator('.trace code').textContent())!;
    t.equal(
      await panel.getByRole('link').getAttribute('href'),
      `https://tempo.example/trace/${encodeURIComponent(id)}`,
    );
    await isHarmless('panel');
    await panel.getByRole('button', { name: 'All exemplars of this trace' }).click();
    await panel.getByText('1 exemplar, the oldest first').waitFor();
    await isHarmless('trace');
    await panel.getByRole('button', { name: 'Close details' }).click();
  }
  await page.goto(
    `${app.url}/#/explore?query=${encodeURIComponent(`up{a="${MARKUP}`)}&range=${encodeURIComponent(MARKUP)}`,
  );
  await page.getByRole('alert').waitFor();
  await isHarmless('errors');
  await page.goto(`${app.url}/#/${encodeURIComponent(MARKUP)}`);
  await page.getByText('There is no view').waitFor();
  await isHarmless('views');
  t.same(
    problems.filter((problem) => !/400 \(Bad Request\)/.test(problem)),
    [],
  );
});

const EXTREMES = ['5e-324', '1e-300', '1', '1e300', '1.7e308', '-1.7e308', 'NaN', '+Inf'];

t.test('no values keep the page from answering', { skip: chromiumMissing() }, async (t) => {
  const seconds = (Date.now() / 1000).toFixed(3);
  const series = EXTREMES.map(
    (value, at) => `far_total{at="${at}"} 1 # {trace_id="${at}"} ${value} ${seconds}`,
  );
  const target = await serveTarget(body(['# TYPE far counter', ...series, '# EOF\n'].join('\n')));
  t.teardown(() => target.close());
  const app = await startApp(`
scrape_configs:
  - job_name: far
    scrape_interval: 200ms
    scrape_timeout: 200ms
    static_configs: [{targets: ['${target.address}']}]
`);
  t.teardown(() => app.stop());
  const isWhole = async () => (await app.queryExemplars('far_total')).length === EXTREMES.length;
  await until(isWhole, 'all exemplars');
  const browser = await startBrowser(t);
  for (const [axis, unplaceable] of [
    ['log', 3],
    ['linear', 2],
  ] as const) {
    const { page, problems, screenshot } = await visit(
      browser,
      `${app.url}/#/explore?query=far_total&axis=${axis}`,
    );
    const chart = page.getByRole('application');
    await page.locator(`.scatter[data-points="${EXTREMES.length}"]`).waitFor();
    await chart.focus();
    const told = new Set<string>();
    for (const key of ['Home', ...EXTREMES.map(() => 'ArrowRight')]) {
      await page.keyboard.press(key);
      told.add((await page.locator('.tooltip').textContent())!);
    }
    t.equal(told.size, EXTREMES.length - unplaceable, `${axis}: those with a place are drawn`);
    await screenshot(`extremes-${axis}`);
    const box = (await page.locator('.u-over').boundingBox())!;
    await page.mouse.move(box.x + 5, box.y + 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 5, box.y + box.height / 2, { steps: 3 });
    await page.mouse.up();
    await page.waitForURL(/max=/);
    await page.getByLabel('Axis').selectOption(axis === 'log' ? 'linear' : 'log');
    await page.getByRole('link', { name: 'Targets' }).click();
    await page.getByText(target.address).first().waitFor();
    t.same(problems, [], axis);
    await page.context().close();
  }
});
