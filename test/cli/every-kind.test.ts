/**
 * Every verb that works on a repository, on every kind of place: what one kind of server does differently (a listing, a range, a
 * file that is replaced or refused) shows in the verb that needs it. restic judges what is left.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, describe, expect, test } from 'vitest';
import { makeProgram } from '../../src/cli/program.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { credentialsFrom } from '../../src/storage/credentials.ts';
import { openPlace } from '../../src/storage/place.ts';
import type { FileKind } from '../../src/storage/storage.ts';
import { Cli, quickKeyAt, quickRepositoryAt } from '../support/cli.ts';
import { summaryOf } from '../support/cli-ready.ts';
import { expectSameTree } from '../support/judge.ts';
import { allKinds, type StartedKind } from '../support/kinds.ts';
import { jsonLines, Restic } from '../support/restic.ts';
import { seededBytes, seededRandom } from '../support/seeded.ts';
import { sharedScratch, tree } from '../support/tree-literal.ts';

/** These work on the service or on nothing, not on a repository that is named. */
const elsewhere = new Set([
  'catalogue',
  'completion',
  'destination',
  'history',
  'login',
  'man',
  'pause',
  'plan',
  'prices',
  'protected',
  'recovery',
  'resume',
  'run',
  'search',
  'serve',
  'service',
  'settings',
  'status',
  'usage',
  'version',
]);

/** `key add`, `backup`, …: what can be called. */
function verbsOf(command: Command, above = ''): string[] {
  return command.commands.flatMap((each) => {
    const name = `${above}${each.name()}`;
    return each.commands.length > 0 ? verbsOf(each, `${name} `) : [name];
  });
}

const password = 'correct horse';

const bytes = (seed: number, length: number): Buffer => seededBytes(seededRandom(seed), length);

/** Runs verbs on repositories of one kind, and notes which. */
class Walk {
  readonly verbs = new Set<string>();
  readonly folder: string;
  readonly kind: StartedKind;
  readonly env: Readonly<Record<string, string>>;

  constructor(folder: string, kind: StartedKind) {
    this.folder = folder;
    this.kind = kind;
    this.env = { ...kind.env, XDG_DATA_HOME: join(folder, 'data'), HOLDFAST_CACHE_FOLDER: join(folder, 'cache') };
  }

  /** A place of this kind, or another, on which `verb` must end with `code`. */
  async run(
    place: string,
    verb: string,
    args: readonly string[] = [],
    code = 0,
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    this.verbs.add(verb);
    const result = await new Cli(place, password).run([...(verb === 'dump' ? [] : ['--json']), ...verb.split(' '), ...args], {
      env: { ...this.env, ...env },
    });
    expect({ verb, code: result.code, said: result.code === code ? '' : result.stdout + result.stderr }).toEqual({ verb, code, said: '' });
    return result.stdout;
  }

  async judged(place: string, ...args: string[]): Promise<string> {
    const { resticPlace, env } = this.kind;
    if (!resticPlace) return '';
    return (await new Restic(resticPlace(place), password).must(args, { env })).stdout;
  }

  /** Removes the smallest or the largest file of a kind: what the server itself may have lost. */
  async lose(place: string, kind: FileKind, which: 'smallest' | 'largest'): Promise<void> {
    const storage = await openPlace(place, { clock: systemClock, credentials: credentialsFrom(this.env, undefined) });
    const files: { name: string; size: number }[] = [];
    for await (const file of storage.list(kind)) files.push(file);
    files.sort((a, b) => a.size - b.size);
    await storage.remove({ kind, name: files.at(which === 'smallest' ? 0 : -1)!.name });
    await storage.close();
  }
}

const scratch = sharedScratch('every-kind');
const stops: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(stops.map((stop) => stop())));

const lines = (stdout: string, type: string): Record<string, unknown>[] => jsonLines(stdout).filter((line) => line['type'] === type);

/** A second server of a kind that is walked already: at full length only. */
const furtherServers = new Set(['an SSH server without extensions', 'WebDAV (rclone)']);
const kinds = Object.entries(allKinds).filter(([name]) => process.env['HOLDFAST_LONG'] === '1' || !furtherServers.has(name));

