/**
 * Where the sources of a snapshot lie in its trees, as far as the snapshot says so in its paths (restic's may be stored elsewhere, when
 * they were named by relative paths). An exclude pattern that is anchored may be meant from there.
 */
import { displayPath } from '../../platform/byte-paths.ts';

/** A folder on the way to a source, or a source. Below a source there may be another. */
export interface SourcePlace {
  isSource: boolean;
  /** By name, as text: paths in snapshots are text, in which bytes that are not UTF-8 stand as `\xNN`. */
  readonly below: Map<string, SourcePlace>;
}

const newPlace = (): SourcePlace => ({ isSource: false, below: new Map() });

/** The place of the root. `paths`: a snapshot's; `C:\Users` lies at C/Users. */
export function sourcePlaces(paths: readonly string[]): SourcePlace {
  const root = newPlace();
  for (const path of paths) {
    const isWindows = /^[A-Za-z]:[\\/]/.test(path);
    const names = isWindows ? [path[0], ...path.slice(3).split(/[\\/]/)] : path.split('/');
    let place = root;
    for (const name of names) {
      if (name === '') continue;
      let next = place.below.get(name);
      if (!next) place.below.set(name, (next = newPlace()));
      place = next;
    }
    place.isSource = true;
  }
  return root;
}

/** The place of the entry `name` in a folder. */
export const placeBelow = (place: SourcePlace | undefined, name: Buffer): SourcePlace | undefined => place?.below.get(displayPath(name));
