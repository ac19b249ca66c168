import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { makeRepository } from '../../support/engine.ts';
import type { ExportReport } from '../../support/export-process.ts';
import { fileNode, folderNode, Forge } from '../../support/forge.ts';
import { seededRandom } from '../../support/seeded.ts';
import { scratch } from '../../support/tree-literal.ts';
import { expectSoundZip, pythonZip } from '../../support/zip.ts';

/** What takes minutes is no part of the usual run, which skips nothing. */
const isLong = process.env.HOLDFAST_LONG === '1';

const program = fileURLToPath(new URL('../../support/export-process.ts', import.meta.url));

async function exportElsewhere(repository: string, file: string): Promise<ExportReport> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, repository, file]);
  return JSON.parse(stdout.split('\n').find((line) => line.startsWith('{'))!) as ExportReport;
}

/** A snapshot of `count` files with names, times and owners of their own, in folders of `each`. */
async function forgeFiles(folder: string, count: number, each: number): Promise<void> {
  const random = seededRandom(count);
  const forge = new Forge(await makeRepository(folder));
  const contents = Array.from({ length: 2000 }, (_, i) => forge.data(`content ${i} ${'.'.repeat(i % 300)}`));
  const size = (which: number): number => `content ${which} `.length + (which % 300);
  const folders: object[] = [];
  for (let from = 0; from < count; from += each) {
    const files = Array.from({ length: Math.min(each, count - from) }, (_, i) => {
      const which = Math.floor(random() * contents.length);
      const time = new Date(1.6e12 + random() * 1e11).toISOString();
      return fileNode(`file ${String(from + i).padStart(8, '0')} of a name as people give them.txt`, [contents[which]!], {
        size: size(which),
        mtime: time,
        inode: from + i,
      });
    });
    folders.push(folderNode(`folder ${String(folders.length).padStart(6, '0')}`, forge.tree(files, { compressed: true })));
    if (folders.length % 100 === 0) await forge.store();
  }
  await forge.snapshot(forge.tree(folders, { compressed: true }));
}

describe('very many files', () => {
  test.each([
    ['100,000 in folders of 500', 100_000, 500],
    ['100,000 in one folder', 100_000, 100_000],
  ])('%s need little memory', async (_, count, each) => {
    const dir = scratch('many');
    await forgeFiles(join(dir, 'repository'), count, each);
    const file = join(dir, 'out.zip');
    const { figures, problems, zipBytes, maxMB, seconds } = await exportElsewhere(join(dir, 'repository'), file);
    console.log(`${count} files: ${maxMB.toFixed(0)} MB, ${seconds.toFixed(1)} s`);
    expect({ files: figures.files, problems }).toEqual({ files: count, problems: 0 });
    expect(statSync(file).size).toBe(zipBytes);
    expect(maxMB).toBeLessThan(300);
    await expectSoundZip(file);
    expect((await pythonZip(file, { read: false })).length).toBe(count + Math.ceil(count / each));
  });

  test.each(isLong ? [1_000_000] : [])('%d need no more than 600 MB', async (many) => {
    const dir = scratch('many');
    await forgeFiles(join(dir, 'repository'), many, 1000);
    const file = join(dir, 'out.zip');
    const { figures, problems, maxMB, seconds } = await exportElsewhere(join(dir, 'repository'), file);
    console.log(`1,000,000 files: ${maxMB.toFixed(0)} MB, ${seconds.toFixed(1)} s`);
    expect({ files: figures.files, problems }).toEqual({ files: many, problems: 0 });
    expect(maxMB).toBeLessThan(600);
    await expectSoundZip(file);
  });
});
