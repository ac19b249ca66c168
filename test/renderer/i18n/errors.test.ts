import { describe, expect, test, vi } from 'vitest';
import en from '../../../renderer/i18n/en.ts';
import { speak } from '../../../renderer/i18n/i18n.ts';
import zh from '../../../renderer/i18n/zh-CN.ts';
import { errorWords } from '../../../renderer/ui/error-words.ts';
import { errorCodes, HoldfastError } from '../../../src/contract/errors.ts';

vi.stubGlobal('document', { documentElement: {} });

/** What errors say of themselves; each takes what it needs. */
const context = {
  ...Object.fromEntries(
    'path place location file operation server proxy purpose program name host since bucket noun container asked region key expected where reason snapshot plan destination destinations plans group id type tree blob pack version address problem account mountPoint profile run print username url what entries bytes needed free seconds received variables time snapshots'
      .split(' ')
      .map((name) => [name, `<${name}>`]),
  ),
  cause: 'EIO: i/o error',
};
/** What only a terminal understands. */
const forTerminals = /"holdfast |HOLDFAST_|(^|\s)--[a-z]|AWS_[A-Z]|HTTPS?_PROXY/;

describe.each(['en', 'zh-CN'] as const)('in %s', (language) => {
  test.each(errorCodes)('%s has words that a person reads in a window', async (code) => {
    await speak(language);
    const { what, means, todo, cause } = errorWords(new HoldfastError(code, context));
    expect(what).not.toBe('');
    expect(todo).not.toBe('');
    for (const part of [what, means, todo]) expect(part).not.toMatch(/\{\{|undefined|null|^\s|\s$/);
    expect(todo).not.toMatch(forTerminals);
    if (language === 'zh-CN') {
      expect(what + todo).toMatch(/\p{Script=Han}/u);
      expect(cause).toBe('EIO: i/o error');
    }
  });
});

test('words in Chinese name nothing that the error does not tell', () => {
  const named = (text: object): string[] => [...JSON.stringify(text).matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]);
  for (const [code, text] of Object.entries(zh.errors)) {
    const told = new Set(Object.keys(context));
    expect(
      named(text).filter((name) => !told.has(name)),
      code,
    ).toEqual([]);
  }
  expect(Object.keys(en.errors).filter((code) => !(errorCodes as string[]).includes(code))).toEqual([]);
});

test('an error that this page does not know yet speaks for itself', async () => {
  await speak('zh-CN');
  expect(errorWords({ code: 'from-the-future', message: 'What happened.', guidance: 'What to do.' })).toMatchObject({
    what: 'What happened.',
    todo: 'What to do.',
  });
});
