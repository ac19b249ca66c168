/**
 * The desktop app in the place of the browser. It attaches to the service that a test's host carries, since both have one profile. Where
 * Electron is not at hand nothing here runs, and `npm test` says so.
 */
import { _electron, type Page } from 'playwright-core';
import { root } from '../../project/planted-project.ts';
import type { ScreenSetup } from './screen.ts';

/** Electron's program; undefined: the tests are in a browser. */
export const shellProgram = process.env['HOLDFAST_E2E_SHELL'];

export interface OpenShell {
  readonly page: Page;
  close(): Promise<void>;
}

/** Opens the app on a profile, at the path behind the `#` of the address. */
export async function openShell(program: string, profile: string, path: string, { theme, language }: ScreenSetup): Promise<OpenShell> {
  const app = await _electron.launch({
    executablePath: program,
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), root],
    env: { ...(process.env as Record<string, string>), HOLDFAST_PROFILE: profile },
    colorScheme: theme ?? 'light',
    locale: language === 'zh-CN' ? 'zh-CN' : 'en-GB',
    timeout: 0,
  });
  const page = await app.firstWindow();
  await page.emulateMedia({ reducedMotion: 'reduce' });
  if (path !== '') await page.evaluate((to) => void (location.hash = to), path);
  return { page, close: () => app.close() };
}
