/** A person who has no mouse, or cannot use one. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** What the focus is at: its words, and whether it can be seen that it is there. */
async function focused(page: Page): Promise<{ readonly words: string; readonly isSeen: boolean; readonly tag: string }> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLInputElement;
    const words = [element.ariaLabel, element.closest('label')?.textContent, element.labels?.[0]?.textContent, element.textContent];
    // A radio button of a card is drawn by the card, a list by the row that it is at.
    const above = [element, element.parentElement, element.parentElement?.parentElement, element.closest('li, label')?.parentElement];
    const drawn = [...above, element.closest('label'), element.nextElementSibling, element.querySelector('[data-active]')];
    const isSeen = drawn.some((each) => {
      if (!each) return false;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(each);
      return (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0) || (each === element && boxShadow !== 'none');
    });
    const border = element.matches('input:not([type=radio],[type=checkbox])') && element.matches(':focus-visible');
    return { words: words.filter((each) => each).join(' '), isSeen: isSeen || border, tag: element.tagName };
  });
}

/** Presses Tab until the focus is at what is called so. Wherever it stops on the way, it must be seen. Throws when no way leads there. */
export async function tabTo(page: Page, name: RegExp): Promise<void> {
  const way: string[] = [];
  for (let steps = 0; steps < 80; steps++) {
    await page.keyboard.press('Tab');
    const { words, isSeen, tag } = await focused(page);
    if (tag === 'BODY') continue;
    expect(isSeen, `the focus is seen at “${words}”`).toBe(true);
    way.push(words);
    if (name.test(words)) return;
  }
  throw new Error(`no way leads to ${name}, but to ${way.join(', ')}`);
}

/** Expects the focus to be where something new has appeared, not lost at the beginning of the page. */
export async function expectFocusAt(page: Page, name: RegExp): Promise<void> {
  await page.waitForFunction(
    (wanted) => document.activeElement !== document.body && new RegExp(wanted).test(document.activeElement?.textContent ?? ''),
    name.source,
  );
}
