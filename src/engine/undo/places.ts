/** Finds the places that a journal speaks of, name by name below their areas: a link that was put in the way since is never followed. */
import { type BigIntStats, chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { joinPath, splitPath } from '../../platform/byte-paths.ts';
import { isClosedToOwner, openForOwner } from '../restore/make-entry.ts';
import { bytesOf } from './records.ts';

const isRoot = process.getuid?.() === 0;

/** Whether the folder that an entry belongs into is there; `blocked`: something else has its name. */
export type FolderState = 'there' | 'missing' | 'blocked';

export class Places {
  readonly #act: boolean;
  /** Folders opened for a while, which are no more open afterwards: path as Latin-1, mode. */
  readonly #opened = new Map<string, number>();
  #last: { readonly folder: string; readonly state: FolderState } | undefined;

  /** Without `act`, nothing is opened or made. */
  constructor(act: boolean) {
    this.#act = act;
  }

  /** The path of an entry. `area` is a path without links, `way` as records have it. Throws when no way leads there. */
  pathOf(area: Buffer, way: string): Buffer {
    const names = splitPath(bytesOf(way));
    if (names.some((name) => name.includes(0) || name.equals(dot) || name.equals(twoDots))) throw new Error('its name is none');
    return names.reduce(joinPath, area);
  }

  /** What is to be said of the folder that holds an entry. It is opened for its owner. */
  folderOf(area: Buffer, way: string): FolderState {
    const names = splitPath(bytesOf(way)).slice(0, -1);
    const folder = names.reduce(joinPath, area);
    const text = folder.toString('latin1');
    if (this.#last?.folder === text) return this.#last.state;
    const state = this.#look(area, names);
    this.#last = { folder: text, state };
    return state;
  }

  /** Forgets what it has seen, after folders came or went. */
  forget(): void {
    this.#last = undefined;
  }

  #look(area: Buffer, names: readonly Buffer[]): FolderState {
    let path = area;
    for (const name of [undefined, ...names]) {
      if (name) path = joinPath(path, name);
      const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (!stat) return 'missing';
      if (!stat.isDirectory()) return 'blocked';
      this.open(path, stat);
    }
    return 'there';
  }

  /** Makes the folders that lead to an entry again. `announce` is called with each that is missing before it is made, the outermost first. */
  remake(area: Buffer, way: string, announce: (folder: Buffer) => void): void {
    let path = area;
    for (const name of splitPath(bytesOf(way)).slice(0, -1)) {
      path = joinPath(path, name);
      if (lstatSync(path, { throwIfNoEntry: false })) continue;
      announce(path);
      if (this.#act) mkdirSync(path, 0o755);
    }
    this.forget();
  }

  /** Lets the owner, who is not root, work in a folder, until `closeAll`. */
  open(path: Buffer, stat: BigIntStats): void {
    if (isRoot || !isClosedToOwner(stat)) return;
    if (!this.#act) return;
    this.#opened.set(path.toString('latin1'), Number(stat.mode) & 0o7777);
    openForOwner(path, stat);
  }

  /** A folder has got the mode that it shall have. */
  settle(path: Buffer): void {
    this.#opened.delete(path.toString('latin1'));
    this.forget();
  }

  /** Gives the opened folders the modes that they had; what is gone meanwhile needs none. */
  closeAll(): void {
    for (const [path, mode] of [...this.#opened].reverse()) {
      try {
        chmodSync(Buffer.from(path, 'latin1'), mode);
      } catch {
        // See above.
      }
    }
    this.#opened.clear();
  }
}

const dot = Buffer.from('.');
const twoDots = Buffer.from('..');
