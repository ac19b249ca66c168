import { linkSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type OverwritePolicy, overwritePolicies } from '../../../src/engine/restore/policy.ts';
import { RunControl } from '../../../src/platform/cancellation.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import type { Range, StoredFile } from '../../../src/storage/storage.ts';
import { backup, makeRepository, openRepository, restore } from '../../support/engine.ts';
import { type EntryFacts, factsOf } from '../../support/file-facts.ts';
import { expectSameTree } from '../../support/judge.ts';
import { beginRestoring } from '../../support/restoring.ts';
import { seededBytes, seededRandom } from '../../support/seeded.ts';
import { scratch, sharedScratch, symlink, tree } from '../../support/tree-literal.ts';

/** Calls back before each read of a pack. */
class WatchedStorage extends MemoryStorage {
  onRead: () => void = () => {};

  override async load(file: StoredFile, range?: Range): Promise<Uint8Array> {
    if (file.kind === 'pack') this.onRead();
    return super.load(file, range);
  }
}

const random = seededRandom(5);
const dir = sharedScratch('resume');
const source = join(dir, 'source');
/** Where it comes to below a target. */
const placeIn = (target: string): string => join(target, source);
let storage: WatchedStorage;
let repository: Repository;
let wanted: ReadonlyMap<string, EntryFacts>;
let reads = 0;

beforeAll(async () => {
  const small = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}.txt`, seededBytes(random, 1 + (i % 900))]));
  tree(source, {
    small: small(300),
    deep: { deeper: { files: small(40), 'large.bin': seededBytes(random, 5 << 20) }, 'empty.txt': '' },
    'large.bin': seededBytes(random, 6 << 20),
    link: symlink('deep'),
  });
  mkdirSync(join(source, 'links'));
  for (let i = 0; i < 40; i++) linkSync(join(source, 'small', `${i % 4}.txt`), join(source, 'links', `${i}`));
  linkSync(join(source, 'large.bin'), join(source, 'links', 'large'));
  storage = new WatchedStorage();
  repository = await makeRepository(storage);
  await backup(repository, source, { packSize: 256 << 10 });
  wanted = factsOf(source);
  storage.onRead = () => (reads += 1);
  await restore(repository, join(dir, 'measured'));
  await expectSameTree(source, placeIn(join(dir, 'measured')));
});

/** Whatever stands under a name that means something is whole, and nothing else but parts is there. */
function expectOnlyWhole(target: string, options: { parts: boolean }): void {
  mkdirSync(placeIn(target), { recursive: true });
  for (const [name, { kind, content }] of factsOf(placeIn(target))) {
    const shouldBe = wanted.get(name);
    if (/(^|\/)\.holdfast-.*\.part$/.test(name)) expect(options.parts, name).toBe(true);
    else expect({ name, kind, content }).toEqual({ name, kind: shouldBe?.kind, content: shouldBe?.content });
  }
}

/** Restores until read number `moment`, and cancels there. */
async function cutOff(target: string, moment: number, overwrite: OverwritePolicy = 'always'): Promise<void> {
  const control = new RunControl();
  let left = moment;
  storage.onRead = () => {
    left -= 1;
    if (left === 0) control.cancel();
  };
  await expect(restore(repository, target, { control, overwrite, segmentFiles: 64 })).rejects.toMatchObject({ code: 'cancelled' });
  storage.onRead = () => {};
}

const filesOf = (facts: ReadonlyMap<string, EntryFacts>): Map<string, EntryFacts> =>
  new Map([...facts].filter(([, { kind }]) => kind === 'file'));

describe('a restore that is cancelled', () => {
  test('at any moment leaves whole files and no part, and the next one goes on from there', async () => {
    for (let step = 0; step < 8; step++) {
      const target = join(scratch('resume'), 'target');
      await cutOff(target, 2 + Math.floor(random() * (reads - 2)));
      expectOnlyWhole(target, { parts: false });
      const before = filesOf(factsOf(placeIn(target)));
      const { problems, figures } = await restore(repository, target, { verify: true });
      expect(problems).toEqual([]);
      await expectSameTree(source, placeIn(target));
      expect(figures.replace).toBe(0);
      // Nothing that was there is written again. (A further name changes when its file was changed, not what it is.)
      const after = factsOf(placeIn(target));
      for (const [name, { inode, mtimeNs }] of before)
        expect({ name, inode, mtimeNs }).toEqual({ name, inode: after.get(name)!.inode, mtimeNs: after.get(name)!.mtimeNs });
    }
  });

  test.each(overwritePolicies)('can be finished with --overwrite %s too', async (overwrite) => {
    const target = join(scratch('resume'), 'target');
    await cutOff(target, Math.floor(reads * 0.6));
    const { problems, figures } = await restore(repository, target, { overwrite, verify: true });
    expect(problems).toEqual([]);
    expect(figures).toMatchObject({ replace: 0, beside: 0 });
    await expectSameTree(source, placeIn(target));
  });

  test('over other files has replaced each of them or left it, and never lost one', async () => {
    const target = join(scratch('resume'), 'target');
    await restore(repository, target);
    tree(join(placeIn(target), 'small'), Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`${i}.txt`, `mine ${i}`])));
    tree(placeIn(target), { 'large.bin': 'mine' });
    const mine = factsOf(placeIn(target));
    await cutOff(target, Math.floor(reads * 0.7));
    const found = factsOf(placeIn(target));
    for (const [name, { content }] of wanted) expect([content, mine.get(name)!.content], name).toContain(found.get(name)?.content);
    expect([...found.keys()].filter((name) => !wanted.has(name))).toEqual([]);
    expect((await restore(repository, target)).problems).toEqual([]);
    await expectSameTree(source, placeIn(target));
  });
});

/** System calls between which a file is made, written, described and named. */
const calls = ['rename', 'rename', 'pwrite64', 'chmod', 'utimensat', 'link', 'mkdir', 'unlink'] as const;

describe('a restore that is killed', () => {
  test('at any moment leaves whole files and parts, which the next one takes away, under any policy', async () => {
    const folder = join(dir, 'repository');
    const local = await makeRepository(folder);
    await backup(local, source, { packSize: 256 << 10 });
    let [killed, parts] = [0, 0];
    for (const [i, call] of calls.entries()) {
      const target = join(scratch('killed'), 'target');
      const moment = 1 + Math.floor(random() * (call === 'link' || call === 'mkdir' ? 8 : 60));
      const under = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${moment}`];
      const report = await beginRestoring(folder, { target, segmentFiles: 64 }, { under }).report.catch(() => undefined);
      if (!report) killed += 1;
      expectOnlyWhole(target, { parts: true });
      parts += readdirSync(target, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.part')).length;
      // The lock of the killed process is stale, and shared.
      const overwrite = overwritePolicies[i % overwritePolicies.length]!;
      const { problems } = await restore(await openRepository(folder), target, { overwrite });
      expect(problems, `${overwrite} after ${call} ${moment}`).toEqual([]);
      expectOnlyWhole(target, { parts: false });
      await expectSameTree(source, placeIn(target));
    }
    expect(killed).toBeGreaterThan(calls.length / 2);
    expect(parts).toBeGreaterThan(0);
  });
});
