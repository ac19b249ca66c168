import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compileExcludes } from '../../../src/engine/backup/exclude.ts';
import type { Progress } from '../../../src/engine/run.ts';
import { WorkerPool } from '../../../src/engine/workers/pool.ts';
import { RunControl } from '../../../src/platform/cancellation.ts';
import { BlobIndex } from '../../../src/repository/blob-index.ts';
import { backup, makeRepository } from '../../support/engine.ts';
import { scratch, symlink, tree } from '../../support/tree-literal.ts';

test('what is counted beforehand is what the backup then processes', async () => {
  const dir = scratch('estimate');
  const source = tree(join(dir, 'source'), {
    docs: { 'a.txt': 'hello', 'b.tmp': 'left out', deep: { c: 'x'.repeat(90) } },
    cache: { 'CACHEDIR.TAG': 'Signature: 8a477f597d28d172789f06886806bc55', big: 'not counted' },
    'too large': 'y'.repeat(101),
    link: symlink('docs'),
  });
  mkdirSync(join(source, 'closed'));
  chmodSync(join(source, 'closed'), 0o000);
  const exclude = { patterns: ['*.tmp'], caches: true, largerThan: 100 };
  const repository = await makeRepository(join(dir, 'repository'));
  const pool = new WorkerPool(repository, { control: new RunControl(), index: BlobIndex.create(), threads: 1 });
  const sources = [new Uint8Array(Buffer.from(source)), new Uint8Array(Buffer.from(join(dir, 'not there')))];
  const counted = await pool.run('estimate', { rules: compileExcludes(exclude), leftOut: [], sources });
  await pool.close();
  const { summary } = await backup(repository, source, { exclude });
  expect(counted).toEqual({ files: summary.total_files_processed, bytes: summary.total_bytes_processed });
  expect(counted).toEqual({ files: 3, bytes: 5 + 90 + 43 });
});

test('a first backup tells how much there is, and its last progress is at the end of it', async () => {
  const dir = scratch('estimate');
  const source = tree(
    join(dir, 'source'),
    Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`file ${i}`, `content ${i}`.repeat(500)])),
  );
  const seen: Progress[] = [];
  await backup(await makeRepository(join(dir, 'repository')), source, { onProgress: (progress) => seen.push(progress) });
  const { items, bytes, totalItems, totalBytes } = seen.at(-1)!;
  expect(items).toBe(3000);
  // A run may end before it is counted; what is told is never wrong.
  expect([undefined, items]).toContain(totalItems);
  expect([undefined, bytes]).toContain(totalBytes);
});
