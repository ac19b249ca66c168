/** A healing whose process is killed at any moment: the next one completes it, and nothing is worse than before. */
import { spawn } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAllHealed } from '../../src/engine/heal/request.ts';
import { executeHeal } from '../../src/engine/heal/heal.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { openRepository, resticOn, runOptions } from '../support/engine.ts';
import { expectCleanCheck } from '../support/judge.ts';
import { seededRandom } from '../support/seeded.ts';
import { scratch } from '../support/tree-literal.ts';
import { writeToDisk } from '../engine/check-fixture.ts';
import { expectHealed, pairOf } from '../engine/heal/healing.ts';

const kills = process.env['HOLDFAST_LONG'] === '1' ? 40 : 4;
const program = join(import.meta.dirname, '../support/heal-process.ts');

/** Kills the process so many milliseconds after it is ready; resolves to whether it came to its end before. */
function killed(args: readonly string[], afterMs: number): Promise<boolean> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let isDone = false;
  child.stdout.on('data', (text: Buffer) => {
    isDone ||= text.includes('done');
    if (text.includes('ready')) void systemClock.sleep(afterMs).then(() => child.kill('SIGKILL'));
  });
  return new Promise((resolve) => child.on('close', () => resolve(isDone)));
}

test('killed at any moment it gives nothing up, and the next one completes it', async () => {
  const folder = scratch('heal-kill');
  const pair = await pairOf(join(folder, 'files'));
  const damaged = pair.first.clone();
  const packs = damaged.files().filter(({ kind }) => kind === 'pack');
  packs.forEach((file, i) => {
    if (i % 3 === 0) damaged.tamper(file, () => undefined);
    else if (i % 3 === 1) damaged.tamper(file, (bytes) => bytes.slice(0, bytes.length / 2));
  });
  const base = await writeToDisk(damaged, join(folder, 'damaged'));
  const from = await writeToDisk(pair.second, join(folder, 'from'));
  const random = seededRandom(5);
  for (let i = 0; i < kills; i++) {
    const place = join(folder, `at ${i}`);
    cpSync(base, place, { recursive: true });
    for (let tries = 0; tries < 3; tries++) await killed([place, from, join(folder, 'kept')], 30 + random() * 900);
    const other = { name: 'other', open: () => openRepository(from) };
    const options = { ...runOptions(), packSize: 24 << 10, keepIn: join(folder, 'kept') };
    expect(isAllHealed(await executeHeal(await openRepository(place), { others: [other] }, options))).toBe(true);
    await expectHealed(new LocalStorage(place), pair);
    await expectCleanCheck(resticOn(place));
  }
});
