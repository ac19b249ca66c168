/** What a person has chosen to restore: kept while they look elsewhere, so that going back loses nothing. */
import { create } from 'zustand';
import type { BrowsedEntry } from '../../../src/contract/browse.ts';
import type { RestoreRequestInput } from '../../../src/contract/restore-request.ts';

/** Something that is ticked. */
export type Chosen = Pick<BrowsedEntry, 'path' | 'name' | 'type' | 'size'>;
export type Step = 'what' | 'version' | 'where';
export type Order = 'name' | 'size' | 'changed';
export type TargetKind = RestoreRequestInput['target']['kind'] | 'download';
type Conflicts = NonNullable<RestoreRequestInput['conflicts']>;

interface RestoreState {
  readonly step: Step;
  /** Whose snapshots are looked at, as scopes.ts writes it; '' until there is a choice. */
  readonly scope: string;
  /** Key of the snapshot that is looked into. */
  readonly snapshot: string | undefined;
  readonly path: string;
  readonly order: Order;
  readonly descending: boolean;
  readonly chosen: ReadonlyMap<string, Chosen>;
  /** The entry that is shown at the right. */
  readonly looked: Chosen | undefined;
  readonly search: string;
  readonly target: TargetKind;
  readonly folder: string;
  readonly zip: string;
  readonly conflicts: Conflicts;
  readonly keepUndo: boolean;
}

const beginning: RestoreState = {
  step: 'what',
  scope: '',
  snapshot: undefined,
  path: '/',
  order: 'name',
  descending: false,
  chosen: new Map(),
  looked: undefined,
  search: '',
  target: 'original',
  folder: '',
  zip: '',
  conflicts: 'keep-newer',
  keepUndo: true,
};

export const useRestore = create<RestoreState>(() => beginning);
export const setRestore = (part: Partial<RestoreState>): void => useRestore.setState(part);
export const beginAnew = (): void => useRestore.setState(beginning);

/** Ticks an entry, or takes the tick away. What is in a ticked folder is ticked with it. */
export function pick(entry: Chosen): void {
  useRestore.setState(({ chosen }) => {
    const next = new Map(chosen);
    if (!next.delete(entry.path)) {
      for (const path of next.keys()) if (isBelow(path, entry.path)) next.delete(path);
      next.set(entry.path, { path: entry.path, name: entry.name, type: entry.type, size: entry.size });
    }
    return { chosen: next };
  });
}

/** Whether `path` lies in the folder. */
export const isBelow = (path: string, folder: string): boolean => path.startsWith(folder === '/' ? '/' : `${folder}/`) && path !== folder;

/** The ticked folder that holds the path, if one does. */
export const chosenAbove = (chosen: ReadonlyMap<string, Chosen>, path: string): string | undefined =>
  [...chosen.keys()].find((folder) => isBelow(path, folder));

/** What the service is asked for. */
export function requestOf(state: RestoreState): RestoreRequestInput | undefined {
  const { snapshot, chosen, target, folder, zip, conflicts, keepUndo } = state;
  if (snapshot === undefined || chosen.size === 0 || target === 'download') return undefined;
  const items = [...chosen.keys()];
  if (target === 'original') return { snapshot, items, target: { kind: 'original' }, conflicts, keepUndo };
  if (target === 'folder')
    return folder === '' ? undefined : { snapshot, items, target: { kind: 'folder', path: folder }, conflicts, keepUndo };
  return zip === '' ? undefined : { snapshot, items, target: { kind: 'zip', path: zip }, conflicts, keepUndo };
}
