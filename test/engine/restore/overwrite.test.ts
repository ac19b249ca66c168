/** Every kind of entry of a snapshot on every kind of thing that may stand at its place, under every policy. */
import { execFileSync } from 'node:child_process';
import { linkSync, lutimesSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type OverwritePolicy, overwritePolicies } from '../../../src/engine/restore/policy.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { backup, makeRepository, plannedRestore, problemLines, restore } from '../../support/engine.ts';
import { type EntryFacts, factsOf } from '../../support/file-facts.ts';
import { scratch, sharedScratch } from '../../support/tree-literal.ts';

/** Seconds since 1970: when the snapshot's entries were changed. */
const changed = 1_600_000_000;
const older = changed - 1000;
const newer = changed + 1000;

// Several blobs, and no two of them equal.
const multi = Buffer.from(Array.from({ length: 400_000 }, (_, i) => `${i} ${(i * 2654435761) % 4294967296}`).join('\n'));
const contents = { empty: Buffer.alloc(0), small: Buffer.from('from the snapshot'), multi, link: Buffer.from('two names') };

const nodes = ['empty', 'small', 'multi', 'link', 'folder', 'symlink', 'fifo', 'device'] as const;
type NodeKind = (typeof nodes)[number];
const isFile = (node: NodeKind): node is keyof typeof contents => node in contents;

const existings = [
  'nothing',
  'equal',
  'equal but older',
  'same size',
  'same size and time',
  'other size',
  'other size and newer',
  'empty folder',
  'folder',
  'newer folder',
  'link to a file',
  'link to a folder',
  'dangling link',
  'fifo of another time',
  'file with another name',
  'equal file with another name',
] as const;
type Existing = (typeof existings)[number];

/** Makes what the snapshot holds. */
function makeNode(node: NodeKind, path: string): void {
  if (isFile(node)) {
    writeFileSync(path, contents[node]);
    utimesSync(path, changed, changed);
    if (node === 'link') linkSync(path, `${path}, further name`);
  } else if (node === 'folder') {
    mkdirSync(path);
    writeFileSync(join(path, 'inside'), 'inside');
    utimesSync(join(path, 'inside'), changed, changed);
    utimesSync(path, changed, changed);
  } else if (node === 'symlink') {
    symlinkSync('where it leads', path);
    lutimesSync(path, changed, changed);
  } else {
    if (node === 'fifo') execFileSync('mkfifo', [path]);
    else execFileSync('mknod', [path, 'c', '1', '3']);
    utimesSync(path, changed, changed);
  }
}

/** Makes what stands there when the restore begins; `outside` is a folder that nothing may change. */
function makeExisting(existing: Existing, node: NodeKind, path: string, outside: string): void {
  const size = isFile(node) ? contents[node].length : 5;
  let time = older;
  if (existing === 'nothing') return;
  if (existing === 'equal' || existing === 'equal but older') {
    makeNode(node, path);
    if (node === 'link') execFileSync('rm', [`${path}, further name`]);
    time = existing === 'equal' ? changed : older;
  } else if (existing === 'same size' || existing === 'same size and time') {
    writeFileSync(path, Buffer.alloc(size, '!'));
    if (existing === 'same size and time') time = changed;
  } else if (existing === 'other size' || existing === 'other size and newer') {
    writeFileSync(path, Buffer.alloc(size + 1, '!'));
    if (existing === 'other size and newer') time = newer;
  } else if (existing.endsWith('folder') && !existing.startsWith('link')) {
    mkdirSync(path);
    if (existing !== 'empty folder') writeFileSync(join(path, 'mine'), 'mine');
    if (existing === 'newer folder') time = newer;
  } else if (existing === 'link to a file') symlinkSync(join(outside, 'file'), path);
  else if (existing === 'link to a folder') symlinkSync(join(outside, 'folder'), path);
  else if (existing === 'dangling link') symlinkSync(join(outside, 'nothing'), path);
  else if (existing === 'fifo of another time') execFileSync('mkfifo', [path]);
  else {
    const other = join(outside, `${node} ${existing}`);
    writeFileSync(other, existing.startsWith('equal') && isFile(node) ? contents[node] : Buffer.alloc(size, '!'));
    linkSync(other, path);
  }
  lutimesSync(path, time, time);
}

type Outcome = 'create' | 'replace' | 'beside' | 'same' | 'keep' | 'merge' | 'refuse';

