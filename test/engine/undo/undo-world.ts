/** A folder in which much is other than in a snapshot, in every way in which things can differ. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Repository } from '../../../src/repository/repository.ts';
import { backup, makeRepository } from '../../support/engine.ts';
import { file, removeTree, symlink, tree, whenTestsEnd } from '../../support/tree-literal.ts';

export interface UndoWorld {
  readonly repository: Repository;
  /** The repository's folder. */
  readonly folder: string;
  /** What the snapshot holds, as it still is. */
  readonly source: string;
  /** The same as it was once, and changed since. */
  readonly target: string;
  /** A copy of the target as it is. */
  readonly before: string;
  /** For journals. */
  readonly journals: string;
  /** For restores: into the target, as a mirror. */
  readonly request: { readonly path: Buffer; readonly delete: true; readonly undo: { readonly folder: string } };
}

const odd = (text: string, ...bytes: number[]): Buffer => Buffer.concat([Buffer.from(text), Buffer.of(...bytes)]);
const within = (folder: string, ...names: (string | Buffer)[]): Buffer =>
  Buffer.concat([Buffer.from(folder), ...names.flatMap((name) => [Buffer.from('/'), Buffer.from(name as string)])]);

const many = (count: number, content: (i: number) => string): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}.txt`, content(i)]));

/** Several blobs. */
const large = Buffer.from(Array.from({ length: 300_000 }, (_, i) => `line ${i * 7919}`).join('\n'));

let shared: { readonly dir: string; readonly source: string; readonly folder: string; readonly repository: Repository } | undefined;
whenTestsEnd(() => shared && removeTree(shared.dir));

/** One snapshot for all worlds of a test file; nothing changes its source. */
async function sharedSnapshot(): Promise<NonNullable<typeof shared>> {
  if (shared) return shared;
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-undo-world-'));
  const [source, folder] = [join(dir, 'source'), join(dir, 'repository')];
  makeSnapshotState(source);
  const repository = await makeRepository(folder);
  await backup(repository, source, { packSize: 256 << 10 });
  shared = { dir, source, folder, repository };
  return shared;
}

/** A target below `dir`. */
export async function undoWorld(dir: string): Promise<UndoWorld> {
  const { source, folder, repository } = await sharedSnapshot();
  const [target, before, journals] = [join(dir, 'target'), join(dir, 'before'), join(dir, 'journals')];
  execFileSync('cp', ['-a', source, target]);
  change(target);
  execFileSync('cp', ['-a', target, before]);
  const request = { path: Buffer.from(source), delete: true, undo: { folder: journals } } as const;
  return { repository, folder, source, target, before, journals, request };
}

function makeSnapshotState(source: string): void {
  tree(source, {
    'same.txt': 'the same',
    'changed.txt': 'as in the snapshot',
    'same size.txt': 'one of these',
    'empty.txt': '',
    'only in the snapshot.txt': 'lost',
    'large.bin': large,
    'closed.txt': file('closed', { mode: 0o600 }),
    'properties.txt': 'only its properties changed',
    'file in the snapshot': 'a file',
    'folder in the snapshot': { 'inside.txt': 'inside', deeper: { 'x.txt': 'x' } },
    'link in the snapshot': symlink('same.txt'),
    'link elsewhere': symlink('same.txt'),
    small: many(60, (i) => `small ${i}`),
    sub: { deep: { deeper: { 'a.txt': 'a', 'b.txt': 'b' } }, 'c.txt': 'c' },
    'new folder': { 'n.txt': 'n', below: many(30, (i) => `below ${i}`), empty: {} },
    properties: { 'p.txt': 'p' },
    links: { 'first.txt': 'two names', 'apart.txt': 'apart', 'empty first': '' },
  });
  linkSync(join(source, 'links', 'first.txt'), join(source, 'links', 'second.txt'));
  linkSync(join(source, 'links', 'first.txt'), join(source, 'new folder', 'third.txt'));
  linkSync(join(source, 'links', 'empty first'), join(source, 'links', 'empty second'));
  execFileSync('mkfifo', [join(source, 'fifo'), join(source, 'new folder', 'fifo')]);
  mkdirSync(within(source, odd('fol', 0xe9)));
  writeFileSync(within(source, odd('fol', 0xe9), odd('new\nline', 0xff)), 'odd');
  writeFileSync(within(source, Buffer.alloc(255, 'n')), 'long');
  execFileSync('setfattr', ['-n', 'user.note', '-v', 'snapshot', join(source, 'properties.txt')]);
  for (const path of ['.', 'sub', 'sub/deep', 'small', 'new folder', 'new folder/below'])
    utimesSync(join(source, path), 1_400_000_000, 1_400_000_000);
}

function change(target: string): void {
  const at = (...names: string[]): string => join(target, ...names);
  tree(target, {
    'changed.txt': 'changed by the person, and longer',
    'same size.txt': 'another one!',
    'empty.txt': 'no longer empty',
    'large.bin': Buffer.concat([large.subarray(0, 1_000_000), Buffer.from('!'), large.subarray(1_000_001)]),
    'extra.txt': 'extra',
    'extra folder': { full: { 'of.txt': 'things' }, closed: {}, link: symlink('/etc') },
    small: many(30, (i) => `changed ${i}`),
    links: { 'more.txt': 'more' },
  });
  rmSync(at('only in the snapshot.txt'));
  rmSync(at('new folder'), { recursive: true });
  rmSync(at('sub', 'deep', 'deeper', 'b.txt'));
  unlinkSync(at('file in the snapshot'));
  tree(at('file in the snapshot'), { 'a folder': { 'of mine': 'mine' } });
  rmSync(at('folder in the snapshot'), { recursive: true });
  writeFileSync(at('folder in the snapshot'), 'a file of mine');
  for (const name of ['link in the snapshot', 'link elsewhere', 'fifo']) unlinkSync(at(name));
  writeFileSync(at('link in the snapshot'), 'no link');
  symlinkSync('extra folder', at('link elsewhere'));
  execFileSync('mknod', [at('fifo'), 'c', '1', '3']);
  // Names that were one file are two, and the other way round; one of them leads out of the target.
  unlinkSync(at('links', 'second.txt'));
  writeFileSync(at('links', 'second.txt'), 'two names');
  linkSync(at('links', 'apart.txt'), at('links', 'together.txt'));
  linkSync(at('same.txt'), at('links', 'same too.txt'));
  execFileSync('sh', ['-c', 'truncate -s 6M hole && printf end >> hole && ln hole "hole 2"'], { cwd: target });
  writeFileSync(within(target, odd('fol', 0xe9), odd('new\nline', 0xff)), 'odd and mine');
  writeFileSync(within(target, odd('mine', 0xfe, 0x0a)), 'mine');
  unlinkSync(within(target, Buffer.alloc(255, 'n')));
  writeFileSync(within(target, Buffer.alloc(255, 'm')), 'also long');
  chmodSync(at('properties.txt'), 0o4711);
  chownSync(at('properties.txt'), 12, 34);
  execFileSync('setfattr', ['-n', 'user.note', '-v', 'mine', at('properties.txt')]);
  execFileSync('setfattr', ['-n', 'user.more', '-v', 'mine', at('properties.txt')]);
  execFileSync('setfattr', ['-h', '-n', 'trusted.note', '-v', 'on a link', at('link elsewhere')]);
  execFileSync('setfacl', ['-m', 'u:12:rwx', '-d', '-m', 'u:12:rx', at('properties')]);
  chownSync(at('sub', 'deep'), 56, 78);
  chmodSync(at('sub', 'deep'), 0o2751);
  chmodSync(at('extra folder', 'closed'), 0o000);
  // Nanoseconds, and before 1970, deepest first.
  execFileSync(
    'sh',
    [
      '-c',
      'find . -depth -exec touch -h -d "1969-12-31 12:34:56.123456789 UTC" {} +; touch -d "2021-03-04 05:06:07.987654321" sub small .',
    ],
    {
      cwd: target,
    },
  );
}
