/**
 * Real processes killed in the middle of a copy and of a move: a few times in `npm test`, 60 times in `npm run test:crash`. After
 * each kill the repositories are whole, and the next run carries on.
 */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { LocalStorage } from '../../src/storage/local.ts';
import { backup, makeRepository, resticOn } from '../support/engine.ts';
import { expectCleanCheck } from '../support/judge.ts';
import { seededBytes, seededRandom } from '../support/seeded.ts';
import { scratch, sharedScratch, tree } from '../support/tree-literal.ts';
import { refuseUnhandledRejections } from '../support/unhandled.ts';
import { expectWhole, type SnapshotContent } from '../support/whole-repository.ts';
import type { Word } from './copy-process.ts';

refuseUnhandledRejections();

const kills = process.env['HOLDFAST_LONG'] === '1' ? 60 : 6;
const random = seededRandom(21);
const [isOpen, isDone]: readonly Word[] = ['ready', 'done'];
const program = join(import.meta.dirname, 'copy-process.ts');
const place = sharedScratch('copy-kill');
const source = join(place, 'source');
let polynomial: string;
let content: SnapshotContent[];

const contentsOf = async (folder: string): Promise<SnapshotContent[]> => [
  ...(await expectWhole(new LocalStorage(folder))).snapshots.values(),
];

beforeAll(async () => {
  const repository = await makeRepository(source);
  polynomial = repository.config.chunker_polynomial;
  for (let n = 0; n < 3; n++) {
    const files = tree(join(place, 'files'), { [`large ${n}`]: seededBytes(random, 5_000_000), 'last.txt': `${n}` });
    await backup(repository, files, { packSize: 1 << 20 });
  }
  content = await contentsOf(source);
});

/** Runs the process; with `killAfter`, kills it so many milliseconds after it was ready. Returns whether it came to its end. */
async function run(verb: 'copy' | 'move', from: string, to: string, killAfter?: number): Promise<{ done: boolean; ms: number }> {
  const child = spawn(process.execPath, [program, verb, from, to], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const hear = (piece: Buffer): void => {
    text += piece.toString();
    if (text.includes(isOpen!)) resolve();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const ended = new Promise<void>((done) => void child.on('close', () => done()));
  await Promise.race([ready, ended]);
  const began = systemClock.monotonic();
  if (killAfter !== undefined) {
    await systemClock.sleep(killAfter);
    child.kill('SIGKILL');
  }
  await ended;
  if (killAfter === undefined && !text.includes(isDone!)) throw new Error(`the ${verb} failed:\n${text}`);
  return { done: text.includes(isDone!), ms: systemClock.monotonic() - began };
}

/** A lock file that was half written when its process was killed is none; it is tidied up a day later. */
const locksIn = (folder: string): string[] => readdirSync(join(folder, 'locks')).filter((name) => !name.includes('-tmp-'));

const sorted = (contents: readonly SnapshotContent[]): string[] => contents.map((one) => JSON.stringify([...one])).sort();

test(`a copy killed ${kills} times harms nothing, and the next one carries on`, async () => {
  const fresh = async (): Promise<string> => {
    const folder = join(scratch('copy-killed'), 'target');
    await makeRepository(folder, { polynomial });
    return folder;
  };
  let { ms } = await run('copy', source, await fresh());
  let interrupted = 0;
  let target = await fresh();
  for (let i = 0; i < kills || interrupted <= kills / 3; i++) {
    const { done } = await run('copy', source, target, random() * ms);
    if (!done) interrupted += 1;
    // The computer has become faster since it was measured.
    else ms *= 0.8;
    await expectCleanCheck(resticOn(target), { noLock: true, unindexedPacks: true });
    const copied = sorted(await contentsOf(target));
    expect(sorted(content)).toEqual(expect.arrayContaining(copied));
    // Two kills on the same target, then it is finished.
    if (i % 2 === 0) continue;
    await run('copy', source, target);
    expect(sorted(await contentsOf(target))).toEqual(sorted(content));
    await expectCleanCheck(resticOn(target));
    expect(locksIn(target)).toEqual([]);
    target = await fresh();
  }
  expect(locksIn(source).length).toBeLessThanOrEqual(1);
});

test(`a move killed ${kills} times leaves the old or the new place complete, and the next one carries on`, async () => {
  const [from, to] = [join(place, 'old'), join(place, 'new')];
  const begin = (): void => {
    for (const folder of [from, to]) rmSync(folder, { recursive: true, force: true });
    cpSync(source, from, { recursive: true });
    rmSync(join(from, 'locks'), { recursive: true });
    mkdirSync(join(from, 'locks'));
  };
  begin();
  let { ms } = await run('move', from, to);
  let interrupted = 0;
  for (let i = 0; i < kills || interrupted <= kills / 3; i++) {
    begin();
    const { done } = await run('move', from, to, random() * ms);
    if (!done) interrupted += 1;
    // The computer has become faster since it was measured.
    else ms *= 0.8;
    const complete = existsSync(join(to, 'config')) ? to : from;
    expect(sorted(await contentsOf(complete))).toEqual(sorted(content));
    if (existsSync(join(from, 'config'))) await run('move', from, to);
    await expectCleanCheck(resticOn(to), { noLock: true });
    expect(sorted(await contentsOf(to))).toEqual(sorted(content));
    expect(existsSync(join(from, 'config'))).toBe(false);
  }
});
