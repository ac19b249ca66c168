/** What is Holdfast's own in a target: nothing is restored over it, and nothing of it is deleted. */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { joinList, splitList } from '../../platform/byte-list.ts';
import { isInside } from '../../platform/byte-paths.ts';
import { isAsideName } from '../undo/aside.ts';

/** For workers; joined lists of paths. */
export interface ReservedPlaces {
  /** What a mirror keeps in itself. */
  readonly own: Uint8Array;
  /** Journals of undos, which may lie in the person's home: by each of their names. */
  readonly journals: Uint8Array;
  /** The target shall hold nothing but what is restored, so that whatever stays is a problem. */
  readonly isMirror: boolean;
}

/** `journals`: the folder that holds them, which need not be there. */
export function reservedPlaces(own: readonly Buffer[] | undefined, journals: string | undefined): ReservedPlaces {
  const names = journals === undefined ? [] : [Buffer.from(resolve(journals)), ...realNames(journals)];
  return { own: joinList(own ?? []), journals: joinList(names), isMirror: own !== undefined };
}

function realNames(path: string): Buffer[] {
  try {
    return [realpathSync(path, { encoding: 'buffer' })];
  } catch {
    // It is not there.
    return [];
  }
}

export class Reserved {
  readonly #own: readonly Buffer[];
  readonly #journals: readonly Buffer[];
  readonly #isMirror: boolean;

  constructor({ own, journals, isMirror }: ReservedPlaces) {
    this.#own = splitList(own);
    this.#journals = splitList(journals);
    this.#isMirror = isMirror;
  }

  /** Why nothing is restored to `place`, whose name is `name` (Latin-1): in words, or '' when that needs no words. */
  whyNot(place: Buffer, name: string, isThere: boolean): string | undefined {
    // The journals of this computer are no other's, and the old ones of none.
    if (this.#journals.some((each) => each.equals(place))) return '';
    const isOwn = this.#own.some((each) => each.equals(place)) || (isThere && isAsideName(name));
    return isOwn ? 'Holdfast keeps something of its own under this name' : undefined;
  }

  /** Why what stands at `place` is not deleted, as above. */
  whyKept(place: Buffer, name: string): string | undefined {
    if (this.#own.some((each) => each.equals(place))) return '';
    if (isAsideName(name)) return this.#isMirror ? 'what the undo of a restore needs is kept there' : '';
    return this.holds(place) ? '' : undefined;
  }

  /** Whether journals lie in what stands at `place`. */
  holds(place: Buffer): boolean {
    return this.#journals.some((each) => isInside(each, place));
  }
}
