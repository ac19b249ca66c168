/**
 * Where something changed since the parent snapshot, as far as a journal can be trusted: a backup that has it looks nowhere else.
 *
 * - A *changed* folder is one whose own entries may have changed: names, contents or metadata.
 * - Of a path to be looked at *whole* nothing is known: it, and all below it.
 * - A folder on the way to one of those is *passed through*: what else is in it is taken from the parent's tree.
 * - All others are *trusted*: their trees are the parent's, and are not even read.
 */
import { joinList, splitList } from '../../platform/byte-list.ts';
import { splitPath } from '../../platform/byte-paths.ts';
import type { WorkerContext } from '../workers/context.ts';

export interface ChangedFolders {
  /** The snapshot since which they count; with any other parent they say nothing. */
  readonly since: string;
  /** Names of the index files that the run which made it could rely on. One that is gone: what the parent holds may be gone, too. */
  readonly indexFiles: ReadonlySet<string>;
  /** Absolute paths; one may be gone by now. */
  readonly folders: readonly Buffer[];
  /** Absolute paths of folders or files. */
  readonly whole: readonly Buffer[];
  /** Everything is looked at all the same, for this reason, and what has changed in other folders is told as missed. */
  readonly compare: 'daily' | 'missed' | undefined;
}

/** {@link ChangedFolders}, for workers. */
export interface VisitOptions {
  /** Joined lists of absolute paths. */
  readonly folders: Uint8Array;
  readonly whole: Uint8Array;
  readonly compare: boolean;
}

export const visitOptions = ({ folders, whole, compare }: ChangedFolders): VisitOptions => ({
  folders: joinList(folders),
  whole: joinList(whole),
  compare: compare !== undefined,
});

/** A folder that is changed, whole, or on the way to such. */
export interface Visit {
  isChanged: boolean;
  isWhole: boolean;
  /** By name, as latin1. */
  children: Map<string, Visit> | undefined;
}

const newVisit = (): Visit => ({ isChanged: false, isWhole: false, children: undefined });

/** Undefined: nothing changed in the folder of this name, nor below it. */
export const visitOf = (above: Visit | undefined, name: Buffer): Visit | undefined => above?.children?.get(name.toString('latin1'));

/** The visit of a folder by its absolute path; one below a whole one is that one. */
export function findVisit(root: Visit | undefined, path: Buffer): Visit | undefined {
  let visit = root;
  for (const name of splitPath(path)) {
    if (visit === undefined || visit.isWhole) return visit;
    visit = visitOf(visit, name);
  }
  return visit;
}

function makeVisit(root: Visit, path: Buffer): Visit {
  let visit = root;
  for (const name of splitPath(path)) {
    const key = name.toString('latin1');
    const children: Map<string, Visit> = (visit.children ??= new Map());
    let next = children.get(key);
    if (!next) children.set(key, (next = newVisit()));
    visit = next;
  }
  return visit;
}

const stateName = 'backup visits';

/** For the jobs of a run. */
export function keepVisits(context: WorkerContext, options: VisitOptions | undefined): void {
  context.state.set(stateName, options && visitsOf(options));
}

/** Of the root of everything; undefined without a journal. */
export const visitsIn = (context: WorkerContext): Visit | undefined => context.state.get(stateName) as Visit | undefined;

function visitsOf({ folders, whole }: VisitOptions): Visit {
  const root = newVisit();
  for (const path of splitList(folders)) makeVisit(root, path).isChanged = true;
  for (const path of splitList(whole)) makeVisit(root, path).isWhole = true;
  return root;
}
