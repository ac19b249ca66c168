import { expect, test } from 'vitest';
import { ago, languageOf } from '../../../main/electron/words/words.ts';

test.each([
  ['system', ['zh-Hans-CN', 'en-US'], 'zh-CN'],
  ['system', ['zh'], 'zh-CN'],
  ['system', ['de-DE', 'zh-CN', 'en'], 'zh-CN'],
  ['system', ['en-GB', 'zh-CN'], 'en'],
  ['system', ['fr', 'de'], 'en'],
  ['system', [], 'en'],
  ['en', ['zh-CN'], 'en'],
  ['zh-CN', ['en'], 'zh-CN'],
  [undefined, ['zh-TW'], 'zh-CN'],
] as const)('with the setting %s and the system in %j it speaks %s', (setting, system, language) => {
  expect(languageOf(setting, system)).toBe(language);
});

test.each([
  [-5000, 'just now', '刚刚'],
  [59_000, 'just now', '刚刚'],
  [60_000, '1 minute ago', '1分钟前'],
  [59 * 60_000, '59 minutes ago', '59分钟前'],
  [47 * 3_600_000, '47 hours ago', '47小时前'],
  [49 * 3_600_000, '2 days ago', '2天前'],
])('%i milliseconds are "%s"', (passed, english, chinese) => {
  expect(ago('en', 0, passed)).toBe(english);
  expect(ago('zh-CN', 0, passed)).toBe(chinese);
});
