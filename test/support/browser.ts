import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { ROOT } from './build.js';

const CHROMIUM = '/usr/bin/chromium';
const SCREENSHOTS = join(ROOT, '.tap/screenshots');

/**
 * Why tests in a real browser cannot run here: a text for `skip`, or false. In CI (`CI=true`) they never skip, so
 * that a machine without Chromium fails instead of proving nothing.
 */
export function chromiumMissing(): string | false {
  if (process.env.CI === 'true' || existsSync(CHROMIUM)) return false;
  return 'no Chromium (apt-get install chromium)';
}

interface Teardown {
  teardown(work: () => Promise<unknown>): unknown;
}

/** A headless Chromium that talks to nobody but the page. */
export async function startBrowser(t: Teardown): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  t.teardown(() => browser.close());
  return browser;
}

export interface Look {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
}

/** What every view is looked at in, besides light and wide. */
export const OTHER_LOOKS: Readonly<Record<string, Look>> = {
  dark: { colorScheme: 'dark' },
  narrow: { width: 360, height: 740 },
  'narrow-dark': { width: 360, height: 740, colorScheme: 'dark' },
};

export interface Visit {
  readonly page: Page;
  /** Errors of scripts and of the console, requests elsewhere, failed ones: none is good. */
  readonly problems: string[];
  /** Into `.tap/screenshots`, for people. */
  screenshot(name: string): Promise<void>;
}

/** A browser of its own, as another person would have it, at an address. */
export async function visit(browser: Browser, url: string, look: Look = {}): Promise<Visit> {
  const { colorScheme = 'light', width = 1280, height = 900 } = look;
  const context = await browser.newContext({
    colorScheme,
    viewport: { width, height },
    acceptDownloads: false,
  });
  context.setDefaultTimeout(60_000);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== new URL(url).origin) {
      problems.push(`foreign request: ${request.url()}`);
    }
  });
  await page.goto(url);
  return {
    page,
    problems,
    async screenshot(name) {
      await mkdir(SCREENSHOTS, { recursive: true });
      await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
    },
  };
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe-core finds serious or critical on the page as it is now. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(AXE, 'utf8'));
  const violations = (await page.evaluate(
    'axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html, failureSummary }) => html.slice(0, 160) + " " + failureSummary) })))',
  )) as { id: string; impact: string; nodes: string[] }[];
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).join(' | ')}`);
}

/** Milliseconds that the page's process has computed for, however busy the machine is otherwise. */
export async function pageCpuMs(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const { metrics } = await session.send('Performance.getMetrics');
  await session.detach();
  return 1000 * metrics.find(({ name }) => name === 'ProcessTime')!.value;
}
