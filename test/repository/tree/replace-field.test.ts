import { describe, expect, test } from 'vitest';
import { replaceField } from '../../../src/repository/tree/replace-field.ts';

const replaced = (raw: string, name: string, value: string): string => replaceField(Buffer.from(raw), name, value).toString();

describe('replaceField', () => {
  test('changes the value and nothing else', () => {
    expect(replaced('{"a":1,"content":["x","y"],"b":{"content":[1]}}', 'content', '["z"]')).toBe(
      '{"a":1,"content":["z"],"b":{"content":[1]}}',
    );
    expect(replaced('{"content":null}', 'content', '[]')).toBe('{"content":[]}');
    expect(replaced('{"subtree":"x"}', 'content', '[]')).toBe('{"subtree":"x"}');
    expect(replaced('{}', 'content', '[]')).toBe('{}');
  });

  test('keeps white space, unknown fields and escapes as they are', () => {
    const raw = ' { "unknown" : "\\u0041\\"content\\":" , "content"\t:\n[ "x" ] , "é" : 1e5 } ';
    expect(replaced(raw, 'content', '[]')).toBe(' { "unknown" : "\\u0041\\"content\\":" , "content"\t:\n[] , "é" : 1e5 } ');
  });

  test('changes a field that is written in another way or twice, since the last one counts', () => {
    expect(replaced('{"c\\u006fntent":[1],"content":[2]}', 'content', '[3]')).toBe('{"c\\u006fntent":[3],"content":[3]}');
  });

  test('refuses what is no object', () => {
    for (const raw of ['', '[]', 'null', '{"a":1', '{"a"}', '{"content":}']) {
      expect(() => replaced(raw, 'content', '[]'), raw).toThrow(expect.objectContaining({ code: 'tree-invalid' }));
    }
  });
});
