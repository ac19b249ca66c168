/** A million entries: what diff, find and stats need for them. Each runs in a process of its own, whose highest use of memory is looked at. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeRepository } from '../support/engine.ts';
import { Forge } from '../support/forge.ts';
import { manyEntries } from '../support/many-entries.ts';
import type { ReadingReport } from '../support/reading-process.ts';
import { sharedScratch } from '../support/tree-literal.ts';

const program = fileURLToPath(new URL('../support/reading-process.ts', import.meta.url));
const folder = join(sharedScratch('many'), 'repository');
/** Node, two workers and the index of 1.2 million blobs take most of it. */
const boundedMB = 400;

const folders = 500;
const files = 2000;
const fifth = folders / 5;
let snapshots: { first: string; second: string };

async function run(...args: readonly string[]): Promise<ReadingReport> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, folder, ...args], { maxBuffer: 1 << 26 });
  return JSON.parse(stdout) as ReadingReport;
}

beforeAll(async () => {
  snapshots = await manyEntries(new Forge(await makeRepository(folder)), { folders, files });
});

describe('a million entries', () => {
  test('are compared with a million others, of which many are gone, new or moved', async () => {
    const { told, maxMB } = await run('diff', snapshots.first, snapshots.second);
    const { entries, blobs, changes } = told as {
      changes: number;
      entries: Record<string, Record<string, number>>;
      blobs: Record<string, Record<string, number>>;
    };
    const each = fifth * files;
    expect(entries.moved).toMatchObject({ files: 2 * each, folders: fifth });
    expect(entries.added).toMatchObject({ files: each + fifth, folders: 2 * fifth });
    expect(entries.removed).toMatchObject({ files: 2 * each, folders: 3 * fifth });
    expect(changes).toBe(fifth + each + (each + 3 * fifth) + (2 * each + 3 * fifth));
    expect(blobs.first).toMatchObject({ dataBlobs: 2 * each });
    expect(blobs.second).toMatchObject({ dataBlobs: each });
    expect(maxMB).toBeLessThan(boundedMB);
  });

  test('are searched, in both snapshots', async () => {
    const { told, maxMB } = await run('find', 'file 001???.*');
    expect(told).toMatchObject({ hits: (folders + 4 * fifth) * 1000, snapshots: 2, problems: 0 });
    expect(maxMB).toBeLessThan(boundedMB);
  });

  test('are measured and divided', async () => {
    const { told, maxMB } = await run('stats');
    expect(told).toMatchObject({
      total: { files: (folders + 4 * fifth) * files + fifth },
      files: 4 * fifth * files + fifth,
      raw: { blobs: (folders + fifth) * files + folders + 2 * fifth + 4 },
    });
    expect(maxMB).toBeLessThan(boundedMB);
  });

  test('are counted by path and content', async () => {
    const { told, maxMB } = await run('stats', 'blobs-per-file');
    expect(told).toMatchObject({ files: (folders + fifth) * files, blobs: (folders + fifth) * files });
    expect(maxMB).toBeLessThan(boundedMB);
  });
});
