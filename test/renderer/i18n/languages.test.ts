import { describe, expect, test } from 'vitest';
import en from '../../../renderer/i18n/en.ts';
import { languageFor } from '../../../renderer/i18n/i18n.ts';
import zh from '../../../renderer/i18n/zh-CN.ts';

type Tree = { readonly [key: string]: string | Tree };

/** All texts by their keys. */
function textsOf(tree: Tree, above = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    const at = above === '' ? key : `${above}.${key}`;
    if (typeof value === 'string') found.set(at, value);
    else for (const [below, text] of textsOf(value, at)) found.set(below, text);
  }
  return found;
}

/** Errors have rules of their own: errors.test.ts. */
const withoutErrors = (texts: object): Tree => Object.fromEntries(Object.entries(texts).filter(([part]) => part !== 'errors'));
const english = textsOf(withoutErrors(en));
const chinese = textsOf(withoutErrors(zh));
const named = (text: string): string[] => [...text.matchAll(/\{\{(\w+)/g)].map((match) => match[1]).sort();

describe('both languages', () => {
  test('have the same keys, but for the plurals that Chinese does not have', () => {
    const wanted = [...english.keys()].filter((key) => !key.endsWith('_one'));
    expect([...chinese.keys()].sort()).toEqual(wanted.sort());
  });

  test('have no empty text and nothing at its edges', () => {
    for (const texts of [english, chinese]) for (const [key, text] of texts) expect(text === text.trim() && text !== '', key).toBe(true);
  });

  test('name the same things in each text', () => {
    for (const [key, text] of chinese) {
      const others = named(english.get(key)!);
      // A number that Chinese leaves out, or that English writes as a word, is no mistake where the plural is chosen by it.
      expect(
        named(text).filter((name) => name !== 'count'),
        key,
      ).toEqual(others.filter((name) => name !== 'count'));
    }
  });

  test('every text with a number has both English plurals', () => {
    for (const key of english.keys()) {
      if (key.endsWith('_one')) expect(english.has(key.replace(/_one$/, '_other')), key).toBe(true);
      if (key.endsWith('_other')) expect(english.has(key.replace(/_other$/, '_one')), key).toBe(true);
    }
  });

  test('Chinese is Chinese: every text has Chinese characters, but for names and figures', () => {
    const untranslated = [...chinese].filter(([key, text]) => !/\p{Script=Han}/u.test(text) && english.get(key) === text);
    const names = untranslated
      .filter(([, text]) => !/^[\s\d{}%·/.,:()A-Z]*(?:\{\{\w+\}\}[\s\d{}%·/.,:()]*)*$/.test(text))
      .map(([key]) => key);
    expect(names).toEqual(['frame.brand', 'frame.title', 'restore.where.zipName', 'settings.language.en']);
  });
});

test('the language is the first that a person prefers and the interface speaks', () => {
  expect(languageFor(['zh-TW', 'en'])).toBe('zh-CN');
  expect(languageFor(['de-DE', 'zh-CN', 'en'])).toBe('zh-CN');
  expect(languageFor(['de-DE', 'en-US', 'zh-CN'])).toBe('en');
  expect(languageFor(['ja'])).toBe('en');
  expect(languageFor([])).toBe('en');
});
