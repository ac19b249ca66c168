/** The folders below which an in-place restore changes things: where it goes to, and other file systems mounted below that. */
import { lstatSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { isInside, parentPath } from '../../platform/byte-paths.ts';
import type { RestoreStart } from '../restore/plan.ts';
import { isAsideName } from './aside.ts';

/**
 * Undefined when nothing stands where the restore goes to, so that there is nothing that an undo would have to bring back.
 * Of what goes back to where it was, each is the wanted place itself, when that is a folder, or the nearest folder above.
 */
export function topsOf({ target, root, places }: RestoreStart): { path: Buffer; real: Buffer }[] | undefined {
  if (places === undefined && (root.isNew || isBare(target))) return undefined;
  const tops = (places ?? [target]).map(nearestFolder);
  const mounts = mountPoints().filter((mount) => tops.some(({ real }) => isInside(mount, real)));
  const below = mounts.flatMap((mount) => tops.filter(({ real }) => isInside(mount, real)).map((top) => beneath(mount, top)));
  const all = new Map([...tops, ...below].map((top) => [top.path.toString('latin1'), top]));
  return [...all.values()];
}

function beneath(mount: Buffer, { path, real }: { path: Buffer; real: Buffer }): { path: Buffer; real: Buffer } {
  const way = mount.subarray(real.length);
  return { path: Buffer.concat([path.length === 1 && way[0] === slash ? Buffer.alloc(0) : path, way]), real: mount };
}

const slash = 0x2f;

/** Nothing is in the folder, so that an undo has nothing to bring back. */
function isBare(folder: Buffer): boolean {
  try {
    return readdirSync(folder, { encoding: 'latin1' }).every((name) => isAsideName(name));
  } catch {
    return false;
  }
}

function nearestFolder(place: Buffer): { path: Buffer; real: Buffer } {
  for (let path = place; ; path = parentPath(path)) {
    if (path.length <= 1 || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
      // A link in the place of what is restored is replaced; one above it is followed.
      if (path === place && lstatSync(path).isSymbolicLink()) continue;
      return { path, real: realpathSync(path, { encoding: 'buffer' }) };
    }
  }
}

/** Where other file systems, or other parts of the same, are mounted; empty where the system does not tell. */
function mountPoints(): Buffer[] {
  if (process.platform !== 'linux') return [];
  try {
    // The fifth field; blanks, tabs, newlines and backslashes are written in octal (proc_pid_mountinfo(5)).
    return readFileSync('/proc/self/mountinfo', 'latin1')
      .split('\n')
      .flatMap((line) => line.split(' ')[4] ?? [])
      .map((text) =>
        Buffer.from(
          text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
          'latin1',
        ),
      );
  } catch {
    return [];
  }
}
