import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noFigures, TreeMemo } from '../../../src/engine/rewrite/tree-memo.ts';

test('what was noted of a tree at a level is found there and nowhere else, however much is noted', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 4 }), (count, levels) => {
      const memo = new TreeMemo();
      for (let i = 0; i < count; i++) {
        const [record, level] = [i >> 1, (i & 1) * levels];
        expect(memo.find(record, level)).toBe(-1);
        const figures = { files: i, bytes: i * 2 ** 33, entries: i + 1, folders: 1, goneFolders: i % 3, goneFiles: i % 5, goneBytes: i };
        const isChanged = i % 3 !== 0;
        memo.add(
          record,
          level,
          isChanged ? figures : { ...figures, goneFolders: 0, goneFiles: 0, goneBytes: 0 },
          isChanged ? Buffer.alloc(32, i) : undefined,
        );
      }
      for (let i = 0; i < count; i++) {
        const entry = memo.find(i >> 1, (i & 1) * levels);
        expect(memo.figures(entry)).toMatchObject({ files: i, bytes: i * 2 ** 33, entries: i + 1, folders: 1 });
        expect(memo.figures(entry).goneFiles).toBe(i % 3 === 0 ? 0 : i % 5);
        expect(memo.tree(entry)?.[0]).toBe(i % 3 === 0 ? undefined : i % 256);
      }
      expect(memo.find(count, 0)).toBe(-1);
      expect(memo.find(0, levels + 1)).toBe(-1);
    }),
    { numRuns: 30 },
  );
});

test('a tree that is noted with nothing has figures of nothing', () => {
  const memo = new TreeMemo();
  memo.add(0, 0, noFigures(), undefined);
  expect(memo.figures(memo.find(0, 0))).toEqual(noFigures());
});