describe.concurrent('all verbs of the command line do their work', () => {
  test.each(kinds)('on %s', async (name, start) => {
    const folder = join(scratch, name.replaceAll(/\W/g, '-'));
    mkdirSync(folder);
    const kind = await start(folder);
    stops.push(() => kind.stop());
    const walk = new Walk(folder, kind);
    const place = kind.place('first');
    const src = tree(join(folder, 'src'), { a: bytes(1, 700_000), b: { c: 'hello', d: bytes(2, 100_000) } });
    await quickRepositoryAt(place, kind.env, password);
    await fill(walk, place, src);
    await look(walk, place, src);
    await getBack(walk, place, src);
    await changeSnapshots(walk, place, src);
    await changeKeys(walk, place);
    await copyBothWays(walk, place, src);
    await thinOut(walk, place, src);
    await repair(walk, place, src);
    await moveOn(walk, place, src);
    const all = verbsOf(await makeProgram(async () => {})).filter((verb) => !elsewhere.has(verb.split(' ')[0]!));
    expect([...walk.verbs].sort()).toEqual(all.sort());
  });
});

async function fill(walk: Walk, place: string, src: string): Promise<void> {
  const fresh = walk.kind.place('fresh');
  await walk.run(fresh, 'init', ['--from-repo', place, '--copy-chunker-params'], 0, { HOLDFAST_FROM_PASSWORD: password });
  expect(summaryOf(await walk.run(place, 'test-connection'))).toMatchObject({ verdict: 'ready', isAppendOnly: false });
  await walk.run(place, 'backup', [src, '--tag', 'one']);
  writeFileSync(join(src, 'a'), bytes(3, 700_000));
  expect(summaryOf(await walk.run(place, 'backup', [src, '--tag', 'two']))).toMatchObject({ files_changed: 1 });
}

async function look(walk: Walk, place: string, src: string): Promise<void> {
  const snapshots = lines(await walk.run(place, 'snapshots'), 'snapshot');
  expect(snapshots).toHaveLength(2);
  expect(lines(await walk.run(place, 'ls', ['latest']), 'entry').map(({ path }) => path)).toContain(`${src}/b/c`);
  expect(await walk.run(place, 'dump', [`latest:${src}/b/c`])).toBe('hello');
  const [first, second] = snapshots.map(({ id }) => String(id));
  expect(lines(await walk.run(place, 'diff', [first!, second!]), 'change')).toMatchObject([{ path: `${src}/a` }]);
  expect(lines(await walk.run(place, 'find', ['c']), 'entry').length).toBeGreaterThan(0);
  await walk.run(place, 'stats');
  expect(summaryOf(await walk.run(place, 'check', ['--read-data']))).toMatchObject({ errors: 0 });
}

async function getBack(walk: Walk, place: string, src: string): Promise<void> {
  const target = join(walk.folder, 'restored');
  await walk.run(place, 'restore', [`latest:${src}`, '--target', target, '--verify']);
  await expectSameTree(src, target);
  writeFileSync(join(target, 'b/c'), 'mine');
  const { undo } = summaryOf(await walk.run(place, 'restore', [`latest:${src}`, '--target', target])) as { undo: { id: string } };
  expect(readFileSync(join(target, 'b/c'), 'utf8')).toBe('hello');
  await walk.run(place, 'restore', ['--undo', undo.id]);
  expect(readFileSync(join(target, 'b/c'), 'utf8')).toBe('mine');
  await walk.run(place, 'mirror', ['--to', join(walk.folder, 'mirror'), '--path', src]);
  await expectSameTree(src, join(walk.folder, 'mirror'));
  const zip = join(walk.folder, 'all.zip');
  await walk.run(place, 'export', [`latest:${src}`, '--output', zip]);
  expect(execFileSync('unzip', ['-p', zip, '*b/c'], { encoding: 'utf8' })).toBe('hello');
}

async function changeSnapshots(walk: Walk, place: string, src: string): Promise<void> {
  await walk.run(place, 'tag', ['latest', '--add', 'kept']);
  await walk.run(place, 'rewrite', ['latest', '--exclude', `${src}/b/d`, '--forget']);
  const [snapshot] = lines(await walk.run(place, 'snapshots', ['--tag', 'two,kept']), 'snapshot');
  expect(snapshot).toBeDefined();
  const paths = lines(await walk.run(place, 'ls', [String(snapshot!['id'])]), 'entry').map(({ path }) => path);
  expect(paths).toContain(`${src}/b/c`);
  expect(paths).not.toContain(`${src}/b/d`);
}

