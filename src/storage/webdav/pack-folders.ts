/** The 256 folders of packs, each made when the first pack comes into it. */
import { folderOfFile, isShardName } from '../names.ts';
import type { Task } from '../objects/bucket.ts';
import type { StoredFile } from '../storage.ts';
import type { Dav } from './dav.ts';
import type { Presence } from './presence.ts';

export class PackFolders {
  readonly #dav: Dav;
  readonly #presence: Presence;
  /** Those that are there, by their two digits, or are being made. */
  readonly #known = new Map<string, Promise<void>>();
  #listed: Promise<void> | undefined;

  constructor(dav: Dav, presence: Presence) {
    this.#dav = dav;
    this.#presence = presence;
  }

  /** The two digits of each that is there, in order. */
  async list(): Promise<string[]> {
    const found = new Set<string>();
    const isThere = await this.#dav.list('data/', { operation: 'list', file: 'its pack files' }, ({ name, isFolder }) => {
      if (isFolder && isShardName(name)) found.add(name);
    });
    if (!isThere) await this.#presence.check();
    return [...found].sort();
  }

  /** Makes the folder that a pack belongs to, unless it is known to be there. */
  async make(pack: StoredFile, task: Task): Promise<void> {
    await (this.#listed ??= this.#learn());
    const digits = digitsOf(pack);
    let making = this.#known.get(digits);
    if (making === undefined) {
      making = this.#makeOne(pack, task);
      this.#known.set(digits, making);
      making.catch(() => this.#known.delete(digits));
    }
    await making;
  }

  /** Somebody may have removed it. */
  forget(pack: StoredFile): void {
    this.#known.delete(digitsOf(pack));
  }

  async #learn(): Promise<void> {
    try {
      for (const digits of await this.list()) this.#known.set(digits, Promise.resolve());
    } catch (error) {
      this.#listed = undefined;
      throw error;
    }
  }

  async #makeOne(pack: StoredFile, task: Task): Promise<void> {
    if (!(await this.#dav.makeFolder(`${folderOfFile(pack)}/`, task))) this.#presence.gone('its folder data is missing');
  }
}

const digitsOf = ({ name }: StoredFile): string => name.slice(0, 2);
