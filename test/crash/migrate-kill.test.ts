/**
 * A real process killed in the middle of a migration, again and again: 12 times in `npm test`, 120 times in `npm run test:crash`. After
 * each kill the repository opens in its old version or the new one, restic finds nothing wrong, and the same again completes it.
 */
import { spawn } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { executeMigrate, openForMigration } from '../../src/engine/migrate/migrate.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { openRepository, password, resticOn, runOptions } from '../support/engine.ts';
import { hasty } from '../support/hostile.ts';
import { expectCleanCheck } from '../support/judge.ts';
import { seededRandom } from '../support/seeded.ts';
import { scratch, tree } from '../support/tree-literal.ts';
import { makeVersion1 } from '../support/version-1.ts';
import { expectWhole } from '../support/whole-repository.ts';

const kills = process.env['HOLDFAST_LONG'] === '1' ? 120 : 12;
const random = seededRandom(21);
const program = join(import.meta.dirname, '../support/engine-process.ts');

const configFiles = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith('config'));

test(`a migration killed ${kills} times at any moment leaves a repository that opens, and the same again completes it`, async () => {
  const place = scratch('migrate-kill');
  const [folder, copies] = [join(place, 'repository'), join(place, 'copies')];
  const source = tree(join(place, 'source'), { 'a.txt': 'alpha', docs: { 'b.txt': 'beta' } });
  await makeVersion1(folder, [source]);
  const config = readFileSync(join(folder, 'config'));
  const { snapshots } = await expectWhole(new LocalStorage(folder));

  /** Runs a migration and kills it after about `ms` milliseconds, `late` when the new config is being written, or not at all (`never`). */
  const run = async (moment: number | 'late' | 'never'): Promise<{ done: boolean; took: number }> => {
    const child = spawn(process.execPath, [program, 'migrate', folder, copies], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    child.stdout.on('data', (piece: Buffer) => {
      text += piece.toString();
      if (text.includes('ready')) resolve();
    });
    const closed = new Promise<void>((end) => child.on('close', () => (resolve(), end())));
    await ready;
    const began = systemClock.monotonic();
    if (moment === 'late') while (configFiles(folder).length === 1 && child.exitCode === null) await systemClock.sleep(0);
    else if (moment !== 'never') await systemClock.sleep(moment);
    if (moment !== 'never') child.kill('SIGKILL');
    await closed;
    return { done: text.includes('done'), took: systemClock.monotonic() - began };
  };

  let { took: whole } = await run('never');
  const seen = { old: 0, new: 0, litter: 0, copies: 0 };
  for (let round = 0; round < kills || seen.old === 0; round++) {
    // As it was before.
    chmodSync(join(folder, 'config'), 0o600);
    writeFileSync(join(folder, 'config'), config);
    const { done } = await run(round % 3 === 0 ? 'late' : random() * whole);
    // The computer has become faster since it was measured.
    if (done) whole *= 0.8;
    if (configFiles(folder).length > 1) seen.litter += 1;
    if (readdirSync(copies).length > 0) seen.copies += 1;
    const repository = await openForMigration(new LocalStorage(folder), password, join(place, 'no copies'));
    seen[repository.config.version === 1 ? 'old' : 'new'] += 1;
    if (done) expect(repository.config.version).toBe(2);
    await expectCleanCheck(resticOn(folder), { noLock: true });
    expect((await expectWhole(new LocalStorage(folder))).snapshots).toEqual(snapshots);

    await executeMigrate(await openForMigration(new LocalStorage(folder), password, copies), { ...runOptions(hasty), copies });
    expect((await openRepository(folder)).config.version).toBe(2);
    expect(readdirSync(copies)).toEqual([]);
    expect(readdirSync(join(folder, 'locks'))).toEqual([]);
  }
  await expectCleanCheck(resticOn(folder));
});
