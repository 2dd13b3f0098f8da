/** The page behind a proxy that cuts a prefix off. */
import { request } from 'node:http';
import t from 'tap';
import { startApp } from '../support/app.js';
import { chromiumMissing, startBrowser, visit } from '../support/browser.js';
import { serve } from '../support/http-servers.js';

const PREFIX = '/ex';

t.test('the page is there with and without a slash', { skip: chromiumMissing() }, async (t) => {
  const app = await startApp('archive: {type: none}', undefined, { publicPrefix: PREFIX });
  t.teardown(() => app.stop());
  const proxy = await serve((asked, answer) => {
    if (!asked.url!.startsWith(PREFIX)) return void answer.writeHead(404).end();
    const path = asked.url!.slice(PREFIX.length);
    request(`${app.url}${path.startsWith('/') ? '' : '/'}${path}`, { headers: asked.headers }, (behind) =>
      behind.pipe(answer.writeHead(behind.statusCode!, behind.rawHeaders)),
    ).end();
  });
  t.teardown(() => proxy.close());
  const browser = await startBrowser(t);
  const outside = `http://127.0.0.1:${proxy.port}${PREFIX}`;
  for (const [address, expected] of [
    [outside, `${outside}/`],
    [`${outside}?x=1#/retention`, `${outside}/?x=1#/retention`],
    [`${outside}/`, `${outside}/`],
    [`${app.url}/`, `${app.url}/`],
  ] as const) {
    const { page } = await visit(browser, address);
    await page.getByRole('link', { name: 'Retention' }).waitFor();
    // It has asked the API.
    await page.locator('.version').waitFor();
    t.equal(page.url().slice(0, expected.length), expected, address);
  }
});
