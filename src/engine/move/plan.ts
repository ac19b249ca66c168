/** What a move will do, and whether it can. Only looks. */
import { readdirSync } from 'node:fs';
import { sep } from 'node:path';
import { fail, hasCode } from '../../contract/errors.ts';
import type { Repository } from '../../repository/repository.ts';
import { localFolderOf } from '../../storage/local-folder.ts';
import { isMissingPlace } from '../../storage/missing-place.ts';
import { layoutFolders } from '../../storage/names.ts';
import type { FileKind, ListedFile, Storage, StoredFile } from '../../storage/storage.ts';
import { isSamePlace } from '../copy/ends.ts';
import { freeBytes } from '../restore/plan.ts';

/** In the order in which they are moved: what refers to other files comes after them. Locks stay, and config comes last of all. */
const movedKinds = ['key', 'pack', 'index', 'snapshot'] as const satisfies readonly FileKind[];

export const configFile: StoredFile = { kind: 'config', name: '' };

/** A file and its size in bytes. */
export type SizedFile = StoredFile & ListedFile;

export interface MovePlan {
  /** Where to. */
  readonly location: string;
  /**
   * - `empty`: nothing is there.
   * - `begun`: a part of this repository is there, and it is no repository yet.
   * - `there`: it is there as a repository; perhaps some files are missing, if the old one was used since.
   */
  readonly state: 'empty' | 'begun' | 'there';
  /** All files but config and locks. */
  readonly files: number;
  readonly bytes: number;
  /** Those that are there already, by name and size. */
  readonly presentFiles: number;
  readonly presentBytes: number;
  /** Bytes that are free there; undefined when nobody can tell. */
  readonly free: number | undefined;
  /** Bytes that the missing files need there, each rounded up to whole blocks of the file system. */
  readonly needed: number;
}

/** The plan with what its execution needs. */
export interface MoveFacts {
  readonly plan: MovePlan;
  readonly files: readonly SizedFile[];
  /** Those that the new place holds at the right size. */
  readonly present: ReadonlySet<SizedFile>;
  /** Those that it holds at another size. */
  readonly wrong: ReadonlySet<SizedFile>;
}

const blockBytes = 4096;

/**
 * Looks at both places. Throws `same-place`, `place-occupied` when the new one holds anything but (a part of) this repository, or what
 * the storages throw.
 */
export async function surveyMove(repository: Repository, place: Storage): Promise<MoveFacts> {
  const { storage } = repository;
  if (isSamePlace(storage, place)) return fail('same-place', { location: storage.location });
  if (place.location.startsWith(`${storage.location}${sep}`)) refuse(place, 'that lies inside the repository itself');
  const files: SizedFile[] = [];
  for (const kind of movedKinds) for await (const { name, size } of storage.list(kind)) files.push({ kind, name, size });
  const there = await filesAt(place);
  const hasConfig = await isSameConfig(repository, place);
  const present = new Set<SizedFile>();
  const wrong = new Set<SizedFile>();
  for (const file of files) {
    const size = there.get(`${file.kind} ${file.name}`);
    if (size !== undefined) (size === file.size ? present : wrong).add(file);
  }
  const others = there.size - present.size - wrong.size;
  if (others > 0 && !hasConfig) refuse(place, `it holds ${others} files that are none of this repository`);
  // A copy that holds all of the old one may hold more: it was used since, or the old one is half removed.
  if (others > 0 && present.size + wrong.size < files.length) refuse(place, 'it holds a copy of this repository that was changed since');
  if (!hasConfig) refuseOtherThings(place);
  const sum = (list: Iterable<SizedFile>): number => [...list].reduce((bytes, { size }) => bytes + size, 0);
  const missing = files.filter((file) => !present.has(file));
  const folder = localFolderOf(place);
  const plan: MovePlan = {
    location: place.location,
    state: hasConfig ? 'there' : there.size > 0 ? 'begun' : 'empty',
    files: files.length,
    bytes: sum(files),
    presentFiles: present.size,
    presentBytes: sum(present),
    free: folder === undefined ? undefined : freeBytes([Buffer.from(folder)]),
    needed: missing.reduce((bytes, { size }) => bytes + Math.ceil(size / blockBytes) * blockBytes, 0),
  };
  return { plan, files, present, wrong };
}

const refuse = (place: Storage, problem: string): never => fail('place-occupied', { location: place.location, problem });

/** Sizes by kind and name. A place that does not exist holds nothing. */
async function filesAt(place: Storage): Promise<Map<string, number>> {
  const files = new Map<string, number>();
  try {
    for (const kind of movedKinds) for await (const { name, size } of place.list(kind)) files.set(`${kind} ${name}`, size);
  } catch (error) {
    if (!isMissingPlace(error) || files.size > 0) throw error;
  }
  return files;
}

/** Whether the place holds this repository's config. Throws `place-occupied` when it holds another one. */
async function isSameConfig({ storage }: Repository, place: Storage): Promise<boolean> {
  let there: Uint8Array;
  try {
    there = await place.load(configFile);
  } catch (error) {
    if (hasCode(error, 'file-not-found') || isMissingPlace(error)) return false;
    throw error;
  }
  return Buffer.compare(there, await storage.load(configFile)) === 0 || refuse(place, 'it holds another repository');
}

/** Names that a folder for a repository may hold: its own, what a killed save leaves, and what new file systems begin with. */
const ownNames = new Set(['config', 'lost+found', ...layoutFolders]);
const unfinishedConfig = /^config-tmp-[0-9a-f]+$/;

function refuseOtherThings(place: Storage): void {
  const folder = localFolderOf(place);
  if (folder === undefined) return;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    return refuse(place, `it is no folder that can be read (${(error as Error).message})`);
  }
  const other = names.find((name) => !ownNames.has(name) && !unfinishedConfig.test(name));
  if (other !== undefined) refuse(place, `it holds other things, such as ${JSON.stringify(other)}`);
}
