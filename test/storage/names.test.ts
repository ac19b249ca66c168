import { expect, test } from 'vitest';
import { fileAt, folderOfFile, isFileName, isShardName, layoutFolders, layoutPath } from '../../src/storage/names.ts';
import { fileKinds, type StoredFile } from '../../src/storage/storage.ts';

const name = '0a1b'.repeat(16);

test("puts every kind where restic's default layout has it", () => {
  expect(fileKinds.map((kind) => layoutPath({ kind, name: kind === 'config' ? '' : name }))).toEqual([
    'config',
    `keys/${name}`,
    `snapshots/${name}`,
    `index/${name}`,
    `locks/${name}`,
    `data/0a/${name}`,
  ]);
});

test('finds the file of a path, and none for foreign paths', () => {
  for (const kind of fileKinds) {
    const file: StoredFile = { kind, name: kind === 'config' ? '' : name };
    expect(fileAt(layoutPath(file))).toEqual(file);
    expect(layoutPath(file).slice(0, Math.max(0, layoutPath(file).lastIndexOf('/')))).toBe(folderOfFile(file));
  }
  for (const path of [
    '',
    'config2',
    'data',
    `data/${name}`,
    `data/0b/${name}`,
    `data/0a/x/${name}`,
    `keys/${name}x`,
    `other/${name}`,
    name,
  ])
    expect(fileAt(path)).toBeUndefined();
});

test('makes 261 folders, parents before their children', () => {
  expect(layoutFolders).toHaveLength(261);
  expect(new Set(layoutFolders).size).toBe(261);
  expect(layoutFolders.indexOf('data')).toBeLessThan(layoutFolders.indexOf('data/00'));
  expect(layoutFolders).toContain('data/ff');
});

test('knows names of files and of shards', () => {
  expect([name, name.slice(1), `${name}0`, name.toUpperCase(), `${name}\n`, `${name}-tmp-1`].map(isFileName)).toEqual([
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
  expect(['00', 'ff', 'FF', '0', '000', 'gg', '00\n'].map(isShardName)).toEqual([true, true, false, false, false, false, false]);
});

test('refuses paths for names that no file has', () => {
  for (const file of [{ kind: 'pack', name: '../x' } as const, { kind: 'config', name: 'x' } as const, { kind: 'key', name: '' } as const])
    expect(() => layoutPath(file)).toThrowError(expect.objectContaining({ code: 'internal' }) as Error);
});
