/**
 * Real processes killed in the middle of repairs, on a real folder: nothing that could be had before is given up, and the next
 * repair completes the work, whatever the killed one has left.
 */
import { spawn } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { executeForget, planForget } from '../../src/engine/forget.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { expectNothingGivenUp } from '../support/had.ts';
import { Restic } from '../support/restic.ts';
import { seededRandom } from '../support/seeded.ts';
import { scratch, sharedScratch } from '../support/tree-literal.ts';
import { open, password, writeToDisk } from '../engine/check-fixture.ts';
import { codesOf, cut, filesOf, flip, had, lose, makeBase, packFile, packsWith, repairIndex, run } from '../engine/repair/fixture.ts';

const kills = process.env['HOLDFAST_LONG'] === '1' ? 60 : 5;
const random = seededRandom(77);
const program = join(import.meta.dirname, '../support/repair-process.ts');
const folders = sharedScratch('repair-kill');
const sourceFolder = sharedScratch('repair-kill-source');
const verbs = ['index', 'packs', 'snapshots', 'recover'] as const;

beforeAll(async () => {
  const whole = new MemoryStorage();
  const ids = await makeBase(whole, sourceFolder);
  const [data, trees] = [await packsWith(whole, 'data'), await packsWith(whole, 'tree')];

  const index = whole.clone();
  for (const file of (await filesOf(index, 'index')).slice(1)) lose(index, file);
  lose(index, packFile(data[0]!.name));
  await writeToDisk(index, join(folders, 'index'));

  const packs = whole.clone();
  data.forEach(({ name, places }, i) => i % 2 === 0 && flip(packs, packFile(name), places.at(-1)!.offset + 17));
  for (const { name, places } of trees) cut(packs, packFile(name), places.at(-1)!.offset + places.at(-1)!.length);
  await writeToDisk(packs, join(folders, 'packs'));

  const snapshots = whole.clone();
  for (const { name } of data) lose(snapshots, packFile(name));
  await repairIndex(snapshots);
  await writeToDisk(snapshots, join(folders, 'snapshots'));

  const orphans = whole.clone();
  const repository = await open(orphans);
  await executeForget(repository, await planForget(repository, { snapshots: ids, force: true }), run());
  await writeToDisk(orphans, join(folders, 'recover'));
});

/** Runs a repair; `killAfter` it has begun, in milliseconds, it is killed. Resolves to how long it took. */
async function repair(folder: string, verb: string, keepIn: string, killAfter?: number): Promise<{ ms: number; done: boolean }> {
  const child = spawn(process.execPath, [program, folder, password, verb, keepIn], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const begun = new Promise<void>((resolve) => {
    child.stdout.on('data', (piece: Buffer) => {
      text += piece.toString();
      resolve();
    });
    child.stderr.on('data', (piece: Buffer) => (text += piece.toString()));
    child.on('close', () => resolve());
  });
  const ended = new Promise<void>((resolve) => void child.on('close', () => resolve()));
  await begun;
  const start = systemClock.monotonic();
  if (killAfter !== undefined) {
    await systemClock.sleep(killAfter);
    child.kill('SIGKILL');
  }
  await ended;
  const done = text === 'ready\ndone\n';
  if (!done) expect(text).toBe('ready\n');
  return { ms: systemClock.monotonic() - start, done };
}

test.each(verbs)(
  `repair of %s killed ${kills} times at any moment, each time on what the last one left, is completed by the next`,
  async (verb) => {
    const start = join(folders, verb);
    const before = await had(new LocalStorage(start));
    const whole = scratch('whole');
    cpSync(start, whole, { recursive: true });
    const { ms, done } = await repair(whole, verb, scratch('kept'));
    expect(done).toBe(true);
    const expected = await codesOf(new LocalStorage(whole));

    let [folder, keepIn] = ['', ''];
    let killed = 0;
    for (let round = 0; killed < kills && round < kills * 4; round++) {
      if (round % 3 === 0) {
        [folder, keepIn] = [scratch('killed'), scratch('kept')];
        cpSync(start, folder, { recursive: true });
      }
      if (!(await repair(folder, verb, keepIn, random() * ms)).done) killed += 1;
      const state = new LocalStorage(folder);
      if (verb !== 'snapshots') expectNothingGivenUp(before, await had(state));
      else await expectStandIns(before, state);
      if (round % 3 !== 2) continue;
      expect((await repair(folder, verb, keepIn)).done).toBe(true);
      expect(await codesOf(state)).toEqual(expected);
      const { stdout, stderr } = await new Restic(folder, password).check({ readData: true });
      if (expected.length === 0) expect(`${stdout}${stderr}`).toContain('no errors were found');
    }
    expect(killed).toBeGreaterThan(0);
  },
);

/** Every snapshot of before is there, or one that stands for it and gives the same. */
async function expectStandIns(before: Awaited<ReturnType<typeof had>>, storage: LocalStorage): Promise<void> {
  const after = await had(storage);
  const standIns = new Map((await (await open(storage)).snapshots()).map(({ id, original }) => [original, id]));
  for (const [id, content] of before) {
    const now = after.get(id) ?? after.get(standIns.get(id) ?? '');
    for (const [path, what] of content) expect(now?.get(path), path).toBe(what);
  }
}
