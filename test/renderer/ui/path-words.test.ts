import { describe, expect, test } from 'vitest';
import { above, commonFolder, crumbs, folderOf, headAndTail, lastName, shown, within } from '../../../renderer/ui/path-words.ts';

describe('the words for a path', () => {
  test('show a mark for what no font can show', () => {
    expect(shown('/a/b\udcff')).toBe('/a/b\ufffd');
    expect(shown('new\nline\u007f')).toBe('new␊line␡');
    expect(shown('/été/照片')).toBe('/été/照片');
  });

  test('take it apart and put it together', () => {
    expect([above('/a/b'), above('/a'), above('/')]).toEqual(['/a', '/', '/']);
    expect([lastName('/a/b c'), lastName('/')]).toEqual(['b c', '/']);
    expect([within('/', 'a'), within('/a', 'b')]).toEqual(['/a', '/a/b']);
    expect(crumbs('/a/b')).toEqual([
      { name: 'a', path: '/a' },
      { name: 'b', path: '/a/b' },
    ]);
    expect(crumbs('/')).toEqual([]);
  });

  test('keep the end of one that is too long, by the rules of its system', () => {
    expect([folderOf('/home/a\\b/c.txt'), folderOf('C:\\Users\\a\\b.txt'), folderOf('/a')]).toEqual(['/home/a\\b', 'C:\\Users\\a', '/a']);
    expect(headAndTail('/home/anna/Pictures')).toEqual(['/home/anna', '/Pictures']);
    expect(headAndTail('//server/share'.replaceAll('/', '\\'))).toEqual(['\\\\server', '\\share']);
    expect(headAndTail('')).toEqual(['', '']);
  });

  test.each([
    [['/home/me'], '/home/me'],
    [['/home/me/a', '/home/me/b'], '/home/me'],
    [['/home/me', '/home/me/b'], '/home'],
    [['/home/me/ab', '/home/me/a'], '/home/me'],
    [['/a', '/b'], '/'],
    [['C:\\Users', 'D:\\x'], '/'],
    [[], '/'],
  ])('name the folder that holds %j', (paths, folder) => {
    expect(commonFolder(paths)).toBe(folder);
  });
});
