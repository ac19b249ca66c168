import { beforeEach, expect, test } from 'vitest';
import { beginAnew, chosenAbove, pick, requestOf, setRestore, useRestore } from '../../../../renderer/features/restore/store.ts';

const entry = (path: string, type: 'dir' | 'file' = 'file') => ({ path, name: path.slice(path.lastIndexOf('/') + 1), type, size: 1 });
const snapshot = 'a'.repeat(64);
beforeEach(beginAnew);

test('a tick on a folder takes the place of those below it, and of no other', () => {
  pick(entry('/a/b/c'));
  pick(entry('/a/bc'));
  pick(entry('/a/b', 'dir'));
  expect([...useRestore.getState().chosen.keys()]).toEqual(['/a/bc', '/a/b']);
  expect(chosenAbove(useRestore.getState().chosen, '/a/b/c/d')).toBe('/a/b');
  expect(chosenAbove(useRestore.getState().chosen, '/a/bc')).toBeUndefined();
  pick(entry('/a/b', 'dir'));
  expect([...useRestore.getState().chosen.keys()]).toEqual(['/a/bc']);
});

test('a request is only made of what is complete', () => {
  const request = () => requestOf(useRestore.getState());
  expect(request()).toBeUndefined();
  setRestore({ snapshot });
  expect(request()).toBeUndefined();
  pick(entry('/a'));
  expect(request()).toMatchObject({ snapshot, items: ['/a'], target: { kind: 'original' }, conflicts: 'keep-newer' });
  setRestore({ target: 'folder' });
  expect(request()).toBeUndefined();
  setRestore({ folder: '/x' });
  expect(request()).toMatchObject({ target: { kind: 'folder', path: '/x' } });
  setRestore({ target: 'zip' });
  expect(request()).toBeUndefined();
  setRestore({ zip: '/x.zip' });
  expect(request()).toMatchObject({ target: { kind: 'zip', path: '/x.zip' } });
  setRestore({ target: 'download' });
  expect(request()).toBeUndefined();
});