/** The rule. */
function outcomeOf(node: NodeKind, existing: Existing, policy: OverwritePolicy): Outcome {
  const isEqual = existing.startsWith('equal') && (isFile(node) || existing !== 'equal file with another name');
  const isFolder = ['empty folder', 'folder', 'newer folder'].includes(existing);
  const isNewer = existing.includes('newer');
  const sameTime = existing === 'equal' || existing === 'same size and time';
  // What is not there cannot be in the way.
  if (existing === 'nothing') return 'create';
  // Two folders are one, whatever the policy says of what is in them.
  if (node === 'folder' && (isFolder || isEqual)) return 'merge';
  // These two leave alone what is there; a folder that cannot come to its place is a problem, a file is not.
  if (policy === 'never') return node === 'folder' ? 'refuse' : 'keep';
  if (policy === 'if-newer' && (isNewer || sameTime)) return node === 'folder' ? 'refuse' : 'keep';
  const hasFurtherName = existing.endsWith('another name');
  // An empty file holds what every empty file holds.
  const sameSize = isFile(node) && ['same size', 'same size and time', 'file with another name'].includes(existing);
  const sameContent = isEqual || (sameSize && node === 'empty');
  const takenForSame = policy === 'if-changed' && sameSize && existing === 'same size and time';
  const sameSpecial = node === 'fifo' && existing === 'fifo of another time';
  // A file that is to have one name must not share its metadata with another.
  const mustPart = hasFurtherName && node !== 'link' && policy !== 'keep-both';
  if ((sameContent || takenForSame || sameSpecial) && !mustPart) return 'same';
  if (policy === 'keep-both') return 'beside';
  // Without being told to delete, nothing that a person has put into a folder is removed.
  if (isFolder && existing !== 'empty folder') return 'refuse';
  return 'replace';
}

const shared = sharedScratch('overwrite');
const source = join(shared, 'source');
let repository: Repository;
let snapshot: ReadonlyMap<string, EntryFacts>;
const cases = nodes.flatMap((node) => existings.map((existing) => ({ node, existing, name: `${node} on ${existing}` })));

beforeAll(async () => {
  mkdirSync(source);
  for (const { node, name } of cases) makeNode(node, join(source, name));
  snapshot = factsOf(source);
  repository = await makeRepository(join(shared, 'repository'));
  const { problems } = await backup(repository, source);
  expect(problems).toEqual([]);
});

const besideName = (name: string): RegExp => new RegExp(`^${name} \\(restored \\d{4}-\\d\\d-\\d\\d \\d\\d\\.\\d\\d\\)$`);

function setUp(): { target: string; outside: string } {
  const dir = scratch('overwrite');
  const [target, outside] = [join(dir, 'target'), join(dir, 'outside')];
  mkdirSync(target);
  mkdirSync(join(outside, 'folder'), { recursive: true });
  writeFileSync(join(outside, 'file'), 'outside');
  for (const { node, existing, name } of cases) makeExisting(existing, node, join(target, name), outside);
  return { target, outside };
}

