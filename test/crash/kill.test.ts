/**
 * A real process killed in the middle of a backup, again and again, on one repository: 20 times in `npm test`, 200 times in
 * `npm run test:crash`. After each kill restic finds nothing wrong, every finished snapshot restores, and the next run carries on.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { contentOf } from '../support/content-of.ts';
import { makeRepository, openRepository, resticOn, restore } from '../support/engine.ts';
import { hasty } from '../support/hostile.ts';
import { expectCleanCheck } from '../support/judge.ts';
import { seededBytes, seededRandom } from '../support/seeded.ts';
import { scratch, tree } from '../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../support/unhandled.ts';
import type { SnapshotContent } from '../support/whole-repository.ts';
import type { Line } from './backup-process.ts';

refuseUnhandledRejections();

const kills = process.env['HOLDFAST_LONG'] === '1' ? 200 : 20;
/** The same moments and contents in every run of the test, as far as the machine allows. */
const random = seededRandom(20);
const program = join(import.meta.dirname, 'backup-process.ts');
/** After so many rounds restic thins the repository out, so that it does not grow with the rounds. */
const roundsBetweenPrunes = 4;

const allFiles = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' });
const packsIn = (folder: string): number => allFiles(join(folder, 'data')).filter((name) => /[0-9a-f]{64}$/.test(name)).length;
const leftovers = (folder: string): string[] => allFiles(folder).filter((name) => name.includes('-tmp-'));
const locksIn = (folder: string): string[] => readdirSync(join(folder, 'locks'));

interface Run {
  readonly child: ChildProcess;
  /** Resolves when the repository is open. */
  readonly opened: Promise<void>;
  /** Everything that the process printed, once it has ended. */
  readonly output: Promise<string>;
}

function start(repository: string, source: string): Run {
  const child = spawn(process.execPath, [program, repository, source], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const { promise: opened, resolve } = Promise.withResolvers<void>();
  const hear = (piece: Buffer): void => {
    text += piece.toString();
    if (text.includes(ready)) resolve();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const output = new Promise<string>((done) => {
    child.on('close', () => {
      resolve();
      done(text);
    });
  });
  return { child, opened, output };
}

const ready: Line = 'ready';
const finished = /^done ([0-9a-f]{64}) (\d+)$/m;

test(`a backup killed ${kills} times at any moment harms no finished snapshot, and the next run carries on`, async () => {
  const place = scratch('kill');
  const [folder, source] = [join(place, 'repository'), join(place, 'source')];
  await makeRepository(folder);
  const judge = resticOn(folder);
  const expected = new Map<string, SnapshotContent>();

  /** New bytes in some files, of which one becomes several packs. */
  const change = (round: number): void => {
    const few = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`${i}.bin`, seededBytes(random, 20_000 + Math.floor(random() * 60_000))]),
    );
    tree(source, {
      [`folder ${round % 3}`]: few,
      [`large ${round % 2}.bin`]: seededBytes(random, 9_000_000),
      'last.txt': `round ${round}`,
    });
  };

  /** Runs a backup to its end. Returns how long it took after it was ready, in milliseconds. */
  const complete = async (): Promise<{ ms: number; adopted: number }> => {
    const run = start(folder, source);
    await run.opened;
    const began = systemClock.monotonic();
    const output = await run.output;
    const ms = systemClock.monotonic() - began;
    const [, snapshot, adopted] = finished.exec(output) ?? expect.fail(`the backup failed:\n${output}`);
    expected.set(snapshot!, contentOf(source));
    return { ms, adopted: Number(adopted) };
  };

  change(0);
  let { ms } = await complete();
  let [killed, afterNewPack, adoptedPacks, abandonedLocks, litter] = [0, 0, 0, 0, 0];
  for (let round = 1; killed < kills; round++) {
    change(round);
    const packsBefore = packsIn(folder);
    const run = start(folder, source);
    await run.opened;
    // Most moments are spread over the whole run, some only over the part in which packs are stored.
    const isLate = round % 3 === 0;
    while (isLate && packsIn(folder) === packsBefore && run.child.exitCode === null) await systemClock.sleep(1);
    await systemClock.sleep(random() * ms * (isLate ? 0.5 : 1));
    run.child.kill('SIGKILL');
    const output = await run.output;
    const done = finished.exec(output);
    if (run.child.signalCode === 'SIGKILL') killed += 1;
    // It was killed between its last word and its end, or it was faster than the moment.
    if (done) expected.set(done[1]!, contentOf(source));
    else expect(output).toBe(`${ready}\n`);
    if (packsIn(folder) > packsBefore) afterNewPack += 1;
    abandonedLocks += locksIn(folder).length;
    litter += leftovers(folder).length;

    await expectCleanCheck(judge, { noLock: true, unindexedPacks: true });
    const repository = await openRepository(folder);
    const snapshots = await repository.snapshots();
    // A snapshot that was finished just before the kill may be there although nobody was told.
    const untold = snapshots.filter(({ id }) => !expected.has(id));
    expect(untold.length).toBeLessThanOrEqual(done ? 0 : 1);
    for (const { id } of untold) expected.set(id, contentOf(source));
    expect(snapshots.length).toBe(expected.size);
    for (const [id, content] of expected) {
      const target = mkdtempSync(join(place, 'restored-'));
      const { problems } = await restore(repository, target, { ...hasty, snapshot: id });
      expect(problems).toEqual([]);
      expect(contentOf(join(target, source), target)).toEqual(content);
      rmSync(target, { recursive: true });
    }

    // A day later.
    for (const name of leftovers(folder)) utimesSync(join(folder, name), 0, 0);
    const next = await complete();
    ms = next.ms > ms ? next.ms : (next.ms + ms) / 2;
    adoptedPacks += next.adopted;
    expect(locksIn(folder)).toEqual([]);
    expect(leftovers(folder)).toEqual([]);

    if (round % roundsBetweenPrunes !== 0) continue;
    await judge.forget(['--keep-last', '2', '--prune', '--max-unused', '0']);
    const kept = new Set((await judge.snapshots()).map(({ id }) => id));
    for (const id of expected.keys()) if (!kept.has(id)) expected.delete(id);
    expect(expected.size).toBe(2);
  }

  expect(afterNewPack).toBeGreaterThanOrEqual(kills / 3);
  expect(adoptedPacks).toBeGreaterThan(0);
  expect(abandonedLocks).toBeGreaterThan(kills / 3);
  expect(litter, 'half-written files, without which their removal is not proved').toBeGreaterThan(0);
  await expectCleanCheck(judge);
});