/** Each new key takes a second to make, and half of one to open. */
async function changeKeys(walk: Walk, place: string): Promise<void> {
  const keys = walk.kind.place('other-keys');
  await quickRepositoryAt(keys, walk.kind.env, password);
  const file = join(walk.folder, 'new-password');
  writeFileSync(file, 'battery staple');
  const { added } = summaryOf(await walk.run(keys, 'key add', ['--new-password-file', file])) as { added: string };
  expect(lines(await walk.run(keys, 'key list'), 'key')).toHaveLength(2);
  await walk.run(keys, 'key remove', [added]);
  await walk.run(keys, 'key change', ['--new-password-file', file]);
  await walk.run(keys, 'snapshots', [], 12);
  expect(lines(await walk.run(place, 'key list'), 'key')).toHaveLength(1);
}

async function copyBothWays(walk: Walk, place: string, src: string): Promise<void> {
  const env = { HOLDFAST_FROM_PASSWORD: password };
  const other = new Cli(join(walk.folder, 'other'), password);
  // Cuts files at the same places, so that it can heal.
  await walk.run(other.repository, 'init', ['--from-repo', place, '--copy-chunker-params'], 0, env);
  await quickKeyAt(other.repository, {}, password);
  await walk.run(other.repository, 'copy', ['--from-repo', place], 0, env);
  const restic = new Restic(other.repository, password);
  expect(await restic.snapshots()).toHaveLength(2);
  expect((await restic.check({ readData: true })).code).toBe(0);
  writeFileSync(join(src, 'e'), bytes(4, 50_000));
  await other.must(['backup', src, '--tag', 'three']);
  await walk.run(place, 'copy', ['--from-repo', other.repository], 0, env);
  // What this one then loses, the other still has.
  await walk.lose(place, 'pack', 'largest');
  expect(summaryOf(await walk.run(place, 'heal', ['--from', other.repository], 0, env))).toMatchObject({ unhealed: 0 });
  const target = join(walk.folder, 'copied');
  await walk.run(place, 'restore', [`latest:${src}`, '--target', target, '--verify']);
  await expectSameTree(src, target);
}

async function thinOut(walk: Walk, place: string, src: string): Promise<void> {
  const [first] = lines(await walk.run(place, 'snapshots', ['--tag', 'one']), 'snapshot');
  await walk.run(place, 'forget', [String(first!['id'])]);
  await walk.run(place, 'recover');
  expect(lines(await walk.run(place, 'snapshots', ['--tag', 'recovered']), 'snapshot')).toHaveLength(1);
  const [recovered] = lines(await walk.run(place, 'snapshots', ['--tag', 'recovered']), 'snapshot');
  await walk.run(place, 'forget', [String(recovered!['id']), '--force']);
  await walk.run(place, 'prune', ['--max-unused', '0']);
  await walk.run(place, 'unlock');
  expect(await walk.judged(place, 'check', '--read-data')).toMatch(/^$|no errors were found/m);
  await walk.run(place, 'backup', [src]);
}

/** The server has lost an index file, then a pack. */
async function repair(walk: Walk, place: string, src: string): Promise<void> {
  await walk.lose(place, 'index', 'largest');
  await walk.run(place, 'repair index');
  expect(summaryOf(await walk.run(place, 'check'))).toMatchObject({ errors: 0 });
  await walk.run(place, 'repair packs', ['--damaged']);
  await walk.lose(place, 'pack', 'largest');
  await walk.run(place, 'repair index', [], 3);
  await walk.run(place, 'repair snapshots', ['--forget'], 3);
  await walk.run(place, 'check', ['--read-data']);
  await walk.run(place, 'backup', [src, '--full']);
  await walk.run(place, 'check', ['--read-data']);
}

async function moveOn(walk: Walk, place: string, src: string): Promise<void> {
  await walk.run(place, 'migrate');
  const moved = walk.kind.place('moved');
  await walk.run(place, 'move', ['--to', moved, '--remove-old']);
  await walk.run(place, 'snapshots', [], 10);
  const target = join(walk.folder, 'after-the-move');
  await walk.run(moved, 'restore', [`latest:${src}`, '--target', target, '--verify']);
  await expectSameTree(src, target);
  await walk.judged(moved, 'check', '--read-data');
  expect(await walk.judged(moved, 'snapshots')).toMatch(/^$|snapshots/);
}
