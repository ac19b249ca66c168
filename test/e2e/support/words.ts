/** What stands on a screen, to see whether it is in one language. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/**
 * Expects that nothing on the screen is an English phrase: two words of English in a row, seen or read out. What is in a language of its own says so with `lang`.
 */
export async function expectChinese(page: Page, screen: string): Promise<void> {
  const english = await page.evaluate(() => {
    const isForeign = (element: Element | null): boolean => element?.closest('[lang="en"], code, pre, script, style, noscript') !== null;
    const said: string[] = [document.title];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) if (!isForeign(node.parentElement)) said.push(node.nodeValue ?? '');
    for (const element of document.querySelectorAll('[aria-label], [title], [placeholder], [alt], [aria-roledescription]'))
      if (!isForeign(element) && !element.closest('[aria-hidden="true"]'))
        for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'aria-roledescription'])
          said.push(element.getAttribute(name) ?? '');
    const names = /\b(?:Holdfast|restic|REST|rclone|Google|Cloud|Azure|Blob|Nextcloud|WebDAV|Amazon|SSH|MinIO|Backblaze|Wasabi)\b/g;
    const product = /^(?:Amazon|Azure|Google|Wasabi|Cloudflare|Backblaze)\b[\w .()-]*$/;
    return said.filter((text) => {
      if (product.test(text)) return false;
      // What is quoted is a name, or to be typed as it stands.
      const rest = text.replace(/“[^”]*”/g, '').replace(names, '');
      return /[A-Za-z]{2,},?\s+[A-Za-z]{2,}/.test(rest) || /\b(?:the|and|Close|Cancel|Back|Open|Toggle)\b/.test(rest);
    });
  });
  expect(english, `${screen} is Chinese`).toEqual([]);
}