describe.each(overwritePolicies)('overwrite %s', (policy) => {
  test('does with each entry what the rule says, and plans exactly that', async () => {
    const { target, outside } = setUp();
    // Names of what is restored beside something tell the minute.
    const now = systemClock.now();
    const settings = { path: Buffer.from(source), overwrite: policy, clock: { ...systemClock, now: () => now } };
    const before = factsOf(target);
    const outsideBefore = factsOf(outside);
    const plan = await plannedRestore(repository, target, settings);
    expect(factsOf(target)).toEqual(before);
    const { problems, figures } = await restore(repository, target, settings);
    const after = factsOf(target);
    const planned = new Map(
      plan.entries.map((entry) => [
        Buffer.from(entry.path)
          .toString()
          .slice(target.length + 1),
        entry,
      ]),
    );
    const names = readdirSync(target);
    const told: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const { node, existing, name } of cases) {
      const outcome = outcomeOf(node, existing, policy);
      const wanted = snapshot.get(name)!;
      const other = names.find((each) => besideName(name).test(each));
      expected[name] = { outcome, planned: outcome === 'merge' ? undefined : outcome === 'refuse' ? 'keep' : outcome };
      told[name] = { outcome: seen(name, wanted, before, after, other, problems, outcome, policy), planned: planned.get(name)?.action };
      if (outcome === 'beside') {
        expect(Buffer.from(planned.get(name)!.other!).toString(), name).toBe(join(target, other!));
        expect(likeness(after.get(other!)!), name).toEqual(likeness(wanted));
        if (node === 'folder') expect(after.get(`${other!}/inside`)?.content, name).toBe(snapshot.get(`${name}/inside`)!.content);
      } else expect(other, name).toBeUndefined();
      if (node === 'link') {
        // Whatever stood at the first name: what comes under the further one is the snapshot's, and the same file if that can be.
        const further = after.get(`${name}, further name`)!;
        const first = after.get(other ?? name)!;
        expect(further.content, name).toBe(wanted.content);
        expect(further.inode === first.inode, name).toBe(first.content === wanted.content && (outcome !== 'keep' || existing === 'equal'));
      }
      if (node === 'folder' && outcome !== 'refuse' && outcome !== 'beside') {
        expect(after.get(`${name}/inside`)?.content, name).toBe(snapshot.get(`${name}/inside`)!.content);
        expect(after.get(name)!.mtimeNs, name).toBe(wanted.mtimeNs);
        expect(after.has(`${name}/mine`), name).toBe(before.has(`${name}/mine`));
      }
    }
    expect(told).toEqual(expected);
    expect(figures).toEqual(plan.figures);
    expect(problemLines(problems)).toEqual(problemLines(plan.problems));
    // Further names were made or lost there, which changes when something was changed, but neither a byte nor a name.
    expect([...factsOf(outside)].map(([name, { content, inode }]) => [name, content, inode])).toEqual(
      [...outsideBefore].map(([name, { content, inode }]) => [name, content, inode]),
    );
    expect(names.filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('finds nothing left to do when it is run again', async () => {
    const { target } = setUp();
    const settings = { path: Buffer.from(source), overwrite: policy };
    await restore(repository, target, settings);
    const before = factsOf(target);
    const { figures, problems } = await restore(repository, target, settings);
    // Of a folder beside something else nobody can tell whether it is the same: it is restored again.
    const again = cases.filter(({ node, existing }) => node === 'folder' && outcomeOf(node, existing, policy) === 'beside').length;
    expect(figures).toMatchObject({ create: again, replace: 0, beside: again, delete: 0, bytes: again * 'inside'.length });
    // The same as before, down to the inode and the time of change, but for folders, whose times are set each time.
    const after = factsOf(target);
    const unmerged = (facts: ReadonlyMap<string, EntryFacts>) => [...facts].filter(([, { kind }]) => kind !== 'folder');
    const isOnce = ([name]: [string, EntryFacts]) => !/^folder on .*restored/.test(name);
    expect(unmerged(after).filter(isOnce)).toEqual(unmerged(before).filter(isOnce));
    expect(problems.filter(({ kind }) => kind !== 'failed')).toEqual([]);
  });
});

const likeness = ({ kind, content, mode, mtimeNs }: EntryFacts) => ({ kind, content: kind === 'folder' ? '' : content, mode, mtimeNs });

/** What happened, from the facts; of what looks untouched, `expected` tells why. */
function seen(
  name: string,
  wanted: EntryFacts,
  before: ReadonlyMap<string, EntryFacts>,
  after: ReadonlyMap<string, EntryFacts>,
  other: string | undefined,
  problems: readonly { path: Uint8Array; kind: string }[],
  expected: Outcome,
  policy: OverwritePolicy,
): Outcome | undefined {
  const [old, now] = [before.get(name), after.get(name)];
  const isReported = problems.some(({ path, kind }) => kind === 'failed' && Buffer.from(path).toString().endsWith(`/${name}`));
  const untouched =
    old && now && old.inode === now.inode && old.kind === now.kind && old.content === now.content && old.mtimeNs === now.mtimeNs;
  if (isReported) return untouched ? 'refuse' : undefined;
  if (other !== undefined) return untouched ? 'beside' : undefined;
  if (!old)
    return now && JSON.stringify([now.kind, now.content, now.mode]) === JSON.stringify([wanted.kind, wanted.content, wanted.mode])
      ? 'create'
      : undefined;
  if (!now) return undefined;
  if (old.kind === 'folder' && wanted.kind === 'folder') return 'merge';
  const isRight = now.kind === wanted.kind && now.mtimeNs === wanted.mtimeNs && now.mode === wanted.mode;
  // To keep means to touch nothing; so does, when both are kept, to find that there is nothing to restore.
  if (untouched && (!isRight || expected === 'keep')) return policy === 'keep-both' && expected === 'same' ? 'same' : 'keep';
  // The inode of what was removed may be given again to what takes its place.
  if (old.inode === now.inode && old.kind === now.kind) return isRight ? 'same' : undefined;
  return isRight && now.content === wanted.content ? 'replace' : undefined;
}
