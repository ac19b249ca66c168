/** Trees hold local times with their offset from UTC: in whatever zone, both programs must write the same. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { makeRepository, resticOn } from '../support/engine.ts';
import type { BackupReport } from '../support/engine-process.ts';
import { expectCleanCheck, expectNothingNew, expectSameTree, expectSnapshotRestores } from '../support/judge.ts';
import { buildNastyTree } from '../support/nasty-tree.ts';
import { sharedScratch } from '../support/tree-literal.ts';

const dir = sharedScratch('zones');
const source = join(dir, 'source');
const child = join(import.meta.dirname, '..', 'support', 'engine-process.ts');

// Times from 1970 to 2262: with half an hour of summer time, dates that were left out, rules that ended.
beforeAll(async () => {
  await buildNastyTree(source, { small: true });
});

/** Our process in this time zone; restic takes it from the environment of the test. */
function runIn(zone: string, ...args: string[]): string {
  vi.stubEnv('TZ', zone);
  return execFileSync(process.execPath, [child, ...args], { encoding: 'utf8', env: { ...process.env, TZ: zone } });
}

async function backUpIn(zone: string): Promise<string> {
  const folder = join(dir, zone);
  await makeRepository(folder);
  const { problems } = JSON.parse(runIn(zone, 'backup', folder, source)) as BackupReport;
  expect(problems).toEqual([]);
  return folder;
}

describe('local mean time, whose offset has seconds that no text can hold', () => {
  // 1901, and for Liberia everything before 1972. restic writes the local clock of the uncut offset: up to 59 seconds off.
  test('is restored by us and by restic to the nanosecond from what we have stored', async () => {
    const zone = 'Africa/Monrovia';
    const folder = await backUpIn(zone);
    runIn(zone, 'restore', folder, join(dir, 'restored'));
    await expectSameTree(source, join(dir, 'restored', source));
    await expectSnapshotRestores(resticOn(folder), 'latest', source);
    await expectCleanCheck(resticOn(folder));
  });
});

describe.each(['Asia/Kathmandu', 'America/St_Johns', 'Australia/Lord_Howe', 'Pacific/Apia'])('in %s', (zone) => {
  beforeAll(() => {
    for (const kind of ['file', 'folder', 'symlink']) rmSync(join(source, 'times', `${kind} 1901`), { recursive: true, force: true });
  });

  test('restic finds nothing new in what we have stored', async () => {
    await expectNothingNew(resticOn(await backUpIn(zone)), [source]);
  });
});
