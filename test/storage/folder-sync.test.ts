import { join } from 'node:path';
import { expect, test } from 'vitest';
import { syncFolder } from '../../src/storage/durable.ts';
import { scratch } from '../support/tree-literal.ts';

test('many who ask at the same time share two syncs: the one that runs, and the next', async () => {
  const folder = scratch('folder-sync');
  const syncs = Array.from({ length: 50 }, () => syncFolder(folder));
  expect(new Set(syncs).size).toBe(2);
  await Promise.all(syncs);
  // Nothing of it is left for the next one to join.
  const later = syncFolder(folder);
  expect(syncs).not.toContain(later);
  await later;
});

test('a folder that cannot be synced fails everybody who asked, and is tried anew afterwards', async () => {
  const missing = join(scratch('folder-sync'), 'missing');
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => syncFolder(missing)));
  for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'ENOENT' } });
  await expect(syncFolder(missing)).rejects.toMatchObject({ code: 'ENOENT' });
});
