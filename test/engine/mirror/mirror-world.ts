/** A source with a repository and a place for its mirror. */
import { execFileSync } from 'node:child_process';
import { existsSync, linkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { executeMirror, type MirrorRequest } from '../../../src/engine/mirror/mirror.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { backup, makeRepository, runOptions } from '../../support/engine.ts';
import { factsOf } from '../../support/file-facts.ts';
import { scratch, symlink, tree } from '../../support/tree-literal.ts';

export interface MirrorWorld {
  readonly dir: string;
  readonly source: string;
  readonly target: string;
  readonly known: string;
  readonly folder: string;
  readonly repository: Repository;
  mirror(request?: Partial<MirrorRequest>): ReturnType<typeof executeMirror>;
}

export async function mirrorWorld(): Promise<MirrorWorld> {
  const dir = scratch('mirror');
  const [source, target, known, folder] = ['source', 'mirror', 'known', 'repository'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
    string,
  ];
  tree(source, { 'a.txt': 'a', 'b.txt': 'b', sub: { 'c.txt': 'c', deep: { 'd.txt': 'd' } }, link: symlink('a.txt'), empty: {} });
  linkSync(join(source, 'a.txt'), join(source, 'sub', 'a too.txt'));
  const repository = await makeRepository(folder);
  await backup(repository, source);
  const mirror = (request: Partial<MirrorRequest> = {}) =>
    executeMirror(repository, { snapshot: 'latest', path: Buffer.from(source), to: target, ...request }, { ...runOptions(), known });
  return { dir, source, target, known, folder, repository, mirror };
}

/** What the issue's own command says of the mirror: nothing when it is equal. */
export const rsyncSays = (source: string, target: string): string =>
  execFileSync('rsync', ['-aHAXni', '--delete', '--checksum', '--modify-window=-1', `${source}/`, `${target}/`], { encoding: 'utf8' });

/** Holdfast's own folder of a mirror. */
export const ownOf = (target: string): string => join(dirname(target), `.${basename(target)}.holdfast-mirror`);

/** Files and links that are kept of what went. */
export function removedFrom(target: string): string[] {
  const removed = join(ownOf(target), 'removed');
  return existsSync(removed) ? [...factsOf(removed)].filter(([, { kind }]) => kind !== 'folder').map(([name]) => name) : [];
}
