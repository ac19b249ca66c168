/** What the systems' drives share about paths and space. */
import { realpath, statfs } from 'node:fs/promises';
import { basename, dirname, join, type PlatformPath } from 'node:path';
import type { Space, Volume } from './volume.ts';

/** Whether an absolute path is `folder` or lies in it, by the names alone. */
export function isWithin(path: string, folder: string, { relative, isAbsolute, sep }: PlatformPath): boolean {
  const rest = relative(folder, path);
  return rest !== '..' && !rest.startsWith(`..${sep}`) && !isAbsolute(rest);
}

/** Of the volumes that `path` lies in by its name, the innermost. */
export function innermost(volumes: readonly Volume[], path: string, api: PlatformPath): Volume | undefined {
  let found: Volume | undefined;
  for (const volume of volumes)
    if (isWithin(path, volume.mountPoint, api) && (found?.mountPoint.length ?? -1) < volume.mountPoint.length) found = volume;
  return found;
}

/** The part of a path that exists, without links, and the rest. Throws the system's error but for what does not exist. */
export async function existingPart(path: string): Promise<{ readonly real: string; readonly missing: string }> {
  try {
    return { real: await realpath(path), missing: '' };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const above = dirname(path);
    if ((code !== 'ENOENT' && code !== 'ENOTDIR') || above === path) throw error;
    const { real, missing } = await existingPart(above);
    return { real, missing: join(missing, basename(path)) };
  }
}

export async function spaceAt(path: string): Promise<Space> {
  const { bsize, blocks, bavail } = await statfs(path, { bigint: true });
  return { capacityBytes: Number(blocks * bsize), freeBytes: Number(bavail * bsize) };
}

export const onNoVolume = (path: string): Error =>
  Object.assign(new Error(`ENODEV: ${path} lies on no mounted volume`), { code: 'ENODEV' });
