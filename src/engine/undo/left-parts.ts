/** The beginnings of files that a restore which was killed has left where it was at work. */
import { readdirSync } from 'node:fs';
import { joinPath } from '../../platform/byte-paths.ts';
import { isPart, unlinkQuietly } from '../restore/part-file.ts';

export class LeftParts {
  readonly #prefix: string;
  readonly #isWanted: boolean;
  #folder: Buffer | undefined;

  /** `run` is the restore's own part of the names; without `isWanted` none are looked for. */
  constructor(run: string, isWanted: boolean) {
    this.#prefix = `.holdfast-${run}-`;
    this.#isWanted = isWanted;
  }

  /** Entries of this folder come next; those of the one before were undone. */
  enter(folder: Buffer): void {
    if (!this.#isWanted || this.#folder?.equals(folder)) return;
    this.leave();
    this.#folder = folder;
  }

  /** Removes the parts in the folder that was entered. */
  leave(): void {
    const folder = this.#folder;
    this.#folder = undefined;
    if (!folder) return;
    let names: Buffer[];
    try {
      names = readdirSync(folder, { encoding: 'buffer' }) as Buffer[];
    } catch {
      // It went with what was undone.
      return;
    }
    for (const name of names) if (this.isOne(name)) unlinkQuietly(joinPath(folder, name));
  }

  isOne(name: Buffer): boolean {
    const text = name.toString('latin1');
    return text.startsWith(this.#prefix) && isPart(text);
  }
}
