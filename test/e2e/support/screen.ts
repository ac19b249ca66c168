/** A real browser on the real interface: pages, pictures of them, and what axe has to say. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, expect, onTestFinished } from 'vitest';
import { root } from '../../project/planted-project.ts';
import { profileOf } from './host.ts';
import { openShell, shellProgram } from './shell.ts';

/** The sizes at which every screen is looked at. */
export const sizes = {
  large: { width: 1280, height: 800 },
  medium: { width: 900, height: 600 },
  small: { width: 760, height: 560 },
  phone: { width: 390, height: 844 },
} as const;

export interface ScreenSetup {
  readonly size?: keyof typeof sizes;
  readonly theme?: 'light' | 'dark';
  readonly language?: 'en' | 'zh-CN';
}

/** Where pictures go; git does not look there. */
const pictures = join(root, '.artefacts/screens');

let browser: Promise<Browser> | undefined;
afterAll(async () => {
  await (await browser)?.close();
  browser = undefined;
});

/** Debian's browser; a container's root may not have its sandbox. */
const launched = (): Promise<Browser> =>
  (browser ??= chromium.launch({
    executablePath: process.env['HOLDFAST_CHROMIUM'] ?? '/usr/bin/chromium',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    timeout: 0,
  }));

/**
 * A page in a browser that knows nothing yet, opened at `address`; or the window of the desktop app, where these tests are run in it. It fails
 * the test when the page says that something is wrong with it.
 */
export async function openScreen(address: string, setup: ScreenSetup = {}): Promise<Page> {
  const [place, path = ''] = address.split('#');
  const profile = profileOf(place);
  const { page, close } =
    shellProgram !== undefined && profile !== undefined
      ? await openShell(shellProgram, profile, path, setup)
      : await openPage(address, setup);
  // A slow machine is no failure. To find out where a test hangs, give it less patience.
  page.context().setDefaultTimeout(Number(process.env['HOLDFAST_E2E_PATIENCE'] ?? 0));
  const defects: string[] = [];
  page.on('pageerror', (error) => defects.push(error.stack ?? error.message));
  page.on('console', (message) => {
    const text = message.text();
    // That a connection was refused is the network's affair, and expected where a service is ended.
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection to/.test(text)) defects.push(text);
  });
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') await evidence(page, task.name);
    await close();
    expect(defects).toEqual([]);
  });
  if (shellProgram === undefined || profile === undefined) await page.goto(address);
  return page;
}

async function openPage(
  address: string,
  { size = 'large', theme = 'light', language = 'en' }: ScreenSetup,
): Promise<{ readonly page: Page; close(): Promise<void> }> {
  const context: BrowserContext = await (await launched()).newContext({
    viewport: sizes[size],
    colorScheme: theme,
    locale: language === 'en' ? 'en-GB' : 'zh-CN',
    reducedMotion: 'reduce',
    acceptDownloads: true,
    // Of an authority that was made for the test.
    ignoreHTTPSErrors: address.startsWith('https:'),
  });
  return { page: await context.newPage(), close: () => context.close() };
}

/** Waits until it is seen. */
export const seen = (locator: Locator): Promise<void> => locator.first().waitFor({ state: 'visible' });
/** Waits until nobody sees it. */
export const gone = (locator: Locator): Promise<void> => locator.first().waitFor({ state: 'hidden' });

/** Keeps a picture of the whole screen, to be looked at. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), animations: 'disabled', timeout: 0 });
}

/** What was on the screen when a test failed, as a picture and in words. */
async function evidence(page: Page, test: string): Promise<void> {
  const name = `failed-${test.slice(0, 60).replace(/\W+/g, '-')}`;
  await picture(page, name);
  writeFileSync(join(pictures, `${name}.txt`), `${page.url()}\n${await page.locator('body').ariaSnapshot()}\n`);
}

/** Expects that axe finds nothing wrong with the screen by WCAG 2.2 AA. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('\n')}`),
  ).toEqual([]);
}

/** Pictures of the screen as it is now, at all sizes in the light look and two in the dark one, each looked at by axe. The size and look are as before afterwards. */
export async function portraits(page: Page, name: string): Promise<void> {
  const before = page.viewportSize()!;
  const dark = await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches);
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme });
    for (const [size, viewport] of Object.entries(sizes)) {
      // The dark look has the same boxes: their largest and smallest say what there is to see.
      if (theme === 'dark' && (size === 'medium' || size === 'small')) continue;
      await page.setViewportSize(viewport);
      await picture(page, `${name}-${size}-${theme}`);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} ${size}: no sideways scrolling`).toBe(
        true,
      );
      // On a phone the places lie over the end of what is seen; whoever scrolls has everything before them.
      if (size === 'phone') await page.setViewportSize({ ...viewport, height: 3000 });
      if (size === 'large' || (size === 'phone' && theme === 'light')) await expectAccessible(page);
    }
  }
  await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
  await page.setViewportSize(before);
}
