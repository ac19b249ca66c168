/** The drives of this computer, and noticing when one is plugged in or pulled out. */
import { join } from 'node:path';
import { hasCode } from '../../contract/errors.ts';
import type { Clock } from '../clock.ts';
import { DarwinDrives } from './darwin.ts';
import { LinuxDrives } from './linux.ts';
import type { Drives, PlaceWithin, Volume } from './volume.ts';
import { WindowsDrives } from './windows.ts';

/** Systems other than these are taken for Linux; what they do not have is told as an error by each call. */
export function systemDrives(platform: NodeJS.Platform = process.platform): Drives {
  if (platform === 'darwin') return new DarwinDrives();
  return platform === 'win32' ? new WindowsDrives() : new LinuxDrives();
}

/** `changed`: another label, mount options or mount point, but never free space alone. */
export interface DriveEvent {
  readonly kind: 'arrived' | 'left' | 'changed';
  readonly volume: Volume;
}

/** How often is looked; no system tells of a mount without a program or a thread that waits for it. */
const lookEveryMs = 2000;

/** What tells one volume from another, as far as they are plugged in at the same time: clones have the same UUID. */
const keyOf = ({ device, uuid, fileSystem }: Volume): string => JSON.stringify([device, uuid, fileSystem]);

const withoutSpace = (volume: Volume): string => JSON.stringify({ ...volume, space: undefined });

/**
 * Calls `onEvent` for every volume there is now, as one that arrived, and then whenever one arrives, leaves or changes, within about
 * 2 seconds. A listing that fails is tried again; meanwhile nothing has left. `onListed` is called behind the events of each listing.
 * Resolves when `signal` is aborted.
 */
export async function watchDrives(
  clock: Clock,
  drives: Drives,
  onEvent: (event: DriveEvent) => void,
  signal: AbortSignal,
  onListed: () => void = () => {},
): Promise<void> {
  let known = new Map<string, Volume>();
  let fingerprint: string | undefined;
  while (!signal.aborted) {
    try {
      const now = await drives.fingerprint();
      if (now !== fingerprint) {
        const listed = new Map((await drives.list()).map((volume) => [keyOf(volume), volume]));
        if (signal.aborted) return;
        const before = known;
        known = listed;
        // What changed between the two is seen the next time.
        fingerprint = now;
        for (const event of differences(before, listed)) onEvent(event);
        onListed();
      }
    } catch {
      fingerprint = undefined;
    }
    try {
      await clock.sleep(lookEveryMs, signal);
    } catch (error) {
      if (!hasCode(error, 'cancelled')) throw error;
    }
  }
}

function differences(before: ReadonlyMap<string, Volume>, now: ReadonlyMap<string, Volume>): DriveEvent[] {
  const events: DriveEvent[] = [];
  for (const [key, volume] of before) if (!now.has(key)) events.push({ kind: 'left', volume });
  for (const [key, volume] of now) {
    const known = before.get(key);
    if (!known) events.push({ kind: 'arrived', volume });
    else if (withoutSpace(known) !== withoutSpace(volume)) events.push({ kind: 'changed', volume });
  }
  return events;
}

/** Whether `path` lies on the volume with this UUID, so that what is written there does not go to another disk. Throws the system's error. */
export async function liesOn(drives: Drives, path: string, uuid: string): Promise<boolean> {
  return (await drives.identify(path)).volume.uuid === uuid;
}

/**
 * Folders in which to look for what was at `place`, the likeliest first: on volumes with its UUID, then at the same path within every
 * other drive (a copy of it, or one whose UUID was made anew). Nothing has been looked into yet. Throws the system's error.
 */
export async function candidatesFor(drives: Drives, place: PlaceWithin): Promise<string[]> {
  const found = await drives.locate(place);
  for (const { mountPoint, root, isNetwork } of await drives.list()) {
    if (!isNetwork && root === '/') found.push(join(mountPoint, join('/', place.pathWithin)));
  }
  return [...new Set(found)];
}
